package bwe

import "time"

const (
	baseWindow = 15 * time.Second // the base delay is the least of this and the window before: clocks drift, ways change
	queueFull  = 500 * time.Millisecond
	queueSlack = 60 * time.Millisecond // what is queued below it is let be
	queueLeast = 0.6                   // of the target, while a queue drains

	overuseQueue = 12 * time.Millisecond // the trend alone is not believed: a packet or two of a queue
)

// queueMeter says how long packets wait on the way: their one-way delay above the least there was. The trend says when a queue
// grows; a queue that stands is seen only here.
type queueMeter struct {
	older, base time.Duration // least of the last whole window, and of this one
	since       time.Duration
	least       time.Duration // of this report
	seen, begun bool
	queued      time.Duration
}

// arrived takes a packet's one-way delay, which has an unknown constant in it.
func (q *queueMeter) arrived(delay time.Duration) {
	if !q.seen || delay < q.least {
		q.seen, q.least = true, delay
	}
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
	q.seen = false
}

// factor lowers what is sent while a queue stands, so that it drains.
func (q *queueMeter) factor() float64 {
	if q.queued <= queueSlack {
		return 1
	}
	return max(1-float64(q.queued-queueSlack)/float64(queueFull), queueLeast)
}
