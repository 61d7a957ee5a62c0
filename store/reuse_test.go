package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room/event"
)

// reused is a session whose recording has become a clip.
type reused struct {
	*world
	owner       account.Account
	session     string
	asker, clip string
	taken       event.ReuseChanged
}

func newReused(t *testing.T, at place) *reused {
	r := &reused{world: newWorld(t, at), clip: newID()}
	r.owner = r.account("ana")
	title := "Fractions"
	r.session = r.plan(r.owner, account.NewSession{Change: account.Change{Title: &title}}).Plan.ID
	r.asker = memberID(r.world, r.session, r.owner)
	r.begin(r.session)
	q := event.Reuse{State: event.ReuseAsked, Clip: r.clip, By: r.asker, Of: []string{"ben"}, Agreed: []string{}}
	r.journal(r.session, event.SessionEnded{}, event.ReuseChanged{Reuse: q, When: 7})
	if _, err := r.store.GetClip(r.ctx, r.clip); !errors.Is(err, clip.ErrNotFound) {
		t.Errorf("before all have agreed: %v", err)
	}
	q.State = event.ReuseGranted
	r.journal(r.session, event.ReuseChanged{Reuse: q, When: 8})
	q.State = event.ReuseTakenBack
	r.taken = event.ReuseChanged{Reuse: q, When: 9}
	return r
}

func (r *reused) film() (render.Job, error) {
	return r.store.GetFilm(r.ctx, r.session, r.asker, r.clip)
}

func (r *reused) is(state clip.State) {
	r.t.Helper()
	c, err := r.store.GetClip(r.ctx, r.clip)
	if err != nil || c.State != state || c.Owner != r.owner.ID || c.Session != r.session || c.Title != "Conversation: Fractions" || (c.Refusal != "") != (state == clip.Refused) {
		r.t.Errorf("clip is %+v, %v", c, err)
	}
	list, err := r.store.ListClips(r.ctx, clip.Filter{Session: r.session, States: []clip.State{state}})
	if err != nil || len(list) != 1 {
		r.t.Errorf("listed are %+v, %v", list, err)
	}
}

// From the agreement of all on there is a clip, and a film in line for it; when one of them takes it back, the row is all that is left.
func TestReuse(t *testing.T) { everywhere(t, testReuse) }

func testReuse(t *testing.T, at place) {
	r := newReused(t, at)
	r.is(clip.Filming)
	if j, err := r.film(); err != nil || j.State != render.Waiting || !j.Cards || j.Captions || j.Asked != 8 {
		t.Errorf("in line is %+v, %v", j, err)
	}
	r.journal(r.session, r.taken)
	r.is(clip.Refused)
	if _, err := r.film(); !errors.Is(err, render.ErrNoJob) {
		t.Errorf("taken back, the film: %v", err)
	}
}

func TestAClipThatIsDeletedIsNotRendered(t *testing.T) {
	everywhere(t, testAClipThatIsDeletedIsNotRendered)
}

func testAClipThatIsDeletedIsNotRendered(t *testing.T, at place) {
	r := newReused(t, at)
	r.must(r.store.DeleteClip(r.ctx, r.clip))
	if _, err := r.film(); !errors.Is(err, render.ErrNoJob) {
		t.Errorf("deleted, the film: %v", err)
	}
	r.journal(r.session, r.taken)
}

// A session takes its clip with it. A legal hold on a session about that clip keeps the files of both.
func TestAClipGoesWithItsSession(t *testing.T) { everywhere(t, testAClipGoesWithItsSession) }

func testAClipGoesWithItsSession(t *testing.T, at place) {
	r := newReused(t, at)
	about := r.plan(r.owner, account.NewSession{Change: withClip(clip.Clip{ID: r.clip})}).Plan.ID
	r.begin(about)
	r.journal(about, event.KeepingChanged{Keeping: event.Keeping{Held: 42}})
	r.journal(r.session, event.KeepingChanged{Keeping: event.Keeping{Days: 1}}, event.MemberWithdrew{Member: event.Member{ID: "ben"}})
	later := time.Now().AddDate(0, 0, 2)
	open := func(want int) {
		t.Helper()
		erasures, err := r.store.ListErasures(r.ctx)
		due, err2 := r.store.ListDue(r.ctx, later)
		if err := errors.Join(err, err2); err != nil || len(erasures) != want || len(due) != want {
			t.Errorf("to be removed: %v, %v, %v", erasures, due, err)
		}
	}
	decide := func(c keeping.Contents) (keeping.Receipt, error) {
		if !c.Held.IsZero() {
			return keeping.Receipt{}, keeping.ErrHeld
		}
		if len(c.Clips) != 1 || c.Clips[0].ID != r.clip || c.Clips[0].Made.UnixMilli() != 8 {
			t.Errorf("its clips are %+v", c.Clips)
		}
		return keeping.Receipt{Session: r.session, Begun: later}, nil
	}
	open(0)
	if _, err := r.store.TakeSession(r.ctx, r.session, decide); !errors.Is(err, keeping.ErrHeld) {
		t.Errorf("deleted under a legal hold: %v", err)
	}
	r.journal(about, event.KeepingChanged{})
	open(1)
	if _, err := r.store.TakeSession(r.ctx, r.session, decide); err != nil {
		t.Error(err)
	}
	r.is(clip.Refused)
}
