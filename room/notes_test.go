package room

import (
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func note(id int, to event.Visibility, text string) event.NoteAdd {
	return event.NoteAdd{ID: testID(id), Type: event.Observation, Visibility: to, Text: text}
}

func TestNotesKnowWhatWasShown(t *testing.T) {
	m := playing(t)
	m.pass(5000)
	for i, c := range []struct {
		name         string
		cmd          event.NoteAdd
		at, from, to int64
	}{
		{"now", event.NoteAdd{}, 5000, middle(250) + 4_900_000, middle(250) + 4_900_000},
		{"since the first key", event.NoteAdd{At: 1100}, 1100, middle(275), middle(275)},
		{"in the future", event.NoteAdd{At: 99_999}, 5000, middle(250) + 4_900_000, middle(250) + 4_900_000},
		{"before the session", event.NoteAdd{At: -7}, 0, middle(250), middle(250)},
		{"put by hand", event.NoteAdd{OnClip: true, From: 20_000_000, To: 21_000_000}, 5000, 20_000_000, 21_000_000},
		{"put outside the range", event.NoteAdd{OnClip: true, From: 0, To: 90_000_000}, 5000, 10_000_000, 50_000_000},
	} {
		c.cmd.ID, c.cmd.Type, c.cmd.Visibility, c.cmd.Text = testID(100+i), event.Wondering, event.Shared, c.name
		m.do(peer, c.cmd)
		n, _ := m.s.view.Note(c.cmd.ID)
		if n.At != c.at || n.From != c.from || n.To != c.to || !n.OnClip || n.Author != peer || n.Written != 5000 {
			t.Errorf("%s: got %+v", c.name, n)
		}
	}
	m.now = 5000 + 2*remember
	m.tick()
	m.do(peer, event.NoteAdd{ID: testID(200), Type: event.Wondering, Visibility: event.Shared, Text: "late", At: 1})
	if n, _ := m.s.view.Note(testID(200)); n.At != 5000+remember || n.From != middle(1249) {
		t.Errorf("long before: got %+v", n)
	}
	m.checkJournal()
}

func TestNotesAreChecked(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(peer)
	m.do(peer, note(1, event.Shared, "\u202e a\x00\r\nb\x1b "))
	if n, _ := m.s.view.Note(testID(1)); n.Text != "a\nb" {
		t.Fatalf("got %q", n.Text)
	}
	m.refused("conflict", peer, note(1, event.Shared, "again"))
	m.refused("invalid", peer, note(2, event.Shared, " \u200e\n"))
	m.refused("invalid", peer, note(2, event.Shared, "bad\xff"))
	m.refused("invalid", peer, note(2, "everybody", "text"))
	m.refused("too_large", peer, note(2, event.Shared, strings.Repeat("x", maxText+1)))
	m.refused("invalid", peer, event.NoteAdd{ID: testID(2), Type: "poem", Visibility: event.Shared, Text: "x"})
	m.refused("invalid", peer, event.NoteAdd{ID: "2", Type: event.Learning, Visibility: event.Shared, Text: "x"})
	m.refused("invalid", peer, event.NoteAdd{ID: testID(2), Type: event.Learning, Visibility: event.Shared, Text: "x", OnClip: true, From: 2, To: 1})
	m.do(peer, note(2, event.Shared, strings.Repeat("ä", maxText)))
	m.do(peer, event.NoteAdd{ID: testID(3), Type: event.Observation, Visibility: event.Private, Mark: true})
	m.do(peer, event.NoteEdit{ID: testID(3), Type: event.Learning, Visibility: event.Shared, Text: "words"})
	if n, _ := m.s.view.Note(testID(3)); n.Mark || n.Text != "words" || n.Type != event.Learning || n.Visibility != event.Shared {
		t.Fatalf("got %+v", n)
	}
	m.refused("invalid", peer, event.NoteEdit{ID: testID(3), Type: event.Learning, Visibility: event.Shared})
}

func TestWhoMayWriteWhat(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, coach, lead, peer, observer)
	n := 300
	for who, code := range map[string]map[event.Visibility]string{
		focal:    {event.Shared: "", event.Coaches: "forbidden", event.Private: ""},
		coach:    {event.Shared: "", event.Coaches: "", event.Private: ""},
		lead:     {event.Shared: "", event.Coaches: "", event.Private: ""},
		peer:     {event.Shared: "", event.Coaches: "forbidden", event.Private: ""},
		observer: {event.Shared: "forbidden", event.Coaches: "forbidden", event.Private: ""},
	} {
		for to, want := range code {
			n++
			if _, err := m.try(who, note(n, to, "text")); codeOf(err) != want {
				t.Errorf("%s for %s: got %v", roleOf[who], to, err)
			}
		}
	}
	plan := testPlan()
	plan.Session.Kind, plan.Clip = event.LiveLesson, nil
	m = newSim(t, plan)
	m.join(observer)
	m.do(observer, note(1, event.Shared, "in a live lesson"))
}

