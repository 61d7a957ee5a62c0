package codec

// Types of NAL units (ITU-T H.264 table 7-1, RFC 6184 table 1).
const (
	nalSlice      = 1
	nalIDR        = 5
	nalSEI        = 6
	nalSPS        = 7
	nalPPS        = 8
	nalDelimiter  = 9
	nalLastSingle = 23
	nalSTAPA      = 24
	nalFUA        = 28
)

// parseH264 reads a payload of the single NAL unit mode or the non-interleaved mode (RFC 6184 sections 6.2 and 6.3): single units,
// STAP-A and FU-A. The interleaved mode is not used in calls and is refused.
func parseH264(b []byte, marker bool) (f Frame, err error) {
	if b[0]&0x80 != 0 {
		return Frame{}, ErrMalformed
	}
	f.End = marker
	switch t := b[0] & 0x1f; {
	case t == nalSTAPA:
		err = f.readSTAPA(b[1:])
	case t == nalFUA:
		err = f.readFUA(b)
	case t == 0 || t > nalLastSingle:
		err = ErrMalformed
	default:
		f.readNAL(t, b[1:])
	}
	if err != nil {
		return Frame{}, err
	}
	if f.SwitchUp = f.Keyframe; f.Keyframe {
		f.upTo = topTemporal
	}
	return f, nil
}

// readSTAPA reads units that are each preceded by their size (RFC 6184 section 5.7.1).
func (f *Frame) readSTAPA(b []byte) error {
	if len(b) == 0 {
		return ErrShort
	}
	for len(b) > 0 {
		if len(b) < 2 {
			return ErrShort
		}
		size := int(b[0])<<8 | int(b[1])
		if b = b[2:]; size > len(b) {
			return ErrShort
		}
		if size > 0 {
			f.readNAL(b[0]&0x1f, b[1:size])
		}
		b = b[size:]
	}
	return nil
}

// readFUA reads a fragment (RFC 6184 section 5.8); only the first says something.
func (f *Frame) readFUA(b []byte) error {
	if len(b) < 3 {
		return ErrShort
	}
	if start, end := b[1]&0x80 != 0, b[1]&0x40 != 0; start && end {
		return ErrMalformed
	} else if start {
		f.readNAL(b[1]&0x1f, b[2:])
	}
	return nil
}

// readNAL reads the beginning of a unit without its first byte.
func (f *Frame) readNAL(t uint8, b []byte) {
	switch t {
	case nalSlice, nalIDR:
		// first_mb_in_slice is 0 in the first slice of a picture: a single 1 (section 7.3.3).
		if len(b) > 0 && b[0]&0x80 != 0 {
			f.Begin = true
			f.Keyframe = f.Keyframe || t == nalIDR
		}
	case nalSPS:
		f.Begin, f.Keyframe = true, true
		f.Size = spsSize(b)
	case nalSEI, nalPPS, nalDelimiter:
		f.Begin = true
	}
}

// spsSize returns the size of the cropped picture, zero if the sequence parameter set does not say (section 7.3.2.1.1).
func spsSize(b []byte) Size {
	r := bits{b: b, escaped: true}
	profile := r.read(8)
	r.skip(16) // constraints and level
	r.golomb() // seq_parameter_set_id
	chroma := uint32(1)
	if spsHasChroma(profile) {
		chroma = r.readSPSChroma()
	}
	r.golomb() // log2_max_frame_num_minus4
	r.skipSPSOrder()
	r.golomb() // max_num_ref_frames
	r.skip(1)  // gaps_in_frame_num_value_allowed_flag
	width, height := r.golomb()+1, r.golomb()+1
	fields := uint32(1)
	if !r.flag() { // frame_mbs_only_flag
		fields = 2
		r.skip(1) // mb_adaptive_frame_field_flag
	}
	r.skip(1) // direct_8x8_inference_flag
	if width > 1024 || height > 1024 {
		return Size{}
	}
	size := Size{Width: int(16 * width), Height: int(16 * height * fields)}
	return r.cropSPS(size, chroma, int(fields))
}

// spsHasChroma tells the profiles whose parameter sets begin with the chroma format.
func spsHasChroma(profile uint32) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

// readSPSChroma returns ChromaArrayType.
func (r *bits) readSPSChroma() uint32 {
	chroma := r.golomb()
	lists := 8
	if chroma == 3 {
		lists = 12
		if r.flag() { // separate_colour_plane_flag
			chroma = 0
		}
	}
	r.golomb() // bit_depth_luma_minus8
	r.golomb() // bit_depth_chroma_minus8
	r.skip(1)  // qpprime_y_zero_transform_bypass_flag
	if r.flag() {
		for i := range lists {
			if r.flag() {
				r.skipSPSScaling(i)
			}
		}
	}
	return chroma
}

func (r *bits) skipSPSScaling(list int) {
	n := 16
	if list >= 6 {
		n = 64
	}
	last, next := int32(8), int32(8)
	for range n {
		if next != 0 {
			next = (last + r.signed()) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

// skipSPSOrder skips what is said of the picture order count.
func (r *bits) skipSPSOrder() {
	switch r.golomb() {
	case 0:
		r.golomb()
	case 1:
		r.skip(1)
		r.golomb()
		r.golomb()
		for range min(r.golomb(), 255) {
			r.golomb()
		}
	}
}

func (r *bits) cropSPS(s Size, chroma uint32, fields int) Size {
	unitX, unitY := 1, fields
	if chroma == 1 || chroma == 2 {
		unitX = 2
	}
	if chroma == 1 {
		unitY *= 2
	}
	if r.flag() {
		left, right, top, bottom := r.golomb(), r.golomb(), r.golomb(), r.golomb()
		s.Width -= unitX * (int(left) + int(right))
		s.Height -= unitY * (int(top) + int(bottom))
	}
	if r.short || s.Width <= 0 || s.Height <= 0 {
		return Size{}
	}
	return s
}
