package room

import (
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestComingAndGoing(t *testing.T) {
	m := newSim(t, testPlan())
	wantNames(t, m.enter(peer, event.Hello{Mic: true, Camera: true}), "member.joined")
	m.do(peer, event.MemberHand{Up: true})
	m.do(peer, event.MemberDevices{Mic: true, Screen: true})
	m.now = 1000
	wantNames(t, m.lose(peer), "member.lost")
	wantNames(t, m.lose(peer))
	m.refused("conflict", peer, event.MemberHand{})
	m.pass(awayFor - 1)
	wantNames(t, m.enter(peer, event.Hello{Camera: true}), "member.joined")
	if p, _ := m.s.view.Member(peer); p.Presence != event.Here || p.Joined != 1000+awayFor-1 || p.Mic || !p.Camera || p.Screen || p.Hand == 0 {
		t.Fatalf("got %+v", p)
	}
	m.lose(peer)
	wantNames(t, m.pass(awayFor-1))
	wantNames(t, m.pass(1), "member.left")
	if p, _ := m.s.view.Member(peer); p.Presence != event.Left || p.Mic || p.Camera || p.Hand != 0 {
		t.Fatalf("got %+v", p)
	}
	if m.s.Inside() {
		t.Fatal("somebody is inside")
	}
	wantNames(t, m.enter(peer, event.Hello{}), "member.joined")
	wantNames(t, m.do(peer, event.MemberLeave{}), "member.left")
	m.checkJournal()
}

func TestStrangersMayNothing(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	m.refused("forbidden", peer, event.MemberHand{Up: true})
	for _, who := range []Identity{{ID: "x", Role: event.Peer}, {ID: peer, Role: "admin"}, {Role: event.Peer}} {
		if _, err := m.s.Connect(m.env(), who, event.Hello{}); codeOf(err) != "invalid" {
			t.Errorf("%+v: got %v", who, err)
		}
	}
	if _, err := m.s.Apply(m.env(), focal, event.MemberHand{Up: true}, "7"); codeOf(err) != "invalid" {
		t.Errorf("got %v", err)
	}
}

func TestRemovedMembersStayOut(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, coach, peer)
	m.do(focal, event.ControlsGive{To: peer})
	m.refused("forbidden", coach, event.MemberRemove{Member: peer})
	m.refused("conflict", focal, event.MemberRemove{Member: focal})
	m.refused("not_found", focal, event.MemberRemove{Member: observer})
	wantNames(t, m.do(focal, event.MemberRemove{Member: peer}), "member.removed", "controls.changed")
	m.refused("forbidden", peer, event.MemberHand{Up: true})
	if _, err := m.s.Connect(m.env(), Identity{ID: peer, Role: event.Peer}, event.Hello{}); codeOf(err) != "forbidden" {
		t.Fatalf("got %v", err)
	}
	m.checkJournal()
}

func TestNamesAreCleaned(t *testing.T) {
	m := newSim(t, testPlan())
	for in, want := range map[string]string{
		"  Ada \u202eLove\nlace\x00 ": "Ada Love lace",
		"\u2066\u200f\r\n":            "Guest",
		strings.Repeat("ä", 100):      strings.Repeat("ä", 80),
		"bad\xff":                     "bad",
		"👩‍🏫 Zoë":                     "👩‍🏫 Zoë",
	} {
		if _, err := m.s.Connect(m.env(), Identity{ID: peer, Name: in, Role: event.Peer}, event.Hello{}); err != nil {
			t.Fatal(err)
		}
		if p, _ := m.s.view.Member(peer); p.Name != want {
			t.Errorf("got %q, want %q", p.Name, want)
		}
	}
}

