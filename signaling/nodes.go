package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/audience"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// How long a node is waited for. A browser that hears nothing for four seconds tries again by itself.
const (
	reachWithin = 3500 * time.Millisecond
	dialWithin  = time.Second
	dialAgain   = 200 * time.Millisecond
	askWithin   = 20 * time.Second // longer than what is durable is waited for
)

// greeting is what a node tells another one of a member whom it sends there: who they are, as it has made sure.
type greeting struct {
	Session  string        `json:"session"`
	Identity room.Identity `json:"identity"`
	Browser  string        `json:"browser"`
	Host     string        `json:"host"`
	Audience bool          `json:"audience"` // it can have those who only watch in an audience of its own
}

// reach finds where a member's session is. Without a line it is here. A node that died a moment ago is waited out.
func (s *Server) reach(ctx context.Context, g greeting) (*cluster.Line, error) {
	if s.nodes == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	for {
		owner, err := s.nodes.Owner(ctx, g.Session)
		if err == nil && owner == s.nodes.Name() {
			return nil, nil
		}
		var line *cluster.Line
		if err == nil {
			line, err = s.dial(ctx, owner, g)
		}
		if err == nil {
			return line, nil
		}
		select {
		case <-time.After(dialAgain):
		case <-ctx.Done():
			return nil, err
		}
	}
}

func (s *Server) dial(ctx context.Context, owner string, g greeting) (*cluster.Line, error) {
	g.Audience = s.theatre != nil
	b, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("greet another node: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	return s.nodes.Dial(ctx, owner, b)
}

// Accept implements cluster.Handler.
func (s *Server) Accept(line *cluster.Line, b []byte) {
	var g greeting
	if err := json.Unmarshal(b, &g); err != nil {
		s.log.Error("another node greets in a way that this one does not understand", slog.Any("err", err))
		line.Close(nil)
		return
	}
	g.Audience = g.Audience && s.theatre != nil
	newCall(g, s.calls, newFarWire(line), s.log).run(context.Background())
}

// passage is how a member who is connected here is carried to their session's node.
type passage interface{ Close(bye event.Bye) }

// relays are the members who are connected here and whose sessions are on other nodes.
type relays struct {
	mu     sync.Mutex         // guards below
	open   map[passage]string // to the browser's name
	closed bool
	wg     sync.WaitGroup // of open
}

func newRelays() *relays { return &relays{open: map[passage]string{}} }

// carry passes on what a member and their session's node say to each other, until either ends.
func (r *relays) carry(browser string, sock *socket, line *cluster.Line, media *borrowed) {
	go sock.write()
	if !r.enter(browser, sock) {
		sock.Close(restarting)
	}
	defer r.leave(sock)
	defer media.close()
	go func() {
		for said, ok := line.Next(); ok && media.tell(said); said, ok = line.Next() {
		}
		sock.Close(farewellOf(line))
	}()
	sock.read(func(h heard) {
		if !media.hear(h) && !line.Send(h.raw) {
			sock.Close(restarting)
		}
	})
	line.Close(nil)
	<-sock.Done()
}

// farewellOf is why a line ended. One that broke is tried again.
func farewellOf(line *cluster.Line) (bye event.Bye) {
	if b := line.Bye(); b == nil || json.Unmarshal(b, &bye) != nil {
		return event.Bye{Reason: "restarting", Message: "The way to the call was cut. You are brought back in a moment."}
	}
	return bye
}

func (r *relays) enter(browser string, p passage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wg.Add(1)
	r.open[p] = browser
	return !r.closed
}

func (r *relays) leave(p passage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, p)
	r.wg.Done()
}

// signedOut ends those of a browser that nobody is signed in with any more.
func (r *relays) signedOut(browser string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, of := range r.open {
		if of == browser && browser != "" {
			p.Close(signedOut)
		}
	}
}

