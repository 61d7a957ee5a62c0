package store_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/room/event"
)

// as is the place as one of several servers has it.
func (at place) as(node string) place {
	at.config.Node = node
	return at
}

// inside is a session with somebody in it, which the world's server runs.
func (w *world) inside() string {
	w.t.Helper()
	id := w.newSession()
	_, m := w.enter(id, event.Coach, nil, "Ben")
	w.begin(id)
	w.journal(id, event.MemberJoined{Member: event.Member{ID: m.ID, Role: event.Coach, Presence: event.Here}})
	return id
}

func TestLeasesOfSeveralServers(t *testing.T) { everywhere(t, testLeasesOfSeveralServers) }

func testLeasesOfSeveralServers(t *testing.T, at place) {
	one, two := newWorld(t, at.as("one")), newWorld(t, at.as("two"))
	a, b := one.inside(), two.inside()
	if _, err := two.store.OwnFree(two.ctx, a); !errors.Is(err, cluster.ErrHeld) {
		t.Errorf("what another server holds is free: %v", err)
	}
	for session, want := range map[string]string{a: "one", b: "two", newID(): "", "\x00": ""} {
		if holder, err := one.store.Holder(one.ctx, session); holder != want || err != nil {
			t.Errorf("%q holds %q: %v", holder, session, err)
		}
	}
	if held, err := one.store.Held(one.ctx); err != nil || !maps.Equal(held, map[string]int64{a: one.epochs[a]}) {
		t.Errorf("one holds %v, %v", held, err)
	}
	for _, c := range []struct{ live, orphans []string }{
		{[]string{"one", "two"}, nil},
		{[]string{"two"}, []string{a}},
		{[]string{"three"}, slices.Sorted(slices.Values([]string{a, b}))},
	} {
		if got, err := two.store.Orphans(two.ctx, c.live); err != nil || !slices.Equal(got, c.orphans) {
			t.Errorf("while %v live, %v are left: %v", c.live, got, err)
		}
	}
	one.must(one.store.Disown(one.ctx, a, one.epochs[a]))
	epoch, err := two.store.OwnFree(two.ctx, a)
	if err != nil || epoch <= one.epochs[a] {
		t.Errorf("what is free is owned under %d: %v", epoch, err)
	}
	one.must(one.store.Disown(one.ctx, a, one.epochs[a])) // late: it is two's
	if holder, err := one.store.Holder(one.ctx, a); holder != "two" || err != nil {
		t.Errorf("%q holds it: %v", holder, err)
	}
}

// Who was inside when a server ended has to come back; whoever is inside with other servers stays.
func TestAServerOfSeveralStartsAgain(t *testing.T) { everywhere(t, testAServerOfSeveralStartsAgain) }

func testAServerOfSeveralStartsAgain(t *testing.T, at place) {
	one, two := newWorld(t, at.as("one")), newWorld(t, at.as("two"))
	left, goesOn, letGo := one.inside(), two.inside(), two.inside()
	two.must(two.store.Disown(two.ctx, letGo, two.epochs[letGo]))
	again := open(t, at.as("one"))
	for session, want := range map[string]int{left: 0, goesOn: 1, letGo: 0} {
		if _, standing, err := again.GetPlan(one.ctx, session); err != nil || standing.Inside != want {
			t.Errorf("%d are inside %s, want %d: %v", standing.Inside, session, want, err)
		}
	}
	if held, err := again.Held(one.ctx); err != nil || len(held) > 0 {
		t.Errorf("it holds %v, %v", held, err)
	}
	if held, err := two.store.Held(two.ctx); err != nil || len(held) != 1 {
		t.Errorf("the other one holds %v, %v", held, err)
	}
}
