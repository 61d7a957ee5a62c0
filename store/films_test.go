package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/render"
)

// A film is rendered by one server at a time, and what was begun before a change of what it is made of comes to nothing.
func TestFilms(t *testing.T) { everywhere(t, testFilms) }

func testFilms(t *testing.T, at place) {
	w := newWorld(t, at)
	session := w.plan(w.account("Amara"), account.NewSession{}).Plan.ID
	noJob := func(err error) {
		t.Helper()
		if !errors.Is(err, render.ErrNoJob) {
			t.Errorf("got %v, want that there is none", err)
		}
	}
	now := time.UnixMilli(1_000_000)
	_, err := w.store.ClaimFilm(w.ctx, now, now.Add(time.Minute))
	noJob(err)
	w.must(w.store.AskFilm(w.ctx, render.Job{Session: session, Member: "late", State: render.Waiting, Asked: 20}))
	w.must(w.store.AskFilm(w.ctx, render.Job{Session: session, Member: "first", Cards: true, Captions: true, State: render.Waiting, Asked: 10}))
	j, err := w.store.ClaimFilm(w.ctx, now, now.Add(time.Minute))
	w.must(err)
	if j.Member != "first" || !j.Cards || !j.Captions || j.State != render.Rendering || j.Tries != 1 || j.Until != now.Add(time.Minute).UnixMilli() {
		t.Errorf("claimed %+v", j)
	}
	if next, err := w.store.ClaimFilm(w.ctx, now, now.Add(time.Minute)); err != nil || next.Member != "late" {
		t.Errorf("then claimed %+v, %v", next, err)
	}
	_, err = w.store.ClaimFilm(w.ctx, now, now.Add(time.Minute))
	noJob(err)

	again, err := w.store.ClaimFilm(w.ctx, now.Add(2*time.Minute), now.Add(3*time.Minute)) // its server is gone
	w.must(err)
	if again.Member != "first" || again.Tries != 2 || again.Round <= j.Round {
		t.Errorf("claimed anew %+v, after %+v", again, j)
	}
	noJob(w.store.UpdateFilm(w.ctx, j))
	again.State, again.Progress, again.File, again.Bytes, again.Tries, again.Problem = render.Ready, 1, "films/a.mp4", 5, 0, "none"
	w.must(w.store.UpdateFilm(w.ctx, again))
	if got, err := w.store.GetFilm(w.ctx, session, "first", ""); err != nil || got != again {
		t.Errorf("got %+v, %v, want %+v", got, err, again)
	}

	clip := render.Job{Session: session, Member: "first", Clip: "clip", State: render.Waiting, Asked: 1}
	w.must(w.store.AskFilm(w.ctx, clip))
	if clip, err = w.store.ClaimFilm(w.ctx, now, now.Add(time.Minute)); err != nil || clip.Clip != "clip" {
		t.Errorf("for a clip claimed %+v, %v", clip, err)
	}
	clip.State = render.Ready
	w.must(w.store.UpdateFilm(w.ctx, clip))

	if n, err := w.store.RestartFilms(w.ctx, session); err != nil || n != 2 {
		t.Errorf("restarted %d: %v", n, err)
	}
	noJob(w.store.UpdateFilm(w.ctx, again))
	if got, err := w.store.GetFilm(w.ctx, session, "first", ""); err != nil || got.State != render.Waiting || got.File != "" || !got.Cards {
		t.Errorf("restarted %+v, %v", got, err)
	}
	w.must(w.store.DropFilms(w.ctx, session, "first"))
	_, err = w.store.GetFilm(w.ctx, session, "first", "")
	noJob(err)
	if got, err := w.store.GetFilm(w.ctx, session, "first", "clip"); err != nil || got != clip {
		t.Errorf("for a clip there is %+v, %v", got, err)
	}
	w.must(w.store.DropFilms(w.ctx, session, ""))
	_, err = w.store.GetFilm(w.ctx, session, "first", "clip")
	noJob(err)
	_, err = w.store.GetFilm(w.ctx, session, "late", "")
	noJob(err)
}
