package sfu

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Codec describes a publication's media.
type Codec struct {
	MimeType  string // "audio/opus" or "video/VP8"
	ClockRate uint32 // ticks of RTP timestamps per second
	Channels  uint16 // 0 for video
}

// Publication is one live source of a member. It ends once and never begins again: what is published anew has a new id.
type Publication struct {
	info    TrackInfo
	codec   Codec
	video   bool
	peer    *Peer
	ssrc    uint32
	levelID uint8 // of the audio level extension, 0 if there is none
	keys    *keyframer
	history history
	levels  levelMeter
	counts  counters
	reports atomic.Pointer[timedReport]
	gone    atomic.Bool

	ingress ingress // owned by the reader

	// The reader goes through these lists without a lock; mu is held to replace them.
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

func newPublication(peer *Peer, in *inbound, info TrackInfo) *Publication {
	c := in.track.Codec()
	video := in.track.Kind() == webrtc.RTPCodecTypeVideo
	mime := webrtc.MimeTypeOpus
	if video {
		mime = webrtc.MimeTypeVP8
	}
	p := &Publication{
		info: info, peer: peer, video: video, ssrc: uint32(in.track.SSRC()),
		codec: Codec{MimeType: mime, ClockRate: c.ClockRate, Channels: c.Channels},
	}
	for _, e := range in.receiver.GetParameters().HeaderExtensions {
		if !video && e.URI == sdp.AudioLevelURI {
			p.levelID = uint8(e.ID) //nolint:gosec // ids are below 256
		}
	}
	p.ingress = newIngress(video, c.ClockRate)
	p.history = newHistory(video)
	p.keys = newKeyframer(func() {
		// It fails when the connection is closing; then there is nobody to ask.
		_ = in.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: p.ssrc}})
	})
	p.subs.Store(new([]*downTrack))
	p.taps.Store(new([]*TapTrack))
	return p
}

// Info names the publication.
func (p *Publication) Info() TrackInfo { return p.info }

// Codec returns what its packets carry.
func (p *Publication) Codec() Codec { return p.codec }

// RequestKeyframe asks the publisher for a key frame, and asks again until one comes. Requests are coalesced: the publisher gets
// at most one in 300 ms. It does nothing for audio.
func (p *Publication) RequestKeyframe() {
	if p.video && !p.gone.Load() {
		p.keys.request()
	}
}

// Attach queues the packets and sender reports that arrive from now on, up to capacity items. Attaching to a publication that
// has ended gives a track that has ended.
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

// attach adds a subscriber. A key frame is asked for, since it can begin with nothing else.
func (p *Publication) attach(t *downTrack) {
	p.mu.Lock()
	if p.gone.Load() {
		p.mu.Unlock()
		return
	}
	p.subs.Store(with(p.subs.Load(), t))
	p.mu.Unlock()
	p.RequestKeyframe()
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
	p.keys.stop()
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

// packet is what the reader hands to subscribers. It is valid during the call.
type packet struct {
	rtp     rtp.Packet
	arrival time.Time
	epoch   uint32
	isVP8   bool
	vp8     vp8Descriptor
}

// receive takes one packet as it came from the network; the reader calls it.
func (p *Publication) receive(raw []byte, now time.Time) {
	if p.gone.Load() {
		return
	}
	p.counts.received.Add(1)
	pkt := p.ingress.check(p, raw, now)
	if pkt == nil {
		return
	}
	if p.levelID != 0 && p.info.Source == SourceAudio {
		if level, ok := audioLevel(pkt.rtp.GetExtension(p.levelID)); ok {
			p.levels.add(level)
		}
	}
	if pkt.vp8.keyframe {
		p.keys.arrived()
	}
	p.history.put(pkt)
	for _, t := range *p.subs.Load() {
		t.forward(pkt)
	}
	if taps := *p.taps.Load(); len(taps) != 0 {
		p.tapPacket(taps, pkt)
	}
}

// tapPacket copies the packet for each tap: a recorder keeps it for seconds. Padding that probes the bandwidth comes without a
// payload, since its sequence number would otherwise look lost.
func (p *Publication) tapPacket(taps []*TapTrack, pkt *packet) {
	for _, t := range taps {
		c := &rtp.Packet{Header: rtp.Header{
			Version: 2, Marker: pkt.rtp.Marker, PayloadType: pkt.rtp.PayloadType, SequenceNumber: pkt.rtp.SequenceNumber,
			Timestamp: pkt.rtp.Timestamp, SSRC: pkt.rtp.SSRC,
		}, Payload: append([]byte(nil), pkt.rtp.Payload...)}
		t.push(Item{Arrival: pkt.arrival, Packet: c, Epoch: pkt.epoch})
	}
}

// report takes a sender report of the publisher; the goroutine that reads RTCP calls it.
func (p *Publication) report(r SenderReport, now time.Time) {
	if p.gone.Load() {
		return
	}
	epoch := p.ingress.epoch.Load()
	p.reports.Store(&timedReport{SenderReport: r, epoch: epoch})
	for _, t := range *p.subs.Load() {
		t.report(r, epoch, now)
	}
	for _, t := range *p.taps.Load() {
		t.push(Item{Arrival: now, Report: &r, Epoch: epoch})
	}
}

// inbound is a track that a member sends, whether or not it is published. Two goroutines read from it until its connection is closed;
// what they read goes to the publication, if there is one.
type inbound struct {
	pc          *webrtc.PeerConnection
	track       *webrtc.TrackRemote
	receiver    *webrtc.RTPReceiver
	publication atomic.Pointer[Publication]
}

func (in *inbound) readRTP() {
	// Anything but Opus and VP8 was not negotiated; a payload type of its own would still come through.
	mime := in.track.Codec().MimeType
	known := strings.EqualFold(mime, webrtc.MimeTypeOpus) || strings.EqualFold(mime, webrtc.MimeTypeVP8)
	buf := make([]byte, receiveBuffer)
	for {
		n, _, err := in.track.Read(buf)
		if err != nil {
			return
		}
		if p := in.publication.Load(); p != nil && known {
			p.receive(buf[:n], time.Now())
		}
	}
}

// readRTCP also keeps the interceptors of the track going.
func (in *inbound) readRTCP() {
	buf := make([]byte, receiveBuffer)
	for {
		n, _, err := in.receiver.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, packet := range packets {
			sr, ok := packet.(*rtcp.SenderReport)
			if p := in.publication.Load(); ok && p != nil && sr.SSRC == p.ssrc {
				p.report(SenderReport{NTP: sr.NTPTime, RTP: sr.RTPTime}, time.Now())
			}
		}
	}
}
