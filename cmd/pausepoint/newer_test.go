package main

import (
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// newerTables are what a version after this one may bring at most while this one runs: to every table, what has a default.
const newerTables = `DO $$
	DECLARE name TEXT;
	BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version' LOOP
			EXECUTE format('ALTER TABLE %I ADD COLUMN newer TEXT NOT NULL DEFAULT ''''', name);
			COMMIT;
		END LOOP;
		CREATE TABLE newer (id TEXT PRIMARY KEY);
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (1000, TRUE);
	END
$$`

// The first server of a newer version brings its tables while those of this version run, in the midst of a call: nobody notices, and
// the others can still hand over to each other.
func TestServersGoOnWithNewerTables(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	one := d.add("one")
	amara := founded(t, one)
	id := amara.plainSession()
	a := amara.connect(id, agreed) // while there is no other node
	two := d.add("two")
	ben, _ := two.guest(t, id, amara.link(id, event.Coach), "Ben")
	b := ben.connect(id, agreed)
	written := 0
	write := func(c *connection) {
		c.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "nobody notices"})
		written++
	}
	migrated := make(chan error, 1)
	go func() { migrated <- storetest.Run(t.Context(), d.args[1], newerTables) }()
	for under := true; under; {
		write(a)
		write(b)
		select {
		case err := <-migrated:
			if under = false; err != nil {
				t.Fatal(err)
			}
		default:
		}
	}
	for _, s := range d.nodes { // new sessions, too
		amara.goesTo(s)
		other := amara.plainSession()
		amara.connect(other, agreed).do(event.SessionEnd{})
	}
	one.stop(t)
	amara.goesTo(two)
	a, b = amara.connectSoon(id), ben.connectSoon(id)
	if len(a.view.Notes) != written {
		t.Errorf("of %d notes there are %d", written, len(a.view.Notes))
	}
	write(b)
	a.awaitThat("the note afterwards", func(frame) bool { return len(a.view.Notes) == written })
}
