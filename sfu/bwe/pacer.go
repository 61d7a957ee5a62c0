package bwe

import "time"

// A key frame leaves at paceFactor times the target: faster than it would on a link that is full, slower than a burst that a
// small queue on the way would drop. What fits into paceBurst leaves at once.
const (
	paceFactor = 2.5
	paceBurst  = 15 * time.Millisecond
	minBurst   = 6000 // bytes, some packets
)

// Pacer is a token bucket. The zero value lets nothing through until SetTarget.
type Pacer struct {
	rate   float64 // bytes/s
	tokens float64 // bytes
	at     time.Time
}

// SetTarget tells the estimate in bit/s.
func (p *Pacer) SetTarget(bps int) { p.rate = paceFactor * float64(bps) / 8 }

// Allow reports whether video of n bytes may go now, and takes it off the bucket. The bucket may go below zero once.
func (p *Pacer) Allow(n int, now time.Time) bool {
	p.fill(now)
	if p.tokens <= 0 {
		return false
	}
	p.tokens -= float64(n)
	return true
}

// Spend takes off what goes in any case: audio.
func (p *Pacer) Spend(n int, now time.Time) {
	p.fill(now)
	p.tokens = max(p.tokens-float64(n), -p.burst())
}

// Next is when Allow will say yes.
func (p *Pacer) Next(now time.Time) time.Time {
	p.fill(now)
	if p.tokens > 0 || p.rate == 0 {
		return now
	}
	return now.Add(time.Duration((1 - p.tokens) / p.rate * float64(time.Second)))
}

func (p *Pacer) fill(now time.Time) {
	switch d := now.Sub(p.at); {
	case p.at.IsZero():
		p.tokens = p.burst()
	case d > 0:
		p.tokens = min(p.tokens+p.rate*d.Seconds(), p.burst())
	default:
		return // the times of several callers are not in order
	}
	p.at = now
}

func (p *Pacer) burst() float64 { return max(p.rate*paceBurst.Seconds(), minBurst) }
