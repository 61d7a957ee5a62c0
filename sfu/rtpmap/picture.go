package rtpmap

// maxPictureDrops bounds how many dropped pictures are remembered for late packets.
const maxPictureDrops = 16

// Picture maps the two counters of a VP8 payload descriptor (RFC 7741 section 4.2): PictureID, 7 or 15 bits wide, and TL0PICIDX of 8
// bits. Until the first Rebase they are the same.
type Picture struct {
	started   bool
	idOffset  uint16
	tl0Offset uint8
	lastID    uint16 // newest sent
	lastTL0   uint8
	newest    uint16                  // incoming
	dropped   [maxPictureDrops]uint16 // newest first
	drops     int
}

// Changed reports whether Map changes anything: if not, the payload can be sent as it is.
func (p *Picture) Changed() bool { return p.idOffset != 0 || p.tl0Offset != 0 }

// Map returns the outgoing counters; bits is the width of the picture id, 7 or 15.
func (p *Picture) Map(id uint16, bits int, tl0 uint8) (outID uint16, outTL0 uint8) {
	mask := uint16(1)<<bits - 1
	offset := p.idOffset
	for _, d := range p.dropped[:p.drops] { // those that were dropped after this one do not count
		if ahead := (d - id) & mask; ahead != 0 && ahead < (mask+1)/2 {
			offset--
		}
	}
	outID, outTL0 = (id-offset)&mask, tl0-p.tl0Offset
	if !p.started || newer(outID, p.lastID, mask) {
		p.lastID, p.lastTL0 = outID, outTL0
	}
	if !p.started || newer(id, p.newest, mask) {
		p.newest = id
	}
	p.started = true
	return outID, outTL0
}

// Drop says that the picture id is not sent: later ones close up. It changes nothing for a picture that is not newer than all
// before; a picture may be dropped packet by packet.
func (p *Picture) Drop(id uint16, bits int) {
	mask := uint16(1)<<bits - 1
	if !p.started || id == p.newest || !newer(id, p.newest, mask) {
		return
	}
	p.newest = id
	p.idOffset++
	copy(p.dropped[1:], p.dropped[:])
	p.dropped[0] = id
	p.drops = min(p.drops+1, maxPictureDrops)
}

// newer reports whether a is not before b.
func newer(a, b, mask uint16) bool { return (a-b)&mask < (mask+1)/2 }

// Rebase says that the source was changed: the picture id, which is mapped next, follows the newest one sent, and so does tl0.
func (p *Picture) Rebase(id uint16, tl0 uint8) {
	if !p.started {
		return
	}
	p.idOffset, p.drops = id-(p.lastID+1), 0
	p.newest = id - 1
	p.tl0Offset = tl0 - (p.lastTL0 + 1)
}
