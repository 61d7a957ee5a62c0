package bwe

import "time"

// Steps of the target (draft, section 5.5).
const (
	decreaseFactor  = 0.85 // of what was delivered, when a queue grows
	increasePerSec  = 1.08 // far from the link's capacity
	maxOverAcked    = 1.5  // without a probe, the target stays below this multiple of what is delivered
	overAckedMargin = 10_000
	capacitySpread  = 3.0 // standard deviations around the capacity in which steps are additive
	responseTime    = 100 * time.Millisecond
	typicalPacket   = 1200 * 8 // bits

	queueStands = 100 * time.Millisecond

	collapseQueue  = 70 * time.Millisecond // where so much waits that grew at once,
	collapseBelow  = 0.7                   // and the link carries less than this part of the target, it is another link now
	collapseFactor = 0.95                  // of what it carries

	lateness  = 4 // round trips are divided by it: what comes so much later than what was sent after it counts as lost
	leastLate = 10 * time.Millisecond
	mostLate  = 100 * time.Millisecond

	silenceBase = 500 * time.Millisecond // without feedback for this long and three round trips, the target falls
	silenceStep = 0.7
)

// Estimator follows one subscriber's bandwidth.
type Estimator struct {
	target, lowest, highest int
	start                   time.Time
	ring                    sentRing
	trend                   trend
	acked                   rateMeter
	loss                    lossWindow
	capacity                capacity
	probes                  probes
	doubtful                []uint16 // reported as not arrived, and not yet told to be lost
	queue                   queueMeter
	rtt                     time.Duration
	remb                    int // 0 while there is none

	origin     time.Duration // the first arrival on the receiver's clock
	hasOrigin  bool
	newest     time.Duration // newest arrival, since origin
	sentAt     time.Duration // newest packet sent
	total      uint32        // bytes sent, modulo 2^32
	reported   time.Duration // when the newest packet was sent that is known to have arrived
	arrivedAll uint32        // its total
	feedbackAt time.Duration
	changedAt  time.Duration // of the target by the trend
	fellAt     time.Duration // last decrease
	feedback   bool          // there has been transport-wide feedback
}

// New starts at initial bit/s and stays between lowest and highest.
func New(initial, lowest, highest int) *Estimator {
	return &Estimator{target: min(max(initial, lowest), highest), lowest: lowest, highest: highest}
}

// Target is how much may be sent, in bit/s. While a queue stands on the way it is less than the estimate, so that the queue drains.
func (e *Estimator) Target() int { return max(int(float64(e.target)*e.queue.factor()), e.lowest) }

// Estimate is what the link is thought to carry, in bit/s, also while a queue drains.
func (e *Estimator) Estimate() int { return e.target }

// Queued is how long packets wait on the way at present.
func (e *Estimator) Queued() time.Duration { return e.queue.queued }

// Backlog is how long what is under way will take to arrive, at the rate of the estimate. What was lost without being known to be is
// taken to be under way.
func (e *Estimator) Backlog(at time.Time) time.Duration {
	left := time.Duration(float64(e.total-e.arrivedAll) * 8 / float64(e.target) * float64(time.Second))
	return max(left-(e.since(at)-e.feedbackAt), 0)
}

// Loss is the fraction of packets lost lately, 0 to 1.
func (e *Estimator) Loss() float64 { return e.loss.fraction }

// LossAt is when Loss was measured; the zero time before it was.
func (e *Estimator) LossAt() time.Time {
	if e.loss.at == 0 {
		return time.Time{}
	}
	return e.start.Add(e.loss.at)
}

// UsualLoss is the fraction of packets lost in the last seconds, 0 to 1.
func (e *Estimator) UsualLoss() float64 { return e.loss.usual }

// RTT is the newest round-trip time; 0 while it is not known.
func (e *Estimator) RTT() time.Duration { return e.rtt }

// Acked is how much arrived lately, in bit/s.
func (e *Estimator) Acked() int { return e.acked.rate(e.newest) }

// HasFeedback reports whether there has been transport-wide feedback.
func (e *Estimator) HasFeedback() bool { return e.feedback }

func (e *Estimator) since(at time.Time) time.Duration {
	if e.start.IsZero() {
		e.start = at
	}
	return at.Sub(e.start)
}

// Sent notes a packet: its transport-wide number, its size in bytes, and the probe that it belongs to, or 0.
func (e *Estimator) Sent(seq uint16, size int, at time.Time, probe uint8) {
	now := e.since(at)
	if probe == 0 {
		probe = e.probes.carried(now)
	}
	e.total += uint32(size)                                                                                      //nolint:gosec // modulo 2^32
	e.ring.put(sentPacket{at: now, seq: seq, size: uint16(size), probe: probe, state: slotSent, total: e.total}) //nolint:gosec // below 64 KiB
	if e.sentAt == 0 || now-e.feedbackAt > silenceBase && now-e.sentAt > silenceBase {
		e.feedbackAt = now // there was nothing to report on
	}
	e.sentAt = now
	if probe != 0 {
		e.probes.sent(probe, size, e.total, now)
	}
}

