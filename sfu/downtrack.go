package sfu

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

const (
	maxResends      = 200 // retransmissions per resendWindow to one subscriber of one publication
	resendWindow    = 100 * time.Millisecond
	reportsRemember = 8 // sender reports, to measure the round-trip time
	keyframeRemind  = time.Second
)

// downTrack is one publication on its way to one subscriber. egress.mu guards it: it is held for one packet at a time, and
// nobody waits for the network under it.
type downTrack struct {
	pub     *Publication
	egress  *egress
	serial  int                // in the order of subscription
	section *negotiate.Sending // the peer's goroutine owns it; nil if the subscriber has refused the track

	stopped  bool
	attached bool
	bound    bool
	to       outlet
	out      outStream
	header   rtp.Header // reused
	sent     sentRing
	sounds   sentSounds
	packets  uint32
	octets   uint32
	resends  rateCap
	reports  [reportsRemember]sentReport
	reported int
	heard    uint32           // the highest number that was reported (RFC 3550 section 6.4.1)
	since    time.Time        // attached
	choice   int              // the layer that was allocated; -1 for none
	coming   int              // the layer whose key frame waits in the queue; -1 for none
	skip     [maxLayers]place // in the queue already, although the reader has yet to pass it
	ends     [maxLayers]place // the newest packet sent
	askedAt  time.Time        // for a key frame
	begunAt  time.Time        // the newest key frame
	stats    DownStats
}

// outlet is where the packets go, as the subscriber has agreed.
type outlet struct {
	ssrc        uint32
	rtxSSRC     uint32 // 0 if there is no retransmission stream
	pt, rtxPT   uint8
	red         uint8 // payload type of RED, 0 if it is not received
	rtxSeq      uint16
	transportCC uint8 // id of the extension, 0 if it is not received
	orientation uint8
	level       uint8
}

// sentReport is when a sender report was sent, by the middle 32 bits of its NTP time.
type sentReport struct {
	ntp uint32
	at  time.Time
}

func newDownTrack(p *Publication, e *egress) *downTrack {
	t := &downTrack{
		pub: p, egress: e, out: newOutStream(p.video, p.codec.ClockRate), choice: -1, coming: -1,
		resends: rateCap{perSecond: maxResends * int(time.Second/resendWindow)},
	}
	t.sent = newSentRing(p.video)
	t.header.Version = 2
	if !p.video {
		t.choice = 0
	}
	return t
}

// bind says how the packets go. The peer's goroutine calls it, with every answer.
func (t *downTrack) bind(a negotiate.Accepted) {
	t.egress.mu.Lock()
	defer t.egress.mu.Unlock()
	t.bound = true
	t.to.pt, t.to.red = a.Codec.PayloadType, a.RED
	t.to.transportCC, t.to.orientation, t.to.level = a.TransportCC, a.Orientation, a.Level
	t.to.rtxPT = a.Codec.RTX
}

// forward takes a packet of the publication; the publisher's reader calls it.
func (t *downTrack) forward(b *transport.Batch, p *packet) {
	e := t.egress
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.stopped {
		return
	}
	if !t.pub.video {
		t.send(b, p, p.handled)
		return
	}
	layer := int(p.layer)
	if t.skipped(p) || layer != t.out.layer && layer != t.out.want {
		return
	}
	if layer != t.out.layer && layer != t.coming && p.behind != 0 {
		e.catchUp(t, p.handled) // it may be what was missing of a key frame
		return
	}
	if e.queue.size != 0 {
		e.enqueue(t, p)
		return
	}
	if layer != t.out.layer && !t.out.begins(p) {
		return
	}
	if e.paced && !e.pacer.Allow(len(p.payload)+overhead, p.handled) {
		e.enqueue(t, p)
		return
	}
	t.send(b, p, p.handled)
}

// send sends a packet, live or of the history. The caller holds egress.mu.
func (t *downTrack) send(b *transport.Batch, p *packet, now time.Time) {
	var reports *[maxLayers]*timedReport
	if int(p.layer) != t.out.layer {
		all := t.pub.senderReports()
		reports = &all
	}
	first := !t.out.started
	n, ok := t.out.next(p, reports)
	if !ok || t.sent.get(n.seq) != nil { // a number goes out once: it is part of the cipher's nonce (RFC 7714 section 8.1)
		return
	}
	if end := &t.ends[p.layer]; !end.valid || end.epoch != p.epoch || end.before(p.seq) {
		*end = place{valid: true, seq: p.seq, epoch: p.epoch}
	}
	if first {
		t.repeatReport(b, p, now)
	}
	if t.out.begins(p) {
		t.begunAt = now
	}
	t.sent.put(p, n)
	payload, pt := t.payload(p, n)
	t.head(p, pt, n)
	t.packets++
	t.octets += uint32(len(payload)) //nolint:gosec // modulo 2^32 (RFC 3550 section 6.4.1)
	t.stats.Packets++
	t.stats.Bytes += uint64(len(payload))
	// A packet that cannot be sent is a lost one; the connection's state tells the rest.
	t.egress.write(b, t, &t.header, payload, now, 0)
	if !t.pub.video {
		t.follow(b, payload, now)
	}
	if p.repaired && t.egress.lossy() {
		t.another(b, p, t.sent.get(n.seq), now)
	}
}

