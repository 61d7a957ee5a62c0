package codec

// vp9Layers is how many spatial layers a VP9 descriptor can name.
const vp9Layers = 8

// Bits of the first byte of the payload descriptor (RFC 9628 section 4.2).
const (
	vp9PictureID = 0x80
	vp9Inter     = 0x40
	vp9Layer     = 0x20
	vp9Flexible  = 0x10
	vp9Begin     = 0x08
	vp9End       = 0x04
	vp9Structure = 0x02
)

// parseVP9 reads the payload descriptor (RFC 9628 section 4.2).
func parseVP9(b []byte) (f Frame, err error) {
	at, err := f.readVP9(b)
	if err != nil {
		return Frame{}, err
	}
	if at >= len(b) {
		return Frame{}, ErrShort
	}
	f.Begin, f.End = b[0]&vp9Begin != 0, b[0]&vp9End != 0
	if f.Begin && b[0]&vp9Inter == 0 && f.Spatial == 0 {
		f.readVP9Header(b[at:])
	}
	// After a picture with U, those of higher temporal layers depend on nothing of these layers before it.
	f.upFrom, f.upTo = f.Temporal, topTemporal
	if f.Keyframe {
		f.SwitchUp, f.upFrom = true, 0
	}
	return f, nil
}

// readVP9Header reads the beginning of the uncompressed header (VP9 bitstream specification, section 6.2): not every picture without
// reference to others is a key frame, and not every sender tells which refer to others.
func (f *Frame) readVP9Header(b []byte) {
	r := bits{b: b}
	marker, profile := r.read(2), r.bit()|r.bit()<<1
	if profile == 3 {
		r.skip(1)
	}
	existing, inter := r.flag(), r.flag()
	f.Keyframe = marker == 2 && !existing && !inter
	if f.Keyframe && f.Size == (Size{}) {
		f.Size = vp9Size(&r, profile)
	}
}

// vp9Size reads on to the size of a key frame, zero if it is cut short.
func vp9Size(r *bits, profile uint32) Size {
	const syncCode, sRGB = 0x498342, 7
	r.skip(2) // show_frame, error_resilient_mode
	if r.read(24) != syncCode {
		return Size{}
	}
	if profile >= 2 {
		r.skip(1) // ten_or_twelve_bit
	}
	if rgb := r.read(3) == sRGB; !rgb {
		r.skip(1) // color_range
		r.skip(2 * int(profile&1))
	}
	r.skip(int(profile & 1))
	size := Size{Width: int(r.read(16)) + 1, Height: int(r.read(16)) + 1}
	if r.short {
		return Size{}
	}
	return size
}

// readVP9 returns where the VP9 data begins.
func (f *Frame) readVP9(b []byte) (at int, err error) {
	flags, at := b[0], 1
	if flags&vp9PictureID != 0 {
		if at, err = f.readPicture(b, at); err != nil {
			return 0, err
		}
	}
	if flags&vp9Layer != 0 {
		if at, err = f.readVP9Layer(b, at, flags&vp9Flexible != 0); err != nil {
			return 0, err
		}
	}
	if flags&vp9Flexible != 0 && flags&vp9Inter != 0 {
		if at, err = skipVP9References(b, at); err != nil {
			return 0, err
		}
	}
	if flags&vp9Structure == 0 {
		return at, nil
	}
	var sizes [vp9Layers]Size
	at, _, err = readVP9Structure(b, at, &sizes)
	for _, s := range sizes {
		f.Size = largerSize(f.Size, s)
	}
	return at, err
}

// readVP9Layer reads the layer indices, and TL0PICIDX unless the mode is flexible.
func (f *Frame) readVP9Layer(b []byte, at int, flexible bool) (next int, err error) {
	if at >= len(b) {
		return 0, ErrShort
	}
	f.Temporal, f.SwitchUp, f.Spatial = b[at]>>5, b[at]&0x10 != 0, b[at]>>1&0x07
	if flexible {
		return at + 1, nil
	}
	return f.readTL0(b, at+1)
}

// skipVP9References skips one to three P_DIFF, each with a bit that says whether another follows.
func skipVP9References(b []byte, at int) (next int, err error) {
	for range 3 {
		if at >= len(b) {
			return 0, ErrShort
		}
		at++
		if b[at-1]&0x01 == 0 {
			return at, nil
		}
	}
	return 0, ErrMalformed
}

// readVP9Structure reads the scalability structure (RFC 9628 section 4.2.1); layers is 0 if it has no sizes.
func readVP9Structure(b []byte, at int, sizes *[vp9Layers]Size) (next, layers int, err error) {
	if at >= len(b) {
		return 0, 0, ErrShort
	}
	head := b[at]
	at++
	if head&0x10 != 0 {
		layers = int(head>>5) + 1
		if at+4*layers > len(b) {
			return 0, 0, ErrShort
		}
		for i := range layers {
			sizes[i] = Size{Width: int(b[at])<<8 | int(b[at+1]), Height: int(b[at+2])<<8 | int(b[at+3])}
			at += 4
		}
	}
	if head&0x08 == 0 {
		return at, layers, nil
	}
	at, err = skipVP9Group(b, at)
	return at, layers, err
}

// skipVP9Group skips the description of a group of pictures.
func skipVP9Group(b []byte, at int) (next int, err error) {
	if at >= len(b) {
		return 0, ErrShort
	}
	pictures := int(b[at])
	at++
	for range pictures {
		if at >= len(b) {
			return 0, ErrShort
		}
		at += 1 + int(b[at]>>2&0x03)
	}
	if at > len(b) {
		return 0, ErrShort
	}
	return at, nil
}

func largerSize(a, b Size) Size {
	if b.Width*b.Height > a.Width*a.Height {
		return b
	}
	return a
}
