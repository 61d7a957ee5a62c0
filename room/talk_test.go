package room

import (
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// lastEnded gives what the journal says about how long the pause was that ended last.
func lastEnded(t *testing.T, m *sim) event.HoldEnded {
	t.Helper()
	for i := len(m.journal) - 1; i >= 0; i-- {
		if e, ok := m.journal[i].Body.(event.HoldEnded); ok {
			return e
		}
	}
	t.Fatal("no pause has ended")
	return event.HoldEnded{}
}

func TestTheJournalKeepsHowLongPeopleThoughtAndTalked(t *testing.T) {
	for _, row := range []struct {
		what            string
		think           int64
		do              func(m *sim)
		thought, talked int64
	}{
		{"talked at once", 0, func(m *sim) { m.pass(42_000) }, 0, 42_000},
		{"thought, then talked", 5000, func(m *sim) { m.pass(65_000) }, 5000, 60_000},
		{"went on while they thought", 5000, func(m *sim) { m.pass(2000) }, 2000, 0},
		{"showed the answers early", 60_000, func(m *sim) {
			m.pass(3000)
			m.do(lead, event.HoldReveal{Hold: m.s.view.Hold.ID})
			m.pass(4000)
		}, 3000, 4000},
	} {
		m := newSim(t, testPlan())
		m.join(lead, peer)
		m.do(lead, event.PauseCall{Think: row.think})
		row.do(m)
		m.do(lead, event.HoldContinue{Hold: m.s.view.Hold.ID})
		if e := lastEnded(t, m); e.Thought != row.thought || e.Talked != row.talked {
			t.Errorf("%s: thought for %d ms and talked for %d ms, want %d and %d", row.what, e.Thought, e.Talked, row.thought, row.talked)
		}
	}
}

func TestAPauseThatEndsBeforeItBeganTookNoTime(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.lead = 700
	m.do(focal, event.PlaybackPlay{})
	m.ready(focal, peer)
	m.pass(1000)
	m.do(focal, event.PauseCall{})
	m.do(focal, event.HoldContinue{Hold: m.s.view.Hold.ID})
	if e := lastEnded(t, m); e.Thought != 0 || e.Talked != 0 {
		t.Fatalf("got %+v", e)
	}
}
