package store_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/store"
)

// Databases as versions of Pausepoint left them, with a call in progress, are in testdata/schemas: by the version of the tables,
// as sqlite3's .dump and pg_dump --inserts wrote them. Those of versions 1 to 3 are of the programs that had them; those of 4 to 11 are
// of the third, which was brought forward one version after the other, and got rows with each as its program wrote them. They are never
// changed; a release that changes the tables adds its own.
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
			w.inherits(file)
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
	migrations, unread := filepath.Glob("migrations/*.sql")
	if err := errors.Join(err, unread); err != nil || len(files) != len(migrations) {
		t.Fatalf("of %d versions, the stored databases are %v, %v", len(migrations), files, err)
	}
	return files
}

// inherits wants what each version up to a stored database's own left in it.
func (w *world) inherits(file string) {
	w.t.Helper()
	number, _, _ := strings.Cut(filepath.Base(file), ".")
	have, err := strconv.Atoi(number)
	w.must(err)
	same := func(version int, want, got any, err error) {
		w.t.Helper()
		if diff := cmp.Diff(want, got); have >= version && (err != nil || diff != "") {
			w.t.Errorf("left by version %d: %v %s", version, err, diff)
		}
	}
	found, err := w.store.ListSegments(w.ctx, "s")
	same(4, []recorder.Segment{
		{
			ID: "g1", Session: "s", Member: "m", Publication: "p1", Source: "audio", Mime: recorder.MimeOpus, Start: 5, End: 25, Bytes: 1000,
			SHA256: "aa", Finished: true, Stored: have >= 8, Elsewhere: have < 8,
		},
		{ID: "g2", Session: "s", Member: "m", Publication: "p2", Source: "camera", Mime: recorder.MimeVP8, Start: 6, Elsewhere: true},
	}, found, err)
	certificate, err := w.store.Certificates().Get(w.ctx, "calls.example.org")
	same(5, "a certificate", string(certificate), err)
	kept, err := w.store.ListKept(w.ctx, keeping.Place{Held: true, At: math.MaxInt64}, 10)
	same(6, []keeping.Kept{{
		Session: "s", Kind: "review", Planner: "Ana", Opened: time.UnixMilli(2), People: 1, Days: 30, Held: time.UnixMilli(7), Reason: "the school asked",
	}}, kept, err)
	receipts, err := w.store.ListReceipts(w.ctx, "ana", nil, keeping.Place{At: math.MaxInt64}, 10)
	same(6, 1, len(receipts), err)
	for _, r := range receipts {
		same(6, []any{"gone", keeping.Due, int64(9), false}, []any{r.Session, r.Rule, r.Events, r.Listed}, nil)
	}
	film, err := w.store.GetFilm(w.ctx, "s", "m", "")
	same(7, render.Job{
		Session: "s", Member: "m", Cards: true, State: render.Ready, Progress: 1, File: "films/s/m/0192f0c8.mp4", Bytes: 4321, Asked: 8, Tries: 1, Round: 3,
	}, film, err)
	film, err = w.store.GetFilm(w.ctx, "s", "k", "")
	same(7, render.Job{Session: "s", Member: "k", Captions: true, State: render.Waiting, Asked: 9}, film, err)
	c, err := w.store.GetClip(w.ctx, "c")
	same(9, []any{clip.Preparing, "one", time.UnixMilli(12), ""}, []any{c.State, c.Node, c.Leased, c.Session}, err)
	c, err = w.store.GetClip(w.ctx, "d")
	same(10, []any{clip.Filming, "s"}, []any{c.State, c.Session}, err)
	film, err = w.store.GetFilm(w.ctx, "s", "m", "d")
	same(10, render.Job{Session: "s", Member: "m", Clip: "d", State: render.Rendering, Progress: 0.25, Asked: 10, Tries: 1, Round: 1, Until: 11}, film, err)
	secret, err := w.store.Secret(w.ctx, "nodes")
	same(11, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}, secret, err)
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
