package render

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// rows are Jobs in memory, of one member of one session.
type rows struct {
	mu      sync.Mutex
	job     *Job
	changed chan struct{} // closed with each change
}

func (r *rows) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *rows) AskFilm(_ context.Context, j Job) error {
	r.change(func() { r.job = &j })
	return nil
}

func (r *rows) GetFilm(context.Context, string, string, string) (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job == nil {
		return Job{}, ErrNoJob
	}
	return *r.job, nil
}

func (r *rows) ClaimFilm(_ context.Context, _, until time.Time) (j Job, err error) {
	err = ErrNoJob
	r.change(func() {
		if r.job == nil || r.job.State != Waiting {
			return
		}
		r.job.State, r.job.Tries, r.job.Round, r.job.Until = Rendering, r.job.Tries+1, r.job.Round+1, until.UnixMilli()
		j, err = *r.job, nil
	})
	return j, err
}

func (r *rows) UpdateFilm(_ context.Context, j Job) (err error) {
	r.change(func() {
		if r.job == nil || r.job.Round != j.Round {
			err = ErrNoJob
			return
		}
		*r.job = j
	})
	return err
}

func (r *rows) RestartFilms(context.Context, string) (n int, _ error) {
	r.change(func() {
		if r.job != nil {
			r.job.State, r.job.File, r.job.Round, n = Waiting, "", r.job.Round+1, 1
		}
	})
	return n, nil
}

func (r *rows) DropFilms(context.Context, string, string) error {
	r.change(func() { r.job = nil })
	return nil
}

// becomes waits until the film is in a state.
func (r *rows) becomes(t *testing.T, state State) Job {
	t.Helper()
	for {
		r.mu.Lock()
		job, changed := r.job, r.changed
		if job != nil && job.State == state {
			defer r.mu.Unlock()
			return *job
		}
		r.mu.Unlock()
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("in vain")
		}
	}
}

// shelf is Blobs in a folder.
type shelf string

func (s shelf) path(key string) string { return filepath.Join(string(s), filepath.FromSlash(key)) }

func (s shelf) PutFile(_ context.Context, key, path string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(s.path(key)), 0o700), os.Rename(path, s.path(key)))
}

func (s shelf) OpenBlob(_ context.Context, key string) (io.ReadSeekCloser, error) {
	return os.Open(s.path(key))
}

func (s shelf) DeleteBlobs(_ context.Context, folder string) error {
	return os.RemoveAll(s.path(folder))
}

// clips is Clips in a folder.
type clips struct{ shelf }

func (c clips) TakeFilm(_ context.Context, clip, path string) error {
	return os.Rename(path, c.path(clip))
}

func (c clips) EraseFilms(context.Context, string) (int, error) { return 0, nil }

// files are the names of all files in a folder.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// studio is a queue whose films are of two seconds in which Ana and Bo beep.
type studio struct {
	*Queue

	t     *testing.T
	rows  *rows
	blobs shelf
	clips clips
	talk  *scene
	free  atomic.Int64 // bytes on the disk

	mu    sync.Mutex
	bo    bool          // has not taken his consent back
	stuck chan struct{} // if set, closed by a film that then stands still until it is cancelled
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	s := &studio{t: t, rows: &rows{changed: make(chan struct{})}, blobs: shelf(t.TempDir()), clips: clips{shelf(t.TempDir())}, talk: &scene{dir: t.TempDir()}, bo: true}
	s.free.Store(leaveFree)
	s.talk.add(t, "ana", "audio", 1000, 3000, 1000, "")
	s.talk.add(t, "bo", "audio", 1000, 3000, 3000, "")
	s.Queue = NewQueue(QueueConfig{
		Jobs: s.rows, Blobs: s.blobs, Clips: s.clips, Dir: filepath.Join(t.TempDir(), "films"), Log: slog.New(slog.DiscardHandler),
		Free: func(string) (int64, error) { return s.free.Load(), nil }, Renderer: Renderer{FFmpeg: "ffmpeg", Threads: 1},
	})
	s.Start(s.prepare)
	t.Cleanup(s.Close)
	return s
}

