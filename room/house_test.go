package room

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestRestartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 100*time.Millisecond)
		r, a := l.welcomed(focal)
		r.Handle(focal, a, testID(1), event.MemberHand{Up: true})
		synctest.Wait()
		before := r.Now()
		if err := l.house.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTypes(t, a.take(), "member.changed", "reply") // what was under way still went out
		if a.reason() != "restarting" {
			t.Fatalf("got %q", a.reason())
		}
		if _, err := l.house.Connect(t.Context(), session, Identity{}, a, event.Hello{}); codeOf(err) != "unavailable" {
			t.Fatalf("got %v", err)
		}
		var seen observed
		l.open(Config{Observe: seen.add})
		time.Sleep(time.Minute)
		r, _ = l.welcomed(peer)
		if r.Now() < before+60_000 {
			t.Fatalf("session time went from %v to %v", before, r.Now())
		}
		wantNames(t, seen.all(), "member.lost", "member.joined")
		time.Sleep(awayFor * time.Millisecond)
		l.settle()
		wantNames(t, seen.all(), "member.lost", "member.joined", "member.left")
	})
}

// Whoever is told to come back finds the session free.
func TestFarewellWhenFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 100*time.Millisecond)
		r, a := l.welcomed(focal)
		disowned := false
		l.journal.disowning = func() {
			disowned = true
			if reason := a.reason(); reason != "" {
				t.Errorf("%q is said while nobody else can have the session", reason)
			}
		}
		r.Handle(focal, a, testID(1), event.MemberHand{Up: true})
		if err := l.house.LetGo(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		if !disowned || a.reason() != "restarting" {
			t.Errorf("disowned %t, told %q", disowned, a.reason())
		}
	})
}

func TestIdleRoomsAreEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, ok := l.house.Live(session); !ok {
			t.Fatal("a room was evicted with somebody in it")
		}
		r.Disconnect(focal, a)
		time.Sleep(awayFor*time.Millisecond + 59*time.Second)
		synctest.Wait()
		if _, ok := l.house.Live(session); !ok {
			t.Fatal("evicted too early")
		}
		time.Sleep(2 * time.Second)
		<-r.Done()
		if _, ok := l.house.Live(session); ok {
			t.Fatal("not evicted")
		}
		r.Handle(focal, a, l.id(), event.MemberHand{Up: true}) // nobody listens, nobody waits
		again, _ := l.welcomed(focal)
		if v := l.told(again); again == r || len(v.Members) != 1 || v.Members[0].Hand != 0 {
			t.Fatalf("got %+v", v.Members)
		}
	})
}

func TestUnknownSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		_, err := l.house.Connect(t.Context(), testID(77), Identity{ID: focal, Role: event.Focal}, &testConn{}, event.Hello{})
		if codeOf(err) != "not_found" {
			t.Fatalf("got %v", err)
		}
		if _, ok := l.house.Live(testID(77)); ok {
			t.Fatal("a session that is not there is live")
		}
	})
}

// Many come at once while the room is being evicted, over and over: everybody gets in.
func TestComingWhileTheRoomEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		for range 20 {
			results := make(chan error, len(everybody))
			for _, id := range everybody {
				leave := l.id()
				go func() {
					conn := &testConn{}
					r, err := l.house.Connect(t.Context(), session, Identity{ID: id, Role: roleOf[id]}, conn, event.Hello{})
					if err == nil {
						r.Handle(id, conn, leave, event.MemberLeave{})
					}
					results <- err
				}()
			}
			for range everybody {
				if err := <-results; err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute) // about when the room is evicted
		}
	})
}

func TestClockNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UnixMilli()
		for _, c := range []struct{ at, opened, want int64 }{
			{5000, now - 9000, 9000}, // a restart after 4 s
			{5000, now - 3000, 5000}, // the wall clock was set back
			{5000, now + 9000, 5000},
		} {
			clock := newClock(c.at, c.opened)
			if got := clock.micros(); got != c.want*1000 {
				t.Errorf("%+v: got %d", c, got)
			}
			time.Sleep(1500 * time.Microsecond)
			if got := clock.micros(); got != c.want*1000+1500 {
				t.Errorf("%+v: got %d", c, got)
			}
		}
	})
}

func TestConnectGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		l.journal.setFull(true)
		l.journal.delay = time.Hour
		r.Handle(focal, a, l.id(), event.MemberHand{Up: true})
		r.Handle(focal, a, l.id(), event.MemberHand{})
		time.Sleep(90 * time.Minute) // the first has failed, the second is under way: the journal is not at rest
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.house.Connect(ctx, session, Identity{ID: focal, Role: event.Focal}, &testConn{}, event.Hello{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	})
}
