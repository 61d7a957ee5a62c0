package room

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestNobodySeesWhatIsNotDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Second)
		conn := &testConn{}
		r := l.enter(focal, conn)
		time.Sleep(1500 * time.Millisecond) // opened is stored, joined is not
		synctest.Wait()
		wantTypes(t, conn.take())
		l.settle()
		wantTypes(t, conn.take(), "welcome")

		r.Handle(focal, conn, testID(1), event.MemberHand{Up: true})
		r.Handle(focal, conn, testID(2), event.PlaybackStop{}) // changes nothing, but its reply keeps its place
		r.Handle(focal, conn, testID(3), event.MemberType{What: "note"})
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		wantTypes(t, conn.take())
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		wantTypes(t, conn.take(), "member.changed", "reply", "reply", "member.typing", "reply")
	})
}

// The journal says when something happened, not when it was stored; replays go by it.
func TestEventsHaveTheTimeAtWhichTheyHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 400*time.Millisecond)
		r, conn := l.welcomed(focal)
		var happened []int64
		for i := range 12 {
			time.Sleep(173 * time.Millisecond)
			happened = append(happened, int64(r.Now()))
			r.Handle(focal, conn, l.id(), event.MemberHand{Up: i%2 == 0})
			synctest.Wait()
		}
		l.settle()
		var journalled []int64
		for _, e := range l.stored() {
			if event.Name(e.Body) == "member.changed" {
				journalled = append(journalled, e.At)
			}
		}
		if !slices.Equal(journalled, happened) {
			t.Errorf("journalled at %v, happened at %v", journalled, happened)
		}
	})
}

func TestMembersFoldWhatTheRoomHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 10*time.Millisecond)
		conns := map[string]*testConn{}
		var r *Room
		for _, id := range []string{focal, lead, peer} {
			conns[id] = &testConn{}
			r = l.enter(id, conns[id])
			for _, to := range []event.Visibility{event.Shared, event.Coaches, event.Private} {
				r.Handle(id, conns[id], l.id(), event.NoteAdd{ID: l.id(), Type: event.Learning, Visibility: to, Text: string(to) + id})
			}
			l.settle()
		}
		r.Handle(focal, conns[focal], l.id(), event.PlaybackPlay{})
		time.Sleep(10 * time.Second) // starts without anybody ready, and holds at the pause
		synctest.Wait()
		r.Handle(peer, conns[peer], l.id(), event.MemberLeave{})
		l.settle()
		whole := l.told(r)
		if whole.Hold == nil || whole.Playback.Mode != event.Holding {
			t.Fatalf("got %+v", whole.Playback)
		}
		for _, id := range []string{focal, lead} {
			got, raw := foldFrames(t, conns[id].take())
			if want := viewFor(&whole, id); toJSON(got) != toJSON(want) {
				t.Errorf("%s folded\n%s\nwant %s", id, toJSON(got), toJSON(want))
			}
			for other := range conns {
				if other != id && bytes.Contains(raw, []byte("private"+other)) {
					t.Errorf("%s was sent a private note of %s", id, other)
				}
			}
		}
		if got := conns[peer].reason(); got != "left" {
			t.Errorf("who left was told %q", got)
		}
	})
}

// foldFrames folds what a connection was sent, and checks that it came in order.
func foldFrames(t *testing.T, frames []frame) (event.View, []byte) {
	t.Helper()
	var v event.View
	var seq int64
	var raw []byte
	for i, f := range frames {
		raw = append(raw, f.raw...)
		if f.Type == "reply" {
			continue
		}
		if i == 0 {
			var w event.Welcome
			if err := json.Unmarshal(f.Data, &w); err != nil {
				t.Fatal(err)
			}
			v, seq = w.View, w.Seq
			continue
		}
		var e event.Event
		if err := json.Unmarshal(f.raw, &e); err != nil {
			t.Fatal(err)
		}
		if e.Seq != 0 && e.Seq <= seq {
			t.Fatalf("event %d after %d", e.Seq, seq)
		}
		seq = max(seq, e.Seq)
		v.Fold(e)
	}
	return v, raw
}

// A second house takes the session over: what the first one does from then on is not stored, and its members come back.
func TestAFormerOwnerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 10*time.Millisecond)
		former, a := l.welcomed(focal)
		l.open(Config{})
		latter, b := l.welcomed(peer)
		before := len(l.stored())
		former.Handle(focal, a, testID(1), event.MemberHand{Up: true})
		l.settle()
		if left := a.take(); len(left) > 0 || a.reason() != "restarting" || len(l.stored()) != before {
			t.Fatalf("the former owner said %v, then %q", types(left), a.reason())
		}
		<-former.Done()
		latter.Handle(peer, b, testID(2), event.MemberHand{Up: true})
		l.settle()
		if p := replyTo(t, b.take(), testID(2)); p.Error != nil || l.member(latter, focal).Hand != 0 {
			t.Fatalf("the owner answered %v, and shows %v", p, l.told(latter).Members)
		}
	})
}

