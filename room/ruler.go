package room

import (
	"github.com/pausepoint/pausepoint/room/event"
)

// Bounds of a clip within which the arithmetic of ruler stays within 64 bits.
const (
	maxFrames   = 10_000_000
	maxFPSNum   = 240_000
	maxFPSDen   = 100_000
	maxDuration = 400_000_000_000 // µs, some 111 hours
)

// ruler converts between clip time in µs and frames of a clip with a constant frame rate num/den.
// The zero ruler belongs to a session without a clip.
type ruler struct {
	num, den    int64
	first, last int64 // frames whose middles are in the chosen range
}

func newRuler(c *event.Clip) ruler {
	if c == nil ||
		c.FPSNum <= 0 || c.FPSNum > maxFPSNum || c.FPSDen <= 0 || c.FPSDen > maxFPSDen || c.FPSNum/c.FPSDen > 1000 ||
		c.Frames <= 0 || c.Frames > maxFrames || c.Duration <= 0 || c.Duration > maxDuration ||
		c.From < 0 || c.To <= c.From || c.From >= c.Duration {
		return ruler{}
	}
	r := ruler{num: c.FPSNum, den: c.FPSDen}
	r.first = r.frame(c.From)
	if r.middle(r.first) < c.From {
		r.first++
	}
	r.last = r.frame(min(c.To, c.Duration) - 1)
	if r.middle(r.last) >= c.To {
		r.last--
	}
	r.last = min(r.last, c.Frames-1)
	if r.last < r.first {
		return ruler{}
	}
	return r
}

func (r ruler) ok() bool { return r.num > 0 }

// frame is the frame shown at a clip time.
func (r ruler) frame(position int64) int64 { return position * r.num / (r.den * 1_000_000) }

// middle is the clip time of the middle of frame n, to which whoever must show n seeks.
func (r ruler) middle(n int64) int64 { return (2*n + 1) * r.den * 1_000_000 / (2 * r.num) }

// clamp keeps a frame in the chosen range.
func (r ruler) clamp(n int64) int64 { return min(max(n, r.first), r.last) }

// snap is the middle of the frame shown at a clip time, in the chosen range.
func (r ruler) snap(position int64) int64 {
	position = min(max(position, 0), maxDuration)
	return r.middle(r.clamp(r.frame(position)))
}
