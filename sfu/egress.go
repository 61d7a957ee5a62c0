package sfu

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/bwe"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

const (
	estimateFirst   = 1_000_000  // bit/s
	estimateBlind   = 10_000_000 // where the subscriber does not report what arrives
	estimateLowest  = 64_000
	estimateHighest = 30_000_000

	allocateInterval = 100 * time.Millisecond
	twiceFrom        = 0.01                   // lost, a repair is sent twice
	keyframeOnWay    = 100 * time.Millisecond // beyond the round trip
	congestedQueue   = 60 * time.Millisecond
	drainSlack       = 160 * time.Millisecond // until a key frame comes that is asked for now, it is less
	drainPatience    = 700 * time.Millisecond
	queueCapacity    = 1024
	queuePatience    = 400 * time.Millisecond // what waits longer is dropped up to the next key frame
)

// egress is what leaves on a subscribe connection: it numbers the packets of all its tracks, paces them, estimates the bandwidth
// and decides which layers are sent. mu guards it and its downTracks. Whoever holds mu takes no other lock but those of
// histories, key frame requests and connections.
type egress struct {
	peer *Peer
	feed *Feed // nil for a member
	conn *transport.Conn
	out  sender // conn

	mu        sync.Mutex
	closed    bool
	connected bool
	tracks    []*downTrack
	ssrcs     map[uint32]*downTrack // of media, and of retransmissions
	estimator *bwe.Estimator
	pacer     bwe.Pacer
	trial     time.Time // when a track last began
	paced     bool      // the subscriber reports what arrives
	queue     sendQueue
	probe     probe
	views     map[string]View
	haltedAt  time.Time
	holding   bool
	wanted    int // bit/s, if there were enough bandwidth
	chosen    int // bit/s of the layers that are sent
	repeats   int // how many earlier packets each packet of sound repeats
	copies    int // of each packet of sound, to who takes no repeats
	lossyAt   time.Time
	lostAt    time.Time // when so much was lost that sound is copied
	rtt       time.Duration
	plan      planner
	serial    int
	decidedAt time.Time
	remote    netip.AddrPort // where packets go

	sequence      uint16 // transport-wide
	sequenceBytes [2]byte
	orientation   [1]byte
	level         [1]byte
	scratch       packet     // reused
	copied        rtp.Header // reused
	body, rtx     []byte     // reused
	sizes         []uint16   // reused
	lost          []uint32   // reused
}

func newEgress(p *Peer, views map[string]View) *egress {
	e := newEgressState(p, views)
	e.conn = p.room.sfu.net.NewConn(e)
	e.out = e.conn
	return e
}

// newEgressState is a connection without a network.
func newEgressState(p *Peer, views map[string]View) *egress {
	return &egress{
		peer: p, ssrcs: make(map[uint32]*downTrack), views: views, repeats: 1,
		estimator: bwe.New(estimateBlind, estimateLowest, estimateHighest),
	}
}

// StateChanged implements transport.Handler.
func (e *egress) StateChanged(s transport.State) {
	e.peer.box.post(stateChanged{conn: e.conn, which: Subscribe, state: s})
}

// HandleRTP implements transport.Handler: nothing is sent on this connection.
func (e *egress) HandleRTP(*transport.Batch, []byte, time.Time) {}

// HandleRTCP implements transport.Handler.
func (e *egress) HandleRTCP(b *transport.Batch, raw []byte, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	eachRTCP(raw, func(kind, format uint8, one []byte) { e.hear(b, kind, format, one, now) })
}

func (e *egress) hear(b *transport.Batch, kind, format uint8, one []byte, now time.Time) {
	switch {
	case kind == typeTransport && format == rtcp.FormatTCC:
		e.fedBack(b, one, now)
	case kind == typeTransport && format == rtcp.FormatTLN:
		e.nacked(b, one, handled(b, now))
	case kind == typePayload && (format == rtcp.FormatPLI || format == rtcp.FormatFIR):
		e.pictureLost(format, one, now)
	case kind == typePayload && format == rtcp.FormatREMB:
		var p rtcp.ReceiverEstimatedMaximumBitrate
		if p.Unmarshal(one) == nil && !e.paced {
			e.estimator.REMB(int(min(p.Bitrate, estimateHighest)), now)
		}
	case kind == typeReceiverReport:
		var p rtcp.ReceiverReport
		if p.Unmarshal(one) == nil {
			e.received(p.Reports, now)
		}
	case kind == typeSenderReport:
		var p rtcp.SenderReport
		if p.Unmarshal(one) == nil {
			e.received(p.Reports, now)
		}
	}
}

