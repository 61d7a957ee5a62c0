package recorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Recorder needs. Dir and Segments are required.
type Config struct {
	Dir      string // where files are kept: <Dir>/<session>/<segment>.webm
	Segments Index
	Log      *slog.Logger // slog.Default when nil

	// Notify is told what people should know: that something is missing, or that the disk is full. It is called from the
	// recorder's goroutines and must not block. It may be nil.
	Notify func(Notice)

	// Below LowVideo bytes of free space video is not stored, below LowAudio nothing is. When 0: 500 MB and 200 MB.
	LowVideo, LowAudio uint64

	// Vault keeps finished segments, which are then removed from Dir. Without one they stay there.
	Vault Vault

	// Products are told when what they are made of goes. It may be nil.
	Products Products

	// Free returns the free bytes of the file system that holds dir. When nil, the system is asked.
	Free func(dir string) (uint64, error)
}

// NoticeKind says what a Notice is about.
type NoticeKind string

// The kinds. The disk's notices have no member and no source, and come to each session that is on the record.
const (
	NoticeOverflow NoticeKind = "overflow"  // packets did not fit in the queue: a gap
	NoticeStorage  NoticeKind = "storage"   // a write failed: a gap of some seconds at least
	NoticeCodec    NoticeKind = "codec"     // a track is not stored: only VP8 and Opus are
	NoticeFailed   NoticeKind = "failed"    // nothing is stored: the recording has not begun. Whoever called Start tells that
	NoticeDiskLow  NoticeKind = "disk-low"  // video is not stored any more
	NoticeDiskFull NoticeKind = "disk-full" // nothing is stored any more
	NoticeDiskOK   NoticeKind = "disk-ok"   // everything is stored again
)

// Notice is something about a recording that people should know.
type Notice struct {
	Kind    NoticeKind
	Session string
	Member  string
	Source  string
	From    int64  // session time from which on something is missing, ms
	To      int64  // until when; 0 if that is not known yet
	Items   uint64 // packets that are missing, for NoticeOverflow
	Message string // a sentence for people
}

// Stats counts what the recorder did since it began.
type Stats struct {
	Tracks           int64  // being recorded now
	Frames           uint64 // stored
	Bytes            uint64 // of finished segments
	Segments         uint64 // finished
	Dropped          uint64 // packets that did not fit in a queue
	KeyFrameRequests uint64
	Unstored         int64         // segments that wait for the Vault
	UnstoredAge      time.Duration // of the oldest of them
}

type counters struct {
	tracks                                             atomic.Int64
	frames, bytes, segments, dropped, keyFrameRequests atomic.Uint64
}

// Recorder stores sessions. Its methods may be called from any goroutine.
type Recorder struct {
	cfg   Config
	files files
	disk  *disk
	out   *outbox // nil without a Vault
	stats counters

	quit    chan struct{}
	watched sync.WaitGroup // the goroutines of watch and bringLate

	mu      sync.Mutex
	runs    map[string]*run // on the record, by session
	all     map[*run]struct{}
	stopped map[string]time.Time // when Stop was called, by session; see withdrawing
	late    []Segment            // finished, but the Index does not know yet
	closed  bool
}

// New makes a recorder; Close ends it. To finish what a crash left, call Recover before the first Start.
func New(cfg Config) (*Recorder, error) {
	if cfg.Dir == "" || cfg.Segments == nil {
		return nil, errors.New("recorder: Dir and Segments are required")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of recordings: %w", err)
	}
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	r := &Recorder{
		cfg: cfg, files: files{cfg.Dir, system{}}, disk: newDisk(cfg), quit: make(chan struct{}),
		runs: make(map[string]*run), all: make(map[*run]struct{}), stopped: make(map[string]time.Time),
	}
	r.disk.check()
	if cfg.Vault != nil {
		r.out = newOutbox(cfg, r.files)
	}
	r.watched.Go(r.watch)
	r.watched.Go(r.bringLate)
	return r, nil
}

// Start records every publication of a session's room until Stop. now returns session time in ms; it runs like a monotonic
// clock. Nothing that was captured before Start is stored, nor within a moment of a Stop: see there. Starting what is started does nothing.
func (r *Recorder) Start(session string, room Room, now func() float64) error {
	if !plain(session) {
		return fmt.Errorf("start recording: %q is not a session id", session)
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return errors.New("start recording: the recorder is closed")
	}
	if r.runs[session] != nil {
		r.mu.Unlock()
		return nil
	}
	run := newRun(r, session, now())
	if at, ok := r.stopped[session]; ok {
		run.first = max(run.first, run.at(at)+withdrawing)
	}
	r.runs[session] = run
	r.all[run] = struct{}{}
	r.mu.Unlock()

	stop, err := room.Tap(run.start)
	run.tapped(stop)
	if err != nil {
		r.Stop(session)
		return fmt.Errorf("start recording: %w", err)
	}
	r.tellDisk(run)
	return nil
}

// Stop ends a session's recording. Nothing that arrives after the call is stored, and what is recorded next begins so much later that an
// Erasure of what was recorded before leaves it alone. It does not wait; the channel that it returns is
// closed once every segment is finished, also those of recordings that were stopped before and are still ending.
func (r *Recorder) Stop(session string) <-chan struct{} {
	r.mu.Lock()
	run := r.runs[session]
	delete(r.runs, session)
	now := time.Now()
	maps.DeleteFunc(r.stopped, func(_ string, at time.Time) bool { return now.Sub(at) > withdrawing*time.Millisecond })
	r.stopped[session] = now
	r.mu.Unlock()
	if run != nil {
		run.cut()
		go r.end(run)
	}
	ending, done := r.ending(session), make(chan struct{})
	go func() {
		for _, run := range ending {
			<-run.done
		}
		close(done)
	}()
	return done
}

