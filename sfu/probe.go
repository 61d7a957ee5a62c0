package sfu

import (
	"time"

	"github.com/pausepoint/pausepoint/sfu/bwe"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

const (
	maxPaddingSize = 255 // bytes (RFC 3550 section 5.1)
	probeLookback  = 64  // packets that may be sent once more
	probePortion   = 24  // packets at most in one beat
)

// probe is a cluster of packets on its way: what was sent lately is sent once more, or padding.
type probe struct {
	live    bool
	cluster bwe.Cluster
	began   time.Time
	bytes   int
	packets int
	back    uint16 // how far to look back for the next packet
}

// beginProbe finds out whether there is more bandwidth, if that is of use. mu is held.
func (e *egress) beginProbe(now time.Time) {
	if !e.paced || e.probe.live || e.queue.size != 0 || e.carrier() == nil {
		return
	}
	cluster, ok := e.estimator.Probe(e.wanted, now)
	if !ok {
		return
	}
	e.probe = probe{live: true, cluster: cluster, began: now}
	e.peer.room.sfu.metronome.hurry(e)
}

// carrier is a track that probes can be sent on: its retransmission stream takes what need not be received. One that was never sent
// carries padding.
func (e *egress) carrier() (best *downTrack) {
	for _, t := range e.tracks {
		if !t.attached || t.to.rtxPT == 0 || t.to.transportCC == 0 {
			continue
		}
		if t.out.started {
			return t
		}
		best = t
	}
	return best
}

// sendProbe sends the part of a probe that is due.
func (e *egress) sendProbe(b *transport.Batch, now time.Time) {
	p := &e.probe
	if !p.live {
		return
	}
	t := e.carrier()
	if t == nil {
		p.live = false
		return
	}
	due := int(float64(p.cluster.Rate) / 8 * (now.Sub(p.began) + fastBeat).Seconds())
	for i := 0; p.unsent() && p.bytes < due && i < probePortion; i++ {
		p.bytes += t.probe(b, p, now)
		p.packets++
	}
	p.live = p.unsent()
}

// unsent reports whether there is more of the probe to send: few packets say nothing, and padding may be larger than was planned.
func (p *probe) unsent() bool {
	return p.bytes < p.cluster.Bytes || p.packets < p.cluster.Packets
}

// probe sends one packet of a probe and returns its size.
func (t *downTrack) probe(b *transport.Batch, p *probe, now time.Time) int {
	for p.back < probeLookback {
		s := t.sent.get(t.sent.newest - p.back)
		p.back++
		if s == nil || int(s.size) > p.cluster.Packet+p.cluster.Packet/4 || s.size < maxPaddingSize {
			continue
		}
		if t.pub.layers[s.layer].history.get(s.from, s.epoch, &t.egress.scratch) {
			t.again(b, &t.egress.scratch, s, now, p.cluster.ID)
			return int(s.size) + overhead
		}
	}
	return t.pad(b, now, p.cluster.ID)
}

// pad sends a packet of padding on the retransmission stream.
func (t *downTrack) pad(b *transport.Batch, now time.Time, probe uint8) int {
	t.head(&packet{}, 0, numbers{timestamp: t.sentTimestamp()})
	t.retransmission()
	t.header.Padding = true
	body := append(t.egress.rtx[:0], make([]byte, maxPaddingSize)...)
	body[maxPaddingSize-1] = maxPaddingSize
	t.egress.rtx = body
	t.egress.write(b, t, &t.header, body, now, probe)
	return maxPaddingSize + overhead
}

func (t *downTrack) sentTimestamp() uint32 {
	if s := t.sent.get(t.sent.newest); s != nil {
		return s.timestamp
	}
	return 0
}