func (e *egress) received(reports []rtcp.ReceptionReport, now time.Time) {
	for _, r := range reports {
		if t := e.ssrcs[r.SSRC]; t != nil && t.to.ssrc == r.SSRC {
			t.received(r, now)
		}
	}
}

func (e *egress) fedBack(b *transport.Batch, one []byte, now time.Time) {
	before := e.estimator.Estimate()
	if e.estimator.Feedback(one, now) != nil {
		return
	}
	e.rtt = e.estimator.RTT()
	e.peer.meter.roundTrip(e.rtt)
	e.peer.meter.loss(e.estimator.Loss())
	e.pace(now)
	if e.estimator.Estimate() < before {
		e.decide(now) // at once: what is sent until then would only wait, and take the sound's place
	}
	e.mend(b, now)
}

// pace tells the pacer what may be sent. In the beginning it does not hold up what is sent on trial, unless the link has shown to be
// slow.
func (e *egress) pace(now time.Time) {
	target := e.estimator.Target()
	if now.Sub(e.trial) < startUp && e.estimator.Queued() < startUpQueue && e.estimator.Loss() < startUpLoss {
		target = max(target, startUpBudget/2)
	}
	e.pacer.SetTarget(target)
}

// congested reports whether what is sent waits on the way.
func (e *egress) congested() bool { return e.paced && e.estimator.Queued() >= congestedQueue }

// lossy reports whether so much is lost that one copy of a repair may well be, too.
func (e *egress) lossy() bool { return e.estimator.UsualLoss() >= twiceFrom }

// draining reports whether a layer that was halted should wait before it is begun anew: a key frame behind a queue is not there sooner
// than one that is asked for later, and may not fit.
func (e *egress) draining(now time.Time) bool {
	return now.Sub(e.haltedAt) < drainPatience && e.estimator.Backlog(now) > drainSlack
}

// patience is how long what was sent again is not sent once more, in ms.
func (e *egress) patience() uint32 {
	return uint32(min(max(e.rtt*4/5, 20*time.Millisecond), 300*time.Millisecond) / time.Millisecond) //nolint:gosec // bounded
}

func (e *egress) nacked(b *transport.Batch, one []byte, now time.Time) {
	var p rtcp.TransportLayerNack
	if p.Unmarshal(one) != nil {
		return
	}
	t := e.ssrcs[p.MediaSSRC]
	if t == nil || t.to.ssrc != p.MediaSSRC {
		return
	}
	for _, pair := range p.Nacks {
		more := true
		pair.Range(func(seq uint16) bool {
			t.stats.NACKs++
			more = t.repair(b, seq, now)
			return more
		})
		if !more {
			return
		}
	}
}

func (e *egress) pictureLost(format uint8, one []byte, now time.Time) {
	if format == rtcp.FormatPLI {
		var p rtcp.PictureLossIndication
		if p.Unmarshal(one) == nil {
			e.refresh(p.MediaSSRC, now)
		}
		return
	}
	var p rtcp.FullIntraRequest
	if p.Unmarshal(one) != nil {
		return
	}
	for _, f := range p.FIR {
		e.refresh(f.SSRC, now)
	}
}

// refresh asks for a key frame, if none is on its way to the subscriber who wants it.
func (e *egress) refresh(ssrc uint32, now time.Time) {
	t := e.ssrcs[ssrc]
	if t == nil || t.stopped || t.choice < 0 || t.out.layer >= 0 && now.Sub(t.begunAt) < e.rtt+keyframeOnWay {
		return
	}
	t.stats.KeyframeRequests++
	layer := t.out.layer
	if layer < 0 || t.out.want != layer {
		layer = t.out.want
	}
	t.pub.requestKeyframe(layer)
}

// write sends a packet. mu is held.
func (e *egress) write(b *transport.Batch, t *downTrack, h *rtp.Header, payload []byte, now time.Time, probe uint8) {
	if t.to.transportCC != 0 {
		e.sequence++
		e.sequenceBytes = [2]byte{byte(e.sequence >> 8), byte(e.sequence & 0xff)}
		_ = h.SetExtension(t.to.transportCC, e.sequenceBytes[:]) // two bytes always fit
		e.estimator.Sent(e.sequence, len(payload)+overhead, now, probe)
		if probe == 0 && t.to.rtxPT != 0 {
			e.estimator.Carries(e.sequence, t.carried(h, payload))
		}
	}
	if !t.pub.video && e.paced {
		e.pacer.Spend(len(payload)+overhead, now)
	}
	e.out.SendRTP(b, h, payload)
}

// enqueue lets a packet wait for its turn.
func (e *egress) enqueue(t *downTrack, p *packet) {
	q := queued{track: t, layer: p.layer, seq: p.seq, epoch: p.epoch, size: len(p.payload) + overhead, at: p.arrival}
	q.key = int(p.layer) != t.out.layer && t.out.begins(p)
	e.push(q)
}

