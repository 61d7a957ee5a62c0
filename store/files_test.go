package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

func tempFile(t *testing.T, dir, content string) string {
	t.Helper()
	file := filepath.Join(dir, "upload")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBlobs(t *testing.T) { everywhere(t, testBlobs) }

func testBlobs(t *testing.T, at place) {
	w := newWorld(t, at)
	dir := t.TempDir()
	w.must(w.store.PutFile(w.ctx, "clips/a/720p.mp4", tempFile(t, dir, "first")))
	w.must(w.store.PutFile(w.ctx, "clips/a/720p.mp4", tempFile(t, dir, "second one")))
	w.must(w.store.PutFile(w.ctx, "clips/ab/720p.mp4", tempFile(t, dir, "neighbour")))
	if _, err := os.Stat(filepath.Join(dir, "upload")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	blob, err := w.store.OpenBlob(w.ctx, "clips/a/720p.mp4")
	w.must(err)
	_, err = blob.Seek(7, io.SeekStart)
	w.must(err)
	rest, err := io.ReadAll(blob)
	if err := errors.Join(err, blob.Close()); err != nil || string(rest) != "one" {
		t.Errorf("read %q, %v", rest, err)
	}
	w.must(w.store.DeleteBlobs(w.ctx, "clips/a/"))
	w.must(w.store.DeleteBlobs(w.ctx, "clips/never/"))
	w.must(w.store.DeleteBlobs(w.ctx, "nothing/never/"))
	if _, err := w.store.OpenBlob(w.ctx, "clips/a/720p.mp4"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted, and opens with %v", err)
	}
	if blob, err = w.store.OpenBlob(w.ctx, "clips/ab/720p.mp4"); err != nil {
		t.Fatal(err)
	}
	w.must(blob.Close())
}

func TestBlobsOfAnotherDiskAreCopied(t *testing.T) { everywhere(t, testBlobsOfAnotherDiskAreCopied) }

func testBlobsOfAnotherDiskAreCopied(t *testing.T, at place) {
	const other = "/dev/shm"
	dir, err := os.MkdirTemp(other, "pausepoint-")
	if err != nil {
		dir = t.TempDir() // there is no such disk: then the file is moved
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := newWorld(t, at)
	content := strings.Repeat("frame", 3_500_000) // more than a bucket takes in one part
	w.must(w.store.PutFile(w.ctx, "clips/a/b", tempFile(t, dir, content)))
	blob, err := w.store.OpenBlob(w.ctx, "clips/a/b")
	w.must(err)
	got, err := io.ReadAll(blob)
	if err := errors.Join(err, blob.Close()); err != nil || string(got) != content {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if err := w.store.PutFile(ctx, "clips/a/c", filepath.Join(dir, "missing")); err == nil {
		t.Error("a file that is not there was put")
	}
}

func TestBlobKeysStayInTheFolder(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, inFolder(dir))
	outside := tempFile(t, dir, "secret")
	w.must(os.Symlink(outside, filepath.Join(dir, "blobs", "link")))
	w.must(os.Symlink(dir, filepath.Join(dir, "blobs", "folder")))
	w.must(os.Mkdir(filepath.Join(dir, "blobs", "clips"), 0o700))
	w.must(os.Symlink(outside, filepath.Join(dir, "blobs", "clips", "link")))
	if _, err := w.store.OpenBlob(w.ctx, "clips/link"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a symbolic link opens with %v", err)
	}
	for _, key := range []string{
		"", ".", "..", "/", "a", "../upload", "clips/../../upload", "/etc/passwd", "clips//a", "clips/a/", "clips/.", "clips/..",
		"clips/A", "clips/a b", "clips/a\x00", `clips\a`, ".unfinished/a", "a/" + strings.Repeat("b", 200), "link", "folder/upload",
	} {
		if blob, err := w.store.OpenBlob(w.ctx, key); err == nil {
			_ = blob.Close()
			t.Errorf("opened %q", key)
		}
		if key == "folder/upload" {
			continue // a link that only the server's owner can have made
		}
		if err := w.store.PutFile(w.ctx, key, outside); err == nil {
			t.Errorf("put %q", key)
		}
		if err := w.store.DeleteBlobs(w.ctx, key); err == nil && key != "clips/a/" {
			t.Errorf("deleted %q", key)
		}
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "secret" {
		t.Errorf("outside is %q, %v", got, err)
	}
}

func TestUnfinishedBlobsAreClearedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "blobs", ".unfinished", "x")
	if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	open(t, inFolder(dir))
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestClipKeepsEveryField(t *testing.T) { everywhere(t, testClipKeepsEveryField) }

func testClipKeepsEveryField(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	want := clip.Clip{ID: newID(), Owner: ana.ID, State: clip.Ready}
	fill(reflect.ValueOf(&want).Elem())
	w.must(w.store.InsertClip(w.ctx, want))
	if got, err := w.store.GetClip(w.ctx, want.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, %v, want\n%+v", got, err, want)
	}
	if err := w.store.InsertClip(w.ctx, want); !errors.Is(err, clip.ErrExists) {
		t.Errorf("inserted again: %v", err)
	}
	got, err := w.store.UpdateClip(w.ctx, want.ID, func(c *clip.Clip) error {
		*c = clip.Clip{ID: "another", Created: c.Created, State: clip.Refused, Title: "x", Refusal: "Too dark."}
		return nil
	})
	want = clip.Clip{ID: want.ID, Created: want.Created, State: clip.Refused, Title: "x", Refusal: "Too dark."}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, %v, want\n%+v", got, err, want)
	}
	if read, err := w.store.GetClip(w.ctx, want.ID); err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("read\n%+v, %v", read, err)
	}
}

// fill sets every field that is not set yet to something of its own.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.IsZero() {
			continue
		}
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_000 + int64(i)).UTC()))
		case string:
			f.SetString(v.Type().Field(i).Name)
		case bool:
			f.SetBool(true)
		case float64:
			f.SetFloat(float64(i) / 64)
		default:
			f.SetInt(int64(i) + 1<<40)
		}
	}
}

