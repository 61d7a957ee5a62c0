package sfu

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// Codec describes a publication's media.
type Codec struct {
	MimeType   string // "audio/opus", or "video/VP8" and others
	ClockRate  uint32 // ticks of RTP timestamps per second
	Channels   uint16 // 0 for video
	Parameters string // the fmtp line, of H.264 with the profile
}

// Publication is one live source of a member. It ends once and never begins again: what is published anew has a new id.
type Publication struct {
	info   TrackInfo
	video  bool
	peer   *Peer
	codec  Codec // set before the publication is live
	layers []*layer
	levels levelMeter
	counts counters
	best   atomic.Int32 // the highest layer that is sent
	gone   atomic.Bool

	// The publisher's reader goes through these lists without a lock; mu is held to replace them.
	mu   sync.Mutex
	subs atomic.Pointer[[]*downTrack]
	taps atomic.Pointer[[]*TapTrack]
}

// Counts are the packets of a publication since it began.
type Counts struct {
	Received  uint64 // including those dropped
	Malformed uint64 // padding beyond the packet, oversize, or an unreadable payload
	Stray     uint64 // far from the stream's sequence numbers
	Excess    uint64 // beyond the rate cap
}

type counters struct{ received, malformed, stray, excess atomic.Uint64 }

// timedReport is the newest sender report of an epoch.
type timedReport struct {
	SenderReport
	epoch uint32
}

// newPublication makes a publication that waits for its first packet. ask sends a request for a key frame to the publisher.
func newPublication(peer *Peer, source Source, layers int, ask func(ssrc uint32)) (*Publication, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, wrap(ErrConnection, err)
	}
	p := &Publication{
		info: TrackInfo{Member: peer.id, Source: source, Publication: id.String()}, peer: peer, video: source.Video(),
	}
	for i := range max(layers, 1) {
		p.layers = append(p.layers, newLayer(p, i, max(layers, 1), ask))
	}
	p.subs.Store(new([]*downTrack))
	p.taps.Store(new([]*TapTrack))
	return p, nil
}

// describe sets the codec, of the first packet.
func (p *Publication) describe(c *negotiate.Codec) {
	p.codec = Codec{MimeType: c.MimeType, ClockRate: c.ClockRate, Channels: c.Channels, Parameters: c.Parameters}
	if c.MimeType == negotiate.RED {
		p.codec.MimeType, p.codec.Parameters = negotiate.Opus, ""
	}
	for _, l := range p.layers {
		l.begin(c)
	}
}

// Info names the publication.
func (p *Publication) Info() TrackInfo { return p.info }

// Layers returns in how many streams a picture may come; 1 for sound.
func (p *Publication) Layers() int { return len(p.layers) }

// Codec returns what its packets carry.
func (p *Publication) Codec() Codec { return p.codec }

// RequestKeyframe asks the publisher for a key frame, and asks again until one comes. Requests are coalesced: the publisher gets
// at most one in 300 ms. It does nothing for audio.
func (p *Publication) RequestKeyframe() { p.requestKeyframe(int(p.best.Load())) }

func (p *Publication) requestKeyframe(layer int) {
	if p.video && !p.gone.Load() && layer >= 0 && layer < len(p.layers) {
		p.layers[layer].keys.request()
	}
}

// Attach queues the packets and sender reports that arrive from now on, up to capacity items. Of several layers it is the best,
// as one continuous stream. Attaching to a publication that has ended gives a track that has ended.
func (p *Publication) Attach(capacity int) *TapTrack {
	t := newTapTrack(p, capacity)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone.Load() {
		t.end()
		return t
	}
	p.taps.Store(with(p.taps.Load(), t))
	return t
}

// RoundTrip is the newest time that the way to the publisher and back took, by their receiver reports (RFC 3550 section 6.4.1); 0
// while it is not known. They come on the publisher's subscribe connection, which goes the same way.
func (p *Publication) RoundTrip() time.Duration { return time.Duration(p.peer.trip.Load()) }

