package media

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/load/shape"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	ringSize    = 512 // packets kept for retransmission
	namedFor    = 100 // packets of a connection that carry the mid and the rid, until the server knows the SSRC
	ntpEpoch    = 2_208_988_800
	maxRTPBytes = 1300

	hopeless = 200 * time.Millisecond // behind the clock: what was not sent is left out
)

// publisher is the publish side of a participant. The link's mu guards it; play is its goroutine.
type publisher struct {
	link   *link
	period *period
	rng    *rand.Rand
	audio  *outbound
	video  []*outbound // layers, ascending
	bySSRC map[uint32]*outbound
	exts   map[string]uint8 // that the server accepted, by URI
	twcc   uint16
	rtx    bool
	ready  bool
	buffer []byte
	report time.Time
	resent atomic.Uint64
	frames *shape.Frames
}

// outbound is one RTP stream that is sent.
type outbound struct {
	number    uint32 // stamped
	mid, rid  string
	pt        uint8
	ssrc      uint32
	rtxSSRC   uint32
	rtxSeq    uint16
	seq       uint16
	timestamp uint32
	clock     uint32
	rate      int
	count     uint32
	named     uint32 // the count up to which packets carry the mid and the rid
	octets    uint32
	key       bool // the next frame is a key frame
	ring      [ringSize]sent

	measured atomic.Uint64 // packets sent in the period
}

type sent struct {
	header  rtp.Header
	payload []byte
}

// newPublisher makes the streams; index numbers the publishers of a run.
func newPublisher(p *period, index int, simulcast bool) *publisher {
	rng := rand.New(rand.NewPCG(uint64(index), 2)) //nolint:gosec // sizes of frames
	pub := &publisher{
		period: p, rng: rng, bySSRC: make(map[uint32]*outbound), buffer: make([]byte, maxRTPBytes),
		report: time.Now(), frames: shape.NewFrames(uint64(index)), //nolint:gosec // an index
	}
	stream := func(mid string, pt uint8, clock uint32, number uint32) *outbound {
		o := &outbound{
			number: number, mid: mid, pt: pt, clock: clock, ssrc: rng.Uint32() | 1, rtxSSRC: rng.Uint32() &^ 1,
			seq: uint16(rng.Uint32()), timestamp: rng.Uint32(), key: true, //nolint:gosec // random
		}
		pub.bySSRC[o.ssrc] = o
		return o
	}
	base := uint32(index) * 8 //nolint:gosec // few
	pub.audio = stream("0", ptOpus, 48000, base)
	rates := shape.Layers()
	if !simulcast {
		rates = rates[len(rates)-1:]
	}
	for i, rate := range rates {
		o := stream("1", ptVP8, 90000, base+1+uint32(i)) //nolint:gosec // at most 2
		o.rate = rate
		if simulcast {
			o.rid = rids[i]
		}
		pub.video = append(pub.video, o)
	}
	pub.top().number |= topLayer
	return pub
}

func (p *publisher) top() *outbound { return p.video[len(p.video)-1] }

// move goes on with a new connection, once the one before is closed.
func (p *publisher) move(l *link) {
	p.link, p.ready = l, false
	for _, o := range p.bySSRC {
		o.key, o.named = true, o.count+namedFor
	}
}

func (p *publisher) offer() string {
	var video [][2]uint32
	for _, o := range p.video {
		video = append(video, [2]uint32{o.ssrc, o.rtxSSRC})
	}
	return offerSDP(p.link.local, p.audio.ssrc, video)
}

// negotiated takes over what an answer says.
func (p *publisher) negotiated(d *description) {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	p.exts = make(map[string]uint8)
	for _, s := range d.sections {
		for uri, id := range s.exts {
			p.exts[uri] = id
		}
		_, rtx := s.codecs[ptRTX]
		p.rtx = p.rtx || rtx
	}
}

func (p *publisher) connected() { p.ready = true }

func (p *publisher) rtp([]byte, int64) {}

// play sends until the link's end. Its clock starts at a phase of its own, so that publishers do not send in step.
func (p *publisher) play() {
	const frame, packet = time.Second / shape.FrameRate, time.Second / shape.AudioRate
	next := time.Now().Add(time.Duration(p.rng.Int64N(int64(frame))))
	nextVideo, nextAudio := next, next.Add(time.Duration(p.rng.Int64N(int64(packet))))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-p.link.ctx.Done():
			return
		}
		now := time.Now()
		if now.Sub(earlier(nextAudio, nextVideo)) > hopeless {
			nextAudio, nextVideo = now, now
		}
		p.link.mu.Lock()
		for ; !nextAudio.After(now); nextAudio = nextAudio.Add(packet) {
			p.sendAudio()
		}
		for ; !nextVideo.After(now); nextVideo = nextVideo.Add(frame) {
			p.sendFrames()
		}
		p.link.mu.Unlock()
		timer.Reset(time.Until(earlier(nextAudio, nextVideo)))
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (p *publisher) sendAudio() {
	o := p.audio
	o.timestamp += 48000 / shape.AudioRate
	p.send(o, make([]byte, shape.OpusBytes), false)
}

