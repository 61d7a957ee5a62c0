package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// change reads a change as a request would bring it.
func change(t *testing.T, body string) account.Change {
	t.Helper()
	var c account.Change
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewPlanHasDefaults(t *testing.T) { everywhere(t, testNewPlanHasDefaults) }

func testNewPlanHasDefaults(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	card := w.plan(ana, account.NewSession{})
	p := card.Plan
	if p.Kind != event.Conversation || p.Title != "Conversation" || p.Purpose != account.DefaultPurpose || p.Minutes != 45 || p.Recorded {
		t.Errorf("planned %+v", p)
	}
	if card.You.Role != event.Focal || card.You.Account != ana.ID || card.Standing.State() != "planned" {
		t.Errorf("planned by %+v, %s", card.You, card.Standing.State())
	}
	if again, err := w.sessions.Card(w.ctx, as(ana), p.ID); err != nil || fmt.Sprint(again.You) != fmt.Sprint(stored(card.You)) {
		t.Errorf("read %+v, %v", again, err)
	}
}

// stored is a member as it is read: times have milliseconds.
func stored(m account.Member) account.Member {
	m.Created = m.Created.Truncate(time.Millisecond)
	return m
}

func TestPracticeIsReadyToEnter(t *testing.T) { everywhere(t, testPracticeIsReadyToEnter) }

func testPracticeIsReadyToEnter(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	_, err := w.sessions.Create(w.ctx, ana, account.NewSession{Practice: true})
	refused(t, err, "unavailable")
	w.clip("")
	p := w.plan(ana, account.NewSession{Practice: true}).Plan
	if p.Clip != clip.PracticeID || len(p.Pauses) != 1 {
		t.Fatalf("planned %+v", p)
	}
	pause := p.Pauses[0]
	if pause.Frame != 83 || pause.Prompt != "What do you notice?" || pause.Think != 20_000 || pause.By != "ana" {
		t.Errorf("prepared %+v", pause)
	}
}

func TestChangeLeavesWhatIsAbsent(t *testing.T) { everywhere(t, testChangeLeavesWhatIsAbsent) }

func testChangeLeavesWhatIsAbsent(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	c := w.clip(ana.ID)
	id := w.plan(ana, account.NewSession{Change: change(t, `{"title":"Fractions","minutes":30,"recorded":true,
		"scheduled":"2031-05-06T10:00:00+02:00","clip":"`+c.ID+`"}`)}).Plan.ID
	card, err := w.sessions.Change(w.ctx, as(ana), id, change(t, `{"focus":"Who talks?"}`))
	w.must(err)
	p := card.Plan
	if p.Title != "Fractions" || p.Focus != "Who talks?" || p.Minutes != 30 || !p.Recorded || p.Clip != c.ID ||
		!p.Scheduled.Equal(time.Date(2031, 5, 6, 8, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v", p)
	}
	card, err = w.sessions.Change(w.ctx, as(ana), id, change(t, `{"clip":null,"scheduled":null,"purpose":" "}`))
	w.must(err)
	if p := card.Plan; p.Clip != "" || !p.Scheduled.IsZero() || p.Purpose != account.DefaultPurpose || p.Title != "Fractions" {
		t.Errorf("got %+v", p)
	}
}

func TestChangeRefuses(t *testing.T) { everywhere(t, testChangeRefuses) }

func testChangeRefuses(t *testing.T, at place) {
	w := newWorld(t, at)
	ana, bea := w.account("ana"), w.account("bea")
	c, hers := w.clip(ana.ID), w.clip(bea.ID)
	id := w.plan(ana, account.NewSession{Change: withClip(c)}).Plan.ID
	pause := func(frame int, rest string) string {
		return fmt.Sprintf(`{"id":%q,"frame":%d,"prompt":"?","think":0,"talk":0%s}`, newID(), frame, rest)
	}
	note := func(rest string) string {
		return fmt.Sprintf(`{"notes":[{"id":%q,"type":"wondering","text":"why?","from":1,"to":2%s}]}`, newID(), rest)
	}
	for name, body := range map[string]string{
		"kind":              `{"kind":"party"}`,
		"no title":          `{"title":" \u200e "}`,
		"long title":        `{"title":"` + strings.Repeat("x", 201) + `"}`,
		"no minutes":        `{"minutes":0}`,
		"many minutes":      `{"minutes":1000}`,
		"far away":          `{"scheduled":"9999-01-01T00:00:00Z"}`,
		"no such clip":      `{"clip":"` + newID() + `"}`,
		"another's clip":    `{"clip":"` + hers.ID + `"}`,
		"live with clip":    `{"kind":"live-lesson"}`,
		"frame too high":    `{"pauses":[` + pause(250, "") + `]}`,
		"frame too low":     `{"pauses":[` + pause(-1, "") + `]}`,
		"same frame":        `{"pauses":[` + pause(5, "") + `,` + pause(5, "") + `]}`,
		"think too long":    `{"pauses":[` + pause(5, `,"think":600001`) + `]}`,
		"talk too long":     `{"pauses":[` + pause(5, `,"talk":3600001`) + `]}`,
		"pause without id":  `{"pauses":[{"frame":5,"prompt":"?","think":0,"talk":0}]}`,
		"pause, no clip":    `{"clip":null,"pauses":[` + pause(5, "") + `]}`,
		"note's type":       note(`,"type":"grade"`),
		"note's viewers":    note(`,"visibility":"everybody"`),
		"focal for coaches": note(`,"visibility":"coaches"`),
		"note's range":      note(`,"from":3`),
		"note's end":        note(`,"to":10000001`),
		"empty note":        note(`,"text":"  "`),
		"long note":         note(`,"text":"` + strings.Repeat("x", 10_001) + `"`),
	} {
		_, err := w.sessions.Change(w.ctx, as(ana), id, change(t, body))
		var p *event.Problem
		if !errors.As(err, &p) || p.Code != "invalid" || !strings.HasSuffix(p.Message, ".") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if card, err := w.sessions.Card(w.ctx, as(ana), id); err != nil || card.Plan.Title != "Conversation" || len(card.Plan.Pauses) > 0 {
		t.Errorf("something stayed: %+v, %v", card.Plan, err)
	}
}

func TestEachPreparesTheirOwnNotes(t *testing.T) { everywhere(t, testEachPreparesTheirOwnNotes) }

func testEachPreparesTheirOwnNotes(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{Change: withClip(w.clip(ana.ID))}).Plan.ID
	coach, m := w.enter(id, event.Coach, nil, "Carl")
	peer, _ := w.enter(id, event.Peer, nil, "Pia")
	write := func(who account.Identity, text, visibility string) (account.Card, string) {
		note := newID()
		card, err := w.sessions.Change(w.ctx, who, id, change(t, fmt.Sprintf(
			`{"notes":[{"id":%q,"type":"observation","text":%q,"visibility":%q,"from":1,"to":1}]}`, note, text, visibility)))
		w.must(err)
		return card, note
	}
	write(as(ana), "mine", "")
	card, _ := write(coach, "for coaches", "coaches")
	if notes := card.Plan.NotesOf(m.ID); len(card.Plan.Notes) != 1 || len(notes) != 1 || notes[0].Text != "for coaches" {
		t.Errorf("the coach reads %+v", card.Plan.Notes)
	}
	_, err := w.sessions.Plan(w.ctx, peer, id)
	refused(t, err, "forbidden")
	_, err = w.sessions.Change(w.ctx, coach, id, change(t, `{"title":"Mine now"}`))
	refused(t, err, "forbidden")

	opening, _, err := w.sessions.Opening(w.ctx, id)
	w.must(err)
	if len(opening.Notes) != 2 || opening.Notes[0].Visibility != event.Private || opening.Notes[1].Author != m.ID ||
		opening.Notes[1].Visibility != event.Coaches || !opening.Notes[1].OnClip {
		t.Errorf("opens with %+v", opening.Notes)
	}
}

func TestPausesKeepWhoPreparedThem(t *testing.T) { everywhere(t, testPausesKeepWhoPreparedThem) }

func testPausesKeepWhoPreparedThem(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	c := w.clip(ana.ID)
	id := w.plan(ana, account.NewSession{Change: withClip(c)}).Plan.ID
	coach, _ := w.enter(id, event.Coach, nil, "Carl")
	first := event.Pause{ID: newID(), Frame: 100, Prompt: "a", By: "somebody else", Passed: true}
	_, err := w.sessions.Change(w.ctx, as(ana), id, account.Change{Pauses: &[]event.Pause{first}})
	w.must(err)
	first.Prompt = "b"
	card, err := w.sessions.Change(w.ctx, coach, id, account.Change{Pauses: &[]event.Pause{first, {ID: newID(), Frame: 50}}})
	w.must(err)
	if p := card.Plan.Pauses; len(p) != 2 || p[0].By != "Carl" || p[1].By != "ana" || p[1].Prompt != "b" || p[1].Passed {
		t.Errorf("got %+v", p)
	}
	// the owner narrows the clip: what is outside is not opened with
	_, err = w.store.UpdateClip(w.ctx, c.ID, func(c *clip.Clip) error { c.From = 3_000_000; return nil })
	w.must(err)
	if o, clipID, err := w.sessions.Opening(w.ctx, id); err != nil || clipID != c.ID || len(o.Pauses) != 1 || o.Pauses[0].Frame != 100 {
		t.Errorf("opens with %+v of %q, %v", o.Pauses, clipID, err)
	}
	w.must(w.store.DeleteClip(w.ctx, c.ID))
	if o, clipID, err := w.sessions.Opening(w.ctx, id); err != nil || clipID != "" || len(o.Pauses) != 0 {
		t.Errorf("opens with %+v of %q, %v", o.Pauses, clipID, err)
	}
}

func TestABegunSessionIsNotPlannedAnyMore(t *testing.T) {
	everywhere(t, testABegunSessionIsNotPlannedAnyMore)
}

func testABegunSessionIsNotPlannedAnyMore(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	w.begin(id)
	_, err := w.sessions.Change(w.ctx, as(ana), id, change(t, `{"title":"Late"}`))
	refused(t, err, "conflict")
}

func TestPlansChangeOneAfterTheOther(t *testing.T) { everywhere(t, testPlansChangeOneAfterTheOther) }

func testPlansChangeOneAfterTheOther(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, _, err := w.store.UpdatePlan(w.ctx, id, func(p *account.Plan, _ account.Standing) error {
				p.Minutes++
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if p, _, err := w.store.GetPlan(w.ctx, id); err != nil || p.Minutes != 65 {
		t.Errorf("%d minutes, %v", p.Minutes, err)
	}
}
