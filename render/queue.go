package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
	"github.com/pausepoint/pausepoint/recorder"
)

const (
	claimFor  = 30 * time.Second // without a word, a film that is being rendered is somebody else's to render
	tellEvery = time.Second
	lookEvery = 15 * time.Second // for what another server left
	maxTries  = 3                // of a film that ends the server
	leaveFree = 2_000_000_000    // bytes, for recordings: these stop below 500 MB
)

var errNoRoom = errors.New("there is hardly room left on the disk")

// QueueConfig is what a Queue needs, all of it.
type QueueConfig struct {
	Jobs     Jobs
	Blobs    Blobs
	Clips    Clips
	Renderer Renderer
	Dir      string                          // for work in progress; emptied at the begin
	Free     func(dir string) (int64, error) // bytes that are free below Dir; an error where nobody knows
	Log      *slog.Logger
}

// Queue renders films that members ask for, one at a time. Its line is in the database, so a restart loses nothing, and
// several servers share it. Its methods may be called from any goroutine.
type Queue struct {
	cfg     QueueConfig
	prepare func(context.Context, Job) (Film, error)
	wake    chan struct{} // capacity 1
	stop    context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	current *running
}

// running is the film that is being rendered.
type running struct {
	job    Job
	cancel context.CancelFunc
	done   chan struct{}
}

// NewQueue makes a queue that renders nothing before Start.
func NewQueue(cfg QueueConfig) *Queue {
	return &Queue{cfg: cfg, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Start goes on with what is in line; prepare says what a film consists of. It is called once; Close ends it.
func (q *Queue) Start(prepare func(context.Context, Job) (Film, error)) {
	ctx, stop := context.WithCancel(context.Background())
	q.prepare, q.stop = prepare, stop
	q.Look()
	go q.run(ctx)
}

// Close ends the film that is being rendered, which goes back in line, and waits for that.
func (q *Queue) Close() {
	q.stop()
	<-q.done
}

// Ask puts a film in line, in the place of the one that the member had of the session.
func (q *Queue) Ask(ctx context.Context, session, member string, cards, captions bool) error {
	if err := q.Drop(ctx, session, member); err != nil {
		return err
	}
	return q.ask(ctx, Job{Session: session, Member: member, Cards: cards, Captions: captions})
}

func (q *Queue) ask(ctx context.Context, j Job) error {
	j.State, j.Asked = Waiting, time.Now().UnixMilli()
	err := q.cfg.Jobs.AskFilm(ctx, j)
	q.Look()
	return err
}

// Again puts a film in line again that has failed.
func (q *Queue) Again(ctx context.Context, j Job) error {
	if j.State != Failed {
		return nil
	}
	return q.ask(ctx, Job{Session: j.Session, Member: j.Member, Clip: j.Clip, Cards: j.Cards, Captions: j.Captions})
}

// Get returns a member's film of a session; ErrNoJob if they asked for none.
func (q *Queue) Get(ctx context.Context, session, member string) (Job, error) {
	return q.cfg.Jobs.GetFilm(ctx, session, member, "")
}

// OfClip returns the film that a member asked for as a clip; ErrNoJob if there is none.
func (q *Queue) OfClip(ctx context.Context, session, member, clip string) (Job, error) {
	return q.cfg.Jobs.GetFilm(ctx, session, member, clip)
}

// Open opens a finished film, which the caller closes; ErrNoJob if it is not there.
func (q *Queue) Open(ctx context.Context, session, member string) (Job, io.ReadSeekCloser, error) {
	j, err := q.Get(ctx, session, member)
	if err == nil && j.State != Ready {
		err = ErrNoJob
	}
	if err != nil {
		return Job{}, nil, err
	}
	f, err := q.cfg.Blobs.OpenBlob(ctx, j.File)
	return j, f, err
}

// Drop cancels and removes a session's films: the one that a member takes along, or all if it is empty.
func (q *Queue) Drop(ctx context.Context, session, member string) error {
	if err := q.cfg.Jobs.DropFilms(ctx, session, member); err != nil {
		return fmt.Errorf("drop films: %w", err)
	}
	return q.removeFiles(ctx, session, member)
}

// Restart removes what there is of a session's films and renders them anew: what they are made of has changed. It returns how many
// there are.
func (q *Queue) Restart(ctx context.Context, session string) (int, error) {
	n, err := q.cfg.Jobs.RestartFilms(ctx, session)
	if err != nil {
		return 0, fmt.Errorf("restart films: %w", err)
	}
	err = q.removeFiles(ctx, session, "")
	q.Look()
	return n, err
}

// Erase removes for good what is left of a session's clips that were taken back, and returns how many there are.
func (q *Queue) Erase(ctx context.Context, session string) (int, error) {
	return q.cfg.Clips.EraseFilms(ctx, session)
}

// removeFiles ends what is being rendered, and removes what was.
func (q *Queue) removeFiles(ctx context.Context, session, member string) error {
	q.mu.Lock()
	now := q.current
	q.mu.Unlock()
	if now != nil && now.job.Session == session && (member == "" || member == now.job.Member && now.job.Clip == "") {
		now.cancel()
		select {
		case <-now.done:
		case <-ctx.Done():
			return fmt.Errorf("a film has not come to an end: %w", ctx.Err())
		}
	}
	return q.cfg.Blobs.DeleteBlobs(ctx, blobFolder(session, member))
}

// Look makes the queue see whether there is something new in line.
func (q *Queue) Look() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue) run(ctx context.Context) {
	defer close(q.done)
	if err := os.RemoveAll(q.cfg.Dir); err != nil {
		q.cfg.Log.Error("half-made films of a former run are not removed", slog.Any("err", err))
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-tick.C:
		}
		for ctx.Err() == nil && q.next(ctx) {
		}
	}
}

