package codec

import "errors"

// What may be wrong with a payload, an extension or a call. They are returned as they are.
var (
	ErrShort       = errors.New("codec: the payload is cut short")
	ErrMalformed   = errors.New("codec: the payload does not follow its format")
	ErrUnknown     = errors.New("codec: the codec is not known; only what KindOf knows can be read")
	ErrNoStructure = errors.New("codec: the dependency descriptor refers to a structure that has not come; ask for a key frame")
)

// Layer is a place in a stream with layers. A layer is decoded with all those below it; {0, 0} is the base.
type Layer struct {
	Spatial, Temporal uint8
}

// Size is that of a picture, in pixels.
type Size struct {
	Width, Height int
}

// Frame is what one packet says of the frame that it belongs to. A picture has one frame per spatial layer.
type Frame struct {
	// Begin and End say that the packet is the first and the last of its frame. H.264 has no mark for the first packet: Begin is
	// set for parameter sets and for the first slice, which share a timestamp. The same holds for its Keyframe.
	Begin, End bool
	// Keyframe says that the packet begins a key frame: nothing before it is needed. With spatial layers it is that of the base.
	Keyframe bool
	Layer
	// SwitchUp says that who has received the layers below may receive this frame's temporal layer from here on (VP8), or
	// those above it (VP9), or a decode target with more layers (dependency descriptor). Selector knows the difference.
	SwitchUp bool

	PictureID   uint16 // of VP8 and VP9
	PictureBits uint8  // its width: 0 (absent), 7 or 15
	TL0         uint8  // TL0PICIDX, if HasTL0
	HasTL0      bool

	// Size is that of the largest layer, where the packet says so: key frames of VP8, VP9 with a scalability structure, H.264 with
	// a sequence parameter set, AV1 with a sequence header or a dependency structure with resolutions. Else it is zero.
	Size

	pictureAt, tl0At int    // offsets, 0 if absent
	upFrom, upTo     uint8  // with SwitchUp: who has upFrom may have the temporal layers up to upTo from here on
	targets          Layers // of the dependency descriptor; empty without
	present          Layers // those of which the frame is a part
	switches         Layers // those that may be switched to here
	number           uint16 // of the frame
	references       uint8
	diffs            [maxReferences]uint16 // how many frames ago those were that it refers to
}

// Parse reads the payload of a packet; marker is the header's, dd what the packet's dependency descriptor said, nil if there was
// none. VP8 and VP9 do not need it.
//
// An empty payload is ErrShort: padding, which is no part of a frame. Errors are for counting: the packet can be dropped.
func Parse(k Kind, payload []byte, marker bool, dd *Descriptor) (Frame, error) {
	if len(payload) == 0 {
		return Frame{}, ErrShort
	}
	switch k {
	case Opus, RED:
		return Frame{Begin: true, End: true}, nil
	case VP8:
		return parseVP8(payload, marker)
	case VP9:
		return parseVP9(payload)
	case H264:
		f, err := parseH264(payload, marker)
		return f.described(dd), err
	case AV1:
		f, err := parseAV1(payload, marker)
		return f.described(dd), err
	}
	return Frame{}, ErrUnknown
}

// Rewrite sets PictureID and TL0PICIDX of the VP8 or VP9 payload that f was read from, in place; what is absent stays absent. A
// pictureID that is wider than PictureBits is cut.
func (f *Frame) Rewrite(payload []byte, pictureID uint16, tl0 uint8) {
	if f.pictureAt != 0 && f.pictureAt < len(payload) {
		f.rewritePicture(payload[f.pictureAt:], pictureID)
	}
	if f.tl0At != 0 && f.tl0At < len(payload) {
		payload[f.tl0At] = tl0
	}
}

func (f *Frame) rewritePicture(b []byte, id uint16) {
	switch {
	case f.PictureBits == 7:
		b[0] = byte(id & 0x7f)
	case len(b) > 1:
		b[0], b[1] = 0x80|byte(id>>8), byte(id&0xff)
	}
}

// readPicture reads a picture id at an offset and returns the one behind it; VP8 and VP9 write it the same way.
func (f *Frame) readPicture(b []byte, at int) (next int, err error) {
	if at >= len(b) {
		return 0, ErrShort
	}
	f.pictureAt, f.PictureBits, f.PictureID = at, 7, uint16(b[at]&0x7f)
	if b[at]&0x80 == 0 {
		return at + 1, nil
	}
	if at+1 >= len(b) {
		return 0, ErrShort
	}
	f.PictureBits, f.PictureID = 15, f.PictureID<<8|uint16(b[at+1])
	return at + 2, nil
}

func (f *Frame) readTL0(b []byte, at int) (next int, err error) {
	if at >= len(b) {
		return 0, ErrShort
	}
	f.tl0At, f.TL0, f.HasTL0 = at, b[at], true
	return at + 1, nil
}