// sendFrames sends one frame of each layer.
func (p *publisher) sendFrames() {
	p.frames.Next()
	for _, o := range p.video {
		o.timestamp += 90000 / shape.FrameRate
		key := o.key && p.ready
		o.key = o.key && !key
		payloads := p.frames.Payloads(o.rate, key)
		for i, payload := range payloads {
			p.send(o, payload, i == len(payloads)-1)
		}
	}
}

// send stamps and sends one packet; before the link is connected, nothing.
func (p *publisher) send(o *outbound, payload []byte, marker bool) {
	if !p.ready {
		return
	}
	now := time.Now().UnixNano()
	shape.Stamp{Stream: o.number, Number: o.count, Sent: now}.Put(payload)
	o.seq++
	h := rtp.Header{
		Version: 2, Marker: marker, PayloadType: o.pt, SequenceNumber: o.seq, Timestamp: o.timestamp, SSRC: o.ssrc,
	}
	o.ring[o.seq%ringSize] = sent{header: h, payload: payload}
	p.extend(&h, o, false)
	p.write(&h, payload)
	o.count++
	o.octets += uint32(len(payload)) //nolint:gosec // small
	if p.period.contains(now) {
		o.measured.Add(1)
	}
}

// extend adds the extensions that were agreed upon.
func (p *publisher) extend(h *rtp.Header, o *outbound, repair bool) {
	set := func(uri string, b []byte) {
		if id, ok := p.exts[uri]; ok {
			_ = h.SetExtension(id, b) // the ids are of the offer, so they fit
		}
	}
	p.twcc++
	set(uriTWCC, []byte{byte(p.twcc >> 8), byte(p.twcc)})
	if o.pt == ptOpus {
		set(uriLevel, []byte{0x80 | 30})
	}
	if o.count < o.named || o.key {
		set(uriMID, []byte(o.mid))
		if o.rid != "" && repair {
			set(uriRRID, []byte(o.rid))
		} else if o.rid != "" {
			set(uriRID, []byte(o.rid))
		}
	}
}

func (p *publisher) write(h *rtp.Header, payload []byte) {
	n, err := h.MarshalTo(p.buffer)
	if err != nil {
		return
	}
	n += copy(p.buffer[n:], payload)
	p.link.sendRTP(p.buffer[:n])
}

// rtcp answers key-frame and retransmission requests.
func (p *publisher) rtcp(packets []rtcp.Packet, _ int64) {
	for _, packet := range packets {
		switch packet := packet.(type) {
		case *rtcp.PictureLossIndication:
			p.wantKey(packet.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, e := range packet.FIR {
				p.wantKey(e.SSRC)
			}
		case *rtcp.TransportLayerNack:
			if o := p.bySSRC[packet.MediaSSRC]; o != nil {
				for _, pair := range packet.Nacks {
					pair.Range(func(seq uint16) bool { p.resend(o, seq); return true })
				}
			}
		}
	}
}

func (p *publisher) wantKey(ssrc uint32) {
	if o := p.bySSRC[ssrc]; o != nil {
		o.key = true
	}
}

// resend answers for one packet: on the retransmission stream (RFC 4588) if that was agreed upon.
func (p *publisher) resend(o *outbound, seq uint16) {
	s := &o.ring[seq%ringSize]
	if s.payload == nil || s.header.SequenceNumber != seq {
		return
	}
	p.resent.Add(1)
	h, payload := s.header, s.payload
	repair := p.rtx && o.pt == ptVP8
	if repair {
		h.PayloadType, h.SSRC, h.SequenceNumber = ptRTX, o.rtxSSRC, o.rtxSeq
		o.rtxSeq++
		payload = append([]byte{byte(seq >> 8), byte(seq)}, payload...)
	}
	h.Extension, h.Extensions = false, nil
	p.extend(&h, o, repair)
	p.write(&h, payload)
}

// tick sends sender reports (RFC 3550 section 6.4.1).
func (p *publisher) tick(now time.Time) {
	if !p.ready || now.Sub(p.report) < reportInterval {
		return
	}
	p.report = now
	seconds := uint64(now.Unix()+ntpEpoch) << 32 //nolint:gosec // after 1900
	ntp := seconds | uint64(now.Nanosecond())<<32/uint64(time.Second)
	for _, o := range append([]*outbound{p.audio}, p.video...) {
		p.link.sendRTCP(&rtcp.SenderReport{
			SSRC: o.ssrc, NTPTime: ntp, RTPTime: o.timestamp, PacketCount: o.count, OctetCount: o.octets,
		}, rtcp.NewCNAMESourceDescription(o.ssrc, "bench"))
	}
}
