package store_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/pausepoint/pausepoint/room/event"
)

// former is what a house looked like that had a call in progress, at the first schema.
var former = []string{
	`INSERT INTO accounts (id, name, email, password, admin, created) VALUES ('ana', 'Ana', 'ana@school.example', 'x', TRUE, 1)`,
	`INSERT INTO sessions (id, planner, kind, title, focus, purpose, scheduled, minutes, recorded, pauses, notes, created, opened)
		VALUES ('s', 'ana', 'review', 'Lesson', '', '', 0, 45, FALSE, '[]', '{}', 1, 2)`,
	`INSERT INTO members (id, session, account, name, role, invited, removed, arrived, inside, created)
		VALUES ('m', 's', 'ana', 'Ana', 'focal', 'focal', FALSE, TRUE, TRUE, 1)`,
}

func TestEverySchemaIsBroughtForward(t *testing.T) { everywhere(t, testEverySchemaIsBroughtForward) }

func testEverySchemaIsBroughtForward(t *testing.T, at place) {
	files := os.DirFS("migrations")
	versions, err := fs.Glob(files, "*.sql")
	if err != nil || len(versions) < 2 {
		t.Fatalf("migrations are %v, %v", versions, err)
	}
	for i := range versions {
		t.Run(versions[i], func(t *testing.T) {
			at := at.another(t)
			at.migrateTo(t, files, int64(i)+1)
			w := newWorld(t, at)
			if p, standing, err := w.store.GetPlan(w.ctx, "s"); err != nil || p.Title != "Lesson" || standing.Inside != 0 {
				t.Errorf("the plan is %+v, %+v, %v", p, standing, err)
			}
			w.must(w.append("s", spoke(4)))
			if got, err := w.store.Load(w.ctx, "s"); err != nil || len(got) != 4 || got[1] != spoke(2) {
				t.Errorf("the journal is %v, %v", got, err)
			}
		})
	}
}

// migrateTo makes a database of a former version, with something in it.
func (at place) migrateTo(t *testing.T, files fs.FS, version int64) {
	t.Helper()
	dialect := goose.DialectSQLite3
	if at.config.Database != "" {
		dialect = goose.DialectPostgres
	}
	db := at.connect(t)
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, query := range former {
		at.damage(t, query)
	}
	for seq := int64(1); seq <= 3; seq++ {
		at.damage(t, fmt.Sprintf(`INSERT INTO journal (session, seq, at, member, type, json) VALUES ('s', %d, 10, 'm', 'member.spoke', '%s')`,
			seq, asJSON(t, spoke(seq))))
	}
}

func asJSON(t *testing.T, e event.Event) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
