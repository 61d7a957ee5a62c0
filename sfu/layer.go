package sfu

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/rtpmap"
)

const (
	maxPayload = 1400 // bytes; browsers send up to 1200

	// About fifty times what a publisher usually sends: 50 packets a second of audio, 300 of video.
	maxAudioRate = 2500
	maxVideoRate = 15000

	// A timestamp that is this far from the clock is a jump, not jitter or a pause.
	maxTimestampError = 10 * time.Second

	// A layer that sent nothing for this long is not there, whatever the others do: the publisher has turned it off.
	layerSilence = time.Second
	rateInterval = 250 * time.Millisecond
	overhead     = 40 // bytes of a packet that are neither its payload nor on the same layer: RTP, SRTP, UDP and IP
	leastForLoss = 30 // packets that say something of how many are lost
)

// layer is one stream of a publication: its only one, or one of simulcast. publishConn.mu guards what is not atomic or has
// a lock of its own.
type layer struct {
	pub     *Publication
	index   uint8
	keys    *keyframer
	history history
	reports atomic.Pointer[timedReport]

	// The measured size of the picture and its bitrate. A stream with spatial layers has one for each, the lower ones included.
	rates   [maxLayers]atomic.Int64 // bit/s
	sizes   [maxLayers]atomic.Int64 // width<<32 | height
	spatial atomic.Int32            // how many spatial layers the stream has

	ssrc       atomic.Uint32
	clock      uint32
	nack       bool
	resent     bool // what is sent again comes in the stream itself
	source     rtpmap.Source
	epoch      uint32
	limiter    rateCap
	missing    nackList
	sounds     soundRing        // of sound
	blocks     []codec.REDBlock // of the packet that is being received, the last is its own; reused
	repeated   []codec.REDBlock // what the packet that is passed on repeats; reused
	reception  reception
	presence   presence
	dependency codec.Dependency
	descriptor codec.Descriptor
	seenAt     time.Time // the newest packet
	newest     struct {
		started   bool
		timestamp uint32
		arrival   time.Time
	}
	bytes      [maxLayers]int // since ratesAt
	ratesAt    time.Time
	reportedAt time.Time
	stats      layerCounters
}

// layerCounters are for statistics.
type layerCounters struct {
	packets, bytes, nacks, keyframeRequests, keyframes, repaired atomic.Uint64
	lost                                                         atomic.Uint64 // packets that never came
	loss                                                         atomic.Uint64 // thousandths, of the newest interval
}

func newLayer(p *Publication, index, count int, ask func(ssrc uint32)) *layer {
	limit := maxAudioRate
	if p.video {
		limit = maxVideoRate
	}
	l := &layer{pub: p, index: uint8(index), history: newHistory(p.video, index, count), limiter: rateCap{perSecond: limit}} //nolint:gosec // below 3
	l.spatial.Store(1)
	l.keys = newKeyframer(func() {
		if ssrc := l.ssrc.Load(); ssrc != 0 {
			l.stats.keyframeRequests.Add(1)
			ask(ssrc)
		}
	})
	return l
}

// begin says what the packets carry.
func (l *layer) begin(c *negotiate.Codec) {
	l.clock, l.nack, l.resent = c.ClockRate, c.NACK() || c.Kept, c.Kept
}

// takeover says that the stream goes on under another SSRC, with numbers of its own.
func (l *layer) takeover(ssrc uint32) {
	if l.ssrc.Swap(ssrc) != 0 {
		l.epoch++
	}
	l.source, l.reception = rtpmap.Source{}, reception{}
	l.newest.started = false
	l.missing.reset()
}

// accept checks a packet, whose header, kind and payload are set; it reports false for one that is dropped, and counted. repaired says
// that it was sent again.
func (l *layer) accept(p *packet, dependency []byte, repaired bool) bool {
	counts := &l.pub.counts
	counts.received.Add(1)
	l.blocks = l.blocks[:0]
	if !l.limiter.allow(p.arrival) {
		counts.excess.Add(1)
		return false
	}
	if !l.read(p, dependency) {
		counts.malformed.Add(1)
		return false
	}
	if l.enter(p, repaired) {
		return true
	}
	if l.history.claim(p.seq, l.epoch) { // it was not lost after all
		l.reception.packet(p.seq, p.timestamp, l.clock, p.arrival)
	} else {
		counts.stray.Add(1)
	}
	return false
}

// enter gives a packet its place in the stream; it reports false if there is none.
func (l *layer) enter(p *packet, repaired bool) bool {
	if !l.place(p) {
		return false
	}
	l.follow(p, repaired)
	p.layer, p.epoch, p.behind = l.index, l.epoch, l.missing.highest-p.seq
	return true
}

