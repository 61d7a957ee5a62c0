package sfu

import "time"

// queued is a packet that waits: it is in the history of its layer.
type queued struct {
	track *downTrack
	layer uint8
	seq   uint16
	epoch uint32
	size  int
	at    time.Time
	key   bool // its track begins with it
}

// sendQueue is a bounded ring of packets in the order in which they came. It is pure, and has no memory until it is needed.
type sendQueue struct {
	ring  []queued
	head  int
	size  int
	bytes int
}

// push reports false if the queue is full.
func (q *sendQueue) push(p queued) bool {
	if q.size == len(q.ring) && !q.grow() {
		return false
	}
	q.ring[(q.head+q.size)%len(q.ring)] = p
	q.size++
	q.bytes += p.size
	return true
}

func (q *sendQueue) grow() bool {
	if len(q.ring) >= queueCapacity {
		return false
	}
	next := make([]queued, max(2*len(q.ring), 64))
	for i := range q.size {
		next[i] = q.ring[(q.head+i)%len(q.ring)]
	}
	q.ring, q.head = next, 0
	return true
}

func (q *sendQueue) first() *queued { return &q.ring[q.head] }

func (q *sendQueue) pop() {
	q.bytes -= q.ring[q.head].size
	q.ring[q.head] = queued{}
	q.head = (q.head + 1) % len(q.ring)
	q.size--
}

// forget takes the packets of a track out, and returns how many they were.
func (q *sendQueue) forget(t *downTrack) (n int) {
	return q.discard(func(p *queued) bool { return p.track == t })
}

// discard takes out what is of no use, and returns how many packets that were.
func (q *sendQueue) discard(useless func(*queued) bool) (n int) {
	kept := 0
	for i := range q.size {
		p := q.ring[(q.head+i)%len(q.ring)]
		if useless(&p) {
			n++
			q.bytes -= p.size
			continue
		}
		q.ring[(q.head+kept)%len(q.ring)] = p
		kept++
	}
	for i := kept; i < q.size; i++ {
		q.ring[(q.head+i)%len(q.ring)] = queued{}
	}
	q.size = kept
	return n
}
