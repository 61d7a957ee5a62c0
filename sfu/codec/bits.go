package codec

// bits reads a string of bits from the most significant on. After an attempt to read beyond the end it is over: everything reads as
// zero, and short is set.
type bits struct {
	b       []byte
	at      int  // in bits
	escaped bool // H.264: 0x000003 stands for 0x0000 (ITU-T H.264 section 7.4.1)
	short   bool
}

// read returns the next n bits, at most 32.
func (r *bits) read(n int) (v uint32) {
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bits) flag() bool { return r.bit() != 0 }

func (r *bits) bit() uint32 {
	i := r.at >> 3
	if r.escaped && r.at&7 == 0 && i >= 2 && i < len(r.b) && r.b[i] == 3 && r.b[i-1] == 0 && r.b[i-2] == 0 {
		r.at += 8
		i++
	}
	if r.short || i >= len(r.b) {
		r.short = true
		return 0
	}
	v := r.b[i] >> (7 - r.at&7) & 1
	r.at++
	return uint32(v)
}

func (r *bits) skip(n int) {
	for range n {
		r.bit()
	}
}

// golomb reads ue(v) of H.264 (section 9.1), which is uvlc() of AV1: as many zeros as bits follow the one.
func (r *bits) golomb() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; zeros > 31 || r.short {
			r.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.read(zeros)
}

// signed reads se(v) of H.264 (section 9.1.1).
func (r *bits) signed() int32 {
	v := r.golomb()
	half := int32(v>>1 + v&1) //nolint:gosec // below 2^31
	if v&1 == 0 {
		return -half
	}
	return half
}

// nonSymmetric reads ns(n) of AV1 (section 4.10.7): a number below n, which is at least 1.
func (r *bits) nonSymmetric(n uint32) uint32 {
	w := 0
	for x := n; x != 0; x >>= 1 {
		w++
	}
	m := uint32(1)<<w - n
	v := r.read(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + r.bit()
}