// Somebody else has the session, as is known from elsewhere, while the journal does not answer: members do not wait for it.
func TestAbandonedMembersComeBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		l.journal.delay = time.Hour
		r.Handle(focal, a, testID(1), event.MemberHand{Up: true})
		l.house.Abandon(session)
		synctest.Wait()
		if left := a.take(); len(left) > 0 || a.reason() != "restarting" {
			t.Errorf("they were told %v, then %q", types(left), a.reason())
		}
		l.house.Abandon("another session")
		<-r.Done()
	})
}

func TestFailedAppendIsNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 10*time.Millisecond)
		r, a := l.welcomed(focal)
		_, b := l.welcomed(peer)
		a.take()
		l.journal.setFull(true)
		add := event.NoteAdd{ID: testID(6), Type: event.Question, Visibility: event.Shared, Text: "lost?"}
		r.Handle(focal, a, testID(1), add)
		r.Handle(focal, a, testID(2), event.MemberHand{Up: true})
		l.settle()
		if len(a.take())+len(b.take()) > 0 || a.reason() != "unavailable" || b.reason() != "unavailable" {
			t.Fatalf("somebody was told what is not durable, or not brought back: %q %q", a.reason(), b.reason())
		}
		<-r.Done()
		l.journal.setFull(false)
		again, a := l.welcomed(focal)
		if again == r {
			t.Fatal("the room that failed goes on")
		}
		if v := l.told(again); len(v.Notes) != 0 {
			t.Fatalf("got %v", v.Notes)
		}
		again.Handle(focal, a, testID(1), add) // the client tries again
		l.settle()
		if answer := replyTo(t, a.take(), testID(1)); answer.Error != nil {
			t.Fatalf("got %+v", answer.Error)
		}
	})
}

func TestSlowConnectionIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		slow := &testConn{room: 2}
		l.enter(peer, slow)
		l.settle()
		a.take()
		r.Handle(focal, a, l.id(), event.MemberHand{Up: true})
		r.Handle(focal, a, l.id(), event.MemberHand{})
		l.settle()
		if slow.reason() != "too_slow" {
			t.Fatalf("got %q", slow.reason())
		}
		wantTypes(t, a.take(), "member.changed", "reply", "member.changed", "reply", "member.lost")
		_, again := l.welcomed(peer)
		wantTypes(t, a.take(), "member.joined")
		r.Disconnect(peer, slow) // the edge notices later
		l.settle()
		if wantTypes(t, a.take()); again.reason() != "" {
			t.Fatalf("got %q", again.reason())
		}
	})
}

func TestNewerConnectionReplaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, old := l.welcomed(focal)
		_, conn := l.welcomed(focal)
		if old.reason() != "replaced" {
			t.Fatalf("got %q", old.reason())
		}
		r.Handle(focal, old, l.id(), event.MemberHand{Up: true})
		r.Disconnect(focal, old)
		l.settle()
		if wantTypes(t, conn.take()); len(old.take()) > 0 {
			t.Fatal("the old connection still counts")
		}
		r.Disconnect(focal, conn)
		l.settle()
		if in := l.inside(); len(in) != 1 || in[0].Presence != event.Away {
			t.Fatalf("got %+v", in)
		}
	})
}

func TestALateHelloTakesNobodysPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		comes := func(page string, attempt int64) (*testConn, error) {
			conn := &testConn{}
			_, err := l.house.Connect(t.Context(), session, Identity{ID: focal, Name: "Name", Role: roleOf[focal]}, conn,
				event.Hello{Page: page, Attempt: attempt})
			l.settle()
			return conn, err
		}
		second, err := comes("a", 2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := comes("a", 1); codeOf(err) != "conflict" || second.reason() != "" {
			t.Fatalf("got %v, and the newer connection was told %q", err, second.reason())
		}
		third, err := comes("a", 3)
		if err != nil || second.reason() != "replaced" {
			t.Fatalf("got %v, and the older connection was told %q", err, second.reason())
		}
		if _, err := comes("b", 1); err != nil || third.reason() != "replaced" {
			t.Fatalf("another window: got %v, and the first was told %q", err, third.reason())
		}
		if _, err := comes(strings.Repeat("p", maxPage+1), 1); codeOf(err) != "invalid" {
			t.Fatalf("got %v", err)
		}
	})
}

func TestRepeatedCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 50*time.Millisecond)
		r, conn := l.welcomed(peer)
		add := event.NoteAdd{ID: testID(6), Type: event.Question, Visibility: event.Shared, Text: "?"}
		r.Handle(peer, conn, testID(1), add)
		r.Handle(peer, conn, testID(1), add) // before the first is durable
		r.Handle(peer, conn, testID(2), event.PlaybackPlay{})
		r.Handle(peer, conn, testID(2), event.PlaybackPlay{})
		l.settle()
		frames := conn.take()
		wantTypes(t, frames, "note.added", "reply", "reply", "reply", "reply")
		for i, want := range []string{"", "", "forbidden", "forbidden"} {
			var a event.Answered
			if err := json.Unmarshal(frames[i+1].Data, &a); err != nil {
				t.Fatal(err)
			}
			if a.Error == nil && want != "" || a.Error != nil && a.Error.Code != want {
				t.Errorf("reply %d: got %+v, want %q", i, a.Error, want)
			}
		}
		if err := l.house.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.open(Config{})
		again, conn := l.welcomed(peer)
		again.Handle(peer, conn, testID(1), add) // after a restart
		l.settle()
		wantTypes(t, conn.take(), "reply")
		again.Handle(peer, conn, "7", add)
		l.settle()
		if a := replyTo(t, conn.take(), "7"); a.Error == nil || a.Error.Code != "invalid" {
			t.Fatalf("got %+v", a)
		}
	})
}

func TestRemovedAndEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 10*time.Millisecond)
		r, a := l.welcomed(focal)
		_, b := l.welcomed(peer)
		_, c := l.welcomed(coach)
		r.Handle(focal, a, testID(1), event.MemberRemove{Member: peer})
		r.Handle(peer, b, testID(2), event.MemberHand{Up: true})
		l.settle()
		if wantTypes(t, b.take(), "member.joined", "member.removed"); b.reason() != "removed" {
			t.Fatalf("got %q", b.reason())
		}
		if in := l.inside(); len(in) != 2 {
			t.Fatalf("got %+v", in)
		}
		_, err := l.house.Connect(t.Context(), session, Identity{ID: peer, Role: event.Peer}, b, event.Hello{})
		if codeOf(err) != "forbidden" {
			t.Fatalf("got %v", err)
		}
		a.take()
		r.Handle(focal, a, testID(3), event.SessionEnd{})
		r.Handle(coach, c, testID(4), event.MemberHand{Up: true})
		<-r.Done()
		wantTypes(t, a.take(), "session.ended", "reply")
		if a := replyTo(t, c.take(), testID(4)); a.Error == nil || a.Error.Code != "ended" || c.reason() != "ended" {
			t.Fatalf("got %+v, %q", a.Error, c.reason())
		}
		_, err = l.house.Connect(t.Context(), session, Identity{ID: focal, Role: event.Focal}, a, event.Hello{})
		if codeOf(err) != "ended" || len(l.inside()) > 0 {
			t.Fatalf("got %v", err)
		}
	})
}

func TestRightsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		_, b := l.welcomed(peer)
		wantTypes(t, a.take(), "member.joined")
		r.Handle(focal, a, l.id(), event.ControlsGive{To: peer})
		l.settle()
		frames := b.take()
		wantTypes(t, frames, "controls.changed", "you.changed")
		var you event.YouChanged
		if err := json.Unmarshal(frames[1].Data, &you); err != nil || !slices.Contains(you.May, event.Drive) {
			t.Fatalf("got %+v, %v", you, err)
		}
		a.take()
		l.welcomed(lead)
		wantTypes(t, a.take(), "member.joined", "you.changed") // the focal teacher no longer continues after a pause
	})
}

func TestLeadFollowsTheWorstRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		r, a := l.welcomed(focal)
		_, b := l.welcomed(peer)
		at := func(rtt float64) int64 {
			r.RTT(focal, a, 20)
			r.RTT(peer, b, rtt)
			r.Handle(focal, a, l.id(), event.PauseCall{})
			l.settle()
			v := l.told(r)
			r.Handle(focal, a, l.id(), event.HoldConfirm{Hold: v.Hold.ID, Frame: v.Hold.Frame, Seq: v.Hold.Seq})
			r.Handle(peer, b, l.id(), event.HoldConfirm{Hold: v.Hold.ID, Frame: v.Hold.Frame, Seq: v.Hold.Seq})
			time.Sleep(time.Second)
			synctest.Wait()
			now := int64(r.Now())
			r.Handle(focal, a, l.id(), event.HoldContinue{Hold: v.Hold.ID})
			l.settle()
			if v = l.told(r); v.Playback.Mode != event.Playing {
				t.Fatalf("got %+v", v.Playback)
			}
			return v.Playback.At - now - turnFor - startLead
		}
		for rtt, want := range map[float64]int64{0: 82, 100: 130, 1000: 670, 5000: 800, 1e300: 800, -7: 82} {
			r.RTT(peer, b, 0)
			if got := at(rtt); got != want {
				t.Errorf("round trip %v: lead %d, want %d", rtt, got, want)
			}
		}
	})
}

func TestTransientEventsAreOnlyTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 10*time.Millisecond)
		var seen observed
		l.open(Config{Observe: seen.add})
		r, a := l.welcomed(focal)
		r.Handle(focal, a, l.id(), event.RecordingStart{})
		l.settle()
		a.take()
		r.Tell(event.MemberSpeaking{Members: []string{focal}})
		r.Tell(event.SessionEnded{}) // not for the edge to say
		r.Spoke(event.Speech{Member: focal, From: 1, To: 1000})
		r.Tell(event.MemberQuality{Member: focal, Quality: "poor"})
		l.settle()
		wantTypes(t, a.take(), "member.speaking", "member.spoke", "member.quality")
		wantNames(t, seen.all(), "session.opened", "playback.changed", "member.joined", "member.changed", "recording.changed",
			"member.spoke")
	})
}

// A replay folds to what the room told.
func TestJournalOfALiveSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, 10*time.Millisecond)
		r, a := l.welcomed(focal)
		r.Handle(focal, a, l.id(), event.NoteAdd{ID: l.id(), Type: event.Learning, Visibility: event.Private, Text: "own"})
		l.settle()
		live := l.told(r)
		if len(live.Notes) != 1 || len(l.inside()) != 1 {
			t.Fatalf("got %+v", live)
		}
		if seen := viewFor(&live, coach); len(seen.Notes) != 0 || len(live.Notes) != 1 {
			t.Fatalf("a coach sees %+v", seen.Notes)
		}
		var before, folded event.View
		for _, e := range l.stored() {
			if seen, ok := Visible(&before, Viewer{focal, event.Focal}, e); ok {
				folded.Fold(seen)
			}
			before.Fold(e)
		}
		if toJSON(folded) != toJSON(live) {
			t.Fatalf("the journal folds to\n%s\nwant %s", toJSON(folded), toJSON(live))
		}
	})
}

// A member who switches on and off without end, or comes in without end, fills no journal; what switches off is always taken.
func TestARudeMemberIsKeptInBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Microsecond)
		r, conn := l.welcomed(focal)
		l.welcomed(peer)
		for range 500 {
			r.Handle(focal, conn, l.id(), event.MemberHand{Up: true})
			r.Handle(focal, conn, l.id(), event.MemberHand{})
			r.Handle(focal, conn, l.id(), event.MemberDevices{Mic: true})
			r.Handle(focal, conn, l.id(), event.MemberDevices{})
			r.Handle(focal, conn, l.id(), event.MemberConsent{Agree: true})
			r.Handle(focal, conn, l.id(), event.MemberConsent{})
			synctest.Wait()
		}
		l.settle()
		before := len(l.stored())
		if before > 20+2*paceBurst {
			t.Errorf("the journal has %d events", before)
		}
		if m := l.member(r, focal); m.Consent == event.Agreed || m.Mic || m.Hand != 0 {
			t.Errorf("what was switched off is on: %+v", m)
		}
		time.Sleep(paceEvery)
		r.Handle(focal, conn, l.id(), event.MemberHand{Up: true})
		l.settle()
		if m := l.member(r, focal); m.Hand == 0 {
			t.Error("after a while the hand cannot be raised")
		}

		refused := 0
		for range 500 {
			_, err := l.house.Connect(t.Context(), session, Identity{ID: peer, Name: "Name", Role: event.Peer}, &testConn{}, event.Hello{})
			if err != nil && codeOf(err) != "too_many" {
				t.Fatal(err)
			}
			if err != nil {
				refused++
			}
		}
		l.settle()
		if added := len(l.stored()) - before; refused < 500-paceBurst || added > 10+paceBurst {
			t.Errorf("%d of 500 were refused, %d events came of it", refused, added)
		}
		time.Sleep(paceEvery)
		l.welcomed(peer)
	})
}