func TestObserversAreNotHeard(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, lead)
	m.enter(observer, event.Hello{Mic: true, Camera: true})
	if o, _ := m.s.view.Member(observer); o.Mic || o.Camera {
		t.Fatalf("got %+v", o)
	}
	for _, d := range []event.MemberDevices{{Mic: true}, {Camera: true}, {Screen: true}} {
		m.refused("forbidden", observer, d)
	}
	m.do(observer, event.MemberDevices{})
	m.do(observer, event.MemberHand{Up: true})
	m.refused("forbidden", focal, event.MemberRole{Member: observer, Role: event.Peer})
	m.refused("conflict", lead, event.MemberRole{Member: observer, Role: event.Coach})
	m.refused("conflict", lead, event.MemberRole{Member: focal, Role: event.Peer})
	m.do(lead, event.MemberRole{Member: observer, Role: event.Peer})
	m.do(observer, event.MemberDevices{Mic: true})
	m.do(lead, event.ControlsGive{To: observer})
	m.lose(observer)
	m.enter(observer, event.Hello{Mic: true})
	if o, _ := m.s.view.Member(observer); o.Role != event.Peer || !o.Mic {
		t.Fatalf("who was made a peer came back as %+v", o)
	}
	wantNames(t, m.do(lead, event.MemberRole{Member: observer, Role: event.Observer}), "member.changed", "controls.changed")
	if o, _ := m.s.view.Member(observer); o.Mic {
		t.Fatalf("got %+v", o)
	}
	m.do(lead, event.MemberLeave{})
	m.do(focal, event.MemberRole{Member: observer, Role: event.Peer}) // no facilitator is here
}

func TestEndOfTheSession(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(7), Frame: 275})
	m.do(focal, event.MemberConsent{Agree: true})
	m.do(peer, event.MemberConsent{Agree: true})
	m.do(focal, event.RecordingStart{})
	m.pass(2000)
	m.refused("forbidden", peer, event.SessionEnd{})
	wantNames(t, m.do(focal, event.SessionEnd{}), "recording.changed", "hold.ended", "playback.changed", "session.ended")
	if v := m.s.view; v.Session.Ended != 2000 || v.Session.EndedBy != focal || v.Recording.State != event.NotRecording || v.Hold != nil {
		t.Fatalf("got %+v", v)
	}
	m.refused("ended", peer, event.MemberHand{Up: true})
	if _, err := m.s.Connect(m.env(), Identity{ID: coach, Role: event.Coach}, event.Hello{}); codeOf(err) != "ended" {
		t.Fatalf("got %v", err)
	}
	if _, due := m.s.Due(); due || len(m.lose(peer)) > 0 || len(m.s.Recover(m.env())) > 0 {
		t.Fatal("something goes on after the end")
	}
	m.checkJournal()
}

func TestRecover(t *testing.T) {
	m := playing(t)
	m.do(focal, event.MemberConsent{Agree: true})
	m.do(peer, event.MemberConsent{Agree: true})
	m.do(focal, event.RecordingStart{})
	m.now = 4000
	s, err := New(m.journal)
	if err != nil {
		t.Fatal(err)
	}
	m.s = s
	wantNames(t, m.keep(m.s.Recover(m.env())), "member.lost", "member.lost", "recording.changed")
	m.enter(focal, event.Hello{})
	m.expect(event.Playing, middle(250), 100)
	m.checkJournal()
}

func TestTypingIsTransient(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(peer)
	events := m.do(peer, event.MemberType{What: "note"})
	if len(events) != 1 || events[0].Seq != 0 {
		t.Fatalf("got %+v", events)
	}
	m.refused("invalid", peer, event.MemberType{What: "poem"})
	m.checkJournal()
}

func TestCommandsAreAppliedOnce(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(peer, peer2)
	id := m.id()
	add := event.NoteAdd{ID: testID(6), Type: event.Question, Visibility: event.Shared, Text: "?"}
	for i, want := range []int{1, 0, 0} {
		events, err := m.s.Apply(m.env(), peer, add, id)
		if err != nil || len(events) != want {
			t.Fatalf("try %d: got %d events, %v", i, len(events), err)
		}
		m.keep(events)
	}
	if _, err := m.s.Apply(m.env(), peer2, add, id); codeOf(err) != "conflict" {
		t.Fatalf("another member's id was taken for one's own: %v", err)
	}
	s, err := New(m.journal)
	if err != nil {
		t.Fatal(err)
	}
	if events, err := s.Apply(m.env(), peer, add, id); err != nil || len(events) > 0 {
		t.Fatalf("after a restart: got %d events, %v", len(events), err)
	}
	m.now = 2 * remember
	m.do(peer, event.MemberHand{Up: true})
	if len(m.s.seen.ids) != 1 || len(m.s.seen.order) != 1 {
		t.Fatalf("old ids are kept: %v", m.s.seen)
	}
	m.checkJournal()
}

func TestNewRefusesABrokenJournal(t *testing.T) {
	m := playing(t)
	for name, journal := range map[string][]event.Event{
		"empty":             nil,
		"without beginning": m.journal[1:],
		"with a gap":        append(append([]event.Event{}, m.journal[:2]...), m.journal[3:]...),
		"with a repetition": append(append([]event.Event{}, m.journal[:2]...), m.journal[1:]...),
	} {
		if _, err := New(journal); err == nil {
			t.Errorf("%s: folded", name)
		}
	}
}

