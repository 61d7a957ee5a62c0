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

// take judges the interval and begins the next; it reports false if nothing was measured.
func (m *meter) take() (Quality, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q, ok := judge(m.worst, m.rtt), m.measured
	m.worst, m.rtt, m.measured = 0, 0, false
	return q, ok
}

func judge(loss float64, rtt time.Duration) Quality {
	switch {
	case loss >= 0.08 || rtt >= 500*time.Millisecond:
		return QualityPoor
	case loss >= 0.02 || rtt >= 250*time.Millisecond:
		return QualityFair
	}
	return QualityGood
}
