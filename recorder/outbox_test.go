package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event"
)

// shelf is a Vault in a folder that can be away, and that spoils what it takes for a while.
type shelf struct {
	dir   string
	away  atomic.Bool
	spoil atomic.Int64 // so many files
}

func (v *shelf) path(key string) string { return filepath.Join(v.dir, filepath.FromSlash(key)) }

func (v *shelf) PutFile(_ context.Context, key, path string) error {
	if v.away.Load() {
		return errTest
	}
	b, err := os.ReadFile(path)
	if v.spoil.Add(-1) >= 0 {
		b = append(b, 'x')
	}
	return errors.Join(err, os.MkdirAll(filepath.Dir(v.path(key)), 0o700), os.WriteFile(v.path(key), b, 0o600), os.Remove(path))
}

func (v *shelf) OpenBlob(_ context.Context, key string) (io.ReadSeekCloser, error) {
	if v.away.Load() {
		return nil, errTest
	}
	return os.Open(v.path(key))
}

func (v *shelf) DeleteBlobs(_ context.Context, prefix string) error {
	if v.away.Load() {
		return errTest
	}
	return os.RemoveAll(v.path(prefix))
}

// contentOf reads a segment as a replay does.
func contentOf(t *testing.T, r *Recorder, s Segment) []byte {
	t.Helper()
	_, f, err := r.Open(t.Context(), s.Session, s.ID)
	fatal(t, err)
	b, err := io.ReadAll(f)
	fatal(t, errors.Join(err, f.Close()))
	return b
}

// The store is away for a day, and spoils the first file that it takes then. The recording goes on meanwhile and can be replayed; later
// every segment is in the store as it was recorded, and not here. What is erased and deleted is gone from there, once that can be done.
func TestRecordingsAreSentToTheStore(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	samples := repeat(src.audio, 1./50, 150)
	synctest.Test(t, func(t *testing.T) {
		v := &shelf{dir: t.TempDir()}
		v.away.Store(true)
		v.spoil.Store(1)
		index := newMemory()
		r, _ := newRecorder(t, Config{Dir: dir, Vault: v, Segments: index})
		recordVoice := func(member string) {
			f := newFeed(audioInfo(member))
			items, _ := packetised(audioInfo(member), samples, calm)
			go play(f, time.Now(), items)
			fatal(t, r.Start("s", hall{[]Track{f}}, sessionClock(0)))
			time.Sleep(151 * time.Second)
			<-r.Stop("s")
		}
		recordVoice("ana")
		time.Sleep(24 * time.Hour)
		recordVoice("bo")
		before := map[string][]byte{}
		for _, s := range index.all() {
			before[s.ID] = contentOf(t, r, s)
		}
		if stats := r.Stats(); len(before) != 6 || stats.Unstored < 3 {
			t.Errorf("of %d segments, %d wait", len(before), stats.Unstored)
		}
		v.away.Store(false)
		time.Sleep(10 * time.Minute)
		for _, s := range index.all() {
			if !s.Stored || !bytes.Equal(contentOf(t, r, s), before[s.ID]) {
				t.Errorf("segment %+v is not in the store", s)
			}
		}
		left, err := filepath.Glob(filepath.Join(dir, "s", "*"))
		if fatal(t, err); len(left) != 0 {
			t.Errorf("here is still %v", left)
		}
		if stats := r.Stats(); stats.Unstored != 0 || stats.UnstoredAge != 0 {
			t.Errorf("there wait still %+v", stats)
		}

		bo := Erasure{Session: "s", Member: "bo", Until: 1 << 40}
		prove := index.prove(new(event.RecordingErased))
		v.away.Store(true)
		if err := r.Erase(t.Context(), bo, always, prove); !errors.Is(err, errTest) || len(index.all()) != 6 {
			t.Errorf("erased in a store that is away: %v", err)
		}
		v.away.Store(false)
		fatal(t, r.Erase(t.Context(), bo, always, prove))
		inStore := func() []string {
			files, err := filepath.Glob(filepath.Join(v.dir, "recordings", "s", "*", "*"))
			fatal(t, err)
			return files
		}
		if n := len(inStore()); n != 3 || len(index.all()) != 3 {
			t.Errorf("after the erasure there are %d files", n)
		}
		v.away.Store(true)
		if err := r.Delete(t.Context(), "s"); !errors.Is(err, errTest) || len(index.all()) != 3 {
			t.Errorf("deleted in a store that is away: %v", err)
		}
		v.away.Store(false)
		fatal(t, r.Delete(t.Context(), "s"))
		if n := len(inStore()); n != 0 || len(index.all()) != 0 {
			t.Errorf("after the deletion there are %d files", n)
		}
		fatal(t, r.Close())
	})
}