// close ends all, and waits for that.
func (r *relays) close() {
	r.mu.Lock()
	r.closed = true
	for p := range r.open {
		p.Close(restarting)
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// question is what a node asks the one that runs a session. It asks for one thing.
type question struct {
	Session  string                 `json:"session"`
	Withdraw *withdrawal            `json:"withdraw,omitempty"`
	Measures *string                `json:"measures,omitempty"` // the member who looks at them
	Erased   *event.RecordingErased `json:"erased,omitempty"`
	Door     bool                   `json:"door,omitempty"` // by which the session can be fetched
	Keep     *kept                  `json:"keep,omitempty"`
	Hold     *legalHold             `json:"hold,omitempty"`
	Reuse    *reuseAsked            `json:"reuse,omitempty"`
	Answer   *reuseAnswer           `json:"answer,omitempty"`
}

type withdrawal struct {
	Member string `json:"member"`
	Notes  bool   `json:"notes"`
}

type kept struct {
	Member string `json:"member"`
	Days   int64  `json:"days"`
}

type legalHold struct {
	On     bool   `json:"on"`
	Reason string `json:"reason"`
}

type reuseAsked struct {
	Member   string             `json:"member"`
	Question room.ReuseQuestion `json:"question"`
}

type reuseAnswer struct {
	Member string `json:"member"`
	Clip   string `json:"clip"`
	Agree  bool   `json:"agree"`
}

// answer is what was asked for, if that is something, or why not.
type answer struct {
	Problem *event.Problem `json:"problem,omitempty"`
	Door    *audience.Door `json:"door,omitempty"`
}

// change changes a session from outside the call, where it is live. It returns once that is durable.
func (s *Server) change(ctx context.Context, q question) error {
	_, err := s.ask(ctx, q)
	return err
}

// ask asks the node that runs a session.
func (s *Server) ask(ctx context.Context, q question) (answer, error) {
	if s.nodes == nil {
		return s.answerHere(ctx, q)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	owner, err := s.nodes.Owner(ctx, q.Session)
	if err != nil {
		return answer{}, err
	}
	if owner == s.nodes.Name() {
		return s.answerHere(ctx, q)
	}
	b, err := json.Marshal(q)
	if err != nil {
		return answer{}, fmt.Errorf("ask another node: %w", err)
	}
	said, err := s.nodes.Ask(ctx, owner, b)
	if err != nil {
		return answer{}, fmt.Errorf("ask another node: %w", err)
	}
	var a answer
	if err := json.Unmarshal(said, &a); err != nil {
		return answer{}, fmt.Errorf("understand another node: %w", err)
	}
	if a.Problem != nil {
		return answer{}, a.Problem
	}
	return a, nil
}

var errQuestion = errors.New("a question that this server does not know")

func (s *Server) answerHere(ctx context.Context, q question) (a answer, err error) {
	house := s.calls.house
	switch {
	case q.Withdraw != nil:
		err = house.Withdraw(ctx, q.Session, q.Withdraw.Member, q.Withdraw.Notes)
	case q.Measures != nil:
		err = house.SeeMeasures(ctx, q.Session, *q.Measures)
	case q.Erased != nil:
		err = house.Erased(ctx, q.Session, *q.Erased)
	case q.Keep != nil:
		err = house.Keep(ctx, q.Session, q.Keep.Member, q.Keep.Days)
	case q.Hold != nil:
		err = house.LegalHold(ctx, q.Session, q.Hold.On, q.Hold.Reason)
	case q.Reuse != nil:
		err = house.AskReuse(ctx, q.Session, q.Reuse.Member, q.Reuse.Question)
	case q.Answer != nil:
		err = house.AnswerReuse(ctx, q.Session, q.Answer.Member, q.Answer.Clip, q.Answer.Agree)
	case q.Door:
		a.Door, err = s.doorHere(q.Session)
	default:
		err = errQuestion
	}
	return a, err
}

// Answer implements cluster.Handler.
func (s *Server) Answer(ctx context.Context, b []byte) []byte {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var q question
	var a answer
	err := json.Unmarshal(b, &q)
	if err == nil {
		a, err = s.answerHere(ctx, q)
	}
	if err != nil {
		a.Problem = problemOf(err)
		s.log.Info("what another node asks is not done", slog.String("session", q.Session), slog.Any("err", err))
	}
	out, _ := json.Marshal(a) // it is texts
	return out
}

// signedOut ends the calls of a browser that nobody is signed in with any more, wherever they are.
func (s *Server) signedOut(browser string) {
	s.regulars.signedOut(browser)
	if s.nodes == nil {
		s.calls.signedOut(browser)
		return
	}
	s.nodes.Tell([]byte(browser))
}

// Hear implements cluster.Handler. Whoever is connected here has left their call even if the call's node hears of nothing.
func (s *Server) Hear(notice []byte) {
	browser := string(notice)
	s.regulars.signedOut(browser)
	s.calls.signedOut(browser)
	s.relays.signedOut(browser)
}

// Load implements cluster.Handler.
func (s *Server) Load(ctx context.Context, session string) error {
	return s.calls.house.Load(ctx, session)
}

// LetGo implements cluster.Handler.
func (s *Server) LetGo(ctx context.Context, session string) error {
	return s.calls.house.LetGo(ctx, session)
}

// Abandon implements cluster.Handler.
func (s *Server) Abandon(session string) { s.calls.house.Abandon(session) }

// Members implements cluster.Handler.
func (s *Server) Members() int { return s.calls.house.Totals().Members }