// head prepares the header of a packet.
func (t *downTrack) head(p *packet, pt uint8, n numbers) {
	h := &t.header
	h.Marker, h.PayloadType, h.SSRC = n.marker, pt, t.to.ssrc
	h.SequenceNumber, h.Timestamp = n.seq, n.timestamp
	h.Padding, h.PaddingSize = false, 0
	h.Extension, h.Extensions = false, h.Extensions[:0]
	if p.oriented && t.to.orientation != 0 {
		t.egress.orientation[0] = p.orientation
		_ = h.SetExtension(t.to.orientation, t.egress.orientation[:]) // one byte always fits
	}
	if p.leveled && t.to.level != 0 {
		t.egress.level[0] = p.level
		_ = h.SetExtension(t.to.level, t.egress.level[:])
	}
}

// payload is what the subscriber gets of a packet's payload, which belongs to all subscribers; and its payload type.
func (t *downTrack) payload(p *packet, n numbers) ([]byte, uint8) {
	switch {
	case !t.pub.video && t.to.red != 0 && t.egress.repeats > 0 && !p.padding():
		body := codec.AppendRED(t.egress.body[:0], t.to.pt, repeated(p, t.egress.repeats), p.payload)
		t.egress.body = body
		return body, t.to.red
	case n.rewrite:
		body := append(t.egress.body[:0], p.payload...)
		t.egress.body = body
		p.frame.Rewrite(body, n.picture, n.tl0)
		return body, t.to.pt
	}
	return p.payload, t.to.pt
}

// repair answers a NACK for one packet, or the report that it was lost; it reports false when that was too much.
func (t *downTrack) repair(b *transport.Batch, seq uint16, now time.Time) bool {
	if t.stopped || t.to.rtxPT == 0 || !t.resends.allow(now) {
		return false
	}
	s := t.sent.get(seq)
	if s == nil || !t.pub.layers[s.layer].history.get(s.from, s.epoch, &t.egress.scratch) {
		t.stats.Unrepaired++
		return true
	}
	if s.turn != t.sent.turn {
		return true
	}
	// What was asked for twice within a round trip is on its way; and repairs that do not fit would drown the rest.
	at := uint32(now.UnixMilli() & 0xffffffff)
	if s.again != 0 && at-s.again < t.egress.patience() {
		return true
	}
	if t.egress.paced && (t.choice < 0 || !t.egress.pacer.Allow(int(s.size)+overhead, now)) {
		return false
	}
	lost := s.again != 0 // the answer to the first request was
	s.again = at
	t.stats.Repaired++
	t.again(b, &t.egress.scratch, s, now, 0)
	if lost || t.egress.lossy() {
		t.another(b, &t.egress.scratch, s, now)
	}
	return true
}

// another sends a second copy of what may be lost, and would then come too late, if there is bandwidth for it.
func (t *downTrack) another(b *transport.Batch, p *packet, s *sentPacket, now time.Time) {
	if e := t.egress; e.paced && t.to.rtxPT != 0 && !e.congested() && t.resends.allow(now) && e.pacer.Allow(int(s.size)+overhead, now) {
		t.again(b, p, s, now, 0)
	}
}

// again sends a packet once more, on the retransmission stream (RFC 4588 section 4). Under its own number it must not be
// sent again: the transport-wide number differs, and two packets under one number tell what AES-GCM's key is made of.
func (t *downTrack) again(b *transport.Batch, p *packet, s *sentPacket, now time.Time, probe uint8) {
	payload, pt := t.payload(p, s.numbers)
	t.head(p, pt, s.numbers)
	t.retransmission()
	body := append(t.egress.rtx[:0], byte(s.seq>>8), byte(s.seq&0xff))
	payload = append(body, payload...)
	t.egress.rtx = payload
	t.egress.write(b, t, &t.header, payload, now, probe)
}

