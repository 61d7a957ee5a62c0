package signaling

import (
	"log/slog"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// calls is everybody who is connected. It carries to the media room what the session decides about a member, and to the
// session who speaks and how connections are.
type calls struct {
	media *sfu.SFU
	house *room.House
	log   *slog.Logger
	// relays is Config.Relays, or nil.
	relays func(member, host string) []event.RTCRelay

	mu     sync.Mutex // guards below; nothing is called back while it is held
	open   map[callKey]map[*call]struct{}
	stages map[string]*stage
	closed bool
	wg     sync.WaitGroup // of open
}

type callKey struct{ session, member string }

func newCalls(media *sfu.SFU, log *slog.Logger) *calls {
	return &calls{media: media, log: log, open: map[callKey]map[*call]struct{}{}, stages: map[string]*stage{}}
}

// enter adds a call, and the session's stage with the first one. A member may have several for a moment; which of them the
// room has let in, the room alone knows. ok is false once the calls are closed: there is no call then.
func (cs *calls) enter(c *call) (leave func(), ok bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return nil, false
	}
	key := callKey{c.session, c.who.ID}
	if cs.open[key] == nil {
		cs.open[key] = map[*call]struct{}{}
	}
	cs.open[key][c] = struct{}{}
	cs.wg.Add(1)
	s := cs.stages[c.session]
	if s == nil {
		s = cs.newStage(c.session)
		cs.stages[c.session] = s
	}
	s.users++
	return func() { cs.leave(key, c, s) }, true
}

func (cs *calls) leave(key callKey, c *call, s *stage) {
	defer cs.wg.Done()
	cs.mu.Lock()
	if delete(cs.open[key], c); len(cs.open[key]) == 0 {
		delete(cs.open, key)
	}
	s.users--
	last := s.users == 0
	if last {
		delete(cs.stages, key.session)
	}
	cs.mu.Unlock()
	if last {
		s.close()
	}
}

// What members are told whose connection is closed.
var (
	restarting = event.Bye{Reason: "restarting", Message: "The server restarts. You are brought back in a moment."}
	signedOut  = event.Bye{Reason: "signed_out", Message: "You have signed out, and left this call."}
)

// observe is told by rooms what has happened in their sessions; see room.Config.Observe.
func (cs *calls) observe(session string, events []event.Event) {
	for _, e := range events {
		switch b := e.Body.(type) {
		case event.MemberJoined:
			cs.tellRole(session, b.Member)
		case event.MemberChanged:
			cs.tellRole(session, b.Member)
		}
	}
}

// tellRelays gives a member what they need to use this node's TURN servers, if there are any.
func (cs *calls) tellRelays(to wire, member, host string) {
	if cs.relays != nil {
		sendFrame(to, "", event.RTCRelays{Servers: cs.relays(member, host)})
	}
}

// tellInside tells the calls of a member who comes back which role they have: their coming back may not become durable for long. The room
// keeps what it has told before it says what follows, so nothing older than that is told here.
func (cs *calls) tellInside(session, member string, r *room.Room) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, m := range r.Inside() {
		if m.ID == member {
			cs.tellRoleLocked(session, m)
		}
	}
}

func (cs *calls) tellRole(session string, m event.Member) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.tellRoleLocked(session, m)
}

func (cs *calls) tellRoleLocked(session string, m event.Member) {
	for c := range cs.open[callKey{session, m.ID}] {
		c.hasRole(m.Role)
	}
}

// signedOut ends the calls of a browser that nobody is signed in with any more.
func (cs *calls) signedOut(browser string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, calls := range cs.open {
		for c := range calls {
			if c.browser == browser && browser != "" {
				c.socket.Close(signedOut)
			}
		}
	}
}

// close ends every call that is still open, and waits for it.
func (cs *calls) close() {
	cs.mu.Lock()
	cs.closed = true
	for _, calls := range cs.open {
		for c := range calls {
			c.socket.Close(restarting)
		}
	}
	cs.mu.Unlock()
	cs.wg.Wait()
}

// stage listens to one session's media room while somebody is in the call. MediaEvent is called from one goroutine, which
// owns talk.
type stage struct {
	session string
	calls   *calls
	tap     *sfu.Tap // nil if the media room could not be listened to
	users   int      // guarded by calls.mu
	talk    talk
}

func (cs *calls) newStage(session string) *stage {
	s := &stage{session: session, calls: cs, talk: talk{since: map[string]time.Time{}}}
	tap, err := cs.media.Room(session).Tap(s)
	if err != nil {
		cs.log.Error("cannot listen to a media room", slog.String("session", session), slog.Any("err", err))
	}
	s.tap = tap
	return s
}

func (s *stage) close() {
	if s.tap != nil {
		s.tap.Close()
	}
	s.tellTalk(nil) // nobody else calls it any more
}

// MediaEvent implements sfu.Sink.
func (s *stage) MediaEvent(e sfu.Event) {
	switch e := e.(type) {
	case sfu.SpeakersChanged:
		s.tellTalk(e.Members)
		s.tell(event.MemberSpeaking{Members: append([]string{}, e.Members...)})
	case sfu.QualityChanged:
		late := e.Late.Milliseconds()
		s.tell(event.MemberQuality{Member: e.Member, Quality: quality(e.Quality), Late: &late})
	case sfu.PeerStateChanged:
		switch e.State {
		case sfu.StateDisconnected, sfu.StateFailed:
			s.tell(event.MemberQuality{Member: e.Member, Quality: "lost"})
		case sfu.StateConnected:
			s.tell(event.MemberQuality{Member: e.Member, Quality: "good"})
		case sfu.StateClosed:
		}
	}
}

func quality(q sfu.Quality) string {
	if q == sfu.QualityPoor {
		return "poor"
	}
	return "good"
}

func (s *stage) tell(body event.Body) {
	if r, ok := s.calls.house.Live(s.session); ok {
		r.Tell(body)
	}
}

// tellTalk keeps the stretches of talk that ended with this change.
func (s *stage) tellTalk(speaking []string) {
	now := time.Now()
	ended := s.talk.change(speaking, now)
	r, ok := s.calls.house.Live(s.session)
	if !ok {
		return
	}
	for _, stretch := range ended {
		to := r.Now()
		from := to - float64(now.Sub(stretch.since).Milliseconds())
		r.Spoke(event.Speech{Member: stretch.member, From: int64(from), To: int64(to)})
	}
}

// talk follows who speaks. It is pure.
type talk struct{ since map[string]time.Time }

type stretch struct {
	member string
	since  time.Time
}

// minTalk is the shortest stretch that is worth a line in the journal: not a cough.
const minTalk = 400 * time.Millisecond

// change takes who speaks now and returns the stretches that have ended.
func (t *talk) change(speaking []string, now time.Time) []stretch {
	var ended []stretch
	next := make(map[string]time.Time, len(speaking))
	for _, member := range speaking {
		since, spoke := t.since[member]
		if !spoke {
			since = now
		}
		next[member] = since
	}
	for member, since := range t.since {
		if _, still := next[member]; !still && now.Sub(since) >= minTalk {
			ended = append(ended, stretch{member, since})
		}
	}
	t.since = next
	return ended
}