func TestPlansAreCleaned(t *testing.T) {
	plan := testPlan(event.Pause{ID: testID(7), Frame: 300, Prompt: "Why\u202e?", Think: -5, Talk: 1 << 60, Passed: true})
	plan.Session.Title, plan.Session.Purpose, plan.Session.Ended, plan.Session.EndedBy = "A\nB\x00", "x\r\ny\xff", 5, peer
	plan.Clip.Context = strings.Repeat("ä", maxText+1)
	plan.Notes = []event.Note{{ID: testID(8), Author: peer, Visibility: event.Private, Text: "\u2066own"}}
	m := newSim(t, plan)
	v := viewFor(&m.s.view, peer)
	if v.Session.Title != "A B" || v.Session.Purpose != "x\ny" || m.s.Ended() || v.Clip.Context != strings.Repeat("ä", maxText) {
		t.Errorf("got %+v of %d runes", v.Session, len(v.Clip.Context)/2)
	}
	want := event.Pause{ID: testID(7), Frame: 300, Prompt: "Why?", Talk: maxTalk}
	if v.Pauses[0] != want || len(v.Notes) != 1 || v.Notes[0].Text != "own" || v.Notes[0].Replies == nil {
		t.Errorf("got %+v, %+v", v.Pauses, v.Notes)
	}
	if others := viewFor(&m.s.view, coach); len(others.Notes) != 0 {
		t.Errorf("a coach sees %+v", others.Notes)
	}
	if plan.Clip.Context == v.Clip.Context || plan.Pauses[0].Talk == maxTalk {
		t.Error("the plan itself was changed")
	}
	m.checkJournal()
}

// What is wrong with a recording is told once, goes when all is well again, and is forgotten with the recording.
func TestRecordingNotice(t *testing.T) {
	m := newSim(t, testPlan())
	m.enter(focal, event.Hello{Consent: event.Agreed})
	full := "The disk is full."
	notice := func(reason string) []event.Event { return m.keep(m.s.RecordingNotice(m.env(), reason, 0, 0)) }
	wantNames(t, notice(full)) // nothing is recorded
	m.do(focal, event.RecordingStart{})
	since := m.s.view.Recording.Since
	m.now += 1000
	wantNames(t, notice(full), "recording.changed")
	wantNames(t, notice(full))
	if r := m.s.view.Recording; r != (event.Recording{State: event.RecordingOn, Since: since, By: focal, Reason: full}) {
		t.Errorf("%+v", r)
	}
	gap := func() []event.Event { return m.keep(m.s.RecordingNotice(m.env(), full, since+300, since+400)) }
	wantNames(t, gap(), "recording.changed")
	wantNames(t, gap())
	if r := m.s.view.Recording; r.MissingFrom != since+300 || r.MissingTo != since+400 {
		t.Errorf("%+v", r)
	}
	wantNames(t, m.keep(m.s.Recover(m.env())), "member.lost", "recording.changed")
	if r := m.s.view.Recording; r.State != event.RecordingOn || r.Reason != "" || r.MissingTo != 0 {
		t.Errorf("after a restart: %+v", r)
	}
	m.enter(focal, event.Hello{Consent: event.Agreed})
	wantNames(t, notice(full), "recording.changed")
	wantNames(t, notice(""), "recording.changed")
	notice(full)
	m.do(focal, event.RecordingStop{})
	if r := m.s.view.Recording; r.State != event.OffTheRecord || r.Reason != "" {
		t.Errorf("off the record: %+v", r)
	}
	wantNames(t, notice(full))
}

func TestAFullSession(t *testing.T) {
	m := newSim(t, testPlan())
	for n := range maxMembers {
		events, err := m.s.Connect(m.env(), Identity{ID: testID(n + 100), Role: event.Observer}, event.Hello{})
		if err != nil {
			t.Fatalf("member %d: %v", n, err)
		}
		m.keep(events)
	}
	if _, err := m.s.Connect(m.env(), Identity{ID: testID(99), Role: event.Focal}, event.Hello{}); codeOf(err) != "full" {
		t.Errorf("one more: %v", err)
	}
	if _, err := m.s.Connect(m.env(), Identity{ID: testID(100), Role: event.Observer}, event.Hello{}); err != nil {
		t.Errorf("one of them, again: %v", err)
	}
}
