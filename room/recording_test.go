package room

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

var agreed = event.Hello{Consent: event.Agreed}

func (m *sim) recording(state event.RecordingState, by string) {
	m.t.Helper()
	if r := m.s.view.Recording; r.State != state || r.By != by {
		m.t.Fatalf("got %+v, want %s by %q", r, state, by)
	}
}

func TestRecordingNeedsEverybody(t *testing.T) {
	m := newSim(t, testPlan())
	m.enter(focal, agreed)
	m.enter(peer, agreed)
	m.refused("forbidden", peer, event.RecordingStart{})
	wantNames(t, m.do(focal, event.RecordingStart{}), "recording.changed")
	m.recording(event.RecordingOn, focal)
	wantNames(t, m.enter(coach, agreed), "member.joined")
	wantNames(t, m.do(peer, event.MemberConsent{}), "recording.changed", "member.withdrew")
	m.recording(event.OffTheRecord, "")
	if m.s.view.Recording.Reason == "" {
		t.Fatal("nobody is told why")
	}
	m.lose(peer) // only away
	m.refused("conflict", focal, event.RecordingStart{})
	m.enter(peer, agreed) // what was said at the door does not undo what was said since
	m.refused("conflict", focal, event.RecordingStart{})
	m.do(peer, event.MemberLeave{})
	m.do(focal, event.RecordingStart{})
	wantNames(t, m.enter(observer, event.Hello{Consent: event.Declined}), "recording.changed", "member.joined")
	m.refused("conflict", focal, event.RecordingStart{})
	m.do(observer, event.MemberConsent{Agree: true})
	if m.enter(peer, agreed); m.s.notAgreed() != 0 {
		t.Fatal("who came in anew and agreed at the door has not agreed")
	}
	m.checkJournal()
}

// Where somebody has not been asked, the start of a recording asks them, and happens once nobody is left to answer.
func TestRecordingAsks(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer, peer2, coach)
	wantNames(t, m.do(focal, event.RecordingStart{}), "member.changed", "recording.changed")
	m.recording(event.Asking, focal)
	wantNames(t, m.do(coach, event.RecordingStart{})) // is asked already
	wantNames(t, m.do(peer, event.MemberConsent{Agree: true}), "member.changed")
	wantNames(t, m.do(peer2, event.MemberLeave{}), "member.left")
	wantNames(t, m.do(coach, event.MemberConsent{Agree: true}), "member.changed", "recording.changed")
	m.recording(event.RecordingOn, focal)

	m.do(focal, event.RecordingStop{})
	m.join(peer2)
	m.do(coach, event.RecordingStart{})
	m.recording(event.Asking, coach)
	wantNames(t, m.do(peer2, event.MemberConsent{}), "recording.changed", "member.changed")
	m.recording(event.NotRecording, "")
	m.refused("conflict", coach, event.RecordingStart{})

	m.do(peer2, event.MemberLeave{})
	m.join(lead)
	m.do(coach, event.RecordingStart{})
	wantNames(t, m.do(peer, event.RecordingStop{}), "recording.changed")
	m.recording(event.NotRecording, peer)
	m.do(coach, event.RecordingStart{})
	wantNames(t, m.do(coach, event.MemberLeave{}), "member.left", "recording.changed")
	if m.s.view.Recording.State != event.NotRecording {
		t.Fatal("whoever asked has left, and the question stays")
	}
	m.checkJournal()
}

// Who comes while a recording is on is asked, and takes nobody off the record by that.
func TestRecordingGoesOnWithoutWhoComesLate(t *testing.T) {
	m := newSim(t, testPlan())
	m.enter(focal, agreed)
	m.do(focal, event.RecordingStart{})
	wantNames(t, m.enter(peer, event.Hello{}), "member.joined")
	m.recording(event.RecordingOn, focal)
	wantNames(t, m.do(peer, event.MemberConsent{Agree: true}), "member.changed")
	m.join(peer2)
	wantNames(t, m.do(peer2, event.MemberConsent{}), "recording.changed", "member.changed")
	m.recording(event.OffTheRecord, "")
	m.checkJournal()
}

// Anybody takes the conversation off the record; back on it, whoever did so, and whoever may start a recording.
func TestOffTheRecord(t *testing.T) {
	m := newSim(t, testPlan())
	m.enter(focal, agreed)
	m.enter(observer, agreed)
	m.enter(peer, agreed)
	m.do(focal, event.RecordingStart{})
	wantNames(t, m.do(observer, event.RecordingStop{}), "recording.changed")
	wantNames(t, m.do(observer, event.RecordingStop{}))
	m.recording(event.OffTheRecord, observer)
	m.refused("forbidden", peer, event.RecordingStart{})
	m.do(observer, event.RecordingStart{})
	m.do(peer, event.RecordingStop{})
	m.refused("forbidden", observer, event.RecordingStart{})
	m.do(focal, event.RecordingStart{})
	m.recording(event.RecordingOn, focal)
	m.checkJournal()
}

