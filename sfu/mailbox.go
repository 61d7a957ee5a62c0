package sfu

import (
	"sync"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// message is what a peer's goroutine is told: one of the types below.
type message interface{ message() }

// request is a signal of the member, or a change of rights; reply has capacity 1.
type request struct {
	signal     Signal
	mayPublish *bool // instead of a signal
	reply      chan error
}

// arrived says that the first packet of a publication came.
type arrived struct {
	conn        *transport.Conn
	publication *Publication
}

// stateChanged says that a connection changed its state.
type stateChanged struct {
	conn  *transport.Conn
	which PC
	state transport.State
}

// excess says that the member uses far too many SSRCs.
type excess struct{ conn *transport.Conn }

// viewsChanged says that the member's client displays something else.
type viewsChanged struct{}

// wantedChanged says that a picture of the member is shown larger or smaller than before.
type wantedChanged struct {
	source Source
	height int
}

func (request) message()       {}
func (arrived) message()       {}
func (stateChanged) message()  {}
func (excess) message()        {}
func (viewsChanged) message()  {}
func (wantedChanged) message() {}

// mailbox is the inbox of a peer. Posting never blocks, so that callbacks of a connection cannot wait for the goroutine that closes
// it; only requests are limited in number, by refusing them.
type mailbox struct {
	mu       sync.Mutex
	messages []message
	requests int
	dirty    bool // the room's publications have changed
	closed   bool
	wake     chan struct{} // capacity 1
}

func (b *mailbox) post(m message) {
	b.mu.Lock()
	if !b.closed {
		b.messages = append(b.messages, m)
	}
	b.mu.Unlock()
	poke(b.wake)
}

func (b *mailbox) postRequest(r request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrClosed
	case b.requests >= maxWaitingSignals:
		return ErrBusy
	}
	b.requests++
	b.messages = append(b.messages, r)
	poke(b.wake)
	return nil
}

func (b *mailbox) markDirty() {
	b.mu.Lock()
	b.dirty = true
	b.mu.Unlock()
	poke(b.wake)
}

// take empties the mailbox.
func (b *mailbox) take() (messages []message, dirty bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	messages, dirty = b.messages, b.dirty
	b.messages, b.dirty, b.requests = nil, false, 0
	return messages, dirty
}

// close refuses all further messages and returns what was waiting.
func (b *mailbox) close() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.messages
}