func TestNotesBelongToTheirAuthor(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, coach, peer, observer)
	m.do(coach, note(1, event.Shared, "for all"))
	m.do(coach, note(2, event.Coaches, "for coaches"))
	edit := func(n int) event.NoteEdit {
		return event.NoteEdit{ID: testID(n), Type: event.Question, Visibility: event.Shared, Text: "changed"}
	}
	m.refused("forbidden", peer, edit(1))
	m.refused("forbidden", peer, event.NoteRemove{ID: testID(1)})
	m.refused("not_found", focal, edit(2)) // does not even say that it is there
	m.refused("not_found", focal, event.NoteRemove{ID: testID(2)})
	m.refused("not_found", peer, event.NoteReply{Note: testID(2), ID: testID(9), Text: "?"})
	m.refused("forbidden", observer, event.NoteReply{Note: testID(1), ID: testID(9), Text: "?"})
	m.refused("invalid", peer, event.NoteReply{Note: testID(1), ID: "9", Text: "?"})
	m.refused("invalid", peer, event.NoteReply{Note: testID(1), ID: testID(9), Text: " "})
	m.do(peer, event.NoteReply{Note: testID(1), ID: testID(9), Text: "yes"})
	m.refused("conflict", peer, event.NoteReply{Note: testID(1), ID: testID(9), Text: "yes"})
	m.refused("forbidden", coach, event.ReplyRemove{Note: testID(1), ID: testID(9)})
	m.refused("not_found", peer, event.ReplyRemove{Note: testID(1), ID: testID(8)})
	m.do(coach, edit(1))
	if n, _ := m.s.view.Note(testID(1)); len(n.Replies) != 1 {
		t.Fatalf("editing lost the replies: %+v", n)
	}
	m.do(peer, event.ReplyRemove{Note: testID(1), ID: testID(9)})
	m.do(coach, event.NoteRemove{ID: testID(1)})
	m.refused("not_found", coach, event.NoteRemove{ID: testID(1)})
	m.checkJournal()
}

func TestLimits(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	for i := range maxPauses {
		m.do(focal, event.PausePut{ID: testID(i), Frame: int64(250 + i)})
	}
	m.refused("too_many", focal, event.PausePut{ID: testID(maxPauses), Frame: 1000})
	m.do(focal, event.PausePut{ID: testID(0), Frame: 1000})
	for i := range maxNotes {
		m.do(focal, note(10_000+i, event.Private, "x"))
	}
	m.refused("too_many", focal, note(9999, event.Private, "x"))
	for i := range maxReplies {
		m.do(focal, event.NoteReply{Note: testID(10_000), ID: testID(i), Text: "x"})
	}
	m.refused("too_many", focal, event.NoteReply{Note: testID(10_000), ID: testID(999), Text: "x"})
}

