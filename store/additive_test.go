package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pausepoint/pausepoint/store"
)

// notAdditive is the last version that servers of the one before cannot run beside: films got another key. Nothing had been released.
const notAdditive = 10

// While servers are upgraded one after the other, those that are not yet run with the tables of the next version. So a version takes
// nothing away, and what it adds to a table has a default, and refuses nothing that was taken before.
func TestMigrationsOnlyAdd(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) < notAdditive {
		t.Fatalf("the migrations are %v, %v", files, err)
	}
	at := inFolder(t.TempDir())
	var before map[string]string
	for version := 1; version <= len(files); version++ {
		if err := store.MigrateTo(t.Context(), at.config, int64(version)); err != nil {
			t.Fatal(err)
		}
		after := at.rules(t)
		switch broken := brokenBy(before, after); {
		case version == notAdditive:
			if len(broken) != 3 {
				t.Errorf("found in the version that is known for it: %v", broken)
			}
		case len(broken) > 0:
			t.Errorf("version %d: %s", version, strings.Join(broken, "; "))
		}
		before = after
	}
}

// rules are what a server of this version has to know of the tables: each column, and each unique index.
func (at place) rules(t *testing.T) map[string]string {
	t.Helper()
	db := at.connect(t)
	defer func() { _ = db.Close() }()
	rules := map[string]string{}
	for _, table := range tables(t, db, false) {
		columns := column(t.Context(), t, db, fmt.Sprintf(`SELECT name || ': ' || type || iif("notnull", ' NOT NULL', '') || coalesce(' DEFAULT ' || dflt_value, '')
			FROM pragma_table_info('%s')`, table))
		for _, c := range columns {
			name, rule, _ := strings.Cut(c, ": ")
			rules[table+"."+name] = rule
		}
		unique := column(t.Context(), t, db, fmt.Sprintf(`SELECT (SELECT group_concat(name) FROM pragma_index_info(l.name))
			FROM pragma_index_list('%s') l WHERE "unique"`, table))
		for _, columns := range unique {
			rules[table+" has one row for each "+columns] = "UNIQUE"
		}
	}
	return rules
}

// brokenBy is what a server would meet in the tables after that knows those before.
func brokenBy(before, after map[string]string) (all []string) {
	for name, rule := range before {
		if after[name] != rule {
			all = append(all, fmt.Sprintf("%s was %q, and is %q", name, rule, after[name]))
		}
	}
	old := map[string]bool{}
	for name := range before {
		old[tableOf(name)] = true
	}
	for name, rule := range after {
		if _, was := before[name]; was || !old[tableOf(name)] {
			continue
		}
		if rule == "UNIQUE" || strings.Contains(rule, "NOT NULL") && !strings.Contains(rule, "DEFAULT") {
			all = append(all, fmt.Sprintf("%s is new, and %q", name, rule))
		}
	}
	slices.Sort(all)
	return all
}

func tableOf(rule string) string { return rule[:strings.IndexAny(rule, ". ")] }

func TestWhatIsNotAddedIsFound(t *testing.T) {
	before := map[string]string{"a.id": "TEXT NOT NULL", "a has one row for each id": "UNIQUE"}
	for name, rule := range map[string]string{ // each of which breaks something
		"a.id": "BIGINT NOT NULL", "a.new": "TEXT NOT NULL", "a has one row for each id": "", "a has one row for each new": "UNIQUE",
	} {
		after := map[string]string{"a.more": "TEXT", "a.other": "TEXT NOT NULL DEFAULT ''", "b.id": "TEXT NOT NULL", "b has one row for each id": "UNIQUE"}
		for same, rule := range before {
			after[same] = rule
		}
		if diff := cmp.Diff([]string(nil), brokenBy(before, after)); diff != "" {
			t.Errorf("nothing is broken: %s", diff)
		}
		if after[name] = rule; len(brokenBy(before, after)) != 1 {
			t.Errorf("%s %q: %v", name, rule, brokenBy(before, after))
		}
	}
}
