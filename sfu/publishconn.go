package sfu

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

const (
	maxRemoteSSRCs   = 64 // SSRCs that one publish connection may use in its life
	feedbackInterval = 60 * time.Millisecond
	reportInterval   = time.Second
)

// sender is the part of a transport.Conn that sends.
type sender interface {
	SendRTP(b *transport.Batch, h *rtp.Header, payload []byte) bool
	SendRTCP(b *transport.Batch, raw []byte) bool
}

// publishConn is what arrives on a publish connection: it finds the publication of each packet. mu is held while a packet is on its
// way to everybody; whoever holds it takes no other lock but those of subscribers, taps, connections and
// the metronome.
type publishConn struct {
	peer *Peer
	conn *transport.Conn
	out  sender // conn
	ssrc uint32 // of the server's reports
	born time.Time

	mu       sync.Mutex
	closed   bool
	types    [128]payloadType
	ids      extensionIDs
	slots    map[string]*slot // by mid
	streams  map[uint32]*inStream
	named    map[uint32]*inStream // of the session description, before a packet came
	seen     int
	header   rtp.Header // reused
	pkt      packet     // reused
	made     packet     // reused
	feedback *twcc.Recorder
	held     bool // there is something to feed back
	fedAt    time.Time
	asked    []uint16 // reused
	hurried  bool     // fast beats come, to ask in time
}

// inStream is where the packets of an SSRC belong.
type inStream struct {
	slot  *slot
	layer int
	rtx   bool
	dead  bool // another SSRC has taken its place
}

func newPublishConn(p *Peer) *publishConn {
	c := newPublishState(p)
	c.conn = p.room.sfu.net.NewConn(c)
	c.out = c.conn
	return c
}

// newPublishState is a connection without a network.
func newPublishState(p *Peer) *publishConn {
	c := &publishConn{
		peer: p, ssrc: rand.Uint32() | 1, born: time.Now(),
		slots: make(map[string]*slot), streams: make(map[uint32]*inStream), named: make(map[uint32]*inStream),
	}
	c.feedback = twcc.NewRecorder(c.ssrc)
	return c
}

// StateChanged implements transport.Handler.
func (c *publishConn) StateChanged(s transport.State) {
	c.peer.box.post(stateChanged{conn: c.conn, which: Publish, state: s})
}

// HandleRTP implements transport.Handler.
func (c *publishConn) HandleRTP(b *transport.Batch, raw []byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	n, err := c.header.Unmarshal(raw)
	if err != nil || c.header.Version != 2 || c.header.PayloadType > 127 {
		return
	}
	c.record(now)
	payload, ok := unpad(c.header.Padding, raw[n:])
	in := c.stream()
	if in == nil || in.dead || in.slot.pub == nil || in.layer >= len(in.slot.pub.layers) {
		return
	}
	l := in.slot.pub.layers[in.layer]
	if !ok {
		l.pub.counts.received.Add(1)
		l.pub.counts.malformed.Add(1)
		return
	}
	c.receive(b, in, l, payload, now)
	if now.Sub(c.fedAt) >= feedbackInterval {
		c.feed(b, now)
	}
}

// unpad takes the padding off a payload; it reports false for padding that does not fit (RFC 3550 section 5.1).
func unpad(padded bool, payload []byte) ([]byte, bool) {
	if !padded {
		return payload, true
	}
	if len(payload) == 0 {
		return nil, false
	}
	n := int(payload[len(payload)-1])
	if n == 0 || n > len(payload) {
		return nil, false
	}
	return payload[:len(payload)-n], true
}