// end waits for all of a run that was cut.
func (r *Recorder) end(run *run) {
	run.wait()
	r.mu.Lock()
	delete(r.all, run)
	r.mu.Unlock()
	close(run.done)
}

// ending returns what was recorded of a session and is stopped, but not finished.
func (r *Recorder) ending(session string) (runs []*run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for run := range r.all {
		if run.session == session && r.runs[session] != run {
			runs = append(runs, run)
		}
	}
	return runs
}

// Settle waits until everything that was recorded of a session before its latest Stop is finished, or until ctx ends.
func (r *Recorder) Settle(ctx context.Context, session string) {
	for _, run := range r.ending(session) {
		select {
		case <-run.done:
		case <-ctx.Done():
			return
		}
	}
}

// Close stops all recordings and returns when their segments are finished.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	sessions, all := make([]string, 0, len(r.runs)), make([]*run, 0, len(r.all))
	for s := range r.runs {
		sessions = append(sessions, s)
	}
	for run := range r.all {
		all = append(all, run)
	}
	r.mu.Unlock()
	for _, s := range sessions {
		r.Stop(s)
	}
	for _, run := range all {
		<-run.done
	}
	close(r.quit)
	r.watched.Wait()
	if r.out != nil {
		r.out.close()
	}
	return r.finishLate()
}

// Stats returns what the recorder did so far.
func (r *Recorder) Stats() Stats {
	c := &r.stats
	s := Stats{
		Tracks: c.tracks.Load(), Frames: c.frames.Load(), Bytes: c.bytes.Load(), Segments: c.segments.Load(),
		Dropped: c.dropped.Load(), KeyFrameRequests: c.keyFrameRequests.Load(),
	}
	if r.out != nil {
		s.Unstored, s.UnstoredAge = r.out.waiting.Load(), r.out.age(time.Now())
	}
	return s
}

// Open returns a finished segment of a session and its file, for http.ServeContent; the caller closes the file. ErrNotFound if the
// session has no such segment, ErrElsewhere if it cannot be read here yet. Whether the reader may have it is the caller's to decide.
func (r *Recorder) Open(ctx context.Context, session, segment string) (Segment, io.ReadSeekCloser, error) {
	if !plain(session) || !plain(segment) {
		return Segment{}, nil, ErrNotFound
	}
	seg, err := r.cfg.Segments.GetSegment(ctx, segment)
	if err != nil {
		return Segment{}, nil, fmt.Errorf("open segment: %w", err)
	}
	if seg.Session != session || !seg.Finished || seg.Withdrawn {
		return Segment{}, nil, ErrNotFound
	}
	f, err := r.openFile(ctx, seg)
	if errors.Is(err, fs.ErrNotExist) {
		return Segment{}, nil, ErrNotFound
	}
	if err != nil {
		return Segment{}, nil, fmt.Errorf("open segment: %w", err)
	}
	return seg, f, nil
}

// openFile opens a segment's file where it is: here, or else in the vault.
func (r *Recorder) openFile(ctx context.Context, s Segment) (io.ReadSeekCloser, error) {
	f, err := r.files.open(s.Session, s.ID)
	switch {
	case err == nil:
		return f, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case s.Elsewhere:
		return nil, ErrElsewhere
	case r.out != nil:
		return r.out.vault.OpenBlob(ctx, vaultKey(s))
	}
	return nil, err
}

// Delete removes a session's recording: it is stopped, and then its files and rows are gone. With ErrElsewhere all but what another
// server has not stored yet is gone, and the rows are there: call it again.
func (r *Recorder) Delete(ctx context.Context, session string) error {
	if !plain(session) {
		return nil
	}
	select {
	case <-r.Stop(session):
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.cfg.Products != nil {
		if err := r.cfg.Products.Drop(ctx, session, ""); err != nil {
			return fmt.Errorf("delete recording: %w", err)
		}
	}
	if _, err := r.eraseProducts(ctx, session); err != nil {
		return fmt.Errorf("delete recording: %w", err)
	}
	r.forgetLate(session)
	if err := r.deleteFiles(ctx, session); err != nil {
		return fmt.Errorf("delete recording: %w", err)
	}
	if err := r.cfg.Segments.DeleteSegments(ctx, session); err != nil {
		return fmt.Errorf("delete recording: %w", err)
	}
	return nil
}

// deleteFiles removes a session's files, here and in the vault.
func (r *Recorder) deleteFiles(ctx context.Context, session string) error {
	all, err := r.cfg.Segments.ListSegments(ctx, session)
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	waits := r.CheckHere(all)
	ours := slices.DeleteFunc(all, r.theirs)
	if err := r.files.removeSession(session); err != nil {
		return err
	}
	if r.out != nil {
		if err := r.out.forget(ctx, session, ""); err != nil {
			return err
		}
	}
	if waits == nil { // the rows go now
		return nil
	}
	errs := []error{waits}
	for _, s := range ours {
		errs = append(errs, r.setGone(ctx, s))
	}
	return errors.Join(errs...)
}

func (r *Recorder) notify(n Notice) {
	if r.cfg.Notify != nil {
		r.cfg.Notify(n)
	}
}
