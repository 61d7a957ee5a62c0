package cluster

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// Limits of what a line has received and nobody has taken yet.
const (
	maxHeard      = 512
	maxHeardBytes = 8 << 20
)

// Line carries frames between two nodes, in order and each once, until it breaks: what is lost is never passed over in silence.
// Its methods may be called from any goroutine, Next from one.
type Line struct {
	id, peer string
	node     *Node
	dialled  bool // from here

	mu     sync.Mutex // guards below, and the order of sending
	sent   uint64
	closed bool
	run    string // of the peer, once that is known

	got    uint64 // by the goroutine that hears
	heard  chan []byte
	bytes  atomic.Int64
	opened chan struct{} // closed when the other end is there
	done   chan struct{} // closed when this end is closed
	bye    []byte        // of the other end; set before heard is closed
}

func (n *Node) newLine(id, peer string) *Line {
	return &Line{
		id: id, peer: peer, node: n,
		heard: make(chan []byte, maxHeard), opened: make(chan struct{}), done: make(chan struct{}),
	}
}

// Dial opens a line to a node, which learns the greeting. It waits until the other end is there, or ctx ends.
func (n *Node) Dial(ctx context.Context, node string, greeting []byte) (*Line, error) {
	if !n.up() {
		return nil, errCutOff
	}
	l := n.newLine(uuid.NewString(), node)
	l.dialled = true
	n.lines.add(l)
	if !l.say(kindOpen, greeting) {
		l.Close(nil)
		return nil, errNowhere
	}
	select {
	case <-l.opened:
		return l, nil
	case <-l.done:
		return nil, errNowhere
	case <-ctx.Done():
		l.Close(nil)
		return nil, wrap("reach "+node, ctx.Err())
	}
}

// accept is the other end of Dial.
func (n *Node) accept(e envelope, greeting []byte) {
	l := n.newLine(e.Line, e.From)
	l.got, l.run = 1, e.Run
	n.lines.add(l)
	l.say(kindOpened, nil)
	n.served.Go(func() { n.on().Accept(l, greeting) })
}

// Send queues a frame. It reports false when the line is closed, or when more waits than should.
func (l *Line) Send(frame []byte) bool { return l.say(kindFrame, frame) }

func (l *Line) say(kind string, body []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.sent++
	return l.node.send(l.peer, envelope{Kind: kind, Line: l.id, N: l.sent}, body)
}

// Next waits for a frame. It reports false once the line is closed at this end, or at the other and all that came is taken.
func (l *Line) Next() ([]byte, bool) {
	select {
	case frame, ok := <-l.heard:
		l.bytes.Add(-int64(len(frame)))
		return frame, ok
	case <-l.done:
		return nil, false
	}
}

// Bye is what the other end closed with; call it once Next has reported false. Empty if it did not: the line broke, or this end closed.
func (l *Line) Bye() []byte {
	select {
	case _, open := <-l.heard:
		if !open {
			return l.bye
		}
	default:
	}
	return nil
}

// Done is closed when this end is.
func (l *Line) Done() <-chan struct{} { return l.done }

// Close tells the other end why, after what was sent, and closes. The first call counts.
func (l *Line) Close(bye []byte) {
	l.say(kindClose, bye)
	l.end()
}

func (l *Line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.done)
		l.node.lines.remove(l)
	}
}

// hear takes a message of the other end. What does not follow the one before, or finds no place, breaks the line.
func (l *Line) hear(e envelope, body []byte) {
	l.got++
	if e.N != l.got || l.bytes.Add(int64(len(body))) > maxHeardBytes {
		l.Close(nil)
		return
	}
	switch e.Kind {
	case kindOpened:
		l.answered(e.Run)
	case kindClose:
		l.bye = body
		l.node.lines.remove(l) // nothing more is heard
		close(l.heard)
	case kindFrame:
		select {
		case l.heard <- body:
		default:
			l.Close(nil)
		}
	}
}

// answered takes that the other end is there.
func (l *Line) answered(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.run == "" {
		l.run = run
		close(l.opened)
	}
}

func (l *Line) peerRun() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.run
}

// lines are those that are open. The zero value is ready for use.
type lines struct {
	mu   sync.Mutex
	open map[string]*Line
}

func (ls *lines) add(l *Line) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open == nil {
		ls.open = map[string]*Line{}
	}
	ls.open[l.id] = l
}

func (ls *lines) remove(l *Line) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.open, l.id)
}

func (ls *lines) count() int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return len(ls.open)
}

// hear is called from one goroutine. What comes on a line that is not there is late.
func (ls *lines) hear(e envelope, body []byte) {
	ls.mu.Lock()
	l := ls.open[e.Line]
	ls.mu.Unlock()
	if l != nil && l.peer == e.From {
		l.hear(e, body)
	}
}

// closeOf ends the lines to some nodes.
func (ls *lines) closeOf(gone func(*Line) bool) {
	ls.mu.Lock()
	var lost []*Line
	for _, l := range ls.open {
		if gone(l) {
			lost = append(lost, l)
		}
	}
	ls.mu.Unlock()
	for _, l := range lost {
		l.end()
	}
}

func (ls *lines) closeAll() { ls.closeOf(func(*Line) bool { return true }) }