func (t *downTrack) retransmission() {
	t.header.PayloadType, t.header.SSRC, t.header.SequenceNumber = t.to.rtxPT, t.to.rtxSSRC, t.to.rtxSeq
	t.to.rtxSeq++
}

// report passes the publisher's clock on, in the subscriber's timestamps (RFC 3550 section 6.4.1).
func (t *downTrack) report(b *transport.Batch, layer uint8, r *timedReport, now time.Time) {
	t.egress.mu.Lock()
	defer t.egress.mu.Unlock()
	if !t.out.started || t.stopped || int(layer) != t.out.layer || r.epoch != t.out.epoch {
		return
	}
	if _, early := t.out.pressed(r.RTP); !early {
		t.sendReport(b, r, now)
	}
}

// repeatReport sends the newest report to a subscriber that begins: it could not play in sync before the next.
func (t *downTrack) repeatReport(b *transport.Batch, p *packet, now time.Time) {
	if r := t.pub.layers[p.layer].reports.Load(); r != nil && r.epoch == p.epoch {
		t.sendReport(b, r, now)
	}
}

func (t *downTrack) sendReport(b *transport.Batch, r *timedReport, now time.Time) {
	t.reports[t.reported%reportsRemember] = sentReport{ntp: uint32(r.NTP >> 16), at: now} //nolint:gosec // the middle bits
	t.reported++
	raw, err := (&rtcp.SenderReport{
		SSRC: t.to.ssrc, NTPTime: r.NTP, RTPTime: t.out.stamp.Translate(r.RTP), PacketCount: t.packets, OctetCount: t.octets,
	}).Marshal()
	if err == nil {
		t.egress.out.SendRTCP(b, raw)
	}
}

// received takes a reception report (RFC 3550 section 6.4.1).
func (t *downTrack) received(r rtcp.ReceptionReport, now time.Time) {
	if !t.out.started {
		return
	}
	e, lost := t.egress, float64(r.FractionLost)/256
	if expected := r.LastSequenceNumber - t.heard; expected >= leastForLoss {
		e.peer.meter.loss(lost)
	}
	t.heard = r.LastSequenceNumber
	t.stats.Loss = lost
	rtt := time.Duration(0)
	for _, s := range t.reports {
		if r.LastSenderReport != 0 && s.ntp == r.LastSenderReport {
			delay := time.Duration(r.Delay) * time.Second / 65536
			rtt = max(now.Sub(s.at)-delay, 0)
			e.rtt = rtt
			e.peer.meter.roundTrip(rtt)
			e.peer.trip.Store(int64(max(rtt, 1)))
		}
	}
	e.estimator.ReceiverReport(lost, rtt, now)
}

// halt ends a layer at once, for a lower one: the link carries nothing of it any more.
func (t *downTrack) halt(now time.Time) {
	t.egress.haltedAt = now
	t.egress.discard(t, t.out.layer)
	t.out.pause()
	t.sent.turn++
}

// ended says that a layer is sent no more; the publisher's reader calls it.
func (t *downTrack) ended(layer int, now time.Time) {
	e := t.egress
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.choice == layer && !t.stopped && !e.closed {
		e.decide(now)
	}
}

// choose takes the layer that was allocated: -1 for none.
func (t *downTrack) choose(layer int, now time.Time) {
	changed := layer != t.choice
	if changed {
		t.askedAt = time.Time{}
	}
	t.choice = layer
	switch {
	case layer < 0:
		if changed {
			t.egress.queue.forget(t)
			t.coming = -1
		}
		t.out.want = -1
		t.out.pause()
		return
	case len(t.pub.layers) > 1:
		t.out.want = min(layer, len(t.pub.layers)-1)
	default:
		t.out.want = 0
		if t.pub.layers[0].spatial.Load() > 1 {
			t.out.selector.Want(codec.Layer{Spatial: uint8(layer), Temporal: 7}) //nolint:gosec // below 3
		}
	}
	if t.coming >= 0 && t.coming != t.out.want {
		t.egress.abandon(t)
	}
	if t.out.want < t.out.layer && t.egress.congested() {
		t.halt(now)
	}
	if t.out.layer < 0 && t.egress.draining(now) {
		t.out.want, t.egress.holding = -1, true
		return
	}
	if !t.out.waiting() || t.attached && t.egress.catchUp(t, now) {
		t.askedAt = time.Time{}
		return
	}
	if now.Sub(t.askedAt) >= keyframeRemind {
		t.askedAt = now
		t.pub.requestKeyframe(t.out.want)
	}
}