func TestClipsAreListed(t *testing.T) { everywhere(t, testClipsAreListed) }

func testClipsAreListed(t *testing.T, at place) {
	w := newWorld(t, at)
	ana, bea := w.account("ana"), w.account("bea")
	practice, mine, hers := w.clip(""), w.clip(ana.ID), w.clip(bea.ID)
	_, err := w.store.UpdateClip(w.ctx, mine.ID, func(c *clip.Clip) error { c.State = clip.Waiting; return nil })
	w.must(err)
	for name, c := range map[string]struct {
		filter clip.Filter
		want   []string
	}{
		"all":     {clip.Filter{}, []string{practice.ID, mine.ID, hers.ID}},
		"ana's":   {clip.Filter{Owner: ana.ID}, []string{practice.ID, mine.ID}},
		"waiting": {clip.Filter{States: []clip.State{clip.Waiting, clip.Preparing}}, []string{mine.ID}},
		"both":    {clip.Filter{Owner: ana.ID, States: []clip.State{clip.Ready}}, []string{practice.ID}},
		"none":    {clip.Filter{States: []clip.State{clip.Refused}}, nil},
	} {
		list, err := w.store.ListClips(w.ctx, c.filter)
		w.must(err)
		var got []string
		for _, c := range list {
			got = append(got, c.ID)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	w.must(w.store.DeleteClip(w.ctx, mine.ID))
	w.must(w.store.DeleteClip(w.ctx, mine.ID))
	_, err = w.store.GetClip(w.ctx, mine.ID)
	_, err2 := w.store.UpdateClip(w.ctx, mine.ID, func(*clip.Clip) error { return nil })
	if !errors.Is(err, clip.ErrNotFound) || !errors.Is(err2, clip.ErrNotFound) {
		t.Errorf("deleted, and got %v, %v", err, err2)
	}
}

func TestAClipThatRefusesToChangeStays(t *testing.T) {
	everywhere(t, testAClipThatRefusesToChangeStays)
}

func testAClipThatRefusesToChangeStays(t *testing.T, at place) {
	w := newWorld(t, at)
	c := w.clip(w.account("ana").ID)
	no := errors.New("no")
	_, err := w.store.UpdateClip(w.ctx, c.ID, func(c *clip.Clip) error { c.Title = "changed"; return no })
	if err != no { //nolint:errorlint // as it is
		t.Errorf("got %v", err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := w.store.UpdateClip(w.ctx, c.ID, func(c *clip.Clip) error { c.Attempts++; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := w.store.GetClip(w.ctx, c.ID); err != nil || got.Title != c.Title || got.Attempts != 20 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSegments(t *testing.T) { everywhere(t, testSegments) }

func testSegments(t *testing.T, at place) {
	w := newWorld(t, at)
	var late, early recorder.Segment
	fill(reflect.ValueOf(&late).Elem())
	fill(reflect.ValueOf(&early).Elem())
	late.ID, early.ID, early.Start, early.Finished, early.End, early.SHA256 = "2", "1", 5, false, 0, ""
	late.Elsewhere, early.Elsewhere = false, false // that follows from who asks
	late.Withdrawn, early.Withdrawn = false, false // that follows from the journal
	w.must(w.store.InsertSegment(w.ctx, late))
	w.must(w.store.InsertSegment(w.ctx, early))
	list, err := w.store.ListSegments(w.ctx, late.Session)
	if want := []recorder.Segment{early, late}; err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got\n%+v, %v, want\n%+v", list, err, want)
	}
	if open, err := w.store.ListUnfinishedSegments(w.ctx); err != nil || len(open) != 1 || open[0] != early {
		t.Errorf("unfinished are %+v, %v", open, err)
	}
	w.must(w.store.FinishSegment(w.ctx, early.ID, 60, 1000, "ab"))
	early.End, early.Bytes, early.SHA256, early.Finished = 60, 1000, "ab", true
	if got, err := w.store.GetSegment(w.ctx, early.ID); err != nil || got != early {
		t.Errorf("got %+v, %v", got, err)
	}
	w.must(w.store.DeleteSegment(w.ctx, early.ID))
	w.must(w.store.DeleteSegments(w.ctx, late.Session))
	_, err = w.store.GetSegment(w.ctx, late.ID)
	if err2 := w.store.FinishSegment(w.ctx, late.ID, 1, 1, ""); !errors.Is(err, recorder.ErrNotFound) || !errors.Is(err2, recorder.ErrNotFound) {
		t.Errorf("got %v, %v", err, err2)
	}
}

// What consent is taken back for is to be removed until the journal proves that it is; notes that go are not counted any more.
func TestErasures(t *testing.T) { everywhere(t, testErasures) }

func testErasures(t *testing.T, at place) {
	w := newWorld(t, at)
	amara := w.account("Amara")
	session := w.plan(amara, account.NewSession{}).Plan.ID
	w.begin(session)
	withdrew := func(notes bool) event.MemberWithdrew {
		return event.MemberWithdrew{Member: event.Member{ID: "ben", Consent: event.Withdrawn}, Notes: notes}
	}
	w.journal(session, event.NoteAdded{Note: event.Note{ID: "1", Author: "ben", Visibility: event.Shared}}, withdrew(false), withdrew(true))
	open, err := w.store.ListErasures(w.ctx)
	w.must(err)
	if len(open) != 1 || open[0].Session != session || open[0].Member != "ben" || open[0].Until <= 3000 {
		t.Fatalf("got %+v", open)
	}
	if _, standing, err := w.store.GetPlan(w.ctx, session); err != nil || standing.Notes != 0 {
		t.Errorf("%d notes, %v", standing.Notes, err)
	}
	w.journal(session, event.RecordingErased{Member: "ben", Until: open[0].Until - 1}) // of the first time only
	w.journal(session, event.RecordingErased{Member: "eve", Until: open[0].Until})
	if open, err := w.store.ListErasures(w.ctx); err != nil || len(open) != 1 {
		t.Errorf("got %+v, %v", open, err)
	}
	for _, id := range []string{"gone", "others"} {
		w.must(w.store.InsertSegment(w.ctx, recorder.Segment{ID: id, Session: session, Member: "ben", Finished: true}))
	}
	w.must(w.store.InsertSegment(w.ctx, recorder.Segment{ID: "elsewhere", Session: "another"}))
	w.journal(session, event.RecordingErased{Member: "ben", Until: open[0].Until, Files: []event.ErasedFile{{ID: "gone"}, {ID: "elsewhere"}}})
	if left, err := w.store.ListSegments(w.ctx, session); err != nil || len(left) != 1 || left[0].ID != "others" {
		t.Errorf("beside what is proved to be gone, there are the rows %+v, %v", left, err)
	}
	if _, err := w.store.GetSegment(w.ctx, "elsewhere"); err != nil {
		t.Errorf("of another session: %v", err)
	}
	if open, err := w.store.ListErasures(w.ctx); err != nil || len(open) != 0 {
		t.Errorf("got %+v, %v", open, err)
	}
}

func TestBrowserSessions(t *testing.T) { everywhere(t, testBrowserSessions) }

func testBrowserSessions(t *testing.T, at place) {
	w := newWorld(t, at)
	b := w.store.BrowserSessions()
	data := []byte{0, 1, 0xff}
	w.must(b.CommitCtx(w.ctx, "secret-token", []byte("old"), time.Now().Add(time.Hour)))
	w.must(b.CommitCtx(w.ctx, "secret-token", data, time.Now().Add(time.Hour)))
	w.must(b.Commit("expired", data, time.Now().Add(-time.Second)))
	if got, found, err := b.Find("secret-token"); err != nil || !found || !bytes.Equal(got, data) {
		t.Errorf("found %v, %v, %v", got, found, err)
	}
	if _, found, err := b.Find("expired"); err != nil || found {
		t.Errorf("an expired one is found: %v", err)
	}
	again := open(t, at) // the same cookie after a restart
	if _, found, err := again.BrowserSessions().Find("secret-token"); err != nil || !found {
		t.Errorf("lost in a restart: %v", err)
	}
	w.must(b.Delete("secret-token"))
	w.must(b.Delete("secret-token"))
	if _, found, err := b.Find("secret-token"); err != nil || found {
		t.Errorf("deleted, and found: %v", err)
	}
}

func TestTokensAreNotInTheDatabase(t *testing.T) { everywhere(t, testTokensAreNotInTheDatabase) }

func testTokensAreNotInTheDatabase(t *testing.T, at place) {
	w := newWorld(t, at)
	w.must(w.store.BrowserSessions().Commit("cookie-of-somebody", nil, time.Now().Add(time.Hour)))
	setup, err := w.people.SetupToken(w.ctx)
	w.must(err)
	invitation, _, err := w.people.Invite(w.ctx, w.account("ana").ID, "")
	w.must(err)
	kept := at.contents(t)
	for _, token := range []string{"cookie-of-somebody", setup, invitation} {
		if strings.Contains(kept, token) {
			t.Errorf("the database has the token %s", token)
		}
	}
	if !strings.Contains(kept, "ana@school.example") {
		t.Error("that was not the database")
	}
}

func TestMigratingAgainChangesNothing(t *testing.T) { everywhere(t, testMigratingAgainChangesNothing) }

func testMigratingAgainChangesNothing(t *testing.T, at place) {
	var ana string
	for i := range 3 {
		s, err := store.Open(t.Context(), at.config)
		if err != nil {
			t.Fatal(err)
		}
		w := worldOf(t, s)
		if i == 0 {
			ana = w.account("ana").ID
		}
		if a, err := s.GetAccount(t.Context(), ana); err != nil || a.Name != "ana" {
			t.Errorf("start %d: %+v, %v", i, a, err)
		}
		w.must(s.Close())
	}
}

func TestANewerDatabaseIsLeftAlone(t *testing.T) { everywhere(t, testANewerDatabaseIsLeftAlone) }

func testANewerDatabaseIsLeftAlone(t *testing.T, at place) {
	s, err := store.Open(t.Context(), at.config)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	at.damage(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
	if _, err := store.Open(t.Context(), at.config); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

func TestFoldersWithOddNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20é")
	open(t, inFolder(dir))
	if _, err := os.Stat(filepath.Join(dir, "pausepoint.db")); err != nil {
		t.Error(err)
	}
}
