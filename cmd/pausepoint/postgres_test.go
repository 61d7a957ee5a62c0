package main

import (
	"errors"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// The whole server on PostgreSQL, which dies in the middle of a call: the call goes on, and what was said before and after is
// there when another server starts, with another data folder.
func TestServesOnPostgres(t *testing.T) {
	db, err := storetest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, err := db.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := checkDatabase(t.Context(), address); err != nil {
		t.Error(err)
	}
	finds(t, "one machine", checkDatabaseClock(t.Context(), address), "ok", "")
	finds(t, "an hour apart", clockAgrees(-time.Hour), "missing", "1h0m0s apart.*time service on both")
	finds(t, "no database", checkDatabaseClock(t.Context(), "postgres://nobody@127.0.0.1:1/x"), "note", "could not be compared")
	s := start(t, t.TempDir(), "--database", address)
	b := newBrowser(t, s)
	b.must(200, "POST", "/api/setup", map[string]string{
		"token": s.printed(t, firstLink)[1], "name": adminName, "email": adminEmail, "password": adminPassword,
	}, nil)
	var plan struct{ ID string }
	b.must(201, "POST", "/api/sessions", map[string]any{"title": "On PostgreSQL"}, &plan)
	c := b.connect(plan.ID, agreed)
	c.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "before"})
	if err := errors.Join(db.Kill(), db.Start()); err != nil {
		t.Fatal(err)
	}
	c.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "after"})
	s.stop(t)

	again := signedIn(t, start(t, t.TempDir(), "--database", address)).connect(plan.ID, agreed)
	if n := again.view.Notes; len(n) != 2 || n[0].Text != "before" || n[1].Text != "after" {
		t.Errorf("the notes are %+v", n)
	}
}