// Again notes that a packet went out once more, under the same number. A report does not say which of both has come: so it
// is not counted among those that may be lost, nor does its delay tell of a trend.
func (e *Estimator) Again(seq uint16, size int) {
	e.total += uint32(size) //nolint:gosec // modulo 2^32
	if p := e.ring.get(seq); p != nil {
		p.again = true
	}
}

// Carries says what a packet carries that was just sent, so that Lost can tell it. It is not 0.
func (e *Estimator) Carries(seq uint16, what uint32) {
	if p := e.ring.get(seq); p != nil {
		p.what = what
	}
}

// Lost appends what was carried by packets that are lost, each once: a packet has come that was sent a quarter of a round trip later,
// which jitter rarely does (RFC 8985 section 6.2), and none that carries the same.
func (e *Estimator) Lost(dst []uint32) []uint32 {
	late := min(max(e.rtt/lateness, leastLate), mostLate)
	kept := e.doubtful[:0]
	for _, seq := range e.doubtful {
		p := e.ring.get(seq)
		switch {
		case p == nil || p.state != slotLost: // it has come, or is forgotten
		case e.reported-p.at < late:
			kept = append(kept, seq)
		case e.ring.needed(p):
			dst = append(dst, p.what)
		}
	}
	e.doubtful = kept
	return dst
}

// Feedback takes a transport-wide feedback packet with its RTCP header. On an error nothing has changed.
func (e *Estimator) Feedback(raw []byte, at time.Time) error {
	r, err := parseReport(raw)
	if err != nil {
		return err
	}
	now := e.since(at)
	var newestSent time.Duration
	known := false
	err = r.each(func(s status) {
		p := e.ring.get(s.seq)
		if p == nil {
			return
		}
		if !s.received {
			if p.state == slotSent {
				p.state = slotLost
				e.count(p, 1, 1)
				if p.what != 0 && len(e.doubtful) < sentSlots {
					e.doubtful = append(e.doubtful, s.seq)
				}
			}
			return
		}
		e.arrived(p, s.arrival)
		known = true
		if p.at >= e.reported {
			e.reported, e.arrivedAll = p.at, p.total
		}
		newestSent = max(newestSent, p.at)
	})
	if err != nil {
		return err
	}
	e.feedback, e.feedbackAt = true, now
	if known {
		e.rtt = max(now-newestSent, time.Microsecond)
		e.queue.report(now)
		if e.loss.fraction < standsLoss {
			e.queue.rebase(now)
		}
	}
	e.step(now)
	return nil
}

// count notes what became of a packet. What was lost on the way to a decrease has been acted upon.
func (e *Estimator) count(p *sentPacket, reported, lost int) {
	if !p.again && (e.fellAt == 0 || p.at > e.fellAt) {
		e.loss.add(reported, lost)
	}
}

// arrived takes one packet that was received.
func (e *Estimator) arrived(p *sentPacket, arrival time.Duration) {
	if !e.hasOrigin {
		e.hasOrigin, e.origin = true, arrival-time.Second
	}
	arrival -= e.origin
	if arrival < e.newest-time.Minute || arrival > e.newest+time.Hour {
		// The receiver's clock was set anew.
		e.origin += arrival - e.newest - time.Millisecond
		arrival = e.newest + time.Millisecond
		e.trend, e.queue = trend{}, queueMeter{}
	}
	arrival = max(arrival, 0)
	if p.state == slotLost {
		e.count(p, 0, -1) // late, not lost
	} else {
		e.count(p, 1, 0)
	}
	p.state = slotAcked
	e.newest = max(e.newest, arrival)
	e.acked.add(int(p.size), e.newest)
	if !p.again {
		e.trend.arrived(p.at, arrival)
	}
	e.queue.arrived(arrival-p.at, arrival, int(p.size))
	if p.probe != 0 {
		e.probes.arrived(p.probe, p.total, arrival-p.at)
	}
}

// step moves the target.
func (e *Estimator) step(now time.Duration) {
	acked := e.Acked()
	if e.collapse(now) {
		return
	}
	usage := e.trend.state
	if usage == usageOver && e.queue.queued < overuseQueue {
		usage = usageUnder // some packets came late, not all: a machine that was busy, or a radio
	}
	switch usage {
	case usageOver:
		e.overuse(acked, now)
	case usageUnder:
		e.changedAt = now // let the queue drain
	case usageNormal:
		e.increase(acked, now)
	}
	if cut, ok := e.loss.judge(now, e.target, acked); ok {
		e.fall(cut, now)
	}
	if rate, ok := e.probes.result(now); ok && usage != usageOver && rate > e.target {
		e.capacity.forget(rate)
		e.set(rate)
		e.changedAt = now
	}
}

