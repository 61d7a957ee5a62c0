package sfu

import (
	"time"

	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// A subscriber asks for what it lacks, but what it asks may be lost, too, or the answer, and it asks again only a round trip later. The
// reports on all packets tell of a loss on a way of their own: so what they say was lost is sent again without being asked for. It
// takes of the same budget as what is asked for.

const mendLate = 500 * time.Millisecond // what was sent longer before the newest is asked for, or too late

// carried tells the estimator what a packet of a picture carries: the track, and the number under which it first went out.
func (t *downTrack) carried(h *rtp.Header, payload []byte) uint32 {
	seq := h.SequenceNumber
	if h.SSRC != t.to.ssrc {
		seq = uint16(payload[0])<<8 | uint16(payload[1])
	}
	return uint32(t.serial&0xffff)<<16 | uint32(seq) //nolint:gosec // masked
}

// mend sends again what was reported lost. mu is held.
func (e *egress) mend(b *transport.Batch, now time.Time) {
	e.lost = e.estimator.Lost(e.lost[:0])
	if e.congested() {
		return // it was too much, and more of it does not help
	}
	for _, what := range e.lost {
		for _, t := range e.tracks {
			if uint32(t.serial&0xffff) != what>>16 { //nolint:gosec // masked
				continue
			}
			if seq := uint16(what & 0xffff); t.timely(seq) && !t.repair(b, seq, now) {
				return
			}
		}
	}
}

// timely reports whether what was sent may still be of use.
func (t *downTrack) timely(seq uint16) bool {
	s := t.sent.get(seq)
	return s != nil && int(s.layer) == t.out.layer && !newer(t.sentTimestamp(), s.timestamp+ticks(mendLate, t.out.clock))
}
