package signaling

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// wire is a member's connection: a WebSocket of this server, or one of another node at the end of a line. One goroutine calls read
// and one write; the others may be called from anywhere and never block.
type wire interface {
	// Send queues a frame. It reports false when the wire is closed, or so far behind that it closes now.
	Send(frame []byte) bool
	// pong answers a ping: t1 is when it was received, t2 when the answer is sent.
	pong(id string, t0 float64, received time.Time, clock func(time.Time) float64)
	// Close says bye and closes; the first call counts. It does not wait, see Done.
	Close(bye event.Bye)
	Closing() <-chan struct{}
	Done() <-chan struct{}
	// read hands on what arrives, until the wire ends, and closes it.
	read(handle func(heard))
	// write returns when the wire has ended.
	write()
}

// heard is a frame that has arrived.
type heard struct {
	event.Incoming

	raw []byte
	at  time.Time
}

// sendFrame encodes and queues a frame that answers id.
func sendFrame(w wire, id string, f event.Frame) bool {
	b, err := event.Encode(id, f)
	return err == nil && w.Send(b)
}

// farSilence is how long nothing may be heard on a line. The node that holds the WebSocket finds out sooner; a page that nobody looks at
// may ping once a minute only.
const farSilence = 90 * time.Second

// farLine is what a farWire needs of a [cluster.Line].
type farLine interface {
	Send(frame []byte) bool
	Next() (frame []byte, ok bool)
	Close(bye []byte)
}

// farWire is the end of a line by which a member comes who is connected to another node. That node holds the limits of
// the member's WebSocket.
type farWire struct {
	line    farLine
	closing chan struct{}
	once    sync.Once
}

func newFarWire(line farLine) *farWire {
	return &farWire{line: line, closing: make(chan struct{})}
}

func (w *farWire) Send(frame []byte) bool {
	if w.line.Send(frame) {
		return true
	}
	w.Close(event.Bye{Reason: "too_slow", Message: "The connection between the servers is too slow. Trying again brings you back."})
	return false
}

func (w *farWire) pong(id string, t0 float64, received time.Time, clock func(time.Time) float64) {
	sendFrame(w, id, event.Pong{T0: t0, T1: clock(received), T2: clock(time.Now())})
}

func (w *farWire) Close(bye event.Bye) {
	w.once.Do(func() {
		b, _ := json.Marshal(bye) // it is two texts
		w.line.Close(b)
		close(w.closing)
	})
}

func (w *farWire) Closing() <-chan struct{} { return w.closing }

func (w *farWire) Done() <-chan struct{} { return w.closing }

func (w *farWire) read(handle func(heard)) {
	defer w.Close(event.Bye{})
	// The browser's pings come here, too: without any, word of its end was lost on the way.
	silence := time.AfterFunc(farSilence, func() { w.Close(event.Bye{}) })
	defer silence.Stop()
	for {
		frame, ok := w.line.Next()
		if !ok {
			return
		}
		silence.Reset(farSilence)
		if string(frame) == declineFrame {
			handle(heard{event.Incoming{Body: declined{}}, frame, time.Now()})
			continue
		}
		if in, err := event.Parse(frame); err == nil { // the other node has answered what cannot be understood
			handle(heard{in, frame, time.Now()})
		}
	}
}

func (w *farWire) write() { <-w.closing }