// Who takes their consent back takes what they wrote with them, if they want that.
func TestWithdraw(t *testing.T) {
	m := newSim(t, testPlan())
	m.enter(focal, agreed)
	m.enter(peer, agreed)
	write := func(who string) string {
		id := m.id()
		m.do(who, event.NoteAdd{ID: id, Type: event.Question, Visibility: event.Shared, Text: "?"})
		return id
	}
	own, others := write(peer), write(focal)
	m.do(peer, event.NoteReply{Note: others, ID: m.id(), Text: "!"})
	events, err := m.s.Withdraw(Env{Now: m.now, Wall: 77}, peer, false)
	if err != nil || len(events) != 1 || events[0].By != peer || events[0].Body.(event.MemberWithdrew).When != 77 {
		t.Fatalf("%v, %v", events, err)
	}
	m.keep(events)
	if n, ok := m.s.view.Note(own); !ok || n.Text != "?" {
		t.Fatal("notes have gone that were to stay")
	}
	again, err := m.s.Withdraw(m.env(), peer, false)
	if err != nil || len(again) > 0 {
		t.Fatalf("again: %v, %v", again, err)
	}
	again, err = m.s.Withdraw(m.env(), peer, true)
	wantNames(t, m.keep(again), "member.withdrew")
	if _, ok := m.s.view.Note(own); ok || err != nil {
		t.Fatal("notes have stayed that were to go")
	}
	if n, _ := m.s.view.Note(others); len(n.Replies) > 0 {
		t.Fatal("a reply has stayed")
	}
	if _, err := m.s.Withdraw(m.env(), coach, true); codeOf(err) != "not_found" {
		t.Fatalf("who was not here: %v", err)
	}
	m.checkJournal()
}

// Consent is taken back of a session that runs, that nobody is in, and that has ended; the journal keeps the proof.
func TestWithdrawAtAnyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, time.Millisecond)
		var seen observed
		l.open(Config{Observe: seen.add})
		r, conn := l.welcomed(peer)
		_, lead := l.welcomed(focal)
		files := []event.ErasedFile{{ID: l.id(), Source: "audio", Start: 1, End: 2, Bytes: 3, SHA256: "ab"}}
		withdraw := func(when, member string, want ...string) {
			t.Helper()
			before := len(l.stored())
			if err := l.house.Withdraw(t.Context(), session, member, true); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if err := l.house.Erased(t.Context(), session, event.RecordingErased{Member: member, Until: 9, Files: files}); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			wantNames(t, l.stored()[before:], want...)
		}
		withdraw("in the session", peer, "member.withdrew", "recording.erased")
		synctest.Wait()
		told := func(name string) bool {
			return slices.ContainsFunc(conn.take(), func(f frame) bool { return f.Type == name })
		}
		if !told("recording.erased") {
			t.Fatal("members are not told")
		}
		r.Handle(peer, conn, l.id(), event.MemberLeave{})
		r.Disconnect(focal, lead)
		time.Sleep(time.Hour)
		<-r.Done()
		withdraw("while nobody is there", focal, "member.withdrew", "recording.erased")
		time.Sleep(time.Hour)

		r, lead = l.welcomed(focal)
		r.Handle(focal, lead, l.id(), event.SessionEnd{})
		<-r.Done()
		withdraw("afterwards", focal, "member.withdrew", "recording.erased")
		all := l.stored()
		if _, err := New(all); err != nil {
			t.Fatal(err)
		}
		end, last := all[len(all)-3], all[len(all)-1]
		if event.Name(end.Body) != "session.ended" || last.At != end.At || last.Body.(event.RecordingErased).When == 0 {
			t.Fatalf("got %+v after %+v", last, end)
		}
		if got := names(seen.all()); !slices.Contains(got, "session.ended") || got[len(got)-1] != "recording.erased" {
			t.Fatalf("the observer is told %v", got)
		}
		hold := func(on bool) {
			t.Helper()
			if err := l.house.LegalHold(t.Context(), session, on, "A complaint."); err != nil {
				t.Fatal(err)
			}
		}
		hold(true)
		before := len(l.stored())
		if err := l.house.Erased(t.Context(), session, event.RecordingErased{Member: focal, Until: 9}); err == nil || len(l.stored()) != before {
			t.Errorf("under a legal hold it is proved that a recording is gone: %v", err)
		}
		hold(false)
		withdraw("after a legal hold", focal, "member.withdrew", "recording.erased")
		if err := l.house.Withdraw(t.Context(), session, coach, true); codeOf(err) != "not_found" {
			t.Fatalf("who was not here: %v", err)
		}
	})
}
