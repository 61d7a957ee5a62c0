package recorder

import (
	"time"

	"github.com/pion/rtp"
)

const (
	reorderHold  = time.Second // how long a missing packet is waited for: retransmissions take a few round trips
	reorderLimit = 2048        // packets; more than a second of anything that a browser sends
	seqJump      = 3000        // a larger step of sequence numbers is another stream (MAX_DROPOUT, RFC 3550 appendix A.1)
)

// arrived is a packet in the order of its sequence number.
type arrived struct {
	*rtp.Packet
	at   float64 // session time of arrival, ms
	lost bool    // packets are missing just before it
}

// reorder puts packets into the order of their sequence numbers, without duplicates. It waits for a missing packet until what
// comes after it is older than hold.
type reorder struct {
	started bool
	next    uint16 // sequence number that is due
	waiting map[uint16]arrived
	gap     bool    // packets before next are missing
	waited  float64 // ms for which what comes after the missing packet has waited; 0 if none is missing
	odd     uint16  // what would follow the last packet that was far off
	isOdd   bool
}

// push takes a packet in.
func (r *reorder) push(p *rtp.Packet, at float64) {
	if !r.started {
		r.started, r.next, r.waiting = true, p.SequenceNumber, map[uint16]arrived{}
	}
	ahead := int16(p.SequenceNumber - r.next)
	if ahead > seqJump || ahead < -seqJump {
		if !r.isOdd || p.SequenceNumber != r.odd {
			r.isOdd, r.odd = true, p.SequenceNumber+1
			return
		}
		// Two packets in a row say so: the stream goes on elsewhere.
		clear(r.waiting)
		r.next, r.gap, r.isOdd, ahead = p.SequenceNumber, true, false, 0
	}
	if ahead < 0 || len(r.waiting) >= reorderLimit {
		return
	}
	if _, dup := r.waiting[p.SequenceNumber]; !dup {
		r.waiting[p.SequenceNumber] = arrived{Packet: p, at: at}
	}
}

// pop gives the next packet, at a session time in ms. It reports false when there is none, or one is being waited for.
func (r *reorder) pop(now float64) (arrived, bool) {
	r.waited = 0
	if len(r.waiting) == 0 {
		return arrived{}, false
	}
	p, ok := r.waiting[r.next]
	if !ok {
		var first uint16
		first, r.waited = r.first(now)
		if r.waited < float64(reorderHold.Milliseconds()) && len(r.waiting) < reorderLimit {
			return arrived{}, false
		}
		r.next, r.gap = first, true
		p = r.waiting[first]
	}
	delete(r.waiting, r.next)
	p.lost, r.gap = r.gap, false
	r.next++
	return p, true
}

// first finds the packet nearest after the missing ones, and for how long the oldest packet has waited, in ms.
func (r *reorder) first(now float64) (seq uint16, waited float64) {
	nearest := uint16(1<<16 - 1)
	for s, p := range r.waiting {
		nearest = min(nearest, s-r.next)
		waited = max(waited, now-p.at)
	}
	return r.next + nearest, waited
}