// collapse acts on a link that has become much slower: the first report that shows it is believed, and says how fast it is now.
func (e *Estimator) collapse(now time.Duration) bool {
	rate := e.queue.busy.rate()
	if rate == 0 || e.queue.busy.delay() < collapseQueue || float64(rate) > collapseBelow*float64(e.target) || !e.answered() {
		return false
	}
	e.queue.queued = max(e.queue.queued, e.queue.busy.delay())
	e.trend = trend{threshold: e.trend.threshold} // the queue that has grown
	e.capacity = capacity{}
	e.capacity.observe(rate)
	e.fall(int(collapseFactor*float64(rate)), now)
	return true
}

// answered reports whether what is reported was sent after the last decrease: there is one for each queue.
func (e *Estimator) answered() bool { return e.fellAt == 0 || e.reported-e.fellAt >= responseTime }

func (e *Estimator) overuse(acked int, now time.Duration) {
	if !e.answered() {
		return
	}
	cut := int(decreaseFactor * float64(e.target))
	if acked > 0 {
		e.capacity.observe(acked)
		// Where less is sent than could be, and what waits is little, what is delivered says nothing of the link.
		if acked > e.target*3/4 || e.queue.queued > queueStands {
			cut = int(decreaseFactor * float64(acked))
		}
		// A queue can grow behind a single key frame while next to nothing is sent: that says little of the link.
		cut = max(cut, e.target/4)
	}
	e.fall(cut, now)
}

func (e *Estimator) fall(target int, now time.Duration) {
	if target < e.target {
		e.set(target)
	}
	e.changedAt, e.fellAt = now, now
	e.probes.fell(now)
}

func (e *Estimator) increase(acked int, now time.Duration) {
	if acked > e.target && e.queue.queued < overuseQueue {
		e.changedAt = now
		e.set(acked) // more than was thought arrives, and nothing waits
		return
	}
	elapsed := min(now-e.changedAt, time.Second)
	e.changedAt = now
	if elapsed <= 0 || acked == 0 {
		return
	}
	next := float64(e.target)
	if e.capacity.near(e.target) {
		next += typicalPacket * float64(elapsed) / float64(e.rtt+responseTime)
	} else {
		next *= 1 + (increasePerSec-1)*elapsed.Seconds()
	}
	limit := int(maxOverAcked*float64(acked)) + overAckedMargin
	if raised := min(int(next), limit); raised > e.target {
		e.set(raised)
	}
}

func (e *Estimator) set(target int) {
	if e.remb != 0 {
		target = min(target, e.remb)
	}
	e.target = min(max(target, e.lowest), e.highest)
}

// Tick lowers the target while packets are sent and nothing is reported: the link may be gone.
func (e *Estimator) Tick(at time.Time) {
	now := e.since(at)
	quiet := now - e.feedbackAt
	if !e.feedback || now-e.sentAt > silenceBase || quiet < silenceBase+3*e.rtt {
		return
	}
	e.feedbackAt = now - 3*e.rtt // the next step comes after silenceBase
	e.fall(int(silenceStep*float64(e.target)), now)
}

// ReceiverReport is for subscribers without transport-wide feedback: the loss-based half of the draft (section 6). fraction is
// 0 to 1; rtt may be 0.
func (e *Estimator) ReceiverReport(fraction float64, rtt time.Duration, at time.Time) {
	if rtt > 0 {
		e.rtt = rtt
	}
	if e.feedback {
		return
	}
	now := e.since(at)
	e.loss.fraction, e.loss.at = fraction, now
	switch {
	case fraction > 0.10:
		e.set(int(float64(e.target) * (1 - fraction/2)))
	case fraction < 0.02 && now-e.changedAt >= time.Second:
		e.set(int(float64(e.target) * increasePerSec))
		e.changedAt = now
	}
}

// REMB takes a receiver's estimated maximum bitrate (draft-alvestrand-rmcat-remb); it caps the target, and where there is no
// transport-wide feedback, is the target.
func (e *Estimator) REMB(bps int, _ time.Time) {
	if bps <= 0 {
		return
	}
	e.remb = bps
	if !e.feedback {
		e.set(bps)
		return
	}
	e.set(e.target)
}

// capacity remembers at which rates queues began to grow.
type capacity struct{ mean, deviation float64 }

func (c *capacity) observe(acked int) {
	x := float64(acked)
	if c.mean == 0 || abs(x-c.mean) > capacitySpread*max(c.deviation, 0.1*c.mean) {
		c.mean, c.deviation = x, 0.1*x
		return
	}
	c.deviation = max(0.95*c.deviation+0.05*abs(x-c.mean), 0.02*c.mean)
	c.mean = 0.95*c.mean + 0.05*x
}

// near reports whether the target is about where a queue grew before.
func (c *capacity) near(target int) bool {
	return c.mean != 0 && abs(float64(target)-c.mean) <= capacitySpread*c.deviation
}

// forget drops a capacity that a probe has shown to be too low.
func (c *capacity) forget(rate int) {
	if float64(rate) > c.mean+capacitySpread*c.deviation {
		*c = capacity{}
	}
}
