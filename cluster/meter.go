package cluster

import (
	"runtime"
	"time"
)

// meter measures how much of the machine this process uses. Use it from one goroutine.
type meter struct {
	at   time.Time
	used time.Duration
	now  float64
}

// smooth is how much of a measure the newest second is.
const smooth = 0.3

// cpu is the part of the processors that are this process's to use, 0 to 1, over the last seconds.
func (m *meter) cpu(at time.Time) float64 {
	used := cpuTime()
	if passed := at.Sub(m.at); !m.at.IsZero() && passed > 0 {
		part := float64(used-m.used) / float64(passed) / float64(runtime.GOMAXPROCS(0))
		m.now += smooth * (part - m.now)
	}
	m.at, m.used = at, used
	return min(max(m.now, 0), 1)
}
