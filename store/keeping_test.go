package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room/event"
)

// takes is a decision that takes whatever there is.
func takes(session string) func(keeping.Contents) (keeping.Receipt, error) {
	return func(c keeping.Contents) (keeping.Receipt, error) {
		return keeping.Receipt{Session: session, Begun: time.Now().UTC(), Events: c.Events, Journal: c.Journal, Files: []keeping.File{}}, nil
	}
}

func TestTakingASessionLeavesAReceipt(t *testing.T) { everywhere(t, testTakingASessionLeavesAReceipt) }

func testTakingASessionLeavesAReceipt(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	coach, m := w.enter(id, event.Coach, nil, "Carl")
	_, err := w.sessions.Owned(w.ctx, coach, id)
	refused(t, err, "forbidden")
	_, err = w.sessions.Owned(w.ctx, as(w.account("bea")), id)
	refused(t, err, "not_found")
	w.begin(id)
	w.journal(id,
		event.MemberJoined{Member: event.Member{ID: m.ID, Role: event.Coach, Presence: event.Here}},
		event.RecordingErased{Member: m.ID, Files: []event.ErasedFile{{ID: "f"}}, When: 7},
	)
	no := errors.New("no")
	_, err = w.store.TakeSession(w.ctx, id, func(c keeping.Contents) (keeping.Receipt, error) {
		if c.Inside != 1 || c.Opened.IsZero() || c.Duration != 2000 || len(c.Erased) != 1 || c.Erased[0].When != 7 {
			t.Errorf("there is %+v", c)
		}
		return keeping.Receipt{}, no
	})
	if !errors.Is(err, no) {
		t.Errorf("refused with %v", err)
	}
	journal, err := w.store.Load(w.ctx, id)
	w.must(err)
	r, err := w.store.TakeSession(w.ctx, id, takes(id))
	w.must(err)
	if r.Events != int64(len(journal)) || r.Journal != sumOf(t, journal) {
		t.Errorf("receipt %+v of %d events", r, len(journal))
	}
	_, err = w.sessions.Card(w.ctx, as(ana), id)
	refused(t, err, "not_found")
	events, err := w.store.Load(w.ctx, id)
	members, err2 := w.store.ListMembers(w.ctx, id)
	links, err3 := w.store.ListLinks(w.ctx, id)
	if err := errors.Join(err, err2, err3); err != nil || len(events)+len(members)+len(links) > 0 {
		t.Errorf("left are %v, %v, %v, %v", events, members, links, err)
	}
	_, err = w.store.TakeSession(w.ctx, id, takes(id))
	refused(t, err, "not_found")

	for who, want := range map[[2]string]bool{
		{ana.ID, ""}: true, {"", m.ID}: true, {"", ana.ID}: false, {m.ID, ""}: false, {"", ""}: false, {w.account("cy").ID, newID()}: false,
	} {
		_, err := w.store.GetReceipt(w.ctx, id, who[0], who[1])
		if list, err2 := w.store.ListReceipts(w.ctx, who[0], []string{who[1]}, keeping.Begin, 9); err2 != nil || (err == nil) != want || (len(list) == 1) != want {
			t.Errorf("%v reads %v, %v, %v; want %v", who, err, list, err2, want)
		}
	}
}

