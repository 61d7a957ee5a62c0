package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

// spoke is an event that says little.
func spoke(seq int64) event.Event {
	return event.Event{Seq: seq, At: seq * 10, By: "m", Body: event.MemberSpoke{Speech: event.Speech{Member: "m", From: seq, To: seq + 1}}}
}

func (w *world) newSession() string {
	w.t.Helper()
	return w.plan(w.account("p-"+newID()), account.NewSession{}).Plan.ID
}

func TestJournalComesBack(t *testing.T) { everywhere(t, testJournalComesBack) }

func testJournalComesBack(t *testing.T, at place) {
	w := newWorld(t, at)
	session := w.newSession()
	var want []event.Event
	for i, body := range event.Bodies() {
		if !event.Transient(body) {
			want = append(want, event.Event{Seq: int64(len(want)) + 1, At: int64(i), By: "m", Cmd: "c", Body: body})
		}
	}
	w.must(w.append(session, want[:3]...))
	w.must(w.append(session, want[3:]...))
	got, err := w.store.Load(w.ctx, session)
	w.must(err)
	if g, x := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != x {
		t.Errorf("got\n%s\nwant\n%s", g, x)
	}
	if again, err := open(t, at).Load(w.ctx, session); err != nil || len(again) != len(want) {
		t.Errorf("opened again, %d events, %v", len(again), err)
	}
}

func TestJournalIsDense(t *testing.T) { everywhere(t, testJournalIsDense) }

