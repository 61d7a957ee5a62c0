package signaling

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// call is one member's part in a live session: their socket, their place in the room, their peer in the media room.
//
// The goroutine that calls run reads the socket and owns room and entered; attend is a second one and owns the peer's
// life. The room calls Send and Close, the media room calls signal, from theirs.
type call struct {
	session string
	who     room.Identity
	browser string // its name
	host    string // by which it reached the server
	calls   *calls
	socket  wire
	lends   bool // while they only watch, their media can come from the node that they are connected to
	log     *slog.Logger

	room *room.Room // nil until the member came in

	welcomed chan struct{} // closed with the room's first frame, which is welcome
	once     sync.Once
	role     atomic.Value  // the member's newest role, an event.Role
	changed  chan struct{} // something is in it if the role, or where the seat is, is new to attend; capacity 1

	seat     seat
	allowing sync.Mutex // held while the peer is told what role says
}

func newCall(g greeting, calls *calls, s wire, log *slog.Logger) *call {
	return &call{
		session: g.Session, who: g.Identity, browser: g.Browser, host: g.Host, lends: g.Audience, calls: calls, socket: s,
		log:      log.With(slog.String("session", g.Session), slog.String("member", g.Identity.ID)),
		welcomed: make(chan struct{}), changed: make(chan struct{}, 1), seat: seat{known: make(chan struct{})},
	}
}

// run holds the call until the socket ends, and then leaves nothing behind.
func (c *call) run(ctx context.Context) {
	leave, ok := c.calls.enter(c)
	if !ok {
		go c.socket.write()
		c.socket.Close(restarting)
		<-c.socket.Done()
		return
	}
	var attending sync.WaitGroup
	attending.Go(c.attend)
	go c.socket.write()
	c.socket.read(func(h heard) { c.handle(ctx, h.Incoming, h.at) })
	if c.room != nil {
		c.room.Disconnect(c.who.ID, c)
	}
	attending.Wait()
	leave()
	<-c.socket.Done()
}

// Send implements room.Conn. The first frame is queued before the member's media begins: what that says comes after welcome.
func (c *call) Send(frame []byte) bool {
	sent := c.socket.Send(frame)
	c.once.Do(func() { close(c.welcomed) })
	return sent
}

// Close implements room.Conn.
func (c *call) Close(bye event.Bye) { c.socket.Close(bye) }

// handle acts on one frame of the member.
func (c *call) handle(ctx context.Context, in event.Incoming, received time.Time) {
	if c.room == nil {
		c.enter(ctx, in)
		return
	}
	switch body := in.Body.(type) {
	case event.Ping:
		c.socket.pong(in.ID, body.T0, received, c.sessionTime)
		if body.RTT > 0 {
			c.room.RTT(c.who.ID, c, body.RTT)
		}
	case event.Command:
		c.room.Handle(c.who.ID, c, in.ID, body)
	case declined:
		c.declined()
	case event.Hello:
		c.refuse(in.ID, event.Errorf("conflict", "You have come in already."))
	default:
		if err := c.negotiate(body); err != nil {
			c.log.Debug("signal refused", slog.Any("err", err))
			c.refuse(in.ID, signalProblem(err))
		}
	}
}

// sessionTime is session time at a moment of this process, ms.
func (c *call) sessionTime(t time.Time) float64 {
	return c.room.Now() - float64(time.Since(t).Microseconds())/1000
}

func (c *call) refuse(id string, p *event.Problem) { sendFrame(c.socket, id, event.Answered{Error: p}) }

// enter lets the member in with their first frame.
func (c *call) enter(ctx context.Context, in event.Incoming) {
	hello, ok := in.Body.(event.Hello)
	if !ok {
		c.socket.Close(event.Bye{Reason: "invalid", Message: "The first message is hello. Reload the page."})
		return
	}
	c.calls.tellRelays(c.socket, c.who.ID, c.host) // before welcome, after which the member connects
	r, err := c.calls.house.Connect(ctx, c.session, c.who, c, hello)
	if err != nil {
		p := problemOf(err)
		if statusFor(p) >= 500 && !errors.Is(err, context.Canceled) {
			c.log.Error("cannot let a member in", slog.Any("err", err))
		}
		c.refuse(in.ID, p)
		c.socket.Close(event.Bye{Reason: byeReason(p), Message: p.Message})
		return
	}
	c.room = r
	c.calls.tellInside(c.session, c.who.ID, r)
}

// byeReason is why somebody was not let in.
func byeReason(p *event.Problem) string {
	switch p.Code {
	case "ended":
		return "ended"
	case "forbidden":
		return "removed"
	case "unavailable", "internal":
		return "restarting"
	case "full":
		return "full"
	case "too_many":
		return "too_fast"
	}
	return "invalid"
}

// attend is the member's media: from when they are welcome until the socket closes.
func (c *call) attend() {
	if !c.await(c.welcomed) || !c.await(c.changed) {
		return
	}
	offered := uint32(0)
	if c.lend() {
		for c.seat.isLent() {
			if !c.await(c.changed) {
				return
			}
		}
		offered = lentOffers
	}
	peer, err := c.calls.media.Room(c.session).Join(sfu.PeerConfig{
		ID: c.who.ID, Publish: c.mayPublish(), Subscribe: true, Offered: offered, Send: c.signal,
	})
	if err != nil {
		c.log.Error("cannot join the media room", slog.Any("err", err))
		c.socket.Close(event.Bye{Reason: "restarting", Message: "Sound and pictures could not be set up. You are brought back in a moment."})
		return
	}
	defer peer.Close()
	c.seat.take(peer)
	for {
		select {
		case <-c.changed:
			c.allow(peer)
		case <-c.socket.Closing():
			return
		case <-peer.Done(): // another connection of the member has taken over, or the server stops
			return
		}
	}
}

// await reports false if the socket closes before.
func (c *call) await(what <-chan struct{}) bool {
	select {
	case <-what:
		return true
	case <-c.socket.Closing():
		return false
	}
}

// mayPublish does not depend on anything but the role; see event.May.
func (c *call) mayPublish() bool {
	role, _ := c.role.Load().(event.Role)
	return slices.Contains(event.May(role, event.Conversation, false, false), event.Publish)
}

// hasRole tells attend the member's role. Only the newest counts. The caller is one goroutine at a time.
func (c *call) hasRole(role event.Role) {
	c.role.Store(role)
	c.takeBack()
	c.stir()
}

// stir makes attend look.
func (c *call) stir() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// allow tells the member's peer what their role lets them do by now.
func (c *call) allow(peer *sfu.Peer) {
	c.allowing.Lock()
	defer c.allowing.Unlock()
	peer.SetMayPublish(c.mayPublish())
}

// negotiate hands a frame about media to the member's peer, once that is there. What the other node should have kept was on its way
// when the member was lent.
func (c *call) negotiate(body any) error {
	peer := c.seat.peerOf(c.socket.Closing())
	if peer == nil {
		return nil
	}
	c.allow(peer) // a member who has been told of a new role may be faster than attend
	return tellPeer(peer, body)
}

// signal sends what the media room says to the member. It does not block.
func (c *call) signal(s sfu.Signal) { tellSignal(c.socket, s, c.log) }
