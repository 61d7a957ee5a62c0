package signaling

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pausepoint/pausepoint/quota"
)

// limiter is one token bucket for each client address. Buckets that are full again are forgotten.
type limiter struct {
	every rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[netip.Addr]*rate.Limiter
	swept   time.Time
}

func newLimiter(every rate.Limit, burst int, now func() time.Time) *limiter {
	return &limiter{every: every, burst: burst, now: now, buckets: map[netip.Addr]*rate.Limiter{}}
}

const (
	sweepEvery = time.Minute
	maxBuckets = 100_000 // of addresses; beyond it, everybody unknown waits for the next sweep
)

// take takes a token of the address. Without one it returns how long to wait for it.
func (l *limiter) take(addr netip.Addr) (wait time.Duration, ok bool) {
	addr = quota.Subnet(addr)
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	b := l.buckets[addr]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			return sweepEvery, false
		}
		b = rate.NewLimiter(l.every, l.burst)
		l.buckets[addr] = b
	}
	if b.AllowN(now, 1) {
		return 0, true
	}
	return time.Duration(float64(time.Second) * (1 - b.TokensAt(now)) / float64(l.every)), false
}

func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepEvery {
		return
	}
	l.swept = now
	for addr, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, addr)
		}
	}
}