func testJournalIsDense(t *testing.T, at place) {
	w := newWorld(t, at)
	session := w.newSession()
	w.must(w.append(session, spoke(1), spoke(2)))
	for name, events := range map[string][]event.Event{
		"gap":         {spoke(4)},
		"duplicate":   {spoke(2)},
		"again":       {spoke(1), spoke(2)},
		"gap inside":  {spoke(3), spoke(5)},
		"transient":   {spoke(0)},
		"going back":  {spoke(3), spoke(2)},
		"no such one": nil,
	} {
		id := session
		if events == nil {
			id, events = newID(), []event.Event{spoke(1)}
		}
		if err := w.append(id, events...); err == nil {
			t.Errorf("%s was stored", name)
		}
	}
	w.must(w.append(session, spoke(3)))
	got, err := w.store.Load(w.ctx, session)
	if err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOneSessionsFaultIsNotAnothers(t *testing.T) {
	everywhere(t, testOneSessionsFaultIsNotAnothers)
}

func testOneSessionsFaultIsNotAnothers(t *testing.T, at place) {
	w := newWorld(t, at)
	good, bad := w.newSession(), w.newSession()
	w.must(w.append(bad, spoke(1)))
	for _, seq := range []string{"2", "1000"} {
		at.damage(t, `INSERT INTO journal SELECT session, `+seq+`, at, member, type, json FROM journal WHERE seq = 1 AND session = '`+bad+`'`)
	}
	mine, theirs := own(t, w.store, good), w.epochs[bad] // the writer remembers how far it was
	var all sync.WaitGroup
	for i := range int64(200) { // more than the first commit can take
		all.Add(2)
		w.store.Append(good, mine, []event.Event{spoke(i + 1)}, func(err error) {
			defer all.Done()
			if err != nil {
				t.Errorf("event %d: %v", i+1, err)
			}
		})
		w.store.Append(bad, theirs, []event.Event{spoke(i + 2)}, func(err error) {
			defer all.Done()
			if err == nil {
				t.Errorf("event %d was stored over another", i+2)
			}
		})
	}
	all.Wait()
}

func TestAfterAFailureNothingFollows(t *testing.T) { everywhere(t, testAfterAFailureNothingFollows) }

func testAfterAFailureNothingFollows(t *testing.T, at place) {
	w := newWorld(t, at)
	session := w.newSession()
	w.must(w.append(session, spoke(1)))
	var order []string
	end := make(chan struct{})
	note := func(name string) func(error) {
		return func(err error) { order = append(order, fmt.Sprint(name, err == nil)) } // one goroutine calls it
	}
	epoch := own(t, w.store, session)
	w.store.Append(session, epoch, []event.Event{spoke(2)}, note("a"))
	w.store.Append(session, epoch, []event.Event{spoke(4)}, note("b"))
	w.store.Append(session, epoch, []event.Event{spoke(5)}, note("c"))
	w.store.Append(session, epoch, nil, func(error) { close(end) })
	<-end
	if got := fmt.Sprint(order); got != "[atrue bfalse cfalse]" {
		t.Errorf("got %s", got)
	}
}

func TestManyRoomsAppendAtOnce(t *testing.T) { everywhere(t, testManyRoomsAppendAtOnce) }

func testManyRoomsAppendAtOnce(t *testing.T, at place) {
	const rooms, each = 16, 200
	w := newWorld(t, at)
	sessions := make([]string, rooms)
	for i := range sessions {
		sessions[i] = w.newSession()
	}
	var all sync.WaitGroup
	for _, session := range sessions {
		all.Go(func() { appendInOrder(t, w.store, session, each) })
	}
	all.Wait()
	for _, session := range sessions {
		if got, err := w.store.Load(w.ctx, session); err != nil || len(got) != each {
			t.Errorf("%d events, %v", len(got), err)
		}
	}
}

// appendInOrder appends without waiting and checks that the answers come in order.
func appendInOrder(t *testing.T, s *store.Store, session string, n int64) {
	epoch := own(t, s, session)
	var answered int64 // the journal's goroutine writes it; end hands it over
	end := make(chan struct{})
	for seq := int64(1); seq <= n; seq++ {
		s.Append(session, epoch, []event.Event{spoke(seq)}, func(err error) {
			if err != nil || answered != seq-1 {
				t.Errorf("event %d after %d: %v", seq, answered, err)
			}
			if answered = seq; seq == n {
				close(end)
			}
		})
	}
	<-end
}

func TestCloseStoresWhatWasAppended(t *testing.T) { everywhere(t, testCloseStoresWhatWasAppended) }

func testCloseStoresWhatWasAppended(t *testing.T, at place) {
	w := newWorld(t, at)
	s, err := store.Open(w.ctx, at.config)
	w.must(err)
	w2 := worldOf(t, s)
	session := w2.newSession()
	epoch := own(t, s, session)
	var all sync.WaitGroup
	for seq := int64(1); seq <= 100; seq++ {
		all.Add(1)
		s.Append(session, epoch, []event.Event{spoke(seq)}, func(err error) {
			defer all.Done()
			if err != nil {
				t.Errorf("event %d: %v", seq, err)
			}
		})
	}
	w.must(s.Close())
	all.Wait()
	if err := appendAll(s, session, epoch, spoke(101)); err == nil {
		t.Error("a closed store stored something")
	}
	if got, err := open(t, at).Load(w.ctx, session); err != nil || len(got) != 100 {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func TestLoadFindsAHole(t *testing.T) { everywhere(t, testLoadFindsAHole) }

func testLoadFindsAHole(t *testing.T, at place) {
	w := newWorld(t, at)
	session := w.newSession()
	w.must(w.append(session, spoke(1), spoke(2), spoke(3)))
	at.damage(t, `DELETE FROM journal WHERE seq = 2`)
	if got, err := w.store.Load(w.ctx, session); err == nil {
		t.Errorf("loaded %v", got)
	}
}

func TestLoadHeedsItsContext(t *testing.T) { everywhere(t, testLoadHeedsItsContext) }

func testLoadHeedsItsContext(t *testing.T, at place) {
	w := newWorld(t, at)
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := w.store.Load(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// The two halves run in one process on one disk, so that their ratio means something.
func BenchmarkAppend(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) { benchmarkAppend(b, kind.make(b)) })
	}
}

func benchmarkAppend(b *testing.B, at place) {
	s, err := store.Open(b.Context(), at.config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	planner := account.Account{ID: newID(), Name: "p", Email: "p"}
	inv := account.Invitation{Expires: planner.Created.AddDate(9000, 0, 0)}
	if err := errors.Join(s.AddInvitation(b.Context(), inv), s.AddAccount(b.Context(), planner, "x", inv.Hash)); err != nil {
		b.Fatal(err)
	}
	const rooms = 64
	b.Run("single", func(b *testing.B) { benchmarkRooms(b, s, planner, 1) })
	b.Run("group", func(b *testing.B) { benchmarkRooms(b, s, planner, rooms) })
}

// benchmarkRooms appends b.N events in all; every room waits for its answer before it goes on.
func benchmarkRooms(b *testing.B, s *store.Store, planner account.Account, rooms int) {
	sessions := make([]string, rooms)
	for i := range sessions {
		card, err := sessionsOf(s).Create(b.Context(), planner, account.NewSession{})
		if err != nil {
			b.Fatal(err)
		}
		sessions[i] = card.Plan.ID
	}
	b.ResetTimer()
	var all sync.WaitGroup
	for i, session := range sessions {
		epoch := own(b, s, session)
		n := b.N / rooms
		if i < b.N%rooms {
			n++
		}
		all.Go(func() {
			for seq := range int64(n) {
				if err := appendAll(s, session, epoch, spoke(seq+1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
