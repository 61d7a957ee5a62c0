package rtpmap

// Picture maps the two counters of a VP8 payload descriptor (RFC 7741 section 4.2): PictureID, 7 or 15 bits wide, and TL0PICIDX of 8
// bits. Until the first Rebase they are the same.
type Picture struct {
	started   bool
	idOffset  uint16
	tl0Offset uint8
	lastID    uint16
	lastTL0   uint8
}

// Changed reports whether Map changes anything: if not, the payload can be sent as it is.
func (p *Picture) Changed() bool { return p.idOffset != 0 || p.tl0Offset != 0 }

// Map returns the outgoing counters; bits is the width of the picture id, 7 or 15.
func (p *Picture) Map(id uint16, bits int, tl0 uint8) (outID uint16, outTL0 uint8) {
	mask := uint16(1)<<bits - 1
	outID, outTL0 = (id-p.idOffset)&mask, tl0-p.tl0Offset
	half := (mask + 1) / 2
	if ahead := (outID - p.lastID) & mask; !p.started || ahead < half {
		p.lastID, p.lastTL0 = outID, outTL0
	}
	p.started = true
	return outID, outTL0
}

// Rebase says that the source was changed: the picture id, which is mapped next, follows the newest one sent, and so does tl0.
func (p *Picture) Rebase(id uint16, tl0 uint8) {
	if !p.started {
		return
	}
	p.idOffset = id - (p.lastID + 1)
	p.tl0Offset = tl0 - (p.lastTL0 + 1)
}
