package room

import (
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestKeeping(t *testing.T) {
	plan := testPlan()
	plan.Keep = 30
	m := newSim(t, plan)
	m.join(focal, peer)
	env := func() Env { return Env{Now: m.s.At(), Wall: 1_000 + m.s.At()} }
	is := func(want event.Keeping) {
		t.Helper()
		if got := m.s.view.Keeping; got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	is(event.Keeping{Days: 30})
	if events := m.s.Keep(env(), focal, 30); len(events) != 0 {
		t.Fatalf("what is so already: %v", events)
	}
	events := m.s.Keep(env(), focal, 7)
	if len(events) != 1 || events[0].By != focal {
		t.Fatalf("got %+v", events)
	}
	is(event.Keeping{Days: 7})
	first := m.s.LegalHold(env(), true, "  A complaint\u0000 is looked into. ")[0].Body.(event.KeepingChanged).Keeping
	if first.Held == 0 || first.Days != 7 || first.Reason != "A complaint is looked into." {
		t.Fatalf("held: %+v", first)
	}
	m.s.LegalHold(env(), true, strings.Repeat("x", 600))
	if k := m.s.view.Keeping; k.Held != first.Held || len(k.Reason) != maxReason {
		t.Fatalf("held anew: %+v", k)
	}
	m.s.Keep(env(), focal, 1)
	if k := m.s.view.Keeping; k.Held == 0 || k.Days != 1 {
		t.Fatalf("the legal hold is lifted by another change: %+v", k)
	}
	m.s.LegalHold(env(), false, "")
	is(event.Keeping{Days: 1})
}