// sumOf is the SHA-256 of a journal as a receipt has it.
func sumOf(t *testing.T, journal []event.Event) string {
	t.Helper()
	sum := sha256.New()
	for _, e := range journal {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = sum.Write(append(text, '\n'))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func TestAReceiptIsListedOnceAndDoneOnce(t *testing.T) {
	everywhere(t, testAReceiptIsListedOnceAndDoneOnce)
}

func testAReceiptIsListedOnceAndDoneOnce(t *testing.T, at place) {
	w := newWorld(t, at)
	id := w.plan(w.account("ana"), account.NewSession{}).Plan.ID
	r, err := w.store.TakeSession(w.ctx, id, takes(id))
	w.must(err)
	r.Listed, r.Files = true, []keeping.File{{ID: "a", SHA256: "ab"}}
	w.must(w.store.PutReceipt(w.ctx, r))
	late := r
	late.Files = []keeping.File{}
	if err := w.store.PutReceipt(w.ctx, late); !errors.Is(err, keeping.ErrNotFound) {
		t.Errorf("listed twice: %v", err)
	}
	if open, err := w.store.ListOpenReceipts(w.ctx); err != nil || len(open) != 1 || len(open[0].Files) != 1 {
		t.Errorf("open are %+v, %v", open, err)
	}
	now := time.Now().UTC()
	r.Done = &now
	w.must(w.store.PutReceipt(w.ctx, r))
	if err := w.store.PutReceipt(w.ctx, r); !errors.Is(err, keeping.ErrNotFound) {
		t.Errorf("done twice: %v", err)
	}
	if open, err := w.store.ListOpenReceipts(w.ctx); err != nil || len(open) != 0 {
		t.Errorf("open are %+v, %v", open, err)
	}
}

func TestWhatIsDue(t *testing.T) { everywhere(t, testWhatIsDue) }

func testWhatIsDue(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	days := 3
	id := w.plan(ana, account.NewSession{Change: account.Change{Keep: &days}}).Plan.ID
	w.plan(ana, account.NewSession{Change: account.Change{Keep: &days}}) // never begins
	w.begin(w.plan(ana, account.NewSession{}).Plan.ID)                   // for ever
	w.begin(id)
	w.journal(id, event.MeasuresSeen{}) // a second later
	_, standing, err := w.store.GetPlan(w.ctx, id)
	w.must(err)
	last := standing.Deletes(days)
	if want := standing.Opened.Add(time.Second).AddDate(0, 0, 3); !last.Equal(want) {
		t.Errorf("deleted at %v, want %v", last, want)
	}
	due := func(now time.Time, want ...string) {
		t.Helper()
		if got, err := w.store.ListDue(w.ctx, now); err != nil || !slices.Equal(got, want) {
			t.Errorf("due are %v, %v; want %v", got, err, want)
		}
	}
	due(last.Add(-time.Millisecond))
	due(last, id)
	held := event.Keeping{Days: 3, Held: 42, Reason: "A complaint."}
	w.journal(id, event.KeepingChanged{Keeping: held})
	due(last.AddDate(1, 0, 0))
	if kept, err := w.store.ListKept(w.ctx, keeping.Begin, 9); err != nil || len(kept) != 2 || kept[0].Session != id || kept[0].Reason != "A complaint." {
		t.Errorf("kept are %+v, %v", kept, err)
	}
	w.journal(id, event.KeepingChanged{Keeping: event.Keeping{Days: 1}})
	due(last, id)
}

func TestListsAreReadInPages(t *testing.T) { everywhere(t, testListsAreReadInPages) }

// Sessions of which two are held, and receipts of the same moment: each is read once.
func testListsAreReadInPages(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	begun := time.UnixMilli(1700000000000).UTC()
	var receipts []string
	for i := range 5 {
		id := w.plan(ana, account.NewSession{}).Plan.ID
		w.begin(id)
		if i < 2 {
			w.journal(id, event.KeepingChanged{Keeping: event.Keeping{Held: 42, Reason: "A complaint."}})
		}
		gone := w.plan(ana, account.NewSession{}).Plan.ID
		_, err := w.store.TakeSession(w.ctx, gone, func(keeping.Contents) (keeping.Receipt, error) {
			return keeping.Receipt{Session: gone, Begun: begun.Add(time.Duration(i/3) * time.Millisecond), Files: []keeping.File{}}, nil
		})
		w.must(err)
		receipts = append(receipts, gone)
	}
	slices.Sort(receipts[:3])
	slices.Sort(receipts[3:])
	receipts = slices.Concat(receipts[3:], receipts[:3])

	all, err := w.store.ListKept(w.ctx, keeping.Begin, 9)
	w.must(err)
	if len(all) != 5 || all[1].Held.IsZero() || !all[2].Held.IsZero() {
		t.Fatalf("kept are %+v", all)
	}
	after := keeping.Begin
	for _, want := range all {
		page, err := w.store.ListKept(w.ctx, after, 1)
		w.must(err)
		if len(page) != 1 || page[0] != want {
			t.Fatalf("after %v are %+v, want %+v", after, page, want)
		}
		after = keeping.Place{Held: !want.Held.IsZero(), At: want.Opened.UnixMilli(), Session: want.Session}
	}

	var read []string
	for after := keeping.Begin; len(read) < 5; {
		page, err := w.store.ListReceipts(w.ctx, ana.ID, nil, after, 2)
		w.must(err)
		if len(page) == 0 {
			t.Fatalf("after %v are none", after)
		}
		for _, r := range page {
			read = append(read, r.Session)
		}
		last := page[len(page)-1]
		after = keeping.Place{At: last.Begun.UnixMilli(), Session: last.Session}
	}
	if !slices.Equal(read, receipts) {
		t.Errorf("read %v, want %v", read, receipts)
	}
}

func TestALegalHoldKeepsWhatWasTakenBack(t *testing.T) {
	everywhere(t, testALegalHoldKeepsWhatWasTakenBack)
}

func testALegalHoldKeepsWhatWasTakenBack(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	c := w.clip(ana.ID)
	id := w.plan(ana, account.NewSession{Change: withClip(c)}).Plan.ID
	_, m := w.enter(id, event.Coach, nil, "Carl")
	w.begin(id)
	w.must(w.store.InsertSegment(w.ctx, recorder.Segment{ID: newID(), Session: id, Member: m.ID, Source: "audio", Start: 10}))
	w.must(w.store.InsertSegment(w.ctx, recorder.Segment{ID: newID(), Session: id, Member: m.ID, Source: "audio", Start: 60_000}))
	w.must(w.store.AskFilm(w.ctx, render.Job{Session: id, Member: ana.ID, State: render.Ready}))
	w.journal(id, event.KeepingChanged{Keeping: event.Keeping{Held: 42}}, event.MemberWithdrew{Member: event.Member{ID: m.ID}})
	if film, err := w.store.GetFilm(w.ctx, id, ana.ID, ""); err != nil || film.State != render.Waiting {
		t.Errorf("a film with what was taken back is %v, %v", film.State, err)
	}
	open := func(want int) {
		t.Helper()
		if list, err := w.store.ListErasures(w.ctx); err != nil || len(list) != want {
			t.Errorf("to be removed: %v, %v", list, err)
		}
		if held, err := w.store.ClipIsHeld(w.ctx, c.ID); err != nil || held != (want == 0) {
			t.Errorf("the clip is held: %v, %v", held, err)
		}
	}
	open(0)
	segments, err := w.store.ListSegments(w.ctx, id)
	w.must(err)
	if !segments[0].Withdrawn || segments[1].Withdrawn {
		t.Errorf("withdrawn: %+v", segments)
	}
	w.journal(id, event.KeepingChanged{})
	open(1)
	list, err := w.store.ListErasures(w.ctx)
	w.must(err)
	w.must(w.store.CheckErasure(w.ctx, list[0]))
	w.journal(id, event.KeepingChanged{Keeping: event.Keeping{Held: 43}})
	if err := w.store.CheckErasure(w.ctx, list[0]); !errors.Is(err, recorder.ErrKept) {
		t.Errorf("under a hold that came meanwhile, it is to be removed: %v", err)
	}
	w.journal(id, event.KeepingChanged{}, event.RecordingErased{Member: m.ID, Until: list[0].Until})
	if err := w.store.CheckErasure(w.ctx, list[0]); !errors.Is(err, recorder.ErrKept) {
		t.Errorf("what is proved is to be removed: %v", err)
	}
}
