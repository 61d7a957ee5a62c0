package sfu

const (
	videoSent = 512
	audioSent = 64
)

// sentPacket says which packet of the history was sent under a number, and how.
type sentPacket struct {
	numbers
	from  uint16 // number of the source
	epoch uint32
	layer uint8
	valid bool
	turn  uint8  // of sentRing
	size  uint16 // bytes of the payload
	again uint32 // when it was sent again, ms modulo 2^32; 0 if it was not
}

// sentRing is what one subscriber was sent of one publication lately, to answer NACKs: only numbers, the payloads are in the
// publication's history.
type sentRing struct {
	slots  []sentPacket // by the outgoing number modulo the length, a power of two
	newest uint16
	turn   uint8 // what was sent before it became this is of no use any more
}

func newSentRing(video bool) sentRing {
	if video {
		return sentRing{slots: make([]sentPacket, videoSent)}
	}
	return sentRing{slots: make([]sentPacket, audioSent)}
}

func (r *sentRing) put(p *packet, n numbers) {
	if int16(n.seq-r.newest) > 0 || !r.slots[int(r.newest)&(len(r.slots)-1)].valid { //nolint:gosec // modulo 2^16
		r.newest = n.seq
	}
	r.slots[int(n.seq)&(len(r.slots)-1)] = sentPacket{
		numbers: n, from: p.seq, epoch: p.epoch, layer: p.layer, valid: true, turn: r.turn,
		size: uint16(min(len(p.payload), maxPayload)), //nolint:gosec // bounded
	}
}

// get returns what was sent as out, or nil.
func (r *sentRing) get(out uint16) *sentPacket {
	s := &r.slots[int(out)&(len(r.slots)-1)]
	if !s.valid || s.numbers.seq != out {
		return nil
	}
	return s
}
