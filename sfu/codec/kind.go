package codec

import "strings"

// Kind is a codec, or rather its RTP payload format.
type Kind uint8

// What can be forwarded.
const (
	Unknown Kind = iota
	Opus
	RED
	VP8
	VP9
	H264
	AV1
)

// KindOf returns the kind of a media type such as "video/VP8"; upper and lower case are the same (RFC 6838 section 4.2).
func KindOf(mime string) Kind {
	switch strings.ToLower(mime) {
	case "audio/opus":
		return Opus
	case "audio/red":
		return RED
	case "video/vp8":
		return VP8
	case "video/vp9":
		return VP9
	case "video/h264":
		return H264
	case "video/av1":
		return AV1
	}
	return Unknown
}

// String is the encoding name of the media type.
func (k Kind) String() string {
	return [...]string{"unknown", "opus", "red", "VP8", "VP9", "H264", "AV1"}[min(k, AV1+1)%(AV1+1)]
}

// Video reports whether pictures are sent: a subscriber can begin only at a key frame.
func (k Kind) Video() bool { return k >= VP8 && k <= AV1 }
