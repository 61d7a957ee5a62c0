package bwe

import (
	"math"
	"time"
)

// line is the least-squares line through times by bytes: jitter delays single packets, and says little of many.
type line struct {
	total      uint32 // bytes before the first packet, modulo 2^32
	at         time.Duration
	n, x, t    float64 // sums over packets, of bytes and of seconds since the first one
	xx, xt, tt float64
}

// add takes a packet's time, and how many bytes were sent up to it.
func (l *line) add(total uint32, at time.Duration) {
	if l.n == 0 {
		l.total, l.at = total, at
	}
	x, t := float64(int32(total-l.total)), (at - l.at).Seconds() //nolint:gosec // modulo 2^32
	l.n++
	l.x, l.t = l.x+x, l.t+t
	l.xx, l.xt, l.tt = l.xx+x*x, l.xt+x*t, l.tt+t*t
}

// perByte is by how many seconds the times grow with each byte, and the standard error of that.
func (l *line) perByte() (slope, wrong float64) {
	xx := l.xx - l.x*l.x/l.n
	if l.n < 3 || xx <= 0 {
		return 0, 0
	}
	xt, tt := l.xt-l.x*l.t/l.n, l.tt-l.t*l.t/l.n
	slope = xt / xx
	return slope, math.Sqrt(max(tt-slope*xt, 0) / (l.n - 2) / xx)
}