// receive takes one packet of a stream that is known.
func (c *publishConn) receive(b *transport.Batch, in *inStream, l *layer, payload []byte, now time.Time) {
	h, t := &c.header, c.types[c.header.PayloadType&127]
	if t.codec == nil || t.rtx != in.rtx {
		return
	}
	p := &c.pkt
	*p = packet{kind: t.kind, marker: h.Marker, seq: h.SequenceNumber, timestamp: h.Timestamp, arrival: now, payload: payload}
	p.handled = handled(b, now)
	if in.rtx { // RFC 4588 section 4
		if len(payload) < 2 {
			return
		}
		p.seq, p.payload = uint16(payload[0])<<8|uint16(payload[1]), payload[2:]
	}
	p.repaired = (in.rtx || l.resent) && l.missing.asked(p.seq)
	if o := h.GetExtension(c.ids.orientation); c.ids.orientation != 0 && len(o) != 0 {
		p.oriented, p.orientation = true, o[0]
	}
	if v := h.GetExtension(c.ids.level); c.ids.level != 0 && len(v) != 0 {
		p.leveled, p.level = true, v[0]
	}
	if !c.known(in.slot, t) {
		return
	}
	var dependency []byte
	if c.ids.dependency != 0 {
		dependency = h.GetExtension(c.ids.dependency)
	}
	ok := l.accept(p, dependency, in.rtx || p.repaired)
	c.mend(b, l, p)
	if !ok {
		return
	}
	if !in.slot.arrived && !p.padding() {
		in.slot.arrived = true
		c.peer.box.post(arrived{conn: c.conn, publication: l.pub})
	}
	c.level(l.pub)
	l.pass(b, p)
	if len(l.pub.layers) > 1 && !in.rtx && !p.padding() && p.behind == 0 {
		l.pub.follow(l, p)
	}
	c.ask(b, l, now)
	if !c.hurried && l.nack && l.missing.soon(now) {
		c.hurried = true
		c.peer.room.sfu.metronome.hurry(c)
	}
}

// known sets the codec of a publication that begins, and refuses packets of another.
func (c *publishConn) known(s *slot, t payloadType) bool {
	if s.pub.codec.ClockRate == 0 {
		s.pub.describe(t.codec)
		return true
	}
	mime := t.codec.MimeType
	return mime == s.pub.codec.MimeType && t.codec.Parameters == s.pub.codec.Parameters || !s.pub.video && mime == negotiate.RED ||
		!s.pub.video && mime == negotiate.Opus
}

func (c *publishConn) level(p *Publication) {
	if c.ids.level == 0 || p.info.Source != SourceAudio {
		return
	}
	if level, _, ok := codec.AudioLevel(c.header.GetExtension(c.ids.level)); ok {
		p.levels.add(level)
	}
}

// record notes the arrival for the publisher's bandwidth estimation.
func (c *publishConn) record(now time.Time) {
	if c.ids.transportCC == 0 {
		return
	}
	if e := c.header.GetExtension(c.ids.transportCC); len(e) >= 2 {
		c.feedback.Record(c.header.SSRC, uint16(e[0])<<8|uint16(e[1]), now.Sub(c.born).Microseconds())
		c.held = true
	}
}

func (c *publishConn) feed(b *transport.Batch, now time.Time) {
	c.fedAt = now
	if !c.held {
		return
	}
	c.held = false
	if raw, err := rtcp.Marshal(c.feedback.BuildFeedbackPacket()); err == nil && len(raw) != 0 {
		c.out.SendRTCP(b, raw)
	}
}

// stream finds the stream of the packet in c.header; nil if it cannot be known whose it is.
func (c *publishConn) stream() *inStream {
	ssrc := c.header.SSRC
	if in := c.streams[ssrc]; in != nil {
		return in
	}
	in := c.resolve()
	if in == nil {
		return nil
	}
	c.seen++
	if c.seen > maxRemoteSSRCs {
		c.closed = true
		c.peer.box.post(excess{conn: c.conn})
		return nil
	}
	if !in.rtx {
		for _, other := range c.streams {
			if other.slot == in.slot && other.layer == in.layer && !other.rtx {
				other.dead = true
			}
		}
		if in.slot.pub != nil && in.layer < len(in.slot.pub.layers) {
			in.slot.pub.layers[in.layer].takeover(ssrc)
		}
	}
	c.streams[ssrc] = in
	return in
}

// resolve reads whose an unknown SSRC is: of the extensions, or else of the session description.
func (c *publishConn) resolve() *inStream {
	h := &c.header
	if s := c.slots[string(extension(h, c.ids.mid))]; s != nil {
		return c.inSlot(s, h)
	}
	return c.named[h.SSRC]
}

