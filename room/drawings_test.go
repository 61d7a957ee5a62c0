package room

import (
	"math"
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// draws draws a stroke where the clip stands.
func (m *sim) draws(id string) event.DrawingAdd {
	return event.DrawingAdd{ID: id, Position: m.line().Position, Points: []float64{0.1, 0.2, 0.3, 0.4}}
}

// drawn wants these strokes on the frame.
func (m *sim) drawn(ids ...string) {
	m.t.Helper()
	got := []string{}
	for _, d := range m.s.view.Drawings {
		got = append(got, d.ID)
	}
	if !slices.Equal(got, append([]string{}, ids...)) {
		m.t.Fatalf("got strokes %v, want %v", got, ids)
	}
}

func TestDrawingsBelongToTheirFrame(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	at := m.line().Position
	m.do(peer, m.draws(testID(10)))
	m.do(focal, event.PlaybackRate{Rate: 0.5})
	m.do(focal, event.PauseCall{})
	m.do(focal, m.draws(testID(11)))
	m.drawn(testID(10), testID(11))
	m.join(coach)
	if late := viewFor(&m.s.view, coach); len(late.Drawings) != 2 || late.Drawings[0].Author != peer || late.Drawings[0].Position != at {
		t.Fatalf("who comes late sees %+v", late.Drawings)
	}
	m.do(focal, event.HoldContinue{Hold: m.s.view.Hold.ID})
	m.drawn()
	m.refused("conflict", peer, m.draws(testID(12))) // it moves, or is about to
	m.ready(focal, peer, coach)
	m.pass(3000)
	m.refused("conflict", peer, m.draws(testID(12)))
	m.do(focal, event.PlaybackStop{})
	m.refused("conflict", peer, m.draws(testID(12))) // it stops in a moment
	m.pass(1000)
	elsewhere := m.draws(testID(12))
	elsewhere.Position = at
	m.refused("conflict", peer, elsewhere)
	m.do(peer, m.draws(testID(12)))
	m.do(focal, event.PlaybackStep{Frames: 1})
	m.drawn()
	m.checkJournal()
}

func TestDrawingsAreChecked(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	with := func(points ...float64) event.DrawingAdd {
		d := m.draws(testID(10))
		d.Points = points
		return d
	}
	for _, points := range [][]float64{nil, {}, {0.5}, {0.5, 0.5, 0.5}, {math.NaN(), 0}, {0, math.Inf(1)}, {-0.0001, 0}, {0, 1.0001}, {1e9, 1e9}} {
		m.refused("invalid", peer, with(points...))
	}
	m.refused("too_large", peer, with(make([]float64, 2*maxPoints+2)...))
	for _, id := range []string{"", "1", testID(10) + "0"} {
		m.refused("invalid", peer, m.draws(id))
	}
	m.refused("not_found", peer, event.DrawingRemove{})
	m.refused("not_found", peer, event.DrawingRemove{IDs: []string{testID(10), ""}})
	m.refused("too_large", peer, event.DrawingRemove{IDs: make([]string, maxStrokes+1)})
	m.do(peer, event.MemberWatch{Watching: event.Own})
	m.refused("conflict", peer, m.draws(testID(10)))
	m.do(peer, event.MemberWatch{})

	m.do(peer, with(append(make([]float64, 2*maxPoints-2), 1, 0.123456)...))
	if d := m.s.view.Drawings[0]; len(d.Points) != 2*maxPoints || d.Points[2*maxPoints-1] != 0.1235 {
		t.Fatalf("got %+v", d)
	}
	m.refused("conflict", focal, m.draws(testID(10)))
	for i := 1; i < maxStrokes; i++ {
		m.do(peer, m.draws(testID(10+i)))
	}
	m.refused("too_many", focal, m.draws(testID(9)))
	m.do(peer, event.DrawingRemove{IDs: []string{testID(10), testID(10), testID(99_999)}})
	m.do(focal, m.draws(testID(9)))
	m.checkJournal()
}

func TestDrawingsAreTakenAway(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, lead, peer, peer2)
	for i, who := range []string{peer, peer2, peer, focal, peer2} {
		m.do(who, m.draws(testID(10+i)))
	}
	m.refused("forbidden", peer, event.DrawingRemove{IDs: []string{testID(10), testID(11)}})
	m.do(peer, event.DrawingRemove{IDs: []string{testID(12)}})
	m.do(lead, event.MemberRole{Member: peer2, Role: event.Observer})
	m.refused("forbidden", peer2, m.draws(testID(20)))
	m.do(peer2, event.DrawingRemove{IDs: []string{testID(14)}}) // what is one's own stays that
	m.drawn(testID(10), testID(11), testID(13))
	m.do(focal, event.ControlsGive{To: peer})
	m.do(peer, event.DrawingRemove{IDs: []string{testID(10), testID(11), testID(13)}})
	m.drawn()
	m.checkJournal()
}

// What somebody drew goes as their notes do: at once, and out of every later replay.
func TestWithdrawnDrawings(t *testing.T) {
	m := newSim(t, testPlan())
	m.enter(focal, agreed)
	m.enter(peer, agreed)
	m.do(peer, m.draws(testID(10)))
	m.do(focal, m.draws(testID(11)))
	m.do(peer, event.MemberConsent{})
	m.drawn(testID(10), testID(11))
	m.do(peer, event.MemberConsent{Agree: true})
	m.do(peer, event.MemberConsent{RemoveNotes: true})
	m.drawn(testID(11))
	m.do(peer, m.draws(testID(12)))
	var left event.View
	for _, e := range WithoutWithdrawn(m.journal) {
		left.Fold(e)
		if d, ok := e.Body.(event.DrawingAdded); ok && d.Drawing.ID == testID(10) {
			t.Fatal("a stroke is left that was to go")
		}
	}
	if got, want := toJSON(left), toJSON(m.s.view); got != want {
		t.Fatalf("what is left folds to another view:\n got %s\nwant %s", got, want)
	}
	m.checkJournal()
}
