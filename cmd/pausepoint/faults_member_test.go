package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/bench/faults"
	"github.com/pausepoint/pausepoint/room/event"
)

// As our own page does it: see static/src/call/connection.ts.
const (
	silent    = 4500 * time.Millisecond // a connection of which nothing is heard for so long is lost
	pingEvery = time.Second
	firstWait = 300 * time.Millisecond // before coming back
	lastWait  = 5 * time.Second
)

const (
	thinkFor  = 250 * time.Millisecond // between commands, about
	maxAsked  = 3                      // commands that are not answered
	keptNotes = 12                     // of a member, about
)

// enduring is a member who never gives up: it asks for one thing after the other, and whatever happens to the connection, comes
// back and asks again: by the same node while that lets it in, as behind our balancer, or else by another. Its fields are owned by the goroutine of run.
type enduring struct {
	fleet   *fleet
	browser *browser
	history *faults.History
	session string
	id      string // empty until the first welcome
	drives  bool   // may move the player
	random  *rand.Rand
	stop    <-chan struct{} // closed when nothing new is asked for

	node  int         // that is tried, until it does not let the member in
	hello event.Hello // of the latest connection
	tries int
	asked []asking
	notes map[string]string // one's own that are there, with their texts
	view  event.View
	seq   int64
}

// asking is a command that is not answered yet.
type asking struct {
	id    string
	text  []byte
	note  string // that it is about
	then  func() // once it is acknowledged
	again bool   // it was not saved, or not taken, and is sent once more
}

// run stays in the session until nothing is left to do. What goes wrong is in the history.
func (m *enduring) run(ctx context.Context) {
	for ctx.Err() == nil && !(len(m.asked) == 0 && m.stopped()) {
		if err := m.visit(ctx); err != nil {
			m.history.Fault("%s: %v", m.id, err)
			return
		}
		wait := min(lastWait, firstWait<<min(m.tries, 5))
		m.tries++
		select {
		case <-time.After(wait*3/4 + time.Duration(m.random.Int64N(int64(wait)/2))):
		case <-ctx.Done():
		}
	}
	if len(m.asked) > 0 {
		m.history.Fault("%s has no answer to %d commands", m.id, len(m.asked))
	}
}

func (m *enduring) stopped() bool {
	select {
	case <-m.stop:
		return true
	default:
		return false
	}
}