func TestPausesArePreparedAndProposed(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer, peer2, observer)
	put := func(id int, frame int64) event.PausePut { return event.PausePut{ID: testID(id), Frame: frame} }
	m.do(focal, put(1, 300))
	m.refused("conflict", peer, put(2, 300))
	m.refused("forbidden", observer, put(2, 301))
	m.refused("invalid", peer, put(2, 249))
	m.refused("invalid", peer, put(2, 1250))
	m.refused("invalid", peer, event.PausePut{ID: testID(2), Frame: 301, Think: maxThink + 1})
	m.refused("invalid", peer, event.PausePut{ID: testID(2), Frame: 301, Talk: -1})
	m.refused("invalid", peer, event.PausePut{ID: "2", Frame: 301})
	m.refused("too_large", peer, event.PausePut{ID: testID(2), Frame: 301, Prompt: strings.Repeat("x", 501)})
	m.do(peer, put(2, 301))
	m.refused("forbidden", peer, put(1, 299))
	m.refused("forbidden", peer2, put(2, 302))
	m.refused("forbidden", peer2, event.PauseRemove{ID: testID(2)})
	m.do(peer, put(2, 302))
	if p, _ := m.s.view.Pause(testID(2)); !p.Proposed || p.By != "Name of e1" || p.Frame != 302 {
		t.Fatalf("got %+v", p)
	}
	m.do(focal, put(2, 302))
	if p, _ := m.s.view.Pause(testID(2)); p.Proposed || p.By != "Name of e1" {
		t.Fatalf("got %+v", p)
	}
	m.refused("forbidden", peer, put(2, 303)) // accepted: no more the peer's alone
	m.refused("forbidden", peer, event.PauseRemove{ID: testID(2)})
	m.do(peer, put(3, 400))
	m.do(peer, event.PauseRemove{ID: testID(3)})
	m.refused("not_found", focal, event.PauseRemove{ID: testID(3)})
	m.do(focal, event.PauseRemove{ID: testID(2)})
	m.checkJournal()
}

func TestAnswersAreOnesOwnUntilShown(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer, lead, observer)
	m.do(peer, event.PauseCall{Think: 60_000})
	h := m.s.view.Hold.ID
	m.refused("forbidden", observer, event.HoldAnswer{Hold: h, Text: "?"})
	m.refused("too_large", peer, event.HoldAnswer{Hold: h, Text: strings.Repeat("x", maxAnswer+1)})
	m.refused("conflict", peer, event.HoldAnswer{Hold: testID(1), Text: "x"})
	m.do(peer, event.HoldAnswer{Hold: h, Text: "mine"})
	m.do(focal, event.HoldAnswer{Hold: h, Text: "first"})
	m.do(focal, event.HoldAnswer{Hold: h, Text: " "})
	if events := m.do(focal, event.HoldAnswer{Hold: h, Text: ""}); len(events) > 0 {
		t.Fatalf("took back nothing: %v", names(events))
	}
	if own := viewFor(&m.s.view, peer).Hold; len(own.Answers) != 1 || len(own.Answered) != 1 {
		t.Fatalf("got %+v", own)
	}
	if others := viewFor(&m.s.view, lead).Hold; len(others.Answers) != 0 || len(others.Answered) != 1 {
		t.Fatalf("got %+v", others)
	}
	m.refused("forbidden", peer, event.HoldReveal{Hold: h})
	wantNames(t, m.do(lead, event.HoldReveal{Hold: h}), "hold.revealed", "hold.phase")
	wantNames(t, m.do(lead, event.HoldReveal{Hold: h}))
	if others := viewFor(&m.s.view, observer).Hold; len(others.Answers) != 1 || others.Answers[0].Text != "mine" {
		t.Fatalf("got %+v", others)
	}
	m.checkJournal()
}

// Whoever comes in gets all notes, so there is an end to them; shortening and removing go on.
func TestNotesHaveAnEnd(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	long := strings.Repeat("\u00e4", maxText)
	var ids []string
	for range maxWritten / (len(long) + besideText) {
		ids = append(ids, m.id())
		m.do(focal, event.NoteAdd{ID: ids[len(ids)-1], Type: event.Question, Visibility: event.Private, Text: long})
	}
	small := m.id()
	m.do(focal, event.NoteAdd{ID: small, Type: event.Question, Visibility: event.Private, Text: "x"})
	m.do(focal, event.NoteReply{Note: small, ID: m.id(), Text: "y"})
	m.refused("too_many", focal, event.NoteAdd{ID: m.id(), Type: event.Question, Visibility: event.Private, Text: long})
	m.refused("too_many", focal, event.NoteReply{Note: small, ID: m.id(), Text: long})
	m.refused("too_many", focal, event.NoteEdit{ID: small, Type: event.Question, Visibility: event.Private, Text: long})
	m.do(focal, event.NoteEdit{ID: ids[0], Type: event.Question, Visibility: event.Private, Text: "short"})
	m.do(focal, event.NoteEdit{ID: small, Type: event.Question, Visibility: event.Private, Text: long})
}
