package bwe

import (
	"slices"
	"time"
)

const (
	baseWindow = 15 * time.Second // the base delay is the least of this and the window before: clocks drift, ways change
	queueFull  = 500 * time.Millisecond
	queueSlack = 60 * time.Millisecond // what is queued below it is let be
	queueLeast = 0.6                   // of the target, while a queue drains

	overuseQueue = 12 * time.Millisecond // the trend alone is not believed: a packet or two of a queue

	busyDelay   = 30 * time.Millisecond // beyond the base: a packet that has waited longer found the link busy
	busySpan    = 50 * time.Millisecond // of arrivals, that say what the link carries
	busyPackets = 6
	busyNewest  = 6                     // packets, whose least delay is that of the end
	busyRise    = 40 * time.Millisecond // from the first packet to the newest: a way that is longer is no queue
	busyGrowth  = 5                     // of that span at least this part: behind a link that is the limit, delays grow all the time

	standsSpan  = time.Second           // two such spans in which what waits
	standsLevel = 25 * time.Millisecond // differs by less are no queue of ours: that would drain
	standsLoss  = 0.1                   // unless it is full
)

// queueMeter says how long packets wait on the way: their one-way delay above the least there was. The trend says when a queue
// grows; a queue that stands is seen only here.
type queueMeter struct {
	older, base time.Duration // least of the last whole window, and of this one
	since       time.Duration
	least       time.Duration // of this report
	seen, begun bool
	queued      time.Duration
	busy        busyPeriod
	standing    standing
}

// standing follows a queue while less is sent, so that it could drain.
type standing struct {
	since       time.Duration
	older, base time.Duration // least of the last whole span, 0 before there was one, and of this one
	still       bool          // both are the same
}

// busyPeriod is a time in which every packet had to wait: what arrived in it is what the link carries.
type busyPeriod struct {
	packets     int
	bytes       int // without the first packet
	first, last time.Duration
	begun       time.Duration             // delay of the first packet
	delays      [busyNewest]time.Duration // of the newest packets
}

// arrived takes a packet's one-way delay, which has an unknown constant in it.
func (q *queueMeter) arrived(delay, arrival time.Duration, size int) {
	if !q.seen || delay < q.least {
		q.seen, q.least = true, delay
	}
	if !q.begun || delay-min(q.base, q.older) < busyDelay {
		q.busy = busyPeriod{}
		return
	}
	q.busy.arrived(delay-min(q.base, q.older), arrival, size)
}

func (b *busyPeriod) arrived(delay, arrival time.Duration, size int) {
	b.delays[b.packets%busyNewest] = delay
	if b.packets == 0 {
		b.first, b.last, b.begun = arrival, arrival, delay
	} else {
		b.bytes += size
	}
	b.packets++
	b.last = max(b.last, arrival)
}

// delay is how long the newest packets waited at least.
func (b *busyPeriod) delay() time.Duration { return slices.Min(b.delays[:]) }

// rate is what the link carries in bit/s, 0 if that is not known.
func (b *busyPeriod) rate() int {
	span, rise := b.last-b.first, b.delay()-b.begun
	if b.packets < busyPackets || span < busySpan || rise < max(busyRise, span/busyGrowth) {
		return 0
	}
	return int(int64(b.bytes) * 8 * int64(time.Second) / int64(span))
}

// report ends a report: jitter delays some packets of it, a queue all.
func (q *queueMeter) report(now time.Duration) {
	if !q.seen {
		return
	}
	switch {
	case !q.begun:
		q.begun, q.since, q.base, q.older = true, now, q.least, q.least
	case now-q.since > baseWindow:
		q.older, q.base, q.since = q.base, q.least, now
	}
	q.base = min(q.base, q.least)
	q.queued = q.least - min(q.base, q.older)
	if q.queued <= queueSlack {
		q.standing = standing{}
	} else {
		q.standing.report(q.least, now)
	}
	q.seen = false
}

// report takes the least delay of a report.
func (s *standing) report(least, now time.Duration) {
	switch {
	case s.since == 0:
		*s = standing{since: now, base: least}
	case now-s.since > standsSpan:
		*s = standing{since: now, base: least, older: s.base, still: s.older != 0 && max(s.base-s.older, s.older-s.base) < standsLevel}
	}
	s.base = min(s.base, least)
}

// rebase takes the way as it is now, if it has become longer: what seems to wait has not changed although it could drain.
func (q *queueMeter) rebase(now time.Duration) {
	if s := &q.standing; s.still {
		least := min(s.base, s.older)
		*q = queueMeter{begun: true, since: now, base: least, older: least}
	}
}

// factor lowers what is sent while a queue stands, so that it drains.
func (q *queueMeter) factor() float64 {
	if q.queued <= queueSlack {
		return 1
	}
	return max(1-float64(q.queued-queueSlack)/float64(queueFull), queueLeast)
}
