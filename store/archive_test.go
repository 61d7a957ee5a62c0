package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/backup"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

const savedBlob = "clips/0190/720p.mp4"

// furnished is a house in which something was kept, and goes on.
func furnished(t *testing.T, at place) *world {
	t.Helper()
	w := newWorld(t, at)
	ana := w.account("ana")
	w.clip("")
	lesson := w.clip(ana.ID)
	_, err := w.store.UpdateClip(w.ctx, lesson.ID, func(c *clip.Clip) error {
		c.Progress, c.Title = 0.5, "Brüche\n\"½\" <b>"
		return nil
	})
	w.must(err)
	card := w.plan(ana, account.NewSession{Change: withClip(lesson)})
	w.begin(card.Plan.ID)
	w.enter(card.Plan.ID, event.Coach, nil, "Ben")
	w.journal(card.Plan.ID, spoke(2).Body)
	file := filepath.Join(t.TempDir(), "blob")
	w.must(os.WriteFile(file, []byte("a clip"), 0o600))
	w.must(w.store.PutFile(w.ctx, savedBlob, file))
	return w
}

// What is saved while the store is in use is the same in an empty place of every kind, and can be used there.
func TestSavedAndRestored(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		w := furnished(t, at)
		data, saved := t.TempDir(), filepath.Join(t.TempDir(), "saved")
		w.must(os.WriteFile(filepath.Join(data, "recording"), []byte("sound"), 0o600))
		w.save(at, saved, data)
		w.account("later")
		everywhere(t, func(t *testing.T, other place) {
			restored, again := t.TempDir(), filepath.Join(t.TempDir(), "again")
			_, err := backup.Restore(t.Context(), saved, store.NewArchive(other.config), restored)
			w.must(err)
			w.save(other, again, restored)
			if diff := cmp.Diff(filesOf(t, saved), filesOf(t, again)); diff != "" {
				t.Errorf("what was saved, and what came of it: %s", diff)
			}
			_, err = backup.Restore(t.Context(), saved, store.NewArchive(other.config), t.TempDir())
			if err == nil || !strings.Contains(err.Error(), "nothing is overwritten") {
				t.Errorf("restored over what there is: %v", err)
			}
			moved := newWorld(t, other)
			if c, err := moved.store.GetClip(t.Context(), clip.PracticeID); err != nil || !c.Practice {
				t.Errorf("the practice clip is %+v, %v", c, err)
			}
			if blob, err := moved.store.OpenBlob(t.Context(), savedBlob); err != nil {
				t.Error(err)
			} else {
				text, err := io.ReadAll(blob)
				if err := errors.Join(err, blob.Close()); err != nil || string(text) != "a clip" {
					t.Errorf("the blob is %q, %v", text, err)
				}
			}
			moved.account("new")
		})
	})
}

func (w *world) save(at place, to, data string) backup.Manifest {
	w.t.Helper()
	m, err := backup.Save(w.ctx, to, store.NewArchive(at.config), data, func(string) bool { return false })
	w.must(err)
	return m
}

// filesOf is what a backup has, but for when it was made and the order of rows.
func filesOf(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "manifest.json" || entry.Name() == "SHA256SUMS" {
			return err
		}
		text, err := os.ReadFile(path)
		lines := strings.Split(string(text), "\n")
		slices.Sort(lines)
		all = append(all, path[len(dir):]+": "+strings.Join(lines, "\n"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A backup of which anything is missing or other than it was is refused before anything is put anywhere.
func TestDamagedBackups(t *testing.T) {
	at := inFolder(t.TempDir())
	w := furnished(t, at)
	for name, damage := range map[string]func(dir string) error{
		"a changed blob": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "blobs", savedBlob), []byte("A clip"), 0o600)
		},
		"a changed table":    func(dir string) error { return os.Truncate(filepath.Join(dir, "database/journal.jsonl"), 30) },
		"a changed manifest": func(dir string) error { return edit(dir, "manifest.json", `"created": "2`, `"created": "3`) },
		"another format":     func(dir string) error { return edit(dir, "manifest.json", `"format": 1`, `"format": 2`) },
		"a missing blob":     func(dir string) error { return os.Remove(filepath.Join(dir, "blobs", savedBlob)) },
		"missing sums":       func(dir string) error { return os.Remove(filepath.Join(dir, "SHA256SUMS")) },
		"a missing manifest": func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) },
		"a file outside":     func(dir string) error { return edit(dir, "SHA256SUMS", "blobs/", "../blobs/") },
		"half of the sums":   func(dir string) error { return os.Truncate(filepath.Join(dir, "SHA256SUMS"), 300) },
		"another name":       func(dir string) error { return edit(dir, "SHA256SUMS", "clips/0190", "clips/0191") },
	} {
		t.Run(name, func(t *testing.T) {
			saved, data := filepath.Join(t.TempDir(), "saved"), t.TempDir()
			w.save(at, saved, t.TempDir())
			w.must(damage(saved))
			target := inFolder(data)
			if _, err := backup.Restore(t.Context(), saved, store.NewArchive(target.config), data); err == nil || !strings.Contains(err.Error(), "backup") {
				t.Errorf("it is restored: %v", err)
			}
			if found, err := os.ReadDir(data); err != nil || len(found) > 0 {
				t.Errorf("it left %v, %v", found, err)
			}
		})
	}
}

func edit(dir, name, from, to string) error {
	file := filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed := strings.Replace(string(text), from, to, 1)
	if changed == string(text) {
		return errors.New("nothing to edit")
	}
	return os.WriteFile(file, []byte(changed), 0o600)
}

// What cannot be saved is said, and what is there already is left alone.
func TestSavingIsRefused(t *testing.T) {
	at := inFolder(t.TempDir())
	never := func(string) bool { return false }
	if _, err := backup.Save(t.Context(), filepath.Join(t.TempDir(), "x"), store.NewArchive(at.config), t.TempDir(), never); err == nil {
		t.Error("an empty folder was saved as a house")
	}
	w := furnished(t, at)
	full := t.TempDir()
	w.must(os.WriteFile(filepath.Join(full, "letter"), []byte("dear"), 0o600))
	if _, err := backup.Save(t.Context(), full, store.NewArchive(at.config), t.TempDir(), never); err == nil || !strings.Contains(err.Error(), "overwritten") {
		t.Errorf("saved over what there is: %v", err)
	}
	newer := filepath.Join(t.TempDir(), "newer")
	w.save(at, newer, t.TempDir())
	at.damage(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
	later := filepath.Join(t.TempDir(), "later")
	if m := w.save(at, later, t.TempDir()); m.Schema != 99999 {
		t.Fatalf("the schema is %d", m.Schema)
	}
	data := t.TempDir()
	_, err := backup.Restore(t.Context(), later, store.NewArchive(inFolder(data).config), data)
	if err == nil || !strings.Contains(err.Error(), "version 99999") {
		t.Errorf("a newer house was restored: %v", err)
	}
}