func (s *studio) prepare(_ context.Context, j Job) (Film, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := Film{
		Events: numbered([]event.Event{
			{At: 0, Body: event.SessionOpened{Session: event.Session{ID: "s"}}},
			{At: 10, Body: member("ana", "Ana")},
			{At: 1000, Body: record(event.RecordingOn)},
			{At: 3000, Body: record(event.NotRecording)},
		}),
		Segments: slices.Clone(s.talk.segments), OpenSegment: s.open,
	}
	if j.Captions {
		f.Captions = []recorder.ExportNote{{Author: "Ana", Text: "She waits.", SessionTime: 1500}}
	}
	if !s.bo {
		f.Segments = f.Segments[:1]
	}
	if stuck := s.stuck; stuck != nil {
		s.stuck = nil
		f.OpenSegment = func(ctx context.Context, _ recorder.Segment) (io.ReadCloser, error) {
			close(stuck)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	return f, nil
}

func (s *studio) open(ctx context.Context, g recorder.Segment) (io.ReadCloser, error) {
	f, err := s.talk.open(ctx, g)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, recorder.ErrElsewhere
	}
	return f, err
}

// askStuck asks for a film, and returns when it is under way and stands still.
func (s *studio) askStuck() {
	s.t.Helper()
	stuck := make(chan struct{})
	s.mu.Lock()
	s.stuck = stuck
	s.mu.Unlock()
	s.must(s.Ask(s.t.Context(), "s", "ana", false, true))
	<-stuck
}

func (s *studio) boTakesBack() {
	s.t.Helper()
	s.mu.Lock()
	s.bo = false
	s.mu.Unlock()
	if n, err := s.Restart(s.t.Context(), "s"); err != nil || n != 1 {
		s.t.Fatalf("%d films are made anew: %v", n, err)
	}
}

// segment is Bo's from now on.
func (s *studio) segment(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.talk.segments[1].ID = id
}

func (s *studio) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// film waits for a film, and returns where it is.
func (s *studio) film() string {
	s.t.Helper()
	j := s.rows.becomes(s.t, Ready)
	path := s.blobs.path(j.File)
	info, err := os.Stat(path)
	s.must(err)
	if got := files(s.t, string(s.blobs)); j.Progress != 1 || j.Bytes != info.Size() || len(got) != 1 {
		s.t.Errorf("ready is %+v, of %v", j, got)
	}
	return path
}

func (s *studio) isOf(path string, bo bool) {
	s.t.Helper()
	if ana := heard(s.t, path, 1000); len(ana) != 2 {
		s.t.Errorf("Ana is heard at %v", ana)
	}
	if got := heard(s.t, path, 3000); (len(got) == 2) != bo || (len(got) == 0) == bo {
		s.t.Errorf("Bo is heard at %v", got)
	}
}

// What somebody takes back is in no film: one that is ready is gone at once, and made anew.
func TestAReadyFilmIsMadeAnew(t *testing.T) {
	s := newStudio(t)
	s.must(s.Ask(t.Context(), "s", "ana", false, false))
	first := s.film()
	s.isOf(first, true)
	if got := probe(t, first, "stream=codec_name"); got != "h264,aac" {
		t.Errorf("without captions there are %s", got)
	}
	s.boTakesBack()
	if _, err := os.Stat(first); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what there was is still there: %v", err)
	}
	s.isOf(s.film(), false)
}

// What somebody takes back while a film is under way is not in it. Notes are, as subtitles, if that was asked for.
func TestAFilmUnderWayIsMadeAnew(t *testing.T) {
	s := newStudio(t)
	s.askStuck()
	s.boTakesBack()
	anew := s.film()
	s.isOf(anew, false)
	if got := probe(t, anew, "stream=codec_name"); got != "h264,aac,mov_text" {
		t.Errorf("with captions there are %s", got)
	}
}

// A film that is cancelled ends, and leaves nothing behind; one that a stop ends waits for the next start.
func TestAFilmUnderWayIsCancelled(t *testing.T) {
	s := newStudio(t)
	s.askStuck()
	s.must(s.Drop(t.Context(), "s", "ana"))
	if _, err := s.Get(t.Context(), "s", "ana"); !errors.Is(err, ErrNoJob) {
		t.Errorf("cancelled, and got %v", err)
	}
	if left := append(files(t, string(s.blobs)), files(t, s.cfg.Dir)...); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	s.askStuck()
	s.Close()
	if j, err := s.Get(t.Context(), "s", "ana"); err != nil || j.State != Waiting || j.Tries != 0 {
		t.Errorf("after a stop it is %+v, %v", j, err)
	}
}

// A film takes no room that recordings need: it is not begun, or ends.
func TestAFilmLeavesRoomForRecordings(t *testing.T) {
	s := newStudio(t)
	s.free.Store(leaveFree - 1)
	s.must(s.Ask(t.Context(), "s", "ana", false, false))
	if j := s.rows.becomes(t, Failed); !strings.Contains(j.Problem, "disk is full") {
		t.Errorf("told %q", j.Problem)
	}
	s.free.Store(leaveFree)
	s.askStuck()
	s.free.Store(0)
	if j := s.rows.becomes(t, Failed); !strings.Contains(j.Problem, "disk is full") {
		t.Errorf("told %q", j.Problem)
	}
	if left := files(t, s.cfg.Dir); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// What is not here yet makes no film that lacks it: who asked is told to come back.
func TestAFilmOfWhatIsElsewhere(t *testing.T) {
	s := newStudio(t)
	s.segment("on another server")
	s.must(s.Ask(t.Context(), "s", "ana", false, false))
	if j := s.rows.becomes(t, Failed); !strings.Contains(j.Problem, "another server") {
		t.Errorf("told %q", j.Problem)
	}
}

// A film that becomes a clip is handed over, and leaves alone what its member takes along. One that failed is tried again if somebody asks.
func TestAFilmForAClip(t *testing.T) {
	s := newStudio(t)
	own := filepath.Join(t.TempDir(), "own.mp4")
	s.must(os.WriteFile(own, nil, 0o600))
	s.must(s.blobs.PutFile(t.Context(), blobFolder("s", "ana")+"1/film.mp4", own))
	here := s.talk.segments[1].ID
	s.segment("on another server")
	s.must(s.rows.AskFilm(t.Context(), Job{Session: "s", Member: "ana", Clip: "clip", State: Waiting}))
	s.Look()
	failed := s.rows.becomes(t, Failed)
	s.segment(here)
	s.must(s.Again(t.Context(), failed))
	ready := s.rows.becomes(t, Ready)
	if ready.Clip != "clip" || ready.File != "" || ready.Progress != 1 {
		t.Errorf("ready is %+v", ready)
	}
	s.isOf(s.clips.path("clip"), true)
	if err := s.Again(t.Context(), ready); err != nil || s.rows.becomes(t, Ready).Round != ready.Round {
		t.Errorf("what is ready is tried again: %v", err)
	}
	if got := files(t, string(s.blobs)); len(got) != 1 {
		t.Errorf("the film to take along: %v", got)
	}
}