// visit is one connection, from its begin to its end. An error is one that nobody can come back from.
func (m *enduring) visit(ctx context.Context) error {
	url := m.fleet.nodes[m.node].where()
	if url == "" {
		m.goElsewhere()
		return nil
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	m.browser.server = &server{url: url}
	dialer := websocket.Dialer{Jar: m.browser.client.Jar, HandshakeTimeout: silent}
	ws, res, err := dialer.DialContext(ctx, m.browser.callURL(m.session), http.Header{"Origin": {url}})
	if err != nil {
		if res != nil && res.StatusCode >= 400 && res.StatusCode < 500 && res.StatusCode != http.StatusTooManyRequests {
			return fmt.Errorf("not let in: %s", res.Status)
		}
		m.goElsewhere()
		return nil
	}
	c := &connection{ws: ws, frames: make(chan frame, 4096)}
	go c.read(io.Discard)
	defer func() {
		_ = ws.Close()
		for range c.frames { // until its reader has ended
		}
	}()
	return m.talk(ctx, c)
}

// goElsewhere makes a balancer's choice: the node did not let the member in.
func (m *enduring) goElsewhere() { m.node = (m.node + 1) % len(m.fleet.nodes) }

// talk says hello, and goes on until the connection is lost, or nothing is left to do.
func (m *enduring) talk(ctx context.Context, c *connection) error {
	asked := m.history.Now()
	m.hello.Attempt++
	if !m.say(c, "", m.hello) {
		return nil
	}
	m.seq = 0
	defer func() {
		if m.seq > 0 {
			m.history.Folded(m.id, m.seq, m.view)
		}
	}()
	pings, thoughts := time.NewTicker(pingEvery), time.NewTicker(thinkFor)
	defer pings.Stop()
	defer thoughts.Stop()
	silence := time.NewTimer(silent)
	defer silence.Stop()
	for len(m.asked) > 0 || !m.stopped() {
		select {
		case f, ok := <-c.frames:
			if !ok {
				return nil
			}
			silence.Reset(silent)
			if err := m.hear(c, f, asked); err != nil {
				return err
			}
		case <-pings.C:
			m.say(c, "", event.Ping{T0: float64(m.history.Now().Milliseconds())})
			m.askAgain(c, func(a *asking) bool { return a.again })
		case <-thoughts.C:
			m.think(c)
			thoughts.Reset(thinkFor/2 + time.Duration(m.random.Int64N(int64(thinkFor))))
		case <-silence.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// say writes a frame; false if the connection is lost, which whoever reads it will find, too.
func (m *enduring) say(c *connection, id string, v any) bool {
	text, err := event.Encode(id, v)
	if err != nil {
		m.history.Fault("%s: %v", m.id, err)
		return false
	}
	return c.ws.WriteMessage(websocket.TextMessage, text) == nil
}

func (m *enduring) hear(c *connection, f frame, asked time.Duration) error {
	switch {
	case f.Seq > 0:
		return m.fold(c, f)
	case f.Type == "welcome":
		return m.enter(c, f, asked)
	case f.Type == "reply":
		return m.answered(f)
	case f.Type == "bye":
		var bye event.Bye
		if err := json.Unmarshal(f.Data, &bye); err != nil {
			return err
		}
		if slices.Contains([]string{"replaced", "removed", "signed_out", "ended", "full", "invalid", "left"}, bye.Reason) {
			return fmt.Errorf("sent away for good: %+v", bye)
		}
	}
	return nil
}

// enter takes the state that welcome brings, and asks again for what was not answered.
func (m *enduring) enter(c *connection, f frame, asked time.Duration) error {
	var w event.Welcome
	if err := json.Unmarshal(f.Data, &w); err != nil {
		return err
	}
	if m.id = cmp.Or(m.id, w.You); w.You != m.id {
		return fmt.Errorf("came back as %s", w.You)
	}
	m.history.Welcomed(m.id, asked, w)
	m.seq, m.view, m.tries = w.Seq, w.View, 0
	m.askAgain(c, func(*asking) bool { return true })
	return nil
}

func (m *enduring) askAgain(c *connection, which func(*asking) bool) {
	for i := range m.asked {
		if a := &m.asked[i]; which(a) {
			a.again = false
			_ = c.ws.WriteMessage(websocket.TextMessage, a.text)
		}
	}
}

// fold takes an event, which must be the next: there is none that this member may not see.
func (m *enduring) fold(c *connection, f frame) error {
	var e event.Event
	if err := json.Unmarshal(f.raw, &e); err != nil {
		return err
	}
	m.history.Told(m.id, e)
	if e.Seq != m.seq+1 {
		return fmt.Errorf("was told event %d after %d", e.Seq, m.seq)
	}
	m.seq = e.Seq
	m.view.Fold(e)
	if line, moved := e.Body.(event.PlaybackChanged); moved && line.Playback.Mode == event.Waiting {
		m.ask(c, event.PlaybackReady{Seq: line.Playback.Seq}, asking{}, 0, faults.Plays)
	}
	return nil
}

func (m *enduring) answered(f frame) error {
	i := slices.IndexFunc(m.asked, func(a asking) bool { return a.id == f.ID })
	var answer event.Answered
	if err := json.Unmarshal(f.Data, &answer); err != nil || i < 0 {
		return err // not of a command: of hello, before bye
	}
	then, p := m.asked[i].then, answer.Error
	switch {
	case p == nil:
	case p.Code == "unavailable" || p.Code == "too_many":
		m.asked[i].again = true
		return nil
	case p.Code == "conflict" && then == nil: // the player is at a prepared pause, or not any more
	default:
		return fmt.Errorf("%s is refused: %w", m.asked[i].text, p)
	}
	m.history.Answered(f.ID, p)
	m.asked = slices.Delete(m.asked, i, i+1)
	if then != nil {
		then()
	}
	return nil
}

// ask sends a command for the first time.
func (m *enduring) ask(c *connection, cmd event.Command, a asking, adds uint64, kind faults.Kind) {
	id, err := uuid.NewV7()
	if err == nil {
		a.id = id.String()
		a.text, err = event.Encode(a.id, cmd)
	}
	if err != nil {
		m.history.Fault("%s: %v", m.id, err)
		return
	}
	m.history.Sent(a.id, adds, kind)
	m.asked = append(m.asked, a)
	_ = c.ws.WriteMessage(websocket.TextMessage, a.text)
}

// think asks for something, now and then.
func (m *enduring) think(c *connection) {
	switch n := m.random.IntN(100); {
	case m.seq == 0 || m.stopped() || len(m.asked) >= maxAsked:
	case m.drives && m.view.Hold != nil && n < 50:
		m.ask(c, event.HoldContinue{Hold: m.view.Hold.ID}, asking{}, 0, faults.Plays)
	case m.drives && n < 10:
		m.ask(c, event.PlaybackSeek{Position: m.random.Int64N(m.view.Clip.To)}, asking{}, 0, faults.Seeks)
	case m.drives && n < 20:
		m.ask(c, event.PlaybackPlay{}, asking{}, 0, faults.Plays)
	case m.drives && n < 28:
		m.ask(c, event.PlaybackStop{}, asking{}, 0, faults.Plays)
	default:
		m.write(c)
	}
}

// write adds, changes or removes a note.
func (m *enduring) write(c *connection) {
	id, text := m.anyNote(), fmt.Sprintf("%x", m.random.Uint64())
	was := faults.DigestNote(id, m.notes[id])
	switch n := m.random.IntN(2 * keptNotes); {
	case id == "" || n > len(m.notes):
		id = uuid.Must(uuid.NewV7()).String()
		add := event.NoteAdd{ID: id, Type: event.Question, Visibility: event.Shared, Text: text}
		m.ask(c, add, asking{note: id, then: func() { m.notes[id] = text }}, faults.DigestNote(id, text), faults.Writes)
	case n%2 == 0:
		edit := event.NoteEdit{ID: id, Type: event.Learning, Visibility: event.Shared, Text: text}
		m.ask(c, edit, asking{note: id, then: func() { m.notes[id] = text }}, faults.DigestNote(id, text)-was, faults.Writes)
	default:
		m.ask(c, event.NoteRemove{ID: id}, asking{note: id, then: func() { delete(m.notes, id) }}, -was, faults.Writes)
	}
}

// anyNote is one of one's own about which nothing is asked; empty if there is none.
func (m *enduring) anyNote() string {
	for id := range m.notes {
		if !slices.ContainsFunc(m.asked, func(a asking) bool { return a.note == id }) {
			return id
		}
	}
	return ""
}

// class is members of several sessions, two in each, who all endure.
type class struct {
	histories map[string]*faults.History // by session
	stop      chan struct{}
	work      sync.WaitGroup
}

// gather opens sessions by way of the first node, and sends their members in.
func (f *fleet) gather(ctx context.Context, sessions int, random *rand.Rand) *class {
	f.t.Helper()
	amara := f.amara
	c := &class{histories: map[string]*faults.History{}, stop: make(chan struct{})}
	for range sessions {
		id := amara.practiceSession()
		c.histories[id] = faults.NewHistory()
		ben, benID := amara.server.guest(f.t, id, amara.link(id, event.Coach), "Ben")
		own := *amara // the same person in each session, each time in a window of its own
		c.send(ctx, f, id, &own, "", true, random)
		c.send(ctx, f, id, ben, benID, false, random)
	}
	return c
}

func (c *class) send(ctx context.Context, f *fleet, session string, b *browser, id string, drives bool, random *rand.Rand) {
	m := &enduring{
		fleet: f, browser: b, history: c.histories[session], session: session, id: id, drives: drives,
		random: rand.New(rand.NewPCG(random.Uint64(), random.Uint64())), stop: c.stop, node: random.IntN(len(f.nodes)), notes: map[string]string{},
		hello: event.Hello{Consent: event.Agreed, Page: uuid.NewString()},
	}
	c.work.Go(func() { m.run(ctx) })
}

// dismiss lets all members finish what they have begun.
func (c *class) dismiss() {
	close(c.stop)
	c.work.Wait()
}
