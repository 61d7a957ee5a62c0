package recorder

import (
	"math"
	"sync"
	"time"
)

// The constants of the mapping from RTP time to session time.
const (
	slewRate    = 0.005 // ms of correction per ms of media: below what is heard
	pictureSlew = 0.05  // the same of pictures: below what is seen
	stepBeyond  = 100.  // ms; a larger error is corrected at once, at the begin of a new segment
	stepEvery   = 2000. // ms of media between two such steps
	placeBeyond = 20.   // ms; the same error when it becomes known how long the way is
	longestWay  = 500.  // ms from a sender; more is not believed
	settleTime  = 500.  // ms after the first packet in which the mapping may still change freely
	maxBehind   = 2000. // ms by which media may lie before its arrival
	jumpBeyond  = 5000. // ms between RTP time and arrival time that make it another stream
	windowSize  = 12    // buckets of the minimum-delay filter
	bucketSpan  = 5000. // ms; the window outlasts a minute in which everything is late, and a clock that is 100 ppm off moves 6 ms in it
	clockBroken = 1000. // ms; a sender's clock that moved by more was set
)

// minimum is a windowed minimum over the last windowSize buckets of time: the minimum-delay filter. Of the differences between
// arrival and sending, the smallest is the one that waited least in queues (RFC 5905 section 10). The window lets it follow
// clocks that run at different rates.
type minimum struct {
	buckets [windowSize]float64
	newest  int64 // number of the newest bucket
	started bool
}

// add puts in a sample that was taken at a time in ms.
func (m *minimum) add(at, sample float64) {
	n := int64(math.Floor(at / bucketSpan))
	if !m.started {
		m.clear()
		m.newest, m.started = n, true
	}
	if n < m.newest-windowSize+1 {
		return
	}
	for k := 0; m.newest < n && k < windowSize; k++ {
		m.newest++
		m.buckets[index(m.newest)] = math.Inf(1)
	}
	m.newest = max(m.newest, n)
	i := index(n)
	m.buckets[i] = math.Min(m.buckets[i], sample)
}

// get returns the minimum; false without a sample in the window.
func (m *minimum) get() (float64, bool) {
	if !m.started {
		return 0, false
	}
	low := math.Inf(1)
	for _, v := range m.buckets {
		low = math.Min(low, v)
	}
	return low, !math.IsInf(low, 1)
}

func (m *minimum) clear() {
	for i := range m.buckets {
		m.buckets[i] = math.Inf(1)
	}
	m.started = false
}

func index(bucket int64) int64 { return ((bucket % windowSize) + windowSize) % windowSize }

// senderClock relates a sender's wall clock to the session clock. The tracks of one member share one: so the same delay is
// assumed for their sound and picture, and they stay in step whatever their packets wait for. How long the way is, which even the
// fastest packet took, is half of the least round trip, as in RFC 5905 section 8.
//
// Each track's goroutine uses it, so it has a lock.
type senderClock struct {
	mu    sync.Mutex
	delay minimum // of arrival − sending: offset of the clocks plus the least delay
	trip  minimum // of round trips, ms
	odd   int     // samples in a row that do not fit
}

// Sample tells that something sent at a sender's time arrived at a session time, both in ms.
func (c *senderClock) Sample(sent, arrival float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := arrival - sent
	if low, ok := c.delay.get(); ok && d < low-clockBroken {
		// The sender's clock was set ahead. One sample may be wrong; several are not.
		if c.odd++; c.odd < 3 {
			return
		}
		c.delay.clear()
	}
	c.odd = 0
	c.delay.add(arrival, d)
}

// RoundTrip tells the newest round trip at a session time in ms; 0 for one that is not known.
func (c *senderClock) RoundTrip(d time.Duration, at float64) {
	if d <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trip.add(at, float64(d)/float64(time.Millisecond))
}

// Way is how long it takes from the sender, in ms; false while that is not known.
func (c *senderClock) Way() (ms float64, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trip, known := c.trip.get()
	if !known {
		return 0, false
	}
	return min(trip/2, longestWay), true
}

// Offset returns what to add to the sender's time to get session time; false before the first sample.
func (c *senderClock) Offset() (ms float64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.delay.get()
}

// timeline maps a track's RTP timestamps to session time in milliseconds.
//
// RTP time is unwrapped and mapped through the newest sender report (RFC 3550 section 6.4.1) to the sender's wall clock, which the member's
// senderClock relates to session time. Before the first report, the track's own least delay serves. What is applied follows
// that target slowly, so that media does not jump; only an error of more than 100 ms is corrected at once, or of 20 ms when it becomes
// known how long the way from the sender is. A target after the arrival, or long before it, is a sender's mistake and is not
// followed.
//
// A timeline reads no clock; it belongs to one goroutine at a time.
type timeline struct {
	clock *senderClock
	msPer float64 // ms per tick
	slew  float64 // ms of correction per ms of media

	started   bool
	ticks     int64   // newest unwrapped RTP time
	first     float64 // arrival of the first packet, ms of session time
	arrival   float64 // of the newest packet
	own       minimum // of arrival − RTP time
	report    bool
	ntpOffset float64 // sender's time − RTP time, ms
	settled   bool
	placed    bool    // offset knows how long the way is
	offset    float64 // applied: session time − RTP time, ms
	last      float64 // RTP time in ms up to which the offset was moved
	stepped   float64 // RTP time in ms of the newest step
	stepDue   bool
}