func (c *publishConn) inSlot(s *slot, h *rtp.Header) *inStream {
	in := &inStream{slot: s, rtx: c.types[h.PayloadType&127].rtx}
	if len(s.rids) == 0 {
		return in
	}
	rid := extension(h, c.ids.rid)
	if repaired := extension(h, c.ids.repaired); len(repaired) != 0 {
		rid = repaired
	}
	for i, r := range s.rids {
		if r == string(rid) {
			in.layer = i
			return in
		}
	}
	return c.named[h.SSRC]
}

func extension(h *rtp.Header, id uint8) []byte {
	if id == 0 {
		return nil
	}
	return h.GetExtension(id)
}

// HandleRTCP implements transport.Handler.
func (c *publishConn) HandleRTCP(b *transport.Batch, raw []byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	eachRTCP(raw, func(kind, _ uint8, one []byte) {
		if kind != typeSenderReport {
			return
		}
		var sr rtcp.SenderReport
		if sr.Unmarshal(one) != nil {
			return
		}
		in := c.streams[sr.SSRC]
		if in == nil || in.dead || in.rtx || in.slot.pub == nil || in.layer >= len(in.slot.pub.layers) {
			return
		}
		l := in.slot.pub.layers[in.layer]
		l.reception.senderReport(sr.NTPTime, now)
		l.pub.report(b, l, SenderReport{NTP: sr.NTPTime, RTP: sr.RTPTime}, now)
	})
}

// ask sends requests for missing packets (RFC 4585 section 6.2.1).
func (c *publishConn) ask(b *transport.Batch, l *layer, now time.Time) {
	c.asked = l.missing.due(now, c.asked[:0])
	if !l.nack || len(c.asked) == 0 {
		return
	}
	l.stats.nacks.Add(uint64(len(c.asked)))
	c.peer.lostAt.Store(now.UnixNano())
	c.send(b, &rtcp.TransportLayerNack{
		SenderSSRC: c.ssrc, MediaSSRC: l.ssrc.Load(), Nacks: rtcp.NackPairsFromSequenceNumbers(c.asked),
	})
}

func (c *publishConn) send(b *transport.Batch, p rtcp.Packet) {
	if raw, err := p.Marshal(); err == nil {
		c.out.SendRTCP(b, raw)
	}
}

// askKeyframe asks the publisher for a key frame; any goroutine calls it.
func (c *publishConn) askKeyframe(ssrc uint32) {
	raw, err := (&rtcp.PictureLossIndication{SenderSSRC: c.ssrc, MediaSSRC: ssrc}).Marshal()
	if err == nil {
		c.peer.room.sfu.control.send(c.out, raw)
	}
}

// beat implements beater: what is due without a packet.
func (c *publishConn) beat(b *transport.Batch, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if now.Sub(c.fedAt) >= feedbackInterval {
		c.feed(b, now)
	}
	var blocks []rtcp.ReceptionReport
	hurry := false
	for _, s := range c.slots {
		if s.pub == nil {
			continue
		}
		for _, l := range s.pub.layers {
			if block, ok := c.beatLayer(b, l, now); ok {
				blocks = append(blocks, block)
			}
			hurry = hurry || l.nack && l.missing.soon(now)
		}
		s.pub.rank()
	}
	if len(blocks) != 0 {
		c.send(b, &rtcp.ReceiverReport{SSRC: c.ssrc, Reports: blocks[:min(len(blocks), 31)]})
	}
	c.hurried = hurry
	return hurry
}

func (c *publishConn) beatLayer(b *transport.Batch, l *layer, now time.Time) (block rtcp.ReceptionReport, ok bool) {
	if l.ssrc.Load() == 0 {
		return block, false
	}
	l.beat(now)
	c.ask(b, l, now)
	if now.Sub(l.reportedAt) < reportInterval || !l.reception.started {
		return block, false
	}
	l.reportedAt = now
	block, expected, lost := l.reception.report(l.ssrc.Load(), now)
	l.stats.lost.Store(uint64(block.TotalLost))
	l.stats.loss.Store(uint64(lost * 1000))
	if expected >= leastForLoss {
		c.peer.meter.loss(lost)
	}
	return block, true
}
