package room

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// fatal is what tests, property tests and fuzz targets have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// sim is a session in a test: it keeps the journal and the time.
type sim struct {
	t       fatal
	s       *State
	now     int64
	lead    int64
	journal []event.Event
	ids     int
}

const (
	focal    = "01890000-0000-7000-8000-00000000000f"
	coach    = "01890000-0000-7000-8000-00000000000c"
	lead     = "01890000-0000-7000-8000-00000000000d"
	peer     = "01890000-0000-7000-8000-0000000000e1"
	peer2    = "01890000-0000-7000-8000-0000000000e2"
	observer = "01890000-0000-7000-8000-0000000000b0"
)

var roleOf = map[string]event.Role{
	focal: event.Focal, coach: event.Coach, lead: event.Facilitator, peer: event.Peer, peer2: event.Peer, observer: event.Observer,
}

// lessonClip is one minute at 25 frames a second, of which [10 s, 50 s) was chosen: frames 250 to 1249.
func lessonClip() *event.Clip {
	return &event.Clip{
		ID: testID(1), Title: "Lesson", Duration: 60_000_000, Frames: 1500, FPSNum: 25, FPSDen: 1, From: 10_000_000, To: 50_000_000,
	}
}

// middle of a frame of lessonClip, µs.
func middle(frame int64) int64 { return frame*40_000 + 20_000 }

func testID(n int) string { return fmt.Sprintf("01890000-0000-7000-9000-%012x", n) }

func testPlan(pauses ...event.Pause) Plan {
	return Plan{
		Session: event.Session{ID: testID(2), Kind: event.Inquiry, Title: "Fractions", Opened: 1_750_000_000_000},
		Clip:    lessonClip(), Pauses: pauses,
	}
}

func newSim(t fatal, plan Plan) *sim {
	t.Helper()
	s, events, err := Open(plan)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return &sim{t: t, s: s, lead: 100, journal: events, ids: 1000}
}

func (m *sim) id() string {
	m.ids++
	return testID(m.ids)
}

func (m *sim) env() Env { return Env{Now: m.now, Lead: m.lead} }

// keep takes events into the journal.
func (m *sim) keep(events []event.Event) []event.Event {
	m.journal = append(m.journal, journalled(events)...)
	return events
}

func (m *sim) join(members ...string) {
	m.t.Helper()
	for _, id := range members {
		m.enter(id, event.Hello{})
	}
}

func (m *sim) enter(id string, hello event.Hello) []event.Event {
	m.t.Helper()
	m.tick()
	events, err := m.s.Connect(m.env(), Identity{ID: id, Name: "Name of " + id[34:], Role: roleOf[id]}, hello)
	if err != nil {
		m.t.Fatalf("connect %s: %v", id, err)
	}
	return m.keep(events)
}

func (m *sim) lose(id string) []event.Event {
	m.tick()
	return m.keep(m.s.Disconnect(m.env(), id))
}

func (m *sim) tick() []event.Event { return m.keep(m.s.Tick(m.env())) }

// pass lets time go by as a room does: looking whenever something is due.
func (m *sim) pass(ms int64) []event.Event {
	var out []event.Event
	end := m.now + ms
	for {
		due, ok := m.s.Due()
		if !ok || due > end {
			break
		}
		m.now = max(m.now, due)
		out = append(out, m.tick()...)
	}
	m.now = end
	return out
}

func (m *sim) try(from string, cmd event.Command) ([]event.Event, error) {
	m.tick()
	events, err := m.s.Apply(m.env(), from, cmd, m.id())
	return m.keep(events), err
}

func (m *sim) do(from string, cmd event.Command) []event.Event {
	m.t.Helper()
	events, err := m.try(from, cmd)
	if err != nil {
		m.t.Fatalf("%s by %s: %v", event.Name(cmd), from, err)
	}
	return events
}

// refused asks for something that must be refused with a code, and change nothing.
func (m *sim) refused(code, from string, cmd event.Command) {
	m.t.Helper()
	m.tick()
	before := dump(m.s)
	events, err := m.try(from, cmd)
	if got := codeOf(err); got != code || len(events) > 0 {
		m.t.Fatalf("%s by %s: got %q (%v) and %d events, want %q", event.Name(cmd), from, got, err, len(events), code)
	}
	if after := dump(m.s); after != before {
		m.t.Fatalf("%s was refused but changed the state:\n%s\n%s", event.Name(cmd), before, after)
	}
}

// ready says for all of them that they could play the line that is there now.
func (m *sim) ready(members ...string) {
	m.t.Helper()
	seq := m.line().Seq
	for _, id := range members {
		m.do(id, event.PlaybackReady{Seq: seq})
	}
}

func (m *sim) line() event.Playback { return m.s.view.Playback }

// expect checks the line.
func (m *sim) expect(mode event.Mode, position, at int64) {
	m.t.Helper()
	if p := m.line(); p.Mode != mode || p.Position != position || p.At != at {
		m.t.Fatalf("at %d: got %s at %d from %d, want %s at %d from %d", m.now, p.Mode, p.Position, p.At, mode, position, at)
	}
}

func codeOf(err error) string {
	var p *event.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	if err != nil {
		return "no problem: " + err.Error()
	}
	return ""
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// dump is everything that a State holds.
func dump(s *State) string {
	order := []string{}
	for _, k := range s.seen.order {
		order = append(order, fmt.Sprint(k))
	}
	return toJSON(map[string]any{
		"view": s.view, "seq": s.seq, "at": s.at, "ruler": fmt.Sprint(s.ruler), "lines": s.lines, "seen": order, "ids": s.seen.ids,
		"lost": s.lost, "empty": s.empty, "removed": s.removed, "prepared": s.prepared, "measured": s.measured,
		"held": s.held, "turned": s.turned,
	})
}

// checkJournal tells whether the journal alone gives the same state, also as JSON.
func (m *sim) checkJournal() {
	m.t.Helper()
	want := dump(m.s)
	folded, err := New(m.journal)
	if err != nil {
		m.t.Fatalf("fold the journal: %v", err)
	}
	if got := dump(folded); got != want {
		m.t.Fatalf("the journal folds to another state:\n got %s\nwant %s", got, want)
	}
	var read []event.Event
	if err := json.Unmarshal([]byte(toJSON(m.journal)), &read); err != nil {
		m.t.Fatalf("read the journal: %v", err)
	}
	if folded, err = New(read); err != nil {
		m.t.Fatalf("fold what was read: %v", err)
	}
	if got := dump(folded); got != want {
		m.t.Fatalf("the journal as JSON folds to another state:\n got %s\nwant %s", got, want)
	}
}

func names(events []event.Event) []string {
	out := []string{}
	for _, e := range events {
		out = append(out, event.Name(e.Body))
	}
	return out
}

func wantNames(t *testing.T, events []event.Event, want ...string) {
	t.Helper()
	if got := names(events); !slices.Equal(got, want) {
		t.Fatalf("got events %v, want %v", got, want)
	}
}
