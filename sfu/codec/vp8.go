package codec

// parseVP8 reads the payload descriptor (RFC 7741 section 4.2) and the beginning of the header (RFC 6386 section 9.1).
func parseVP8(b []byte, marker bool) (f Frame, err error) {
	at := 1
	if b[0]&0x80 != 0 {
		if at, err = f.readVP8Extensions(b); err != nil {
			return Frame{}, err
		}
	}
	if at >= len(b) {
		return Frame{}, ErrShort
	}
	f.Begin = b[0]&0x10 != 0 && b[0]&0x07 == 0
	f.End = marker
	f.Keyframe = f.Begin && b[at]&0x01 == 0
	if f.Keyframe {
		f.SwitchUp, f.upFrom, f.upTo = true, 0, topTemporal
		f.Size = vp8Size(b[at:])
	}
	return f, nil
}

// readVP8Extensions reads what follows if X is set, and returns its end.
func (f *Frame) readVP8Extensions(b []byte) (at int, err error) {
	if len(b) < 2 {
		return 0, ErrShort
	}
	flags, at := b[1], 2
	if flags&0x80 != 0 {
		if at, err = f.readPicture(b, at); err != nil {
			return 0, err
		}
	}
	if flags&0x40 != 0 {
		if at, err = f.readTL0(b, at); err != nil {
			return 0, err
		}
	}
	if flags&0x30 == 0 {
		return at, nil
	}
	if at >= len(b) {
		return 0, ErrShort
	}
	if flags&0x20 != 0 {
		f.readVP8Temporal(b[at])
	}
	return at + 1, nil
}

// readVP8Temporal reads TID and Y. A frame with Y depends on the base only. Still only who has the layer below may add this one:
// that one's frames would come without those they depend on.
func (f *Frame) readVP8Temporal(b byte) {
	f.Temporal = b >> 6
	if f.SwitchUp = b&0x20 != 0 && f.Temporal > 0; f.SwitchUp {
		f.upFrom, f.upTo = f.Temporal-1, f.Temporal
	}
}

// vp8Size reads the dimensions of a key frame: a tag of 3 bytes, a start code, then 14 bits each with 2 bits of scaling.
func vp8Size(b []byte) Size {
	if len(b) < 10 || b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		return Size{}
	}
	return Size{Width: int(b[6]) | int(b[7]&0x3f)<<8, Height: int(b[8]) | int(b[9]&0x3f)<<8}
}
