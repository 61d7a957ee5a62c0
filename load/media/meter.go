package media

import (
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/load/shape"

	"github.com/pausepoint/pausepoint/load/stats"
)

// period is the time over which is measured, by when packets are sent, in ns since 1970. It is empty until it is set.
type period struct{ from, until atomic.Int64 }

func (p *period) contains(t int64) bool { return t >= p.from.Load() && t < p.until.Load() }

// meter counts what one participant receives. The link's mu guards the plain fields.
type meter struct {
	period *period
	began  time.Time // to join

	firstMedia atomic.Int64 // ns since began; 0 before
	firstVideo atomic.Int64 // until a key frame began

	latency       stats.Histogram
	audio, video  uint64
	top           uint64 // video of the best layer
	keyframes     uint64
	nacks, plis   atomic.Uint64
	recovered     atomic.Uint64 // packets that came after they were asked for
	undecryptable atomic.Uint64
}

func (m *meter) delivered(s shape.Stamp, at int64, video, key bool) {
	since := max(at-m.began.UnixNano(), 1)
	if m.firstMedia.Load() == 0 {
		m.firstMedia.Store(since)
	}
	if key && m.firstVideo.Load() == 0 {
		m.firstVideo.Store(since)
	}
	if !m.period.contains(s.Sent) {
		return
	}
	m.latency.Add(time.Duration(at - s.Sent))
	if !video {
		m.audio++
		return
	}
	m.video++
	if s.Stream&topLayer != 0 {
		m.top++
	}
	if key {
		m.keyframes++
	}
}

// topLayer is set in a stamp's stream number for video in its best layer.
const topLayer = 1 << 31