// newTimeline returns a timeline of sound for a clock rate in Hz that shares clock with the member's other tracks.
func newTimeline(rate uint32, clock *senderClock) *timeline {
	return &timeline{clock: clock, msPer: 1000 / float64(max(rate, 1)), slew: slewRate, stepped: math.Inf(-1)}
}

// newPictureTimeline is the same for pictures, which are corrected faster: until the first report of the member's sound they lie late
// by what capture and encoding take.
func newPictureTimeline(rate uint32, clock *senderClock) *timeline {
	t := newTimeline(rate, clock)
	t.slew = pictureSlew
	return t
}

// Packet tells of a packet's RTP timestamp and its arrival in session time. It reports false if the timestamp does not
// belong to the same stream of time as the ones before: then a new timeline is due, which begins with this packet.
func (t *timeline) Packet(rtp uint32, arrival float64) bool {
	ticks := t.unwrap(rtp)
	ms := float64(ticks) * t.msPer
	if !t.started {
		t.started, t.first, t.arrival = true, arrival, arrival
		t.ticks = ticks
	}
	if math.Abs((ms-float64(t.ticks)*t.msPer)-(arrival-t.arrival)) > jumpBeyond {
		return false
	}
	if ticks > t.ticks {
		t.ticks, t.arrival = ticks, arrival
	}
	t.own.add(arrival, arrival-ms)
	if t.report {
		t.clock.Sample(ms+t.ntpOffset, arrival)
	}
	return true
}

// Report tells of a sender report and its arrival in session time. Reports before the first packet are ignored.
func (t *timeline) Report(r SenderReport, arrival float64) {
	if !t.started || r.NTP == 0 {
		return
	}
	ms := float64(t.unwrap(r.RTP)) * t.msPer
	if math.Abs(ms-float64(t.ticks)*t.msPer-(arrival-t.arrival)) > jumpBeyond {
		return
	}
	sent := ntpMilliseconds(r.NTP)
	first := !t.report
	t.report, t.ntpOffset = true, sent-ms
	if own, ok := t.own.get(); ok && first { // of the packets before, the fastest says more than the report
		t.clock.Sample(arrival-own+t.ntpOffset, arrival)
	}
	t.clock.Sample(sent, arrival)
}

// Settled reports whether the mapping is fit to place media: a sender report is known, or half a second of packets has been seen. What
// arrives before is better kept until then.
func (t *timeline) Settled(now float64) bool {
	return t.settled || t.started && (t.report && now-t.first >= settleTime/5 || now-t.first >= settleTime)
}

// At returns the session time of an RTP timestamp, and whether it was corrected by a step that belongs at the begin of a new
// segment. A step is put off while none can begin: see StepDue. Timestamps are to be asked for in the order of time.
func (t *timeline) At(rtp uint32, canBegin bool) (ms float64, stepped bool) {
	at := float64(t.unwrap(rtp)) * t.msPer
	target, placed, ok := t.target()
	limit := stepBeyond
	if placed && !t.placed {
		limit = placeBeyond
	}
	far := math.Abs(target-t.offset) > limit
	t.placed = placed && (t.placed || !far)
	t.stepDue = ok && t.settled && far && at-t.stepped >= stepEvery
	switch {
	case !ok:
		return 0, false
	case !t.settled:
		t.settled, t.placed, t.offset, t.last = true, placed, target, at
	case t.stepDue && canBegin:
		t.placed, t.offset, t.stepped, t.stepDue, stepped = placed, target, at, false, true
	default:
		limit := t.slew * max(at-t.last, 0)
		t.offset += max(-limit, min(limit, target-t.offset))
	}
	t.last = max(t.last, at)
	return at + t.offset, stepped
}

// StepDue reports whether a correction waits for the begin of a segment.
func (t *timeline) StepDue() bool { return t.stepDue }

// target is the offset that the newest knowledge says, session time − RTP time, and whether that knows how long the way is.
func (t *timeline) target() (ms float64, placed, ok bool) {
	// arrival − RTP time with the least delay of this track: nothing can be placed after it.
	own, ok := t.own.get()
	if !ok {
		return 0, false, false
	}
	arrived := own
	if offset, ok := t.clock.Offset(); ok && t.report {
		if all := offset + t.ntpOffset; all <= own && all >= own-maxBehind {
			arrived = all
		}
	}
	way, placed := t.clock.Way()
	return arrived - way, placed, true
}

// unwrap extends a timestamp to 64 bits, nearest to the newest one (RFC 3550 section 5.1: modulo 2^32).
func (t *timeline) unwrap(rtp uint32) int64 {
	if !t.started {
		return int64(rtp)
	}
	return t.ticks + int64(int32(rtp-uint32(t.ticks)))
}

// ntpMilliseconds turns a 32.32 fixed-point number of seconds into milliseconds.
func ntpMilliseconds(ntp uint64) float64 {
	return float64(ntp>>32)*1000 + float64(ntp&math.MaxUint32)*1000/(1<<32)
}