// What a crash left between the store and here is put in order: what is stored is not kept twice, what nobody has a row of goes.
func TestTheOutboxTidiesUp(t *testing.T) {
	dir, v := t.TempDir(), &shelf{dir: t.TempDir()}
	index := newMemory()
	fatal(t, os.MkdirAll(filepath.Join(dir, "s"), 0o700))
	for _, id := range []string{"stored", "written", "nobodys"} {
		fatal(t, os.WriteFile(filepath.Join(dir, "s", id+".webm"), []byte(id), 0o600))
	}
	fatal(t, index.InsertSegment(t.Context(), Segment{ID: "stored", Session: "s", Finished: true, Stored: true}))
	fatal(t, index.InsertSegment(t.Context(), Segment{ID: "written", Session: "s"}))
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRecorder(t, Config{Dir: dir, Vault: v, Segments: index})
		time.Sleep(time.Second)
		fatal(t, r.Close())
	})
	left := filesIn(t, dir)
	if len(left) != 1 || filepath.Base(left[0]) != "written.webm" {
		t.Errorf("left are %v", left)
	}
}

// However many segments wait, a round asks the index for all of them at once.
func TestTheOutboxAsksForAllAtOnce(t *testing.T) {
	dir, v := t.TempDir(), &shelf{dir: t.TempDir()}
	v.away.Store(true)
	index := newMemory()
	fatal(t, os.MkdirAll(filepath.Join(dir, "s"), 0o700))
	for range 300 {
		id := uuid.Must(uuid.NewV7()).String()
		fatal(t, os.WriteFile(filepath.Join(dir, "s", id+".webm"), []byte(id), 0o600))
		sum := sha256.Sum256([]byte(id))
		row := Segment{ID: id, Session: "s", Bytes: int64(len(id)), SHA256: hex.EncodeToString(sum[:]), Finished: true}
		fatal(t, index.InsertSegment(t.Context(), row))
	}
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRecorder(t, Config{Dir: dir, Vault: v, Segments: index})
		time.Sleep(10 * time.Minute)
		if stats := r.Stats(); stats.Unstored != 300 || index.gets != 0 {
			t.Errorf("while the store is away, %d wait, and %d rows were asked for one by one", stats.Unstored, index.gets)
		}
		v.away.Store(false)
		time.Sleep(2 * time.Minute)
		if stats := r.Stats(); stats.Unstored != 0 || stats.UnstoredAge != 0 || index.gets != 0 || len(filesIn(t, dir)) != 0 {
			t.Errorf("then %+v wait, %d are here, and %d rows were asked for one by one", stats, len(filesIn(t, dir)), index.gets)
		}
		fatal(t, r.Close())
	})
}

