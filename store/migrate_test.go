package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/pausepoint/pausepoint/store"
)

// Databases as versions of Pausepoint left them, with a call in progress, are in testdata/schemas: by the version of the tables,
// as sqlite3's .dump and pg_dump --inserts wrote them. They are never changed; a release that changes the tables adds its own.
func TestEverySchemaIsBroughtForward(t *testing.T) { everywhere(t, testEverySchemaIsBroughtForward) }

func testEverySchemaIsBroughtForward(t *testing.T, at place) {
	fresh := at.another(t)
	newWorld(t, fresh)
	want := fresh.columns(t)
	for _, file := range at.schemas(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			at := at.another(t)
			stored, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			at.damage(t, string(stored))
			w := newWorld(t, at)
			if p, standing, err := w.store.GetPlan(w.ctx, "s"); err != nil || p.Title != "Lesson" || standing.Inside != 0 {
				t.Errorf("the plan is %+v, %+v, %v", p, standing, err)
			}
			w.must(w.append("s", spoke(4)))
			if got, err := w.store.Load(w.ctx, "s"); err != nil || len(got) != 4 || got[1] != spoke(2) {
				t.Errorf("the journal is %v, %v", got, err)
			}
			if diff := cmp.Diff(want, at.columns(t)); diff != "" {
				t.Errorf("the tables are not as new ones: %s", diff)
			}
		})
	}
}

// Of servers that start at once on an empty database, one makes the tables, and all come up.
func TestServersThatStartAtOnce(t *testing.T) {
	at := inPostgres(t)
	var starting errgroup.Group
	for _, node := range []string{"one", "two", "three"} {
		starting.Go(func() error {
			s, err := store.Open(t.Context(), at.as(node).config)
			if err != nil {
				return fmt.Errorf("%s: %w", node, err)
			}
			return s.Close()
		})
	}
	if err := starting.Wait(); err != nil {
		t.Error(err)
	}
}

// schemas are the files of stored databases of this kind.
func (at place) schemas(t *testing.T) []string {
	t.Helper()
	kind := "sqlite"
	if at.config.Database != "" {
		kind = "postgres"
	}
	files, err := filepath.Glob("testdata/schemas/*." + kind + ".sql")
	if err != nil || len(files) < 3 {
		t.Fatalf("the stored databases are %v, %v", files, err)
	}
	return files
}

// columns are all columns of all tables, each with its type.
func (at place) columns(t *testing.T) (all []string) {
	t.Helper()
	db := at.connect(t)
	defer func() { _ = db.Close() }()
	for _, table := range tables(t, db, at.config.Database != "") {
		query := fmt.Sprintf(`SELECT name || ' ' || type || ' ' || "notnull" || ' ' || pk FROM pragma_table_info('%s')`, table)
		if at.config.Database != "" {
			query = fmt.Sprintf(`SELECT column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns
				WHERE table_schema = 'public' AND table_name = '%s'`, table)
		}
		all = append(all, table+": "+strings.Join(slices.Sorted(slices.Values(column(t.Context(), t, db, query))), ", "))
	}
	slices.Sort(all)
	return all
}
