package sfu

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/sfu/rtpmap"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	maxResends      = 200 // retransmissions per resendWindow to one subscriber of one publication
	resendWindow    = 100 * time.Millisecond
	reportsRemember = 8 // sender reports, to measure the round-trip time
)

// downTrack is one publication on its way to one subscriber. It is a webrtc.TrackLocal, so the connection tells it when it
// is negotiated.
//
// The publication's reader forwards; the goroutine that reads the subscriber's RTCP retransmits; the publisher's RTCP goroutine
// reports. mu makes them take turns: it is held for one packet at a time and nobody waits for the network under it.
type downTrack struct {
	pub    *Publication
	peer   *Peer
	pc     *webrtc.PeerConnection
	sender *webrtc.RTPSender // set once, before any goroutine uses it

	mu        sync.Mutex
	stopped   bool
	ready     bool // the transport is connected
	bound     bool
	attached  bool
	out       outlet
	started   bool // a packet was sent
	epoch     uint32
	seq       rtpmap.Sequence
	timestamp rtpmap.Timestamp
	picture   rtpmap.Picture
	sentAt    time.Time
	packets   uint32
	octets    uint32
	header    rtp.Header // reused
	scratch   []byte     // reused
	resent    stored     // reused
	resends   rateCap
	reports   [reportsRemember]sentReport
	reported  int
}

// outlet is where the packets go.
type outlet struct {
	writer    webrtc.TrackLocalWriter
	ssrc      uint32
	rtxSSRC   uint32 // 0 if there is no retransmission stream
	pt, rtxPT uint8
	rtxSeq    uint16
}

// sentReport is when a sender report was sent, by the middle 32 bits of its NTP time.
type sentReport struct {
	ntp uint32
	at  time.Time
}

func newDownTrack(p *Publication, peer *Peer, pc *webrtc.PeerConnection) *downTrack {
	return &downTrack{
		pub: p, peer: peer, pc: pc,
		resends: rateCap{perSecond: maxResends * int(time.Second/resendWindow)},
	}
}

// ID is the track id in the session description: the publication.
func (t *downTrack) ID() string { return t.pub.info.Publication }

// RID is empty: there are no layers.
func (t *downTrack) RID() string { return "" }

// StreamID is the media stream's id: the member. What one member publishes is played in sync.
func (t *downTrack) StreamID() string { return t.pub.info.Member }

// Kind says audio or video.
func (t *downTrack) Kind() webrtc.RTPCodecType {
	if t.pub.video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}

