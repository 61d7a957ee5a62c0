package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// byLine lets a place's bucket be reached over a line; nil if its blobs are in a folder.
func byLine(t *testing.T, at *place) *storetest.Line {
	t.Helper()
	if at.config.Blobs == "" {
		return nil
	}
	l, address, err := storetest.NewLine(at.config.Blobs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	at.config.Blobs = address
	return l
}

// What is recorded comes to the store, is read from there in parts, and goes from there. A bucket that is away when it is recorded has it
// later.
func TestRecordingsAreSent(t *testing.T) { everywhere(t, testRecordingsAreSent) }

func testRecordingsAreSent(t *testing.T, at place) {
	way := byLine(t, &at)
	w := newWorld(t, at)
	session, dir := uuid.Must(uuid.NewV7()).String(), t.TempDir()
	var ids []string
	for range 3 {
		ids = append(ids, w.recorded(dir, session))
	}
	if way != nil {
		way.Cut(true)
	}
	r := w.recorder(dir)
	if way != nil {
		if _, f, err := r.Open(w.ctx, session, ids[0]); err != nil || f.Close() != nil {
			t.Errorf("while the bucket is away, it is here: %v", err)
		}
		soon(t, "the bucket is missed", func() bool { return way.InVain() > 0 })
		way.Cut(false)
	}
	soon(t, "the segments are in the store", func() bool {
		open, err := w.store.ListUnstoredSegments(w.ctx)
		left, gone := filepath.Glob(filepath.Join(dir, session, "*"))
		return errors.Join(err, gone) == nil && len(open) == 0 && len(left) == 0
	})
	_, f, err := r.Open(w.ctx, session, ids[1])
	w.must(err)
	_, err = f.Seek(700_000, io.SeekStart)
	w.must(err)
	rest, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || !bytes.Equal(rest, media()[700_000:]) {
		t.Errorf("a part of %d bytes: %v", len(rest), err)
	}
	w.must(r.Delete(w.ctx, session))
	for _, id := range ids {
		_, err := w.store.OpenBlob(w.ctx, fmt.Sprintf("recordings/%s/%s/media.webm", session, id))
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("deleted, and opens with %v", err)
		}
	}
}

// media is what recorded files contain.
func media() []byte { return bytes.Repeat([]byte("what was said "), 100_000) }

// recorded puts a finished segment of a session into a folder and the database, and returns its id.
func (w *world) recorded(dir, session string) string {
	w.t.Helper()
	id, sum := uuid.Must(uuid.NewV7()).String(), sha256.Sum256(media())
	w.must(w.store.InsertSegment(w.ctx, recorder.Segment{ID: id, Session: session, Member: "m", Source: "audio", Mime: recorder.MimeOpus}))
	w.must(os.MkdirAll(filepath.Join(dir, session), 0o700))
	w.must(os.WriteFile(filepath.Join(dir, session, id+".webm"), media(), 0o600))
	w.must(w.store.FinishSegment(w.ctx, id, 60, int64(len(media())), hex.EncodeToString(sum[:])))
	return id
}

func (w *world) recorder(dir string) *recorder.Recorder {
	w.t.Helper()
	return w.recorderOf(recorder.Config{Dir: dir, Segments: w.store, Vault: w.store})
}

func (w *world) recorderOf(c recorder.Config) *recorder.Recorder {
	w.t.Helper()
	c.Log = quiet()
	r, err := recorder.New(c)
	w.must(err)
	w.t.Cleanup(func() { w.must(r.Close()) })
	return r
}

// always is an erasure that nothing keeps from being done.
func always(context.Context) error { return nil }

// Servers on one database and one bucket have disks of their own. What one recorded, another reads and removes once it has been sent, and
// proves to be gone then, not before.
func TestAServerReadsWhatAnotherRecorded(t *testing.T) {
	at := inPostgres(t)
	at.config.Node = "one"
	one := newWorld(t, at)
	at.config.Node = "two"
	two := newWorld(t, at)
	session, dir := uuid.Must(uuid.NewV7()).String(), t.TempDir()
	id := one.recorded(dir, session)
	reader := two.recorder(t.TempDir())
	if _, _, err := reader.Open(two.ctx, session, id); !errors.Is(err, recorder.ErrElsewhere) {
		t.Errorf("before it is sent, it opens with %v", err)
	}
	var proof []event.ErasedFile
	erase := func() error {
		return reader.Erase(two.ctx, recorder.Erasure{Session: session, Member: "m", Until: 1}, always, func(p event.RecordingErased) error {
			proof = p.Files
			return nil
		})
	}
	if err := erase(); !errors.Is(err, recorder.ErrElsewhere) || proof != nil {
		t.Errorf("before it is sent, it is erased with %v, and proved to be: %v", err, proof)
	}
	one.recorder(dir)
	soon(t, "the segment is sent", func() bool {
		_, f, err := reader.Open(two.ctx, session, id)
		if err != nil {
			return false
		}
		b, err := io.ReadAll(f)
		return errors.Join(err, f.Close()) == nil && bytes.Equal(b, media())
	})
	two.must(erase())
	if len(proof) != 1 || proof[0].ID != id {
		t.Errorf("proved is %+v", proof)
	}
	soon(t, "it is gone where it was recorded", func() bool {
		left, err := filepath.Glob(filepath.Join(dir, session, "*"))
		return err == nil && len(left) == 0
	})
}

// A session moved from one server to another before what the first one recorded was in a bucket. Neither can remove the other's file:
// each removes its own, and the last of them is done.
func TestServersThatBothRecordedRemoveBetweenThem(t *testing.T) {
	for name, remove := range map[string]func(*world, *recorder.Recorder, string) ([]event.ErasedFile, error){
		"erase": func(w *world, r *recorder.Recorder, session string) (gone []event.ErasedFile, err error) {
			err = r.Erase(w.ctx, recorder.Erasure{Session: session, Member: "m", Until: 1}, always, func(p event.RecordingErased) error {
				gone = p.Files
				w.journal(session, p)
				return nil
			})
			return gone, err
		},
		"delete": func(w *world, r *recorder.Recorder, session string) ([]event.ErasedFile, error) {
			return nil, r.Delete(w.ctx, session)
		},
	} {
		t.Run(name, func(t *testing.T) {
			at := inPostgres(t)
			w, dirs := newWorld(t, at), [2]string{t.TempDir(), t.TempDir()}
			session := w.plan(w.account("ana"), account.NewSession{}).Plan.ID
			w.begin(session)
			var servers [2]*recorder.Recorder
			for i, node := range []string{"one", "two"} {
				at.config.Node = node
				w = newWorld(t, at)
				w.recorded(dirs[i], session)
				servers[i] = w.recorderOf(recorder.Config{Dir: dirs[i], Segments: w.store})
			}
			for i, want := range []error{recorder.ErrElsewhere, recorder.ErrElsewhere, nil} { // the first tries twice
				gone, err := remove(w, servers[i/2], session)
				if !errors.Is(err, want) || len(gone) != 0 && i < 2 || name == "erase" && i == 2 && len(gone) != 2 {
					t.Errorf("try %d ends with %v, and proves %+v", i, err, gone)
				}
			}
			left, err := w.store.ListSegments(w.ctx, session)
			if w.must(err); len(left) != 0 {
				t.Errorf("left are the rows %+v", left)
			}
			for _, dir := range dirs {
				if files, err := filepath.Glob(filepath.Join(dir, session, "*")); err != nil || len(files) != 0 {
					t.Errorf("left are the files %v, %v", files, err)
				}
			}
		})
	}
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(4 * time.Minute); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain it is waited until %s", what)
		}
	}
}
