package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/load/shape"
	"github.com/pausepoint/pausepoint/load/stats"
)

// period is the time over which is measured, by when packets are sent, in ns since 1970. It is empty until it is set.
type period struct{ from, until atomic.Int64 }

func (p *period) set(from time.Time, d time.Duration) {
	p.until.Store(from.Add(d).UnixNano())
	p.from.Store(from.UnixNano())
}

func (p *period) contains(t int64) bool {
	from := p.from.Load()
	return from != 0 && t >= from && t < p.until.Load()
}

// meter counts what one member receives.
type meter struct {
	period *period
	began  time.Time // when it opened its signaling

	mu      sync.Mutex
	seen    map[uint32]*stats.Received // by stream, of all time
	latency stats.Histogram
	packets uint64        // of the period, each once
	video   time.Duration // from began until the first packet of a picture; 0 before
	profile string        // of SRTP
}

func newMeter(p *period) *meter { return &meter{period: p, seen: make(map[uint32]*stats.Received)} }

// note takes a packet that has come.
func (m *meter) note(s shape.Stamp, at time.Time, video bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if video && m.video == 0 {
		m.video = max(at.Sub(m.began), 1)
	}
	stream := m.seen[s.Stream]
	if stream == nil {
		stream = &stats.Received{}
		m.seen[s.Stream] = stream
	}
	fresh, _ := stream.Note(uint16(s.Number)) //nolint:gosec // modulo 2^16
	if fresh && m.period.contains(s.Sent) {
		m.packets++
		m.latency.Add(at.Sub(time.Unix(0, s.Sent)))
	}
}

// sees reports whether pictures and sound of so many others come.
func (m *meter) sees(others int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen) >= 2*others
}
