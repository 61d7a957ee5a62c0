package signaling

import (
	"context"
	"encoding/json"
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
	log     *slog.Logger

	room *room.Room // nil until the member came in

	welcomed chan struct{} // closed with the room's first frame, which is welcome
	once     sync.Once
	role     atomic.Value  // the member's newest role, an event.Role
	changed  chan struct{} // something is in it if role is new to attend; capacity 1

	ready    chan struct{} // closed when peer is there
	peer     *sfu.Peer
	allowing sync.Mutex // held while peer is told what role says
}

func newCall(session string, who room.Identity, browser, host string, calls *calls, s wire, log *slog.Logger) *call {
	return &call{
		session: session, who: who, browser: browser, host: host, calls: calls, socket: s,
		log:      log.With(slog.String("session", session), slog.String("member", who.ID)),
		welcomed: make(chan struct{}), changed: make(chan struct{}, 1), ready: make(chan struct{}),
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
	case event.Hello:
		c.refuse(in.ID, event.Errorf("conflict", "You have come in already."))
	case event.RTCViews:
		if err := c.shows(body); err != nil {
			c.refuse(in.ID, problemOf(err))
		}
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
	if c.calls.relays != nil { // before welcome, after which the member connects
		sendFrame(c.socket, "", event.RTCRelays{Servers: c.calls.relays(c.who.ID, c.host)})
	}
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
	select {
	case <-c.welcomed:
	case <-c.socket.Closing():
		return
	}
	select {
	case <-c.changed:
	case <-c.socket.Closing():
		return
	}
	peer, err := c.calls.media.Room(c.session).Join(sfu.PeerConfig{
		ID: c.who.ID, Publish: c.mayPublish(), Subscribe: true, Send: c.signal,
	})
	if err != nil {
		c.log.Error("cannot join the media room", slog.Any("err", err))
		c.socket.Close(event.Bye{Reason: "restarting", Message: "Sound and pictures could not be set up. You are brought back in a moment."})
		return
	}
	defer peer.Close()
	c.peer = peer
	close(c.ready)
	for {
		select {
		case <-c.changed:
			c.allow()
		case <-c.socket.Closing():
			return
		case <-peer.Done(): // another connection of the member has taken over, or the server stops
			return
		}
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
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// allow tells the member's peer what their role lets them do by now.
func (c *call) allow() {
	c.allowing.Lock()
	defer c.allowing.Unlock()
	c.peer.SetMayPublish(c.mayPublish())
}

// negotiate hands a signal to the member's peer, once that is there.
func (c *call) negotiate(body any) error {
	signal, err := toSignal(body)
	if err != nil {
		return err
	}
	select {
	case <-c.ready:
		c.allow() // a member who has been told of a new role may be faster than attend
		return c.peer.Handle(signal)
	case <-c.socket.Closing():
		return nil
	}
}

// Most pictures that a page shows, and the longest side of one in pixels.
const (
	maxViews = 64
	maxSide  = 16384
)

// shows tells the member's peer which pictures their page shows.
func (c *call) shows(body event.RTCViews) error {
	if len(body.Views) > maxViews {
		return event.Errorf("too_many", "Your page shows more pictures than this server sends.")
	}
	views := make(map[string]sfu.View, len(body.Views))
	for publication, place := range body.Views {
		if min(place.Width, place.Height) < 0 || max(place.Width, place.Height) > maxSide {
			return event.Errorf("invalid", "A picture has a size from 0 to 16384 pixels.")
		}
		views[publication] = sfu.View{Visible: place.Width > 0 && place.Height > 0, Width: place.Width, Height: place.Height}
	}
	select {
	case <-c.ready:
		c.peer.SetViews(views)
	case <-c.socket.Closing():
	}
	return nil
}

// signal sends what the media room says to the member. It does not block.
func (c *call) signal(s sfu.Signal) {
	f, err := fromSignal(s)
	if err != nil {
		c.log.Error("cannot tell a member a signal", slog.Any("err", err))
		return
	}
	sendFrame(c.socket, "", f)
}

// toSignal turns a frame into what the media room understands.
func toSignal(body any) (sfu.Signal, error) {
	switch f := body.(type) {
	case event.RTCOffer:
		sources := make(map[string]sfu.Source, len(f.Sources))
		for mid, source := range f.Sources {
			sources[mid] = sfu.Source(source)
		}
		return sfu.Signal{Kind: sfu.KindOffer, PC: sfu.PC(f.PC), SDP: f.SDP, Offer: f.Offer, Sources: sources}, nil
	case event.RTCAnswer:
		return sfu.Signal{Kind: sfu.KindAnswer, PC: sfu.PC(f.PC), SDP: f.SDP, Offer: f.Offer}, nil
	case event.RTCCandidate:
		init, err := json.Marshal(iceCandidate{f.Candidate, f.SDPMid, f.SDPMLineIndex})
		return sfu.Signal{Kind: sfu.KindCandidate, PC: sfu.PC(f.PC), Candidate: string(init)}, err
	case event.RTCRestart:
		return sfu.Signal{Kind: sfu.KindRestart, PC: sfu.PC(f.PC)}, nil
	}
	return sfu.Signal{}, event.Errorf("invalid", "This server does not understand that message.")
}

// iceCandidate is RTCIceCandidateInit.
type iceCandidate struct {
	Candidate     string `json:"candidate"`
	SDPMid        string `json:"sdpMid"`
	SDPMLineIndex int    `json:"sdpMLineIndex"`
}

// fromSignal turns what the media room says into a frame.
func fromSignal(s sfu.Signal) (event.Frame, error) {
	pc := event.PC(s.PC)
	switch s.Kind {
	case sfu.KindOffer:
		tracks := make(map[string]event.RTCTrack, len(s.Tracks))
		for mid, t := range s.Tracks {
			tracks[mid] = event.RTCTrack{Member: t.Member, Source: string(t.Source), Publication: t.Publication}
		}
		return event.RTCOffer{PC: pc, Offer: s.Offer, SDP: s.SDP, Tracks: tracks}, nil
	case sfu.KindAnswer:
		return event.RTCAnswer{PC: pc, Offer: s.Offer, SDP: s.SDP}, nil
	case sfu.KindRestart:
		return event.RTCRestart{PC: pc}, nil
	case sfu.KindWanted:
		return event.RTCWanted{Source: string(s.Source), Height: s.Height}, nil
	case sfu.KindCandidate:
		var init iceCandidate
		if err := json.Unmarshal([]byte(s.Candidate), &init); err != nil {
			return nil, err
		}
		return event.RTCCandidate{PC: pc, Candidate: init.Candidate, SDPMid: init.SDPMid, SDPMLineIndex: init.SDPMLineIndex}, nil
	}
	return nil, errors.New("unknown kind of signal " + string(s.Kind))
}

// signalProblem is what a member is told about a signal that was refused.
func signalProblem(err error) *event.Problem {
	switch {
	case errors.Is(err, sfu.ErrMayNotPublish):
		return event.Errorf("forbidden", "You watch this session. Raise your hand if you want to speak.")
	case errors.Is(err, sfu.ErrTooManySignals), errors.Is(err, sfu.ErrBusy):
		return event.Errorf("too_many", "Your browser sends more about its connection than this server takes. Reload the page.")
	case errors.Is(err, sfu.ErrSDPTooLarge), errors.Is(err, sfu.ErrTooManyMedia):
		return event.Errorf("too_large", "Your browser offers more media than this server takes. Reload the page.")
	case errors.Is(err, sfu.ErrUnexpected), errors.Is(err, sfu.ErrClosed):
		return event.Errorf("conflict", "That does not fit the state of the connection. A new try follows.")
	case errors.Is(err, sfu.ErrConnection):
		return event.Errorf("unavailable", "The connection for sound and pictures could not be set up. Reload the page.")
	}
	return event.Errorf("invalid", "This server cannot use what your browser offers. Try another browser.")
}