// read parses the payload.
func (l *layer) read(p *packet, dependency []byte) bool {
	p.frame = codec.Frame{}
	if len(p.payload) > maxPayload {
		return false
	}
	if p.padding() {
		return true
	}
	if p.kind == codec.RED {
		return l.unwrap(p)
	}
	if !p.kind.Video() {
		return true
	}
	var dd *codec.Descriptor
	if len(dependency) != 0 {
		var err error
		if l.descriptor, err = l.dependency.Read(dependency); err == nil {
			dd = &l.descriptor
		} else if !errors.Is(err, codec.ErrNoStructure) {
			return false
		}
	}
	var err error
	p.frame, err = codec.Parse(p.kind, p.payload, p.marker, dd)
	return err == nil
}

// place finds where the packet belongs in the stream, and begins a new epoch when the stream has jumped.
func (l *layer) place(p *packet) bool {
	switch l.source.Check(p.seq) {
	case rtpmap.Reject:
		return false
	case rtpmap.Late:
		// What a publisher sends twice to probe its bandwidth is of no use to anybody.
		return !l.history.forgotten(p.seq) && !l.history.has(p.seq, l.epoch)
	case rtpmap.Restart:
		l.jump()
	case rtpmap.Accept:
		if l.jumped(p.timestamp, p.arrival) {
			l.jump()
		}
	}
	l.newest.started, l.newest.timestamp, l.newest.arrival = true, p.timestamp, p.arrival
	return true
}

func (l *layer) jump() {
	l.epoch++
	l.reception = reception{}
	l.missing.reset()
}

func (l *layer) jumped(timestamp uint32, now time.Time) bool {
	if !l.newest.started {
		return false
	}
	elapsed := ticks(now.Sub(l.newest.arrival), l.clock)
	wrong := int32(timestamp - l.newest.timestamp - elapsed) //nolint:gosec // RTP timestamps compare modulo 2^32
	limit := int64(maxTimestampError/time.Second) * int64(l.clock)
	return int64(wrong) > limit || int64(wrong) < -limit
}

// follow keeps the stream's books: what is missing, what is reported, how much it is.
func (l *layer) follow(p *packet, repaired bool) {
	l.seenAt = p.arrival
	if !l.missing.received(p.seq, repaired && !p.made, p.arrival) && l.pub.video {
		l.keys.request()
	}
	if repaired && !p.made {
		l.pub.peer.repair.Store(int64(l.missing.rtt))
	}
	if repaired {
		l.stats.repaired.Add(1)
	} else {
		l.reception.packet(p.seq, p.timestamp, l.clock, p.arrival)
	}
	spatial := min(int(p.frame.Spatial), maxLayers-1)
	l.bytes[spatial] += len(p.payload) + overhead
	if int32(spatial)+1 > l.spatial.Load() { //nolint:gosec // below 3
		l.spatial.Store(int32(spatial) + 1) //nolint:gosec // below 3
	}
	l.stats.packets.Add(1)
	l.stats.bytes.Add(uint64(len(p.payload)))
	if p.frame.Width != 0 {
		l.measure(p.frame.Size)
	}
	if p.frame.Keyframe {
		l.stats.keyframes.Add(1)
		l.keys.arrived()
	}
}

// measure notes the size of the picture; of spatial layers, each has half the size of the one above it.
func (l *layer) measure(s codec.Size) {
	n := int(l.spatial.Load())
	for i := range n {
		shift := n - 1 - i
		l.sizes[i].Store(int64(s.Width>>shift)<<32 | int64(s.Height>>shift))
	}
}

// size is that of one spatial layer, 0 if it is not known.
func (l *layer) size(spatial int) (width, height int) {
	v := l.sizes[spatial].Load()
	return int(v >> 32), int(v & 0xffffffff)
}

// beat measures the bitrate.
func (l *layer) beat(now time.Time) {
	elapsed := now.Sub(l.ratesAt)
	if l.ratesAt.IsZero() || elapsed < 0 {
		l.ratesAt = now
		return
	}
	if elapsed < rateInterval {
		return
	}
	silent := now.Sub(l.seenAt) > layerSilence
	sum := int64(0)
	for i := range l.bytes {
		sum += int64(l.bytes[i]) * 8 * int64(time.Second) / int64(elapsed)
		l.rates[i].Store(smooth(l.rates[i].Load(), sum, silent))
		l.bytes[i] = 0
	}
	l.ratesAt = now
}

// smooth rises at once and falls slowly: a layer's pictures are not of equal size.
func smooth(old, now int64, silent bool) int64 {
	switch {
	case silent:
		return 0
	case now >= old:
		return (old + 3*now) / 4
	}
	return (7*old + now) / 8
}

// rate is that of one spatial layer, bit/s, 0 if it is not sent.
func (l *layer) rate(spatial int) int {
	if l.presence.off.Load() {
		return 0
	}
	return int(l.rates[spatial].Load())
}

// live reports whether the layer is sent.
func (l *layer) live() bool { return l.rate(0) > 0 }
