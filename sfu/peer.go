package sfu

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/pion/webrtc/v4"
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
	done   chan struct{}  // closed when run has returned
	wg     sync.WaitGroup // goroutines that read from the connections

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
	p.publish.peer, p.subscribe.peer = p, p
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
	p.wg.Wait()
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
	case excess:
		if m.pc == p.publish.pc {
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
	case webrtc.PeerConnectionStateConnected:
		state = StateConnected
	case webrtc.PeerConnectionStateDisconnected:
		state = StateDisconnected
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		// Closed by the member: a DTLS alert.
		state = StateFailed
	default:
		return
	}
	switch {
	case m.which == Publish && m.pc == p.publish.pc:
		p.publish.changed(state)
	case m.which == Subscribe && m.pc == p.subscribe.pc:
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

// watch hands the states of a connection to the peer's goroutine.
func (p *Peer) watch(pc *webrtc.PeerConnection, which PC) {
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { p.box.post(stateChanged{pc: pc, which: which, state: s}) })
}

// describe makes desc the local description and returns it with all of the server's candidates. They are known at once: no server
// is asked for them.
func (p *Peer) describe(pc *webrtc.PeerConnection, desc webrtc.SessionDescription) (string, error) {
	text, err := describe(p.ctx, pc, desc)
	switch {
	case p.ctx.Err() != nil:
		return "", ErrClosed
	case err != nil:
		return "", wrap(ErrConnection, err)
	}
	return text, nil
}

// describe makes desc the local description of pc and returns it with all of pc's candidates, when they are known.
//
// The gathering of an ICE restart is under way by now. Its end is not always told to webrtc.GatheringCompletePromise: pion looks up
// whom to tell before it stores the state. It stores the state before it looks up whom to tell of that; so one hears of it, or sees
// it. A connection that closes meanwhile tells only the promise; one that is closed already has no local description.
func describe(ctx context.Context, pc *webrtc.PeerConnection, desc webrtc.SessionDescription) (string, error) {
	complete := make(chan struct{}, 1)
	check := func(webrtc.ICEGatheringState) {
		// The argument may be of the gathering before this one.
		if pc.ICEGatheringState() == webrtc.ICEGatheringStateComplete {
			poke(complete)
		}
	}
	pc.OnICEGatheringStateChange(check)
	closed := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(desc); err != nil {
		return "", err
	}
	check(pc.ICEGatheringState())
	select {
	case <-complete:
	case <-closed:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return pc.LocalDescription().SDP, nil
}

// candidates limits what a member trickles on one connection.
type candidates struct {
	count   int
	waiting []webrtc.ICECandidateInit // until there is a remote description
}

// add takes a trickled candidate. Those that policy drops are dropped silently: every browser sends some.
func (c *candidates) add(policy addressPolicy, pc *webrtc.PeerConnection, text string) error {
	if c.count >= maxCandidates {
		return ErrTooManySignals
	}
	c.count++
	init, ok, err := policy.readCandidate(text)
	if err != nil || !ok {
		return err
	}
	if pc == nil || pc.RemoteDescription() == nil {
		c.waiting = append(c.waiting, init)
		return nil
	}
	return applyCandidate(pc, init)
}

// flush applies what waited for the remote description.
func (c *candidates) flush(pc *webrtc.PeerConnection) {
	for _, init := range c.waiting {
		// A candidate that does not fit is of no use; others may be.
		_ = applyCandidate(pc, init)
	}
	c.waiting = nil
}

func applyCandidate(pc *webrtc.PeerConnection, init webrtc.ICECandidateInit) error {
	if err := pc.AddICECandidate(init); err != nil {
		return wrap(ErrBadCandidate, err)
	}
	return nil
}
