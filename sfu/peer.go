package sfu

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// Peer is a member's media in a room. One goroutine, run, owns both connections; everything else reaches it through the mailbox.
type Peer struct {
	room   *liveRoom
	id     string
	send   func(Signal)
	log    *slog.Logger
	box    mailbox
	meter  meter
	ctx    context.Context //nolint:containedctx // the life of the peer's goroutine
	cancel context.CancelFunc
	done   chan struct{} // closed when run has returned

	egress  atomic.Pointer[egress] // what subscribe has, for statistics
	trip    atomic.Int64           // the newest round trip, ns; 0 while it is not known
	repair  atomic.Int64           // how long it takes until the member has sent something again, ns; 0 while it is not known
	lostAt  atomic.Int64           // when something that the member sent was lost, ns since 1970
	viewsMu sync.Mutex
	views   map[string]View

	// Owned by run.
	mayPublish bool
	subscribes bool
	publish    publisher
	subscribe  subscriber
}

func newPeer(r *liveRoom, cfg PeerConfig) *Peer {
	ctx, cancel := context.WithCancel(r.sfu.ctx)
	p := &Peer{
		room: r, id: cfg.ID, send: cfg.Send, ctx: ctx, cancel: cancel, done: make(chan struct{}),
		log:        r.sfu.log.With("room", r.id, "member", cfg.ID),
		box:        mailbox{wake: make(chan struct{}, 1)},
		mayPublish: cfg.Publish,
		subscribes: cfg.Subscribe,
	}
	p.publish.peer, p.subscribe.peer, p.subscribe.offers = p, p, cfg.Offered
	return p
}

// Handle takes a signal of the member and returns when it has been acted upon. Its errors are those of this package. It must not
// be called from Send or a Sink.
func (p *Peer) Handle(s Signal) error { return p.ask(request{signal: s}) }

// SetMayPublish changes whether the member may publish. When it may not, its publications have ended when the call returns.
func (p *Peer) SetMayPublish(may bool) {
	// A closed peer publishes nothing, which is all that could be asked for.
	_ = p.ask(request{mayPublish: &may})
}

// Close ends the peer: its publications, its subscriptions and both connections. It waits for their goroutines and must not be
// called from Send or a Sink.
func (p *Peer) Close() {
	p.cancel()
	<-p.done
}

// Done is closed when the peer has ended, by Close, or because it was replaced.
func (p *Peer) Done() <-chan struct{} { return p.done }

func (p *Peer) ask(r request) error {
	r.reply = make(chan error, 1)
	if err := p.box.postRequest(r); err != nil {
		return err
	}
	select {
	case err := <-r.reply:
		return err
	case <-p.done:
		return ErrClosed
	}
}

// run is the peer's goroutine.
func (p *Peer) run() {
	defer close(p.done)
	defer p.end()
	p.box.markDirty()
	for {
		select {
		case <-p.box.wake:
		case <-p.ctx.Done():
			return
		}
		messages, dirty := p.box.take()
		for _, m := range messages {
			if p.ctx.Err() != nil {
				return
			}
			p.handle(m)
		}
		if dirty || p.subscribe.stale {
			p.subscribe.reconcile()
		}
	}
}

// end runs in the peer's goroutine.
func (p *Peer) end() {
	p.cancel()
	p.box.close()
	p.room.removePeer(p)
	p.publish.close(StateClosed)
	p.subscribe.close(StateClosed)
	p.room.sfu.leave(p.room)
}

func (p *Peer) handle(m message) {
	switch m := m.(type) {
	case request:
		m.reply <- p.answer(m)
	case arrived:
		p.publish.arrived(m)
	case stateChanged:
		p.stateChanged(m)
	case viewsChanged:
		p.subscribe.setViews(p.currentViews())
	case wantedChanged:
		p.tell(Signal{Kind: KindWanted, PC: Publish, Source: m.source, Height: m.height})
	case excess:
		if p.publish.conn != nil && m.conn == p.publish.conn.conn {
			p.log.Warn("the member sends too many streams; its publish connection is dropped")
			p.publish.drop(StateFailed)
		}
	}
}

func (p *Peer) answer(r request) error {
	if r.mayPublish != nil {
		p.setMayPublish(*r.mayPublish)
		return nil
	}
	s := r.signal
	switch s.PC {
	case Publish:
		return p.publish.signal(s)
	case Subscribe:
		if !p.subscribes {
			return ErrNotSubscribed
		}
		return p.subscribe.signal(s)
	}
	return fmt.Errorf("%w: the connection is publish or subscribe", ErrUnexpected)
}

func (p *Peer) setMayPublish(may bool) {
	p.mayPublish = may
	if !may {
		p.publish.drop(StateClosed)
	}
}

func (p *Peer) stateChanged(m stateChanged) {
	var state PeerState
	switch m.state {
	case transport.Connected:
		state = StateConnected
	case transport.Silent:
		state = StateDisconnected
	case transport.Failed, transport.Closed:
		// Closed by the member: a DTLS alert.
		state = StateFailed
	default:
		return
	}
	switch {
	case m.which == Publish && p.publish.conn != nil && m.conn == p.publish.conn.conn:
		p.publish.changed(state)
	case m.which == Subscribe && p.subscribe.egress != nil && m.conn == p.subscribe.egress.conn:
		p.subscribe.changed(state)
	}
}

// emit tells the room's taps the state of a connection.
func (p *Peer) emit(which PC, state PeerState) {
	p.room.emit(PeerStateChanged{Member: p.id, PC: which, State: state})
}

// tell sends a signal to the member, unless the peer has ended.
func (p *Peer) tell(s Signal) {
	if p.ctx.Err() == nil && p.send != nil {
		p.send(s)
	}
}

// candidates limits what a member trickles on one connection. The server sends no checks, so it has no use for candidates: it
// only says whether they can be read.
type candidates struct{ count int }

func (c *candidates) add(text string) error {
	if c.count >= maxCandidates {
		return ErrTooManySignals
	}
	c.count++
	return readCandidate(text)
}

// local is what the server says of its end of a connection.
func (p *Peer) local(conn *transport.Conn, session, version uint64) negotiate.Local {
	n := p.room.sfu.net
	ufrag, pwd := conn.Credentials()
	return negotiate.Local{
		Ufrag: ufrag, Pwd: pwd, Fingerprint: n.Fingerprint(), Candidates: n.Candidates(), Session: session, Version: version,
	}
}

// remote is what a member says of its end.
func remote(t negotiate.Transport) transport.Remote {
	setup := transport.SetupActpass
	switch t.Setup {
	case "active":
		setup = transport.SetupActive
	case "passive":
		setup = transport.SetupPassive
	}
	return transport.Remote{Ufrag: t.Ufrag, Pwd: t.Pwd, Fingerprint: t.Fingerprint, Setup: setup}
}
