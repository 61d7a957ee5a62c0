package main

import (
	"math/rand/v2"
	"time"
)

// Conditions are those of one direction of a network. The zero value is a perfect one. In JSON, times are in milliseconds.
type Conditions struct {
	DelayMS  float64 `json:"delay"`  // one way
	JitterMS float64 `json:"jitter"` // up to this much more for each packet
	// Reorder lets jitter reorder packets; else a packet that waits holds up those after it, as most networks do.
	Reorder bool    `json:"reorder"`
	Loss    float64 `json:"loss"` // 0 to 1, independent for each packet
	// In bursts of BurstMS, one in each BurstEveryMS on average, everything is lost.
	BurstMS      float64 `json:"burst"`
	BurstEveryMS float64 `json:"burstEvery"`
	RateKbps     float64 `json:"rate"`  // 0: as fast as you like
	QueueMS      float64 `json:"queue"` // what would wait longer before a link of RateKbps is dropped; 0: 300
}

const (
	defaultQueue = 300 * time.Millisecond
	headers      = 28 // bytes of IP and UDP, which a link carries too
)

// Counts is what happened to the packets of one direction.
type Counts struct {
	Passed   uint64 `json:"passed"`
	Lost     uint64 `json:"lost"`     // by Loss and bursts
	Overflow uint64 `json:"overflow"` // dropped before a full link
	Bytes    uint64 `json:"bytes"`    // passed
}

// link says what happens to each packet of one direction. It is pure: the time is passed in, and the same seed gives the same
// fate to the same packets.
type link struct {
	is        Conditions
	counts    Counts
	random    *rand.Rand
	freeAt    time.Duration // the link has sent all that was queued
	lastAt    time.Duration // arrival of the newest packet, to keep the order
	burstEnds time.Duration
	nextBurst time.Duration
}

func newLink(seed uint64) *link {
	return &link{random: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))} //nolint:gosec // no secret
}

// change begins other conditions. What is under way arrives as it would have.
func (l *link) change(to Conditions, now time.Duration) {
	l.is = to
	l.nextBurst, l.burstEnds = 0, 0
	if to.BurstMS > 0 && to.BurstEveryMS > 0 {
		l.nextBurst = now + l.untilBurst()
	}
}

// pass says when a packet of size bytes that is sent now arrives, or that it does not.
func (l *link) pass(size int, now time.Duration) (time.Duration, bool) {
	at := now
	if l.is.RateKbps > 0 {
		l.freeAt = max(l.freeAt, now)
		queue := millis(l.is.QueueMS)
		if queue == 0 {
			queue = defaultQueue
		}
		if l.freeAt-now > queue {
			l.counts.Overflow++
			return 0, false
		}
		l.freeAt += time.Duration(float64(size+headers) * 8 / (l.is.RateKbps * 1000) * float64(time.Second))
		at = l.freeAt
	}
	if l.bursting(now) || l.random.Float64() < l.is.Loss {
		l.counts.Lost++
		return 0, false
	}
	at += millis(l.is.DelayMS + l.random.Float64()*l.is.JitterMS)
	if !l.is.Reorder {
		at = max(at, l.lastAt)
		l.lastAt = at
	}
	l.counts.Passed++
	l.counts.Bytes += uint64(size) //nolint:gosec // sizes are not negative
	return at, true
}

func (l *link) bursting(now time.Duration) bool {
	if l.nextBurst == 0 {
		return false
	}
	if now >= l.nextBurst {
		l.burstEnds = now + millis(l.is.BurstMS)
		l.nextBurst = l.burstEnds + l.untilBurst()
	}
	return now < l.burstEnds
}

// untilBurst is from half to one and a half times the mean.
func (l *link) untilBurst() time.Duration {
	return millis(l.is.BurstEveryMS * (0.5 + l.random.Float64()))
}

func millis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