// Some files were spoilt on the disk. They are never taken for what was recorded, stay here, and hold up none of the others.
func TestSpoiltSegmentsHoldUpNoOthers(t *testing.T) {
	dir, v, index := t.TempDir(), &shelf{dir: t.TempDir()}, newMemory()
	fatal(t, os.MkdirAll(filepath.Join(dir, "s"), 0o700))
	for i := range 10 {
		id := string(rune('a' + i))
		sum := sha256.Sum256([]byte(id))
		fatal(t, index.InsertSegment(t.Context(), Segment{
			ID: id, Session: "s", Finished: true, Bytes: 1, SHA256: hex.EncodeToString(sum[:]),
		}))
		if i < 5 {
			id = "x"
		}
		fatal(t, os.WriteFile(filepath.Join(dir, "s", string(rune('a'+i))+".webm"), []byte(id), 0o600))
	}
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRecorder(t, Config{Dir: dir, Vault: v, Segments: index})
		time.Sleep(10 * time.Minute)
		if n := r.Stats().Unstored; n != 5 {
			t.Errorf("%d segments wait", n)
		}
		fatal(t, r.Close())
	})
	for _, s := range index.all() {
		if spoilt := s.ID < "f"; s.Stored == spoilt {
			t.Errorf("stored: %+v", s)
		}
	}
	if left := filesIn(t, dir); len(left) != 5 {
		t.Errorf("left are %v", left)
	}
}

// films counts how often they are begun anew.
type films struct{ restarted int }

func (f *films) Restart(context.Context, string) (int, error) { f.restarted++; return 1, nil }

func (f *films) Erase(context.Context, string) (int, error) { return 2, nil }

func (f *films) Drop(context.Context, string, string) error { return nil }

// What another server has not brought to the store yet cannot be read here, and is not said to be gone; what is here and in the store goes at once.
// Films are begun anew once, when all of it goes.
func TestWhatIsElsewhereIsWaitedFor(t *testing.T) {
	dir, v, index := t.TempDir(), &shelf{dir: t.TempDir()}, newMemory()
	fatal(t, os.MkdirAll(filepath.Join(dir, "s"), 0o700))
	fatal(t, os.WriteFile(filepath.Join(dir, "s", "here.webm"), []byte("here"), 0o600))
	stored := v.path(vaultKey(Segment{Session: "s", ID: "stored"}))
	fatal(t, os.MkdirAll(filepath.Dir(stored), 0o700))
	fatal(t, os.WriteFile(stored, []byte("stored"), 0o600))
	elsewhere := Segment{ID: "elsewhere", Session: "s", Member: "bo", Finished: true, Elsewhere: true}
	for _, s := range []Segment{
		elsewhere,
		{ID: "here", Session: "s", Member: "bo", Elsewhere: true}, // from before this server had a name
		{ID: "stored", Session: "s", Member: "bo", Finished: true, Stored: true},
	} {
		fatal(t, index.InsertSegment(t.Context(), s))
	}
	synctest.Test(t, func(t *testing.T) {
		var made films
		r, _ := newRecorder(t, Config{Dir: dir, Vault: v, Segments: index, Products: &made})
		if _, _, err := r.Open(t.Context(), "s", "elsewhere"); !errors.Is(err, ErrElsewhere) {
			t.Errorf("opened with %v", err)
		}
		erasure := Erasure{Session: "s", Member: "bo", Until: 1}
		var proof event.RecordingErased
		prove := index.prove(&proof)
		if err := r.Erase(t.Context(), erasure, always, prove); !errors.Is(err, ErrElsewhere) || proof.Member != "" || made.restarted != 0 {
			t.Errorf("erased with %v, and proved %+v", err, proof)
		}
		if _, err := os.Lstat(stored); !errors.Is(err, fs.ErrNotExist) || len(filesIn(t, dir)) != 0 {
			t.Errorf("left are %v; in the store: %v", filesIn(t, dir), err)
		}
		if err := r.Delete(t.Context(), "s"); !errors.Is(err, ErrElsewhere) || len(index.all()) != 3 {
			t.Errorf("deleted with %v, and left are the rows %+v", err, index.all())
		}
		elsewhere.Stored, elsewhere.Elsewhere = true, false // its server has brought it
		fatal(t, index.InsertSegment(t.Context(), elsewhere))
		if err := r.Erase(t.Context(), erasure, always, prove); err != nil || len(proof.Files) != 3 || proof.Films != 1 || proof.Clips != 2 || len(index.all()) != 0 {
			t.Errorf("erased with %v, and proved %+v", err, proof)
		}
		fatal(t, r.Close())
	})
}
