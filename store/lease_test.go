package store_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

func TestAFormerOwnerIsRefused(t *testing.T) { everywhere(t, testAFormerOwnerIsRefused) }

func testAFormerOwnerIsRefused(t *testing.T, at place) {
	w, other := newWorld(t, at), open(t, at) // two servers
	session, bystander := w.newSession(), w.newSession()
	w.must(w.append(session, spoke(1)))
	w.must(w.append(bystander, spoke(1)))
	former := w.epochs[session]
	latter := own(t, other, session)
	if latter <= former {
		t.Fatalf("epoch %d after %d", latter, former)
	}
	for _, epoch := range []int64{former, 0, -1, latter + 1} {
		if err := appendAll(w.store, session, epoch, spoke(2)); !errors.Is(err, room.ErrNotOwner) {
			t.Errorf("an append of epoch %d: %v", epoch, err)
		}
	}
	w.must(appendAll(other, session, latter, spoke(2)))
	if err := appendAll(w.store, session, former, spoke(3)); !errors.Is(err, room.ErrNotOwner) {
		t.Errorf("an append that would follow: %v", err)
	}
	w.must(w.append(bystander, spoke(2)))
	got, err := w.store.Load(w.ctx, session)
	if err != nil || len(got) != 2 {
		t.Errorf("the journal is %v, %v", got, err)
	}
}

func TestNobodyOwnsASessionThatIsNotThere(t *testing.T) { everywhere(t, testNobodyOwnsNothing) }

func testNobodyOwnsNothing(t *testing.T, at place) {
	w := newWorld(t, at)
	for _, id := range []string{"", newID(), "\x00", "\xff"} {
		if epoch, err := w.store.Own(w.ctx, id); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("owned %q: %d, %v", id, epoch, err)
		}
		if err := appendAll(w.store, id, 1, spoke(1)); !errors.Is(err, room.ErrNotOwner) {
			t.Errorf("appended to %q: %v", id, err)
		}
		if _, _, err := w.store.GetPlan(w.ctx, id); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("the plan of %q: %v", id, err)
		}
	}
}

// Where one server is left of several, or a backup of several is put back, nothing waits for the others.
func TestTheOnlyServerFreesAll(t *testing.T) { everywhere(t, testTheOnlyServerFreesAll) }

func testTheOnlyServerFreesAll(t *testing.T, at place) {
	many := at
	many.config.Node = "one"
	w := newWorld(t, many)
	session := w.newSession()
	own(t, w.store, session)
	for _, c := range []struct{ opens, holder string }{{"two", "one"}, {"", ""}} {
		at.config.Node = c.opens
		if node, err := open(t, at).Holder(w.ctx, session); err != nil || node != c.holder {
			t.Errorf("the server %q finds it held by %q, %v", c.opens, node, err)
		}
	}
}

// Two servers take a session from each other and append as fast as they can. The journal has what was acknowledged to
// either, each event by the one who was told so.
func TestTwoOwnersNeverBothWrite(t *testing.T) { everywhere(t, testTwoOwnersNeverBothWrite) }

func testTwoOwnersNeverBothWrite(t *testing.T, at place) {
	const turns = 40
	w, other := newWorld(t, at), open(t, at)
	session := w.newSession()
	var mu sync.Mutex // guards told
	told := map[int64]string{}
	var servers sync.WaitGroup
	for name, s := range map[string]room.Journal{"one": w.store, "two": other} {
		servers.Go(func() {
			for range turns {
				epoch, err := s.Own(w.ctx, session)
				if err != nil {
					t.Error(err)
					return
				}
				stored, err := s.Load(w.ctx, session)
				if err != nil {
					t.Error(err)
					return
				}
				for seq := int64(len(stored)) + 1; ; seq++ {
					err := appendAll(s, session, epoch, spokeBy(name, seq))
					if errors.Is(err, room.ErrNotOwner) || err == nil && seq > int64(len(stored))+3 {
						break
					}
					if err != nil {
						t.Errorf("event %d of %s: %v", seq, name, err)
						return
					}
					mu.Lock()
					told[seq] = name
					mu.Unlock()
				}
			}
		})
	}
	servers.Wait()
	got, err := w.store.Load(w.ctx, session)
	w.must(err)
	if len(got) < turns {
		t.Errorf("only %d events", len(got))
	}
	for seq, name := range told {
		if seq > int64(len(got)) || got[seq-1].By != name {
			t.Fatalf("event %d was acknowledged to %s, and is not there", seq, name)
		}
	}
}

func spokeBy(name string, seq int64) event.Event {
	e := spoke(seq)
	e.By = name
	return e
}
