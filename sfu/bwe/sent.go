package bwe

import "time"

// sentSlots is how many packets are remembered until they are reported; a power of two. At 3 Mbit/s it is three seconds.
const sentSlots = 1024

// sentPacket is one packet that was sent.
type sentPacket struct {
	at    time.Duration // since the estimator's start
	seq   uint16
	size  uint16 // bytes
	probe uint8  // cluster, 0 if it is no probe
	state uint8
	again bool   // it was sent once more
	total uint32 // bytes sent before it and with it, modulo 2^32
	what  uint32 // what it carries, 0 if it does not matter
}

// States of a sentPacket.
const (
	slotEmpty = iota
	slotSent
	slotLost
	slotAcked
)

type sentRing struct{ slots [sentSlots]sentPacket }

func (r *sentRing) put(p sentPacket) { r.slots[p.seq&(sentSlots-1)] = p }

// needed reports whether what a lost packet carries went out in no other that came, or that was sent later.
func (r *sentRing) needed(p *sentPacket) bool {
	for i := range r.slots {
		if o := &r.slots[i]; o.what == p.what && (o.state == slotAcked || o.at > p.at) {
			return false
		}
	}
	return true
}

// get finds a packet that was sent, and has not been reported as arrived.
func (r *sentRing) get(seq uint16) *sentPacket {
	p := &r.slots[seq&(sentSlots-1)]
	if p.seq != seq || p.state == slotEmpty || p.state == slotAcked {
		return nil
	}
	return p
}
