package sfu

import (
	"time"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// maxLayers is how many layers of one picture a member may send: as streams of their own (simulcast), or in one.
const maxLayers = 3

// packet is one RTP packet on its way from a publisher to everybody: as it came, but for retransmissions, which are unwrapped. What
// a handler passes on is valid during the call.
type packet struct {
	layer       uint8 // of simulcast
	kind        codec.Kind
	marker      bool
	repaired    bool // it came late, since it was asked for
	oriented    bool
	orientation uint8 // of the picture (3GPP TS 26.114 section 7.4.5), if oriented
	leveled     bool
	level       uint8 // of the sound, and whether it is a voice (RFC 6464), if leveled
	seq         uint16
	behind      uint16 // how far the newest packet of the layer is ahead
	epoch       uint32 // how often the numbering of its layer began anew
	timestamp   uint32
	frame       codec.Frame
	earlier     []codec.REDBlock // of sound: what to repeat with it, the oldest first
	made        bool             // of what a later packet repeats: it did not come itself
	arrival     time.Time
	handled     time.Time // when it is passed on: after a reader that was busy, later than arrival
	payload     []byte
}

// handled is when what arrived is acted upon.
func handled(b *transport.Batch, arrival time.Time) time.Time {
	if b == nil {
		return arrival
	}
	return b.Now()
}

// padding reports whether the packet carries nothing: the publisher probes its bandwidth.
func (p *packet) padding() bool { return len(p.payload) == 0 }

// ticks is a duration in ticks of a clock, modulo 2^32.
func ticks(d time.Duration, clock uint32) uint32 {
	return uint32(int64(d) / int64(time.Microsecond) * int64(clock) / 1e6) //nolint:gosec // modulo 2^32
}

// rateCap allows perSecond events in each second, in ten windows.
type rateCap struct {
	perSecond int
	since     time.Time
	count     int
}

func (c *rateCap) allow(now time.Time) bool {
	if now.Sub(c.since) >= time.Second/10 {
		c.since, c.count = now, 0
	}
	c.count++
	return c.count <= max(c.perSecond/10, 1)
}