// Counts returns the counters.
func (p *Publication) Counts() Counts {
	return Counts{
		Received: p.counts.received.Load(), Malformed: p.counts.malformed.Load(),
		Stray: p.counts.stray.Load(), Excess: p.counts.excess.Load(),
	}
}

func (p *Publication) detachTap(t *TapTrack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taps.Store(without(p.taps.Load(), t))
}

// attach adds a subscriber; it reports false if the publication has ended.
func (p *Publication) attach(t *downTrack) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone.Load() {
		return false
	}
	p.subs.Store(with(p.subs.Load(), t))
	return true
}

func (p *Publication) detach(t *downTrack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subs.Store(without(p.subs.Load(), t))
}

func (p *Publication) ended() bool { return p.gone.Load() }

// end lets go of everybody. The room calls it once.
func (p *Publication) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone.Store(true)
	for _, l := range p.layers {
		l.keys.stop()
	}
	for _, t := range *p.taps.Load() {
		t.end()
	}
	p.subs.Store(new([]*downTrack))
	p.taps.Store(new([]*TapTrack))
}

// with and without copy: the reader may be going through the old list.
func with[T any](list *[]*T, t *T) *[]*T {
	next := append(make([]*T, 0, len(*list)+1), *list...)
	next = append(next, t)
	return &next
}

func without[T any](list *[]*T, t *T) *[]*T {
	next := make([]*T, 0, len(*list))
	for _, o := range *list {
		if o != t {
			next = append(next, o)
		}
	}
	return &next
}

// pass hands a packet of one of the layers to everybody; the publisher's reader calls it.
func (p *Publication) pass(b *transport.Batch, pkt *packet) {
	for _, t := range *p.subs.Load() {
		t.forward(b, pkt)
	}
	for _, t := range *p.taps.Load() {
		t.push(pkt)
	}
}

// report takes a sender report of a layer; the publisher's reader calls it.
func (p *Publication) report(b *transport.Batch, l *layer, r SenderReport, now time.Time) {
	if p.gone.Load() {
		return
	}
	timed := &timedReport{SenderReport: r, epoch: l.epoch}
	l.reports.Store(timed)
	for _, t := range *p.subs.Load() {
		t.report(b, l.index, timed, now)
	}
	for _, t := range *p.taps.Load() {
		t.pushReport(l.index, timed, now)
	}
}

// senderReports are the newest of all layers.
func (p *Publication) senderReports() (all [maxLayers]*timedReport) {
	for i, l := range p.layers {
		all[i] = l.reports.Load()
	}
	return all
}

// copyOf is a packet that a recorder may keep.
func copyOf(p *packet, n numbers) *rtp.Packet {
	c := &rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: n.marker, SequenceNumber: n.seq, Timestamp: n.timestamp},
		Payload: append([]byte(nil), p.payload...),
	}
	if n.rewrite {
		p.frame.Rewrite(c.Payload, n.picture, n.tl0)
	}
	return c
}

// follow notes the newest packet of a layer. Who has a layer above it that shows to be sent no more goes on with another at once.
func (p *Publication) follow(l *layer, pkt *packet) {
	l.presence.came(pkt.timestamp, pkt.frame.Keyframe, p.layers[:l.index], pkt.arrival)
	for i := int(l.index) + 1; i < len(p.layers); i++ {
		if !p.layers[i].presence.ends(p.layers[:i], pkt.arrival) {
			continue
		}
		p.rank()
		for _, t := range *p.subs.Load() {
			t.ended(i, pkt.handled)
		}
	}
}

// rank finds the best layer that is sent; while none is, it stays.
func (p *Publication) rank() {
	best := -1
	for i, l := range p.layers {
		if l.live() {
			best = i
		}
	}
	if best < 0 || int32(best) == p.best.Swap(int32(best)) { //nolint:gosec // below 3
		return
	}
	if len(*p.taps.Load()) != 0 {
		p.requestKeyframe(best)
	}
}
