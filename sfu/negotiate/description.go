package negotiate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/sdp/v3"
)

// Limits on what a member sends.
const (
	MaxBytes      = 64 << 10
	MaxSections   = 64
	MaxCandidates = 64
	maxIDLength   = 64 // of a mid or a rid
	maxSources    = 64 // SSRCs named in all sections
	maxLayers     = 3
	maxFormats    = 128  // of a section: there are no more payload types
	maxAttribute  = 1024 // bytes of an attribute that describes a payload type
)

// Errors.
var (
	ErrTooLarge          = errors.New("sfu: the session description is larger than 64 KiB")
	ErrTooManyMedia      = errors.New("sfu: the session description has more than 64 media sections")
	ErrTooManyCandidates = errors.New("sfu: too many ICE candidates; the rest are ignored")
	ErrBad               = errors.New("sfu: the session description cannot be read")
	ErrUnsupported       = errors.New("sfu: the session description asks for something not supported")
)

// Transport is what a member says of its end of the one transport.
type Transport struct {
	Ufrag, Pwd  string
	Fingerprint string           // "sha-256 AA:BB:…"
	Setup       string           // "active", "passive" or "actpass" (RFC 8842)
	Addrs       []netip.AddrPort // of its UDP candidates
}

// Local is what the server says of its own end.
type Local struct {
	Ufrag, Pwd  string
	Fingerprint string
	Candidates  []string // values of candidate lines; complete
	Calls       bool     // this end sends connectivity checks: it is not ICE-lite, and has no use for candidates
	Session     uint64   // identifies the connection
	Version     uint64   // counts its descriptions
}

// MIME types of codecs.
const (
	Opus = "audio/opus"
	RED  = "audio/red"
	VP8  = "video/VP8"
	VP9  = "video/VP9"
	H264 = "video/H264"
	AV1  = "video/AV1"
)

// Codec is a codec that both sides may use, with its payload types.
type Codec struct {
	MimeType    string
	ClockRate   uint32
	Channels    uint16 // 0 for video
	Parameters  string // the fmtp line
	PayloadType uint8
	RTX         uint8    // payload type of its retransmissions (RFC 4588), 0 if there are none
	Feedback    []string // "nack", "nack pli", …
	Kept        bool     // what is sent is kept, and sent again for the asking, although that is not agreed upon
}

// NACK reports whether it is agreed that lost packets may be asked for.
func (c *Codec) NACK() bool {
	for _, f := range c.Feedback {
		if f == "nack" {
			return true
		}
	}
	return false
}

// Extension is an RTP header extension.
type Extension struct {
	ID  uint8
	URI string
}

// URIs of header extensions.
const (
	ExtMID         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	ExtRID         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	ExtRepairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	ExtAudioLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	ExtTransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	ExtSendTime    = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	ExtOrientation = "urn:3gpp:video-orientation"
	ExtDependency  = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)

// read parses a description that is worth parsing.
func read(text string) (*sdp.SessionDescription, Transport, error) {
	if len(text) > MaxBytes {
		return nil, Transport{}, ErrTooLarge
	}
	if strings.Count(text, "\nm=") > MaxSections {
		return nil, Transport{}, ErrTooManyMedia
	}
	if strings.Count(text, "a=candidate:") > MaxCandidates {
		return nil, Transport{}, ErrTooManyCandidates
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, Transport{}, fmt.Errorf("%w: %w", ErrBad, err)
	}
	if err := checkSize(&d); err != nil {
		return nil, Transport{}, err
	}
	t, err := readTransport(&d)
	return &d, t, err
}

// checkSize refuses what would take long to read. The count of sections in the text does not suffice: the parser ends lines at a
// carriage return too.
func checkSize(d *sdp.SessionDescription) error {
	if len(d.MediaDescriptions) > MaxSections {
		return ErrTooManyMedia
	}
	for _, m := range d.MediaDescriptions {
		if len(m.MediaName.Formats) > maxFormats {
			return fmt.Errorf("%w: a media section with more than %d formats", ErrBad, maxFormats)
		}
	}
	return nil
}

// readTransport takes the values of the first section that is not refused, or of the session.
func readTransport(d *sdp.SessionDescription) (t Transport, err error) {
	var first *sdp.MediaDescription
	for _, m := range d.MediaDescriptions {
		if !refused(m) {
			first = m
			break
		}
	}
	if first == nil && len(d.MediaDescriptions) != 0 {
		first = d.MediaDescriptions[0]
	}
	get := func(key string) string {
		if first != nil {
			if v, ok := first.Attribute(key); ok {
				return v
			}
		}
		v, _ := d.Attribute(key)
		return v
	}
	t = Transport{Ufrag: get("ice-ufrag"), Pwd: get("ice-pwd"), Setup: get("setup")}
	if first != nil {
		t.Addrs = addrs(first)
	}
	if t.Ufrag == "" && t.Pwd == "" {
		return t, fmt.Errorf("%w: it has no ice-ufrag", ErrBad)
	}
	if !iceText(t.Ufrag, 4) || !iceText(t.Pwd, 22) {
		return t, fmt.Errorf("%w: its ICE credentials are malformed", ErrBad)
	}
	if t.Fingerprint, err = readFingerprint(d, first); err != nil {
		return t, err
	}
	switch t.Setup {
	case "":
		t.Setup = "actpass"
	case "active", "passive", "actpass":
	default:
		return t, fmt.Errorf("%w: a setup that is none", ErrBad)
	}
	return t, nil
}

// readFingerprint finds the SHA-256 fingerprint; there may be others (RFC 8122 section 5.1).
func readFingerprint(d *sdp.SessionDescription, m *sdp.MediaDescription) (string, error) {
	var all []sdp.Attribute
	if m != nil {
		all = append(all, m.Attributes...)
	}
	for _, a := range append(all, d.Attributes...) {
		if a.Key != "fingerprint" {
			continue
		}
		hash, value, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
		if !strings.EqualFold(hash, "sha-256") {
			continue
		}
		sum, err := hex.DecodeString(strings.ReplaceAll(value, ":", ""))
		if err != nil || len(sum) != 32 || len(value) != 95 {
			return "", fmt.Errorf("%w: a fingerprint that is none", ErrBad)
		}
		return "sha-256 " + strings.ToUpper(value), nil
	}
	return "", fmt.Errorf("%w: it has no SHA-256 fingerprint", ErrBad)
}

// iceText checks an ice-ufrag or ice-pwd (RFC 8839 section 5.4).
func iceText(s string, least int) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '+', r == '/':
		case r == '-', r == '_', r == '=': // some agents use base64url
		default:
			return false
		}
	}
	return len(s) >= least && len(s) <= 256
}

// token checks a mid or a rid: it is written back, and compared with what packets say.
func token(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]`, r) {
			return false
		}
	}
	return s != "" && len(s) <= maxIDLength
}

// refused reports whether a section has port 0 and is not one that shares the transport of another (RFC 9143 section 6).
func refused(m *sdp.MediaDescription) bool {
	_, only := m.Attribute("bundle-only")
	return m.MediaName.Port.Value == 0 && !only
}
