package sfu

import (
	"sync"
	"time"
)

// qualityTicks is how many speakerTicks make an interval of quality.
const qualityTicks = 20

// meter collects what is known of a member's connections in an interval. Any goroutine adds.
type meter struct {
	mu       sync.Mutex
	worst    float64 // loss, 0 to 1
	rtt      time.Duration
	share    float64 // of what is wanted, the part that there is bandwidth for; 0 while it is not known
	measured bool
}

// loss notes a fraction of packets lost; the worst of the interval counts.
func (m *meter) loss(fraction float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.worst, m.measured = max(m.worst, fraction), true
}

func (m *meter) roundTrip(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rtt, m.measured = max(m.rtt, d), true
}

// bandwidth notes how much of what is wanted can be sent, 0 to 1.
func (m *meter) bandwidth(share float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share, m.measured = share, true
}

// take judges the interval and begins the next; it reports false if nothing was measured.
func (m *meter) take() (Quality, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q, ok := judge(m.worst, m.rtt, m.share), m.measured
	m.worst, m.rtt, m.share, m.measured = 0, 0, 0, false
	return q, ok
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