func (e *egress) push(q queued) {
	if !e.queue.push(q) {
		e.giveUp(q.track)
		return
	}
	if q.key {
		q.track.coming = int(q.layer)
	}
	if e.queue.size == 1 {
		e.peer.room.sfu.metronome.hurry(e)
	}
}

// giveUp drops what waits of a track; it goes on with a key frame.
func (e *egress) giveUp(t *downTrack) {
	n := e.queue.forget(t)
	t.stats.Dropped += uint64(n) //nolint:gosec // not negative
	t.out.pause()
	t.coming = -1
	t.askedAt = time.Time{}
}

// drain sends what waits, as the pacer lets it.
func (e *egress) drain(b *transport.Batch, now time.Time) {
	for e.queue.size != 0 {
		q := *e.queue.first()
		if now.Sub(q.at) > queuePatience {
			e.giveUp(q.track)
			continue
		}
		if e.paced && !e.pacer.Allow(q.size, now) {
			return
		}
		e.queue.pop()
		t := q.track
		if t.stopped {
			continue
		}
		if t.pub.layers[q.layer].history.get(q.seq, q.epoch, &e.scratch) {
			t.send(b, &e.scratch, now)
		}
		if q.key {
			t.coming = -1
		}
	}
}

// beat implements beater.
func (e *egress) beat(b *transport.Batch, now time.Time) (hurry bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || !e.connected {
		return false
	}
	if e.holding || now.Sub(e.decidedAt) >= allocateInterval {
		e.follow()
		e.estimator.Tick(now)
		e.pace(now)
		e.decide(now)
		e.beginProbe(now)
	}
	e.copyLate(b, now)
	e.drain(b, now)
	e.sendProbe(b, now)
	return e.queue.size != 0 || e.probe.live
}

// follow begins the estimation anew when packets take another way: what was lost with the old one says nothing of the new one.
func (e *egress) follow() {
	if e.conn == nil || !e.paced {
		return
	}
	addr, _ := e.conn.RemoteAddr()
	if e.remote.IsValid() && addr != e.remote {
		e.estimator = bwe.New(estimateFirst, estimateLowest, estimateHighest)
		e.probe = probe{}
	}
	e.remote = addr
}

// add takes a track: it gets SSRCs of its own. The peer's goroutine calls it.
func (e *egress) add(t *downTrack) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serial++
	t.serial = e.serial
	t.to.ssrc = e.free()
	e.ssrcs[t.to.ssrc] = t
	if t.pub.video {
		t.to.rtxSSRC = e.free()
		e.ssrcs[t.to.rtxSSRC] = t
	}
	e.tracks = append(e.tracks, t)
}

func (e *egress) free() uint32 {
	for {
		if n := rand.Uint32(); n != 0 && e.ssrcs[n] == nil {
			return n
		}
	}
}

// remove ends a track: no packet is sent after it has returned. The peer's goroutine calls it.
func (e *egress) remove(t *downTrack) {
	t.pub.detach(t)
	e.mu.Lock()
	defer e.mu.Unlock()
	t.stopped = true
	e.queue.forget(t)
	delete(e.ssrcs, t.to.ssrc)
	delete(e.ssrcs, t.to.rtxSSRC)
	for i, o := range e.tracks {
		if o == t {
			e.tracks = append(e.tracks[:i:i], e.tracks[i+1:]...)
			break
		}
	}
}

// attach begins to send the tracks that are agreed upon, once packets would arrive. The peer's goroutine calls it.
func (e *egress) attach() {
	e.mu.Lock()
	var ready []*downTrack
	for _, t := range e.tracks {
		if e.connected && t.bound && !t.attached && !t.stopped {
			t.attached, t.since = true, time.Now()
			e.trial = t.since
			ready = append(ready, t)
		}
	}
	e.mu.Unlock()
	for _, t := range ready {
		t.pub.attach(t)
	}
	if len(ready) == 0 {
		return
	}
	e.mu.Lock()
	e.decide(time.Now())
	e.mu.Unlock()
}

// answered takes note of what the subscriber reports, before it is connected.
func (e *egress) answered() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.paced {
		return
	}
	for _, t := range e.tracks {
		if t.bound && t.to.transportCC != 0 {
			e.paced = true
			e.estimator = bwe.New(estimateFirst, estimateLowest, estimateHighest)
			e.pacer.SetTarget(startUpBudget / 2)
			return
		}
	}
}

func (e *egress) opened() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.connected = true
}

func (e *egress) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.queue = sendQueue{}
}
