package sfu

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// qualityTicks is how many speakerTicks make an interval of quality.
const qualityTicks = 20

// What is told of how late repairs come is rough: it is told anew when it is off by more than lateSlack.
const (
	lateStep  = 50 * time.Millisecond
	lateSlack = 35 * time.Millisecond
	lateHeld  = 30 * time.Second // after something was lost

	awaySmoothing = 8
)

// lossHeld is for how many intervals the newest loss stands in for one that was not measured: reports get lost too.
const lossHeld = 3

// meter collects what is known of a member's connections in an interval. Any goroutine adds.
type meter struct {
	mu       sync.Mutex
	worst    float64 // loss, 0 to 1
	counted  bool    // the loss was measured
	rtt      time.Duration
	away     time.Duration // the usual round trip, 0 before one was measured
	share    float64       // of what is wanted, the part that there is bandwidth for; 0 while it is not known
	measured bool          // any of them was

	held   float64 // the newest loss that was measured
	age    int     // of it, in intervals
	before Quality // of the interval before
}

// loss notes a fraction of packets lost; the worst of the interval counts.
func (m *meter) loss(fraction float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.worst, m.counted, m.measured = max(m.worst, fraction), true, true
}

func (m *meter) roundTrip(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rtt, m.measured = max(m.rtt, d), true
	if m.away == 0 {
		m.away = d
	}
	m.away += (d - m.away) / awaySmoothing
}

// trip is the usual round trip, 0 while it is not known.
func (m *meter) trip() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

// bandwidth notes how much of what is wanted can be sent, 0 to 1.
func (m *meter) bandwidth(share float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share, m.measured = share, true
}

// take judges the interval and begins the next; it reports false if nothing was measured. A connection gets worse at once, and better
// when two intervals in a row say so.
func (m *meter) take() (Quality, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold()
	q, ok := judge(m.held, m.rtt, m.share), m.measured
	m.worst, m.counted, m.rtt, m.share, m.measured = 0, false, 0, 0, false
	if !ok {
		return q, false
	}
	before := m.before
	m.before = q
	if before.rank() > q.rank() {
		return before, true
	}
	return q, true
}

// hold keeps the interval's loss, or lets the one that is held grow older.
func (m *meter) hold() {
	switch {
	case m.counted:
		m.held, m.age = m.worst, 0
	case m.age < lossHeld:
		m.age++
	default:
		m.held = 0
	}
}

// rank orders the qualities, from the best.
func (q Quality) rank() int {
	switch q {
	case QualityPoor:
		return 2
	case QualityFair:
		return 1
	}
	return 0
}

func judge(loss float64, rtt time.Duration, share float64) Quality {
	short := func(least float64) bool { return share > 0 && share < least }
	switch {
	case loss >= 0.08 || rtt >= 500*time.Millisecond || short(1.0/3):
		return QualityPoor
	case loss >= 0.02 || rtt >= 250*time.Millisecond || short(0.75):
		return QualityFair
	}
	return QualityGood
}

// qualities are what was told of each member; the room's goroutine owns them.
type qualities map[*Peer]QualityChanged

// judge ends an interval, and tells what has changed. When somebody comes, who knows nothing yet, all is told again that is not as it should
// be.
func (all qualities) judge(members []*Peer, tell func(QualityChanged)) {
	maps.DeleteFunc(all, func(p *Peer, _ QualityChanged) bool { return !slices.Contains(members, p) })
	came := slices.ContainsFunc(members, func(p *Peer) bool { _, known := all[p]; return !known })
	for _, p := range members {
		told := all[p]
		now := QualityChanged{Member: p.id, Quality: told.Quality, Late: told.Late}
		if q, ok := p.meter.take(); ok {
			now.Quality = q
		}
		all[p] = now
		if now.Quality != "" && (now != told || came && (now.Quality != QualityGood || now.Late != 0)) {
			tell(now)
		}
	}
}

// delay tells at once how late repairs come of who publishes.
func (all qualities) delay(pubs []*Publication, now time.Time, tell func(QualityChanged)) {
	for _, pub := range pubs {
		told, known := all[pub.peer]
		if late := pub.peer.late(told.Late, now); known && late != told.Late {
			told.Late = late
			all[pub.peer] = told
			if told.Quality != "" {
				tell(told)
			}
		}
	}
}

// late is how much later than the rest comes what of a member's media was lost on the way and is sent again, roughly, and as it was told if
// that is about right: a round trip. Who receives nothing reports none; it is then how long the newest ones took.
func (p *Peer) late(told time.Duration, now time.Time) time.Duration {
	if now.UnixNano()-p.lostAt.Load() > int64(lateHeld) {
		return 0
	}
	trip := p.meter.trip()
	if trip == 0 {
		trip = time.Duration(p.repair.Load())
	}
	if (trip - told).Abs() <= lateSlack {
		return told
	}
	return trip.Round(lateStep)
}