// next renders the next film, and reports whether there was one.
func (q *Queue) next(ctx context.Context) bool {
	now := time.Now()
	j, err := q.cfg.Jobs.ClaimFilm(ctx, now, now.Add(claimFor))
	if err != nil {
		if !errors.Is(err, ErrNoJob) && ctx.Err() == nil {
			q.cfg.Log.Error("cannot look for films to render", slog.Any("err", err))
		}
		return false
	}
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &running{job: j, cancel: func() { cancel(nil) }, done: make(chan struct{})}
	q.setCurrent(r)
	err = q.render(work, cancel, &j)
	if err != nil && errors.Is(context.Cause(work), errNoRoom) {
		err = errNoRoom
	}
	q.finish(context.WithoutCancel(ctx), j, err, ctx.Err() != nil)
	q.setCurrent(nil)
	close(r.done)
	return true
}

func (q *Queue) setCurrent(r *running) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.current = r
}

// render makes one film and stores it; j says then where.
func (q *Queue) render(ctx context.Context, cancel context.CancelCauseFunc, j *Job) error {
	if j.Tries > maxTries {
		return errors.New("it ended the server several times")
	}
	if err := q.cfg.Blobs.DeleteBlobs(ctx, j.folder()); err != nil { // of a round that a crash ended
		return err
	}
	dir, err := filepath.Abs(filepath.Join(q.cfg.Dir, j.Session+"-"+j.Member))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if !q.roomy() {
		return errNoRoom
	}
	var progress atomic.Uint64 // per million
	told := q.tell(ctx, cancel, *j, &progress)
	path, err := q.make(ctx, *j, dir, func(p float64) { progress.Store(uint64(p * 1e6)) })
	if err == nil {
		err = q.store(ctx, j, path)
	}
	cancel(nil)
	<-told
	return err
}

// roomy reports whether a film takes no room from recordings.
func (q *Queue) roomy() bool {
	free, err := q.cfg.Free(q.cfg.Dir)
	return err != nil || free >= leaveFree
}

func (q *Queue) make(ctx context.Context, j Job, dir string, progress func(float64)) (string, error) {
	film, err := q.prepare(ctx, j)
	if err != nil {
		return "", err
	}
	return q.cfg.Renderer.Render(ctx, film, dir, progress)
}

func (q *Queue) store(ctx context.Context, j *Job, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := q.cfg.Jobs.UpdateFilm(ctx, *j); err != nil { // nobody may want this round any more
		return err
	}
	if j.Clip != "" {
		return q.cfg.Clips.TakeFilm(ctx, j.Clip, path)
	}
	j.File, j.Bytes = roundFolder(*j)+"film.mp4", info.Size()
	return q.cfg.Blobs.PutFile(ctx, j.File, path)
}

// tell writes how far a film is, until ctx ends, and ends it if nobody wants this round any more, or the disk fills up.
func (q *Queue) tell(ctx context.Context, cancel context.CancelCauseFunc, j Job, progress *atomic.Uint64) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			j.Progress, j.Until = float64(progress.Load())/1e6, time.Now().Add(claimFor).UnixMilli()
			if err := q.cfg.Jobs.UpdateFilm(ctx, j); errors.Is(err, ErrNoJob) {
				cancel(nil)
				return
			}
			if !q.roomy() {
				cancel(errNoRoom)
				return
			}
		}
	}()
	return done
}

// finish writes how a film ended. One that nobody wants any more leaves nothing behind; one that the server's stop ended waits again.
func (q *Queue) finish(ctx context.Context, j Job, err error, stopping bool) {
	ctx, cancel := context.WithTimeout(ctx, claimFor)
	defer cancel()
	log := q.cfg.Log.With(slog.String("session", j.Session))
	switch {
	case err == nil:
		j.State, j.Progress, j.Tries = Ready, 1, 0
	case stopping:
		j.State, j.Progress = Waiting, 0
		j.Tries--
	default:
		j.State, j.Progress, j.Problem = Failed, 0, problemOf(err)
	}
	written := q.cfg.Jobs.UpdateFilm(ctx, j)
	switch {
	case errors.Is(written, ErrNoJob):
		log.Info("a film is not wanted any more")
		written = q.cfg.Blobs.DeleteBlobs(ctx, roundFolder(j))
	case j.State == Failed:
		log.Error("a film could not be rendered", slog.Any("err", err))
	default:
		log.Info("a film", slog.String("state", string(j.State)))
	}
	if written != nil {
		log.Error("how a film ended could not be stored: it is rendered again", slog.Any("err", written))
	}
}

// problemOf says what to do about a film that could not be rendered.
func problemOf(err error) string {
	var child *ffmpeg.Error
	switch {
	case errors.Is(err, ErrNothing):
		return "Nothing of this conversation is recorded, so there is no film of it."
	case errors.Is(err, recorder.ErrElsewhere):
		return "A part of the recording is still on its way from another server. Try again in a few minutes."
	case errors.Is(err, errNoRoom), errors.As(err, &child) && child.DiskFull():
		return "The server's disk is full. Ask whoever runs the server to make room, then try again."
	}
	return "The film could not be made. Try again; if it fails again, tell whoever runs the server."
}
