package account

import (
	"net/netip"
	"sync"
	"time"
)

// limiter is one bucket of tries for each key, in a map that cannot grow without bound.
type limiter struct {
	burst float64       // tries in a full bucket
	every time.Duration // until one try is back
	size  int           // buckets at most

	mu      sync.Mutex // guards buckets
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time // of left
}

func newLimiter(burst int, every time.Duration, size int) *limiter {
	return &limiter{burst: float64(burst), every: every, size: size, buckets: map[string]bucket{}}
}

// take takes a try, or tells how long to wait for one.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.left(key, now)
	if left < 1 {
		return time.Duration((1 - left) * float64(l.every)), false
	}
	if _, known := l.buckets[key]; !known && len(l.buckets) >= l.size {
		l.forget(now)
	}
	l.buckets[key] = bucket{left: left - 1, at: now}
	return 0, true
}

// give gives a try back: it was none.
func (l *limiter) give(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.buckets[key]; known {
		l.buckets[key] = bucket{left: min(l.burst, l.left(key, now)+1), at: now}
	}
}

// reset fills the bucket.
func (l *limiter) reset(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.buckets, key)
}

// left is how many tries key has now.
func (l *limiter) left(key string, now time.Time) float64 {
	b, known := l.buckets[key]
	if !known {
		return l.burst
	}
	return min(l.burst, b.left+float64(max(0, now.Sub(b.at)))/float64(l.every))
}

// forget makes room: it drops all full buckets, or else the fullest one, so that a flood of new keys does not
// push out the one that is under attack.
func (l *limiter) forget(now time.Time) {
	var fullest string
	most := -1.0
	for key := range l.buckets {
		left := l.left(key, now)
		if left >= l.burst {
			delete(l.buckets, key)
		} else if left > most {
			fullest, most = key, left
		}
	}
	if len(l.buckets) >= l.size {
		delete(l.buckets, fullest)
	}
}

// network is whom an address's tries are counted for: one IPv4 address, or the /64 that an IPv6 host is given.
func network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr.String()
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return p.String()
}
