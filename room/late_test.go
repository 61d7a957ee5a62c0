package room

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

func wantCode(t *testing.T, frames []frame, id, want string) {
	t.Helper()
	got := ""
	if p := replyTo(t, frames, id).Error; p != nil {
		got = p.Code
	}
	if got != want {
		t.Fatalf("command %s is answered with %q, want %q", id, got, want)
	}
}

func question(id int) event.NoteAdd {
	return event.NoteAdd{ID: testID(id), Type: event.Question, Visibility: event.Shared, Text: "?"}
}

// The journal is away for ten minutes. Nobody is sent away; what is asked for is answered as not saved within a bounded time, and
// nothing of it is seen before it is durable; afterwards all is as before, for those who stayed connected.
func TestTheJournalIsAwayForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		_, b := l.welcomed(peer)
		a.take()
		comesBack := l.journal.goesAway()
		r.Handle(focal, a, testID(1), question(11))
		r.Handle(focal, a, testID(1), question(11))
		r.Handle(focal, a, testID(2), event.MemberRemove{Member: testID(77)})
		r.Tell(event.MemberSpeaking{Members: []string{focal}})
		time.Sleep(patience - time.Millisecond)
		synctest.Wait()
		wantTypes(t, a.take())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		late := a.take()
		wantTypes(t, late, "reply", "reply", "reply", "member.speaking")
		wantCode(t, late, testID(1), "unavailable")
		wantCode(t, late, testID(2), "not_found")

		r.Handle(focal, a, testID(3), question(13))
		r.Tell(event.MemberSpeaking{Members: []string{}})
		synctest.Wait()
		late = a.take()
		wantTypes(t, late, "reply", "member.speaking")
		wantCode(t, late, testID(3), "unavailable")
		wantTypes(t, b.take(), "member.speaking", "member.speaking")
		if err := l.house.Keep(t.Context(), session, focal, 7); codeOf(err) != "unavailable" {
			t.Errorf("a change is answered with %v", err)
		}
		time.Sleep(10 * time.Minute)
		if v := l.told(r); len(v.Notes) > 0 || a.reason()+b.reason() != "" {
			t.Fatalf("they see %v, and are told %q %q", v.Notes, a.reason(), b.reason())
		}

		comesBack()
		l.settle()
		wantTypes(t, a.take(), "note.added")
		wantTypes(t, b.take(), "note.added")
		r.Handle(focal, a, testID(1), question(11)) // what was saved after all is saved once
		r.Handle(focal, a, testID(3), question(13)) // what was not done is done now
		l.settle()
		again := a.take()
		wantTypes(t, again, "reply", "note.added", "reply")
		wantCode(t, again, testID(1), "")
		wantCode(t, again, testID(3), "")
	})
}

// What is only measured, and what is refused anyway, fills no memory however long the journal is away.
func TestWhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		r.Handle(focal, a, l.id(), event.RecordingStart{})
		l.settle()
		comesBack := l.journal.goesAway()
		r.Handle(focal, a, l.id(), question(11))
		time.Sleep(patience)
		synctest.Wait()
		for range 1000 {
			now := int64(r.Now())
			r.Spoke(event.Speech{Member: focal, From: now - 900, To: now})
			r.Tell(event.MemberSpeaking{Members: []string{focal}})
			r.Handle(focal, a, l.id(), question(12))
			r.Handle(focal, a, l.id(), event.RecordingStop{})
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := len(r.queue); n != 2 { // the note, and that they are off the record
			t.Errorf("%d batches wait", n)
		}
		comesBack()
		l.settle()
		if v := l.told(r); len(v.Notes) != 1 || v.Recording.State != event.OffTheRecord || r.late {
			t.Errorf("they see %v, %v", v.Notes, v.Recording)
		}
	})
}

// While the journal is away, whoever is inside as far as everybody knows comes in again, to what everybody knows. Nobody else does.
func TestComingBackWhileTheJournalIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		_, b := l.welcomed(peer)
		a.take()
		comesBack := l.journal.goesAway()
		r.Handle(focal, a, l.id(), question(11))
		r.Disconnect(peer, b)
		waits := &testConn{}
		l.enter(peer, waits)
		time.Sleep(patience)
		synctest.Wait()
		wantTypes(t, waits.take(), "welcome") // though their coming in is not durable
		_, again := l.welcomed(peer)
		if waits.reason() != "replaced" {
			t.Errorf("the connection before is told %q", waits.reason())
		}
		_, err := l.house.Connect(t.Context(), session, Identity{ID: coach, Name: "New", Role: event.Coach}, &testConn{}, event.Hello{})
		if codeOf(err) != "unavailable" {
			t.Errorf("somebody new: %v", err)
		}
		a.take()
		comesBack()
		l.settle()
		want := []string{"note.added", "member.lost", "member.joined", "member.joined"}
		wantTypes(t, a.take(), want...)
		wantTypes(t, again.take(), want...)
		r.Handle(peer, again, testID(1), event.MemberHand{Up: true})
		l.settle()
		if m := l.member(r, peer); m.Presence != event.Here || m.Hand == 0 {
			t.Errorf("who came back is %+v", m)
		}
	})
}

// A room whose journal is away ends when somebody else has the session, and when the server stops its house waits no longer than it is
// given.
func TestARoomEndsWhileTheJournalIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		comesBack := l.journal.goesAway()
		r.Handle(focal, a, l.id(), question(11))
		time.Sleep(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		if err := l.house.Close(ctx); err == nil || a.reason() != "" {
			t.Errorf("the house closes with %v, and %q is said though the call can go on", err, a.reason())
		}
		l.house.Abandon(session)
		synctest.Wait()
		if a.reason() != "restarting" {
			t.Errorf("who has to go elsewhere is told %q", a.reason())
		}
		comesBack()
		<-r.Done()
	})
}

// A session that has ended is changed as one that goes on: whoever waits for too long is told so, and what was asked for may be done later.
func TestChangesAfterTheEndWaitBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		r.Handle(focal, a, l.id(), event.SessionEnd{})
		<-r.Done()
		comesBack := l.journal.goesAway()
		began := time.Now()
		if err := l.house.Keep(t.Context(), session, focal, 7); codeOf(err) != "unavailable" || time.Since(began) != patience {
			t.Errorf("answered with %v after %v", err, time.Since(began))
		}
		comesBack()
		l.settle()
		if err := l.house.Keep(t.Context(), session, focal, 8); err != nil {
			t.Error(err)
		}
		wantNames(t, l.stored()[len(l.stored())-2:], "keeping.changed", "keeping.changed")
	})
}
