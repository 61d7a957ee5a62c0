package sfu

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// Sink learns what happens in a room. It is called from one goroutine, in the order of the events, with no lock held; it
// should return soon. It must not call Tap.Close, Peer.Close or SFU.Close.
type Sink interface {
	MediaEvent(e Event)
}

// SinkFunc is a Sink.
type SinkFunc func(e Event)

// MediaEvent implements Sink.
func (f SinkFunc) MediaEvent(e Event) { f(e) }

// Tap is an observer of a room. Its goroutine owns nothing but the calls to the sink.
type Tap struct {
	room *liveRoom
	sink Sink

	mu     sync.Mutex
	queue  []Event
	closed bool
	wake   chan struct{} // capacity 1
	done   chan struct{}
}

func newTap(r *liveRoom, sink Sink) *Tap {
	return &Tap{room: r, sink: sink, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Close ends the tap; no call to the sink begins or goes on after it has returned.
func (t *Tap) Close() {
	t.mu.Lock()
	again := t.closed
	t.closed = true
	t.mu.Unlock()
	if !again {
		t.room.removeTap(t)
	}
	poke(t.wake)
	<-t.done
}

// post queues an event. Of events that only tell the newest state, an unread older one is replaced.
func (t *Tap) post(e Event) {
	t.mu.Lock()
	if n := len(t.queue); n > 0 && supersedes(e, t.queue[n-1]) {
		t.queue[n-1] = e
	} else {
		t.queue = append(t.queue, e)
	}
	t.mu.Unlock()
	poke(t.wake)
}

func supersedes(e, old Event) bool {
	switch e := e.(type) {
	case SpeakersChanged:
		_, ok := old.(SpeakersChanged)
		return ok
	case QualityChanged:
		o, ok := old.(QualityChanged)
		return ok && o.Member == e.Member
	}
	return false
}

func (t *Tap) run() {
	defer close(t.done)
	for {
		select {
		case <-t.wake:
		case <-t.room.sfu.quit:
			t.deliver()
			return
		}
		if !t.deliver() {
			return
		}
	}
}

// deliver calls the sink until the queue is empty; it reports false when the tap is closed.
func (t *Tap) deliver() bool {
	for {
		t.mu.Lock()
		if t.closed {
			t.mu.Unlock()
			return false
		}
		if len(t.queue) == 0 {
			t.queue = nil
			t.mu.Unlock()
			return true
		}
		e := t.queue[0]
		t.queue = t.queue[1:]
		t.mu.Unlock()
		t.sink.MediaEvent(e)
	}
}

// poke fills a channel of capacity 1.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// SenderReport relates a publisher's clock to RTP timestamps (RFC 3550 section 6.4.1).
type SenderReport struct {
	NTP uint64 // 32.32 fixed point, seconds since 1900, by the publisher's clock
	RTP uint32
}

// Item is what a TapTrack receives: a packet or a sender report.
type Item struct {
	Arrival time.Time
	Packet  *rtp.Packet   // nil for a report; owned by the receiver; without a payload where it was only padding
	Report  *SenderReport // nil for a packet
	// Epoch counts how often the publisher's numbering began anew. The numbers here go on all the same, but how far timestamps of
	// different epochs lie apart is by the time of arrival only.
	Epoch uint32
	// Dropped is how many items were lost before this one, because the reader was slow.
	Dropped uint64
}

// TapTrack is a bounded queue of what arrives for one publication. When it is full, what arrives is dropped and counted:
// forwarding never waits for it.
type TapTrack struct {
	pub *Publication

	mu      sync.Mutex
	out     outStream // one stream of what may be several layers
	ring    []Item
	head    int
	size    int
	pending uint64 // dropped since the last item that was queued
	dropped uint64
	ended   bool
	epoch   uint32
	scratch packet        // reused
	wake    chan struct{} // capacity 1
}

func newTapTrack(p *Publication, capacity int) *TapTrack {
	t := &TapTrack{pub: p, ring: make([]Item, max(capacity, 1)), wake: make(chan struct{}, 1)}
	t.out = newOutStream(p.video, p.codec.ClockRate)
	t.out.whole = true
	return t
}

// Next waits for an item. It returns io.EOF when the publication has ended, or the track was closed, and all items are
// read. One goroutine may call it.
func (t *TapTrack) Next(ctx context.Context) (Item, error) {
	for {
		item, ok, ended := t.read()
		if ok {
			return item, nil
		}
		if ended {
			return Item{}, io.EOF
		}
		select {
		case <-t.wake:
		case <-ctx.Done():
			return Item{}, ctx.Err()
		}
	}
}

// Dropped returns how many items were dropped so far.
func (t *TapTrack) Dropped() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

// Close stops the queue; Next returns what is in it, and then io.EOF.
func (t *TapTrack) Close() {
	t.pub.detachTap(t)
	t.end()
}

func (t *TapTrack) read() (item Item, ok, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.size == 0 {
		return Item{}, false, t.ended
	}
	item, t.ring[t.head] = t.ring[t.head], Item{}
	t.head = (t.head + 1) % len(t.ring)
	t.size--
	return item, true, false
}

// push takes a packet of one of the layers; the publisher's reader calls it.
func (t *TapTrack) push(p *packet) {
	t.mu.Lock()
	t.out.want = int(t.pub.best.Load())
	before := t.out.layer
	t.take(p)
	if t.out.layer != before {
		t.catchUp(p)
	}
	t.mu.Unlock()
	poke(t.wake)
}

// take queues a packet, if it is one of the stream. mu is held.
func (t *TapTrack) take(p *packet) {
	if n, ok := t.number(p); ok {
		t.queue(Item{Arrival: p.arrival, Epoch: t.epoch}, p, n)
	}
}

// catchUp takes what of a layer came before its first packet, which came late: as long as that was missing, it was of no use. mu is
// held.
func (t *TapTrack) catchUp(first *packet) {
	for i := range first.behind {
		if t.pub.layers[first.layer].history.get(first.seq+1+i, first.epoch, &t.scratch) {
			t.take(&t.scratch)
		}
	}
}

// number maps a packet. A recorder may begin anywhere; between layers it goes at a key frame.
func (t *TapTrack) number(p *packet) (numbers, bool) {
	var reports *[maxLayers]*timedReport
	if int(p.layer) != t.out.layer {
		all := t.pub.senderReports()
		reports = &all
	}
	if !t.out.started && int(p.layer) == t.out.want {
		t.out.layer, t.out.epoch, t.epoch = t.out.want, p.epoch, p.epoch
	}
	if int(p.layer) == t.out.layer && p.epoch != t.out.epoch && !p.padding() { // with padding nothing begins
		t.epoch++
	}
	return t.out.next(p, reports)
}

// pushReport takes a sender report of a layer.
func (t *TapTrack) pushReport(layer uint8, r *timedReport, now time.Time) {
	t.mu.Lock()
	if t.out.started && int(layer) == t.out.layer && r.epoch == t.out.epoch {
		report := SenderReport{NTP: r.NTP, RTP: t.out.stamp.Translate(r.RTP)}
		t.queue(Item{Arrival: now, Report: &report, Epoch: t.epoch}, nil, numbers{})
	}
	t.mu.Unlock()
	poke(t.wake)
}

// queue adds an item, with a copy of a packet: a recorder keeps it for seconds. Padding that probes the bandwidth comes without a
// payload, since its sequence number would otherwise look lost.
func (t *TapTrack) queue(item Item, p *packet, n numbers) {
	switch {
	case t.ended:
	case t.size == len(t.ring):
		t.pending++
		t.dropped++
	default:
		if p != nil {
			item.Packet = copyOf(p, n)
		}
		item.Dropped, t.pending = t.pending, 0
		t.ring[(t.head+t.size)%len(t.ring)] = item
		t.size++
	}
}

func (t *TapTrack) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	poke(t.wake)
}
