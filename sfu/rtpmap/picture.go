package rtpmap

// Picture maps the two counters of a VP8 or VP9 payload descriptor (RFC 7741 section 4.2, RFC 9628 section 4.2): PictureID, 7 or 15
// bits wide, and TL0PICIDX of 8 bits. Until the first Rebase or Drop they are the same. The frame number of a dependency
// descriptor is mapped as one of 16 bits.
//
// A receiver of VP8 takes a gap in the picture ids for a loss, so pictures that are left out on purpose close up. One of VP9 and
// one that reads dependency descriptors compute with the distance of pictures: there, they must not be dropped here.
type Picture struct {
	bits       int
	spans      []pictureSpan // oldest first, each ends where the next begins
	highestIn  int64         // unwrapped
	highestOut int64         // unwrapped
	lastTL0    uint8         // of highestOut, as it was sent
}

// pictureSpan says that pictures from an id on go out reduced by delta.
type pictureSpan struct {
	from, delta int64
	tl0         uint8
}

// Changed reports whether Map changes anything: if not, the payload can be sent as it is.
func (p *Picture) Changed() bool {
	switch len(p.spans) {
	case 0:
		return false
	case 1:
		return cut(p.spans[0].delta, p.bits) != 0 || p.spans[0].tl0 != 0
	}
	return true
}

// Map returns the outgoing counters; bits is the width of the picture id: 7, 15 or 16, or 0 if there is only tl0.
func (p *Picture) Map(id uint16, bits int, tl0 uint8) (outID uint16, outTL0 uint8) {
	p.widen(id, bits, tl0)
	v := nearest(id, p.bits, p.highestIn)
	p.highestIn = max(p.highestIn, v)
	sp := p.spans[0]
	for i := len(p.spans) - 1; i > 0; i-- {
		if p.spans[i].from <= v {
			sp = p.spans[i]
			break
		}
	}
	out := v - sp.delta
	outTL0 = tl0 - sp.tl0
	if out >= p.highestOut {
		p.highestOut, p.lastTL0 = out, outTL0
	}
	return cut(out, p.bits), outTL0
}

// Drop says that the picture id is not sent: later ones close up. It may be called for each packet of the picture; a picture that
// is not newer than all seen changes nothing.
func (p *Picture) Drop(id uint16) {
	if len(p.spans) == 0 {
		return
	}
	v := nearest(id, p.bits, p.highestIn)
	if v <= p.highestIn {
		return
	}
	p.highestIn = v
	last := &p.spans[len(p.spans)-1]
	if last.from == v && len(p.spans) > 1 {
		last.from, last.delta = v+1, last.delta+1
		return
	}
	p.push(pictureSpan{from: v + 1, delta: last.delta + 1, tl0: last.tl0})
}

// Rebase says that the source was changed: the picture id, which is mapped next, follows the newest one sent, and so does tl0.
func (p *Picture) Rebase(id uint16, tl0 uint8) {
	if len(p.spans) == 0 {
		return
	}
	v := origin + int64(id)
	p.spans = append(p.spans[:0], pictureSpan{from: v, delta: v - (p.highestOut + 1), tl0: tl0 - (p.lastTL0 + 1)})
	p.highestIn = v
}

// widen begins with the first picture, and again with one whose id has another width.
func (p *Picture) widen(id uint16, bits int, tl0 uint8) {
	switch {
	case len(p.spans) == 0:
		p.highestIn = origin + int64(id)
		p.highestOut, p.spans = p.highestIn, append(p.spans, pictureSpan{from: p.highestIn})
		p.bits = bits
	case bits != p.bits:
		p.bits = bits
		p.Rebase(id, tl0)
	}
}

func (p *Picture) push(sp pictureSpan) {
	if len(p.spans) == maxSpans {
		copy(p.spans, p.spans[1:])
		p.spans = p.spans[:maxSpans-1]
	}
	p.spans = append(p.spans, sp)
}

// nearest returns the number nearest to reference that is congruent to id modulo 2^bits.
func nearest(id uint16, bits int, reference int64) int64 {
	modulus := int64(1) << bits
	ahead := (int64(id) - reference) & (modulus - 1)
	if ahead >= modulus/2 && ahead > 0 {
		ahead -= modulus
	}
	return reference + ahead
}

func cut(v int64, bits int) uint16 { return uint16(v & (1<<bits - 1) & 0xffff) } //nolint:gosec // masked
