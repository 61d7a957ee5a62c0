package signaling

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/pausepoint/pausepoint/audience"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// theatre is for those who only watch from another node than the one that runs the session: what this node shows of others' sessions,
// and what it gives them of its own.
type theatre struct {
	url      string // by which other nodes reach this one
	audience *audience.Audience
	endpoint *audience.Endpoint
	handler  http.Handler // endpoint
}

func newTheatre(url string, s *Server, media *sfu.SFU, log *slog.Logger) *theatre {
	live := func(session string) bool {
		_, ok := s.calls.house.Live(session)
		return ok
	}
	t := &theatre{url: url, audience: audience.New(media, s, log), endpoint: audience.NewEndpoint(media, live, log)}
	t.handler = withHeaders(withDeadlines(bodyWithin, answerWithin, t.endpoint))
	return t
}

func (t *theatre) close() {
	t.audience.Close()
	t.endpoint.Close()
}

// CloseFeeds ends what other nodes are told of the sessions of this one. It may be called more than once.
func (s *Server) CloseFeeds() {
	if s.theatre != nil {
		s.theatre.endpoint.Close()
	}
}

var errNoTheatre = errors.New("a server that other servers cannot reach")

// Door implements audience.Directory: it asks the node that runs the session.
func (s *Server) Door(ctx context.Context, session string) (audience.Door, error) {
	a, err := s.ask(ctx, question{Session: session, Door: true})
	if err == nil && a.Door == nil {
		err = errNoTheatre
	}
	if err != nil {
		return audience.Door{}, err
	}
	return *a.Door, nil
}

// doorHere opens this node to the one that asks.
func (s *Server) doorHere(session string) (*audience.Door, error) {
	if s.theatre == nil {
		return nil, errNoTheatre
	}
	return &audience.Door{URL: s.theatre.url, Ticket: s.theatre.endpoint.Ticket(session)}, nil
}

// borrowed is the media of a member who is connected here and whose session is on another node, for as long as that lends them.
type borrowed struct {
	of    greeting
	calls *calls
	from  *audience.Audience // nil if this node has none: it is lent nobody then
	sock  *socket
	line  *cluster.Line
	log   *slog.Logger

	mu     sync.Mutex // guards below
	peer   *sfu.Peer  // nil while not lent
	leave  func()     // the audience, with peer
	views  []byte     // the newest frame that says what the page shows
	closed bool
}

func (s *Server) borrow(g greeting, sock *socket, line *cluster.Line) *borrowed {
	b := &borrowed{
		of: g, calls: s.calls, sock: sock, line: line,
		log: s.log.With(slog.String("session", g.Session), slog.String("member", g.Identity.ID)),
	}
	if s.theatre != nil {
		b.from = s.theatre.audience
	}
	return b
}

// tell acts on what the session's node says: most of it is for the member. It reports false once the socket is closed.
func (b *borrowed) tell(said []byte) bool {
	switch string(said) {
	case lendFrame:
		return b.take()
	case takeBackFrame:
		b.giveBack()
		return true
	}
	return b.sock.Send(said)
}

// take sits the member down in the audience of this node.
func (b *borrowed) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.from == nil || b.peer != nil {
		return false
	}
	b.calls.tellRelays(b.sock, b.of.Identity.ID, b.of.Host) // those of the session's node lead there
	room, missing, leave := b.from.Watch(b.of.Session)
	peer, err := room.Join(sfu.PeerConfig{
		ID: b.of.Identity.ID, Subscribe: true, Send: func(s sfu.Signal) { tellSignal(b.sock, s, b.log) },
	})
	if err != nil {
		leave()
		b.log.Error("cannot join the audience", slog.Any("err", err))
		b.sock.Close(event.Bye{Reason: "restarting", Message: "Sound and pictures could not be set up. You are brought back in a moment."})
		return false
	}
	left := make(chan struct{})
	b.peer, b.leave = peer, func() { close(left); leave() }
	go b.decline(missing, left)
	return true
}

// decline tells the session's node if the session cannot be fetched before the member has left. That takes them back.
func (b *borrowed) decline(missing, left <-chan struct{}) {
	select {
	case <-missing:
		b.line.Send([]byte(declineFrame))
	case <-left:
	}
}

// giveBack lets go of the member's peer, which says nothing any more then, and tells the session's node what the page shows.
func (b *borrowed) giveBack() {
	b.mu.Lock()
	peer, leave, views := b.peer, b.leave, b.views
	b.peer, b.leave = nil, nil
	b.mu.Unlock()
	if peer == nil {
		return
	}
	peer.Close()
	leave()
	if views != nil {
		b.line.Send(views)
	}
}

// hear acts on what the member says. It reports false for what is for the session's node.
func (b *borrowed) hear(h heard) bool {
	if !aboutMedia(h.Body) {
		return false
	}
	b.mu.Lock()
	peer := b.peer
	if _, ok := h.Body.(event.RTCViews); ok {
		b.views = h.raw
	}
	b.mu.Unlock()
	if peer == nil {
		return false
	}
	if err := tellPeer(peer, h.Body); err != nil {
		b.log.Debug("signal refused", slog.Any("err", err))
		sendFrame(b.sock, h.ID, event.Answered{Error: signalProblem(err)})
	}
	return true
}

func (b *borrowed) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.giveBack()
}
