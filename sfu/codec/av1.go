package codec

// Types of OBUs (AV1 section 6.2.2).
const (
	obuSequence    = 1
	obuDelimiter   = 2
	obuFrameHeader = 3
	obuMetadata    = 5
	obuFrame       = 6
)

// Bits of the aggregation header (AV1 RTP payload specification, section 4.4).
const (
	av1Continued   = 0x80
	av1NewSequence = 0x08
)

// parseAV1 walks the OBUs of a payload. Which layer they belong to, and where layers may be changed, only the dependency descriptor
// tells: without one, the stream counts as one layer, End is that of the picture, and Begin is set where a frame can begin.
func parseAV1(b []byte, marker bool) (f Frame, err error) {
	continued, sequence := b[0]&av1Continued != 0, b[0]&av1NewSequence != 0
	if continued && sequence {
		return Frame{}, ErrMalformed
	}
	if len(b) < 2 {
		return Frame{}, ErrShort
	}
	count := int(b[0] >> 4 & 0x03)
	rest := b[1:]
	for i := 0; len(rest) > 0; i++ {
		var element []byte
		if element, rest, err = av1Element(rest, count != 0 && i == count-1); err != nil {
			return Frame{}, err
		}
		if i == 0 && continued {
			continue
		}
		if err := f.readOBU(element, i == 0); err != nil {
			return Frame{}, err
		}
	}
	f.End = marker
	if sequence && f.Begin {
		f.Keyframe, f.SwitchUp, f.upTo = true, true, topTemporal
	}
	return f, nil
}

// av1Element cuts the first element off; the last one has no size if the aggregation header counts them.
func av1Element(b []byte, last bool) (element, rest []byte, err error) {
	if last {
		return b, nil, nil
	}
	size, n := leb128(b)
	if n == 0 || size > uint64(len(b)-n) {
		return nil, nil, ErrShort
	}
	return b[n : n+int(size)], b[n+int(size):], nil //nolint:gosec // not above the length
}

// readOBU reads an OBU that begins in the packet; it may end in another.
func (f *Frame) readOBU(b []byte, first bool) error {
	if len(b) == 0 {
		return nil
	}
	if b[0]&0x80 != 0 {
		return ErrMalformed
	}
	t, at := b[0]>>3&0x0f, 1
	if b[0]&0x04 != 0 {
		at++
	}
	if b[0]&0x02 != 0 && at < len(b) {
		_, n := leb128(b[at:])
		at += n
	}
	switch t {
	case obuSequence:
		f.Size = largerSize(f.Size, sequenceSize(b[min(at, len(b)):]))
		f.Begin = f.Begin || first
	case obuDelimiter, obuFrameHeader, obuMetadata, obuFrame:
		f.Begin = f.Begin || first
	}
	return nil
}

// leb128 reads a number of at most 8 bytes (AV1 section 4.10.5); n is 0 if it is cut short or too long.
func leb128(b []byte) (v uint64, n int) {
	for i := range min(len(b), 8) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// sequenceSize reads the largest size out of a sequence header (AV1 section 5.5.1), zero if it is cut short.
func sequenceSize(b []byte) Size {
	r := bits{b: b}
	r.skip(4)     // seq_profile, still_picture
	if r.flag() { // reduced_still_picture_header
		r.skip(5)
	} else {
		r.skipSequencePoints()
	}
	w, h := int(r.read(4))+1, int(r.read(4))+1
	size := Size{Width: int(r.read(w)) + 1, Height: int(r.read(h)) + 1}
	if r.short {
		return Size{}
	}
	return size
}

// skipSequencePoints skips timing and operating points.
func (r *bits) skipSequencePoints() {
	delay := 0 // bits of a buffer delay, 0 without a decoder model
	if timing := r.flag(); timing {
		r.skip(64)
		if r.flag() { // equal_picture_interval
			r.golomb()
		}
		if r.flag() { // decoder_model_info_present_flag
			delay = int(r.read(5)) + 1
			r.skip(32 + 5 + 5)
		}
	}
	display := r.flag() // initial_display_delay_present_flag
	for range r.read(5) + 1 {
		r.skipSequencePoint(delay, display)
	}
}

func (r *bits) skipSequencePoint(delay int, display bool) {
	r.skip(12)         // operating_point_idc
	if r.read(5) > 7 { // seq_level_idx
		r.skip(1) // seq_tier
	}
	if delay > 0 && r.flag() {
		r.skip(2*delay + 1)
	}
	if display && r.flag() {
		r.skip(4)
	}
}
