package sfu

import (
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/sfu/rtpmap"
)

const (
	receiveBuffer = 1500 // bytes; what does not fit is cut short and then found malformed
	maxPayload    = 1400 // bytes; browsers send up to 1200

	// About fifty times what a publisher usually sends: 50 packets a second of audio, 300 of video.
	maxAudioRate = 2500
	maxVideoRate = 15000

	// A timestamp that is this far from the clock is a jump, not jitter or a pause.
	maxTimestampError = 10 * time.Second

	lossInterval = 256 // packets
)

// ingress checks what comes in. The reader owns it, but for epoch, which others read.
type ingress struct {
	clock   uint32
	video   bool
	source  rtpmap.Source
	epoch   atomic.Uint32 // how often the numbering began anew
	limiter rateCap
	pkt     packet // reused
	newest  struct {
		started   bool
		timestamp uint32
		arrival   time.Time
	}
	accepted, missed uint64 // since the last measure of loss
}

func newIngress(video bool, clock uint32) ingress {
	limit := maxAudioRate
	if video {
		limit = maxVideoRate
	}
	return ingress{clock: clock, video: video, limiter: rateCap{perSecond: limit}}
}

// check reads a packet; nil means that it is dropped, and counted.
func (g *ingress) check(p *Publication, raw []byte, now time.Time) *packet {
	if !g.limiter.allow(now) {
		p.counts.excess.Add(1)
		return nil
	}
	pkt := &g.pkt
	if err := pkt.rtp.Unmarshal(raw); err != nil || pkt.rtp.Version != 2 || len(pkt.rtp.Payload) > maxPayload {
		p.counts.malformed.Add(1)
		return nil
	}
	pkt.vp8, pkt.isVP8 = vp8Descriptor{}, false
	if g.video && len(pkt.rtp.Payload) != 0 {
		if pkt.vp8, pkt.isVP8 = parseVP8(pkt.rtp.Payload); !pkt.isVP8 {
			p.counts.malformed.Add(1)
			return nil
		}
	}
	if !g.place(pkt, now) {
		p.counts.stray.Add(1)
		return nil
	}
	g.measure(p)
	pkt.arrival, pkt.epoch = now, g.epoch.Load()
	return pkt
}

// place finds where the packet belongs in the stream, and begins a new epoch when the stream has jumped.
func (g *ingress) place(pkt *packet, now time.Time) bool {
	switch g.source.Check(pkt.rtp.SequenceNumber) {
	case rtpmap.Reject:
		return false
	case rtpmap.Late:
		return true
	case rtpmap.Restart:
		g.epoch.Add(1)
	case rtpmap.Accept:
		if g.jumped(pkt.rtp.Timestamp, now) {
			g.epoch.Add(1)
		}
	}
	g.newest.started, g.newest.timestamp, g.newest.arrival = true, pkt.rtp.Timestamp, now
	return true
}

func (g *ingress) jumped(timestamp uint32, now time.Time) bool {
	if !g.newest.started {
		return false
	}
	elapsed := ticks(now.Sub(g.newest.arrival), g.clock)
	wrong := int32(timestamp - g.newest.timestamp - elapsed) //nolint:gosec // RTP timestamps compare modulo 2^32
	limit := int64(maxTimestampError/time.Second) * int64(g.clock)
	return int64(wrong) > limit || int64(wrong) < -limit
}

// measure tells the member's meter how much was lost on the way to the server, before retransmission.
func (g *ingress) measure(p *Publication) {
	g.accepted++
	if g.accepted < lossInterval {
		return
	}
	missed := g.source.Missed()
	lost := missed - g.missed
	if p.peer != nil {
		p.peer.meter.loss(float64(lost) / float64(lost+g.accepted))
	}
	g.accepted, g.missed = 0, missed
}

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