// Bind implements webrtc.TrackLocal: the subscriber has agreed to receive it.
func (t *downTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	chosen, rtx, ok := chooseCodec(ctx.CodecParameters(), t.pub.codec.MimeType)
	if !ok {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	t.mu.Lock()
	t.bound = true
	t.out = outlet{writer: ctx.WriteStream(), ssrc: uint32(ctx.SSRC()), pt: uint8(chosen.PayloadType)}
	if rtx != 0 {
		t.out.rtxSSRC, t.out.rtxPT = uint32(ctx.SSRCRetransmission()), uint8(rtx)
	}
	t.mu.Unlock()
	t.attach()
	return chosen, nil
}

// Unbind implements webrtc.TrackLocal.
func (t *downTrack) Unbind(webrtc.TrackLocalContext) error {
	t.stop()
	return nil
}

// chooseCodec finds the codec and its retransmission payload type, 0 if there is none (RFC 4588 section 8.6).
func chooseCodec(codecs []webrtc.RTPCodecParameters, mime string) (c webrtc.RTPCodecParameters, rtx webrtc.PayloadType, ok bool) {
	for _, o := range codecs {
		if strings.EqualFold(o.MimeType, mime) {
			c, ok = o, true
			break
		}
	}
	apt := "apt=" + strconv.Itoa(int(c.PayloadType))
	for _, o := range codecs {
		if ok && strings.EqualFold(o.MimeType, webrtc.MimeTypeRTX) && o.SDPFmtpLine == apt {
			return c, o.PayloadType, ok
		}
	}
	return c, 0, ok
}

// transportReady says that packets would arrive: before that, they would be lost, and a key frame with them.
func (t *downTrack) transportReady() {
	t.mu.Lock()
	t.ready = true
	t.mu.Unlock()
	t.attach()
}

// attach begins to receive once the track is agreed upon and the transport is connected.
func (t *downTrack) attach() {
	t.mu.Lock()
	begin := t.ready && t.bound && !t.attached && !t.stopped
	t.attached = t.attached || begin
	t.mu.Unlock()
	if !begin {
		return
	}
	t.pub.attach(t)
	t.mu.Lock()
	stopped := t.stopped
	t.mu.Unlock()
	if stopped { // meanwhile, and before there was anything to detach
		t.pub.detach(t)
	}
}

// stop ends it: no packet is sent after it has returned.
func (t *downTrack) stop() {
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.pub.detach(t)
}

// forward sends a packet on. The publication's reader calls it.
func (t *downTrack) forward(p *packet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped || !t.follow(p) {
		return
	}
	if len(p.rtp.Payload) == 0 {
		// Padding carries nothing for a subscriber.
		t.seq.Drop(p.rtp.SequenceNumber)
		return
	}
	seq, ok := t.seq.Map(p.rtp.SequenceNumber)
	if !ok {
		return
	}
	t.header = rtp.Header{
		Version: 2, Marker: p.rtp.Marker, PayloadType: t.out.pt, SSRC: t.out.ssrc,
		SequenceNumber: seq, Timestamp: t.timestamp.Map(p.rtp.Timestamp),
	}
	payload := t.rewrite(p.rtp.Payload, p.vp8)
	// A packet that cannot be written is a lost one; the connection's state tells the rest.
	_, _ = t.out.writer.WriteRTP(&t.header, payload)
	t.packets++
	t.octets += uint32(len(payload)) //nolint:gosec // modulo 2^32 (RFC 3550 section 6.4.1)
	t.sentAt = p.arrival
	if !t.started {
		t.started = true
		t.repeatReport(p)
	}
}

// follow begins with the first packet that can be decoded, and goes on after a jump of the source.
func (t *downTrack) follow(p *packet) bool {
	switch {
	case !t.started && t.pub.video:
		if !p.vp8.keyframe {
			return false
		}
	case !t.started && len(p.rtp.Payload) == 0:
		return false
	}
	if !t.started {
		t.epoch = p.epoch
		return true
	}
	if t.epoch != p.epoch {
		t.epoch = p.epoch
		t.seq.Rebase(p.rtp.SequenceNumber)
		t.timestamp.Rebase(p.rtp.Timestamp, ticks(p.arrival.Sub(t.sentAt), t.pub.codec.ClockRate))
		t.picture.Rebase(p.vp8.pictureID, p.vp8.tl0)
	}
	return true
}

// rewrite sets the picture id, if the source has jumped; the payload belongs to all subscribers.
func (t *downTrack) rewrite(payload []byte, d vp8Descriptor) []byte {
	if d.pictureAt == 0 {
		return payload
	}
	id, tl0 := t.picture.Map(d.pictureID, d.bits, d.tl0)
	if !t.picture.Changed() {
		return payload
	}
	t.scratch = append(t.scratch[:0], payload...)
	d.rewrite(t.scratch, id, tl0)
	return t.scratch
}

// report passes the publisher's clock on, in the subscriber's timestamps (RFC 3550 section 6.4.1).
func (t *downTrack) report(r SenderReport, epoch uint32, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.started && !t.stopped && epoch == t.epoch {
		t.sendReport(r, now)
	}
}

// repeatReport sends the newest report to a subscriber that begins: it could not play in sync before the next.
func (t *downTrack) repeatReport(p *packet) {
	if r := t.pub.reports.Load(); r != nil && r.epoch == p.epoch {
		t.sendReport(r.SenderReport, p.arrival)
	}
}

func (t *downTrack) sendReport(r SenderReport, now time.Time) {
	t.reports[t.reported%reportsRemember] = sentReport{ntp: uint32(r.NTP >> 16), at: now} //nolint:gosec // the middle bits
	t.reported++
	// It fails when the connection is closing.
	_ = t.pc.WriteRTCP([]rtcp.Packet{&rtcp.SenderReport{
		SSRC: t.out.ssrc, NTPTime: r.NTP, RTPTime: t.timestamp.Translate(r.RTP), PacketCount: t.packets, OctetCount: t.octets,
	}})
}

// readRTCP is the goroutine that hears the subscriber. Without it there would be no retransmission and no key frame.
func (t *downTrack) readRTCP() {
	buf := make([]byte, receiveBuffer)
	for {
		n, _, err := t.sender.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		now := time.Now()
		for _, p := range packets {
			t.hear(p, now)
		}
	}
}

func (t *downTrack) hear(p rtcp.Packet, now time.Time) {
	switch p := p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		t.pub.RequestKeyframe()
	case *rtcp.TransportLayerNack:
		for _, pair := range p.Nacks {
			pair.Range(func(seq uint16) bool { return t.resend(seq, now) })
		}
	case *rtcp.ReceiverReport:
		for _, r := range p.Reports {
			t.quality(r, now)
		}
	}
}

// resend answers a NACK; it reports false when the subscriber has asked for too much.
func (t *downTrack) resend(out uint16, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped || !t.started {
		return false
	}
	if !t.resends.allow(now) {
		return false
	}
	seq, ok := t.seq.Original(out)
	if !ok || !t.pub.history.get(seq, t.epoch, &t.resent) {
		return true
	}
	t.writeAgain(out)
	return true
}

// writeAgain sends t.resent once more: on the retransmission stream if there is one (RFC 4588 section 4), else as it was.
func (t *downTrack) writeAgain(out uint16) {
	s := &t.resent
	payload := t.rewrite(s.payload, s.vp8)
	t.header = rtp.Header{
		Version: 2, Marker: s.marker, PayloadType: t.out.pt, SSRC: t.out.ssrc,
		SequenceNumber: out, Timestamp: t.timestamp.Translate(s.timestamp),
	}
	if t.out.rtxSSRC != 0 {
		t.header.PayloadType, t.header.SSRC, t.header.SequenceNumber = t.out.rtxPT, t.out.rtxSSRC, t.out.rtxSeq
		t.out.rtxSeq++
		payload = append([]byte{byte(out >> 8), byte(out)}, payload...)
	}
	_, _ = t.out.writer.WriteRTP(&t.header, payload)
}

// quality notes loss and round-trip time of a reception report (RFC 3550 section 6.4.1).
func (t *downTrack) quality(r rtcp.ReceptionReport, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.SSRC != t.out.ssrc || !t.started {
		return
	}
	t.peer.meter.loss(float64(r.FractionLost) / 256)
	for _, s := range t.reports {
		if r.LastSenderReport != 0 && s.ntp == r.LastSenderReport {
			delay := time.Duration(r.Delay) * time.Second / 65536
			t.peer.meter.roundTrip(max(now.Sub(s.at)-delay, 0))
		}
	}
}
