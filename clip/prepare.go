package clip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

const (
	maxAttempts  = 3 // of a file that ends the server, or ffmpeg in unknown ways
	progressStep = time.Second
	retryAfter   = time.Minute // when the disk is full or the catalog does not answer
)

// preparer turns complete uploads into clips, one at a time. Its queue is the catalog, so a restart loses nothing.
type preparer struct {
	lib    *Library
	tools  tools
	dir    string
	wakeup chan struct{} // holds one token: there may be something to do
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startPreparer starts the one goroutine that owns the queue, the work folder and the states Preparing, Ready and Refused.
func startPreparer(l *Library, t tools, dir string) (*preparer, error) {
	if err := os.RemoveAll(dir); err != nil { // half-made files of a former run
		return nil, fmt.Errorf("empty work folder: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &preparer{lib: l, tools: t, dir: dir, wakeup: make(chan struct{}, 1), cancel: cancel}
	p.wake()
	p.done.Go(func() { p.loop(ctx) })
	return p, nil
}

// wake says that a clip may be waiting.
func (p *preparer) wake() {
	select {
	case p.wakeup <- struct{}{}:
	default:
	}
}

func (p *preparer) close() {
	p.cancel()
	p.done.Wait()
}

func (p *preparer) loop(ctx context.Context) {
	retry := time.NewTimer(retryAfter)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wakeup:
		case <-retry.C:
		}
		left, err := p.drain(ctx)
		if err != nil && ctx.Err() == nil {
			p.lib.log.Error("preparation has to wait", slog.Any("err", err))
		}
		if left || err != nil {
			retry.Reset(retryAfter)
		}
	}
}

// drain prepares until nothing waits but what other servers prepare, and reports whether there is such; an error means that it has to
// be tried again later.
func (p *preparer) drain(ctx context.Context) (left bool, err error) {
	for ctx.Err() == nil {
		waiting, err := p.lib.catalog.ListClips(ctx, Filter{States: []State{Waiting, Preparing}})
		if err != nil {
			return false, fmt.Errorf("list waiting clips: %w", err)
		}
		next := slices.IndexFunc(waiting, p.lib.mine)
		if next < 0 {
			return len(waiting) > 0, nil
		}
		if err := p.prepare(ctx, waiting[next].ID); err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, errTaken) {
			return false, fmt.Errorf("prepare clip %s: %w", waiting[next].ID, err)
		}
	}
	return false, ctx.Err()
}

// prepare takes one clip to Ready or Refused. With an error it goes on waiting, here or, with errTaken, elsewhere.
func (p *preparer) prepare(ctx context.Context, id string) error {
	c, err := p.lib.claim(ctx, id)
	if err != nil {
		return err
	}
	if c.Attempts > maxAttempts {
		return p.refuse(ctx, id, "This file could not be prepared after several attempts. Convert it to MP4 and upload it again.")
	}
	p.lib.log.Info("clip is being prepared", slog.String("clip", id), slog.Int("attempt", c.Attempts))
	p.lib.stats.preparing.Add(1)
	err = p.make(ctx, c)
	p.lib.stats.preparing.Add(-1)
	var e *Error
	switch {
	case err == nil:
		p.lib.stats.ready.Add(1)
		p.lib.log.Info("clip is ready", slog.String("clip", id))
		return p.lib.uploads.removeFile(id) // the renditions are kept, not the source
	case errors.Is(err, ErrNotFound):
		p.lib.log.Info("clip was deleted while it was prepared", slog.String("clip", id))
		return p.lib.remove(context.WithoutCancel(ctx), c)
	case errors.Is(err, errTakenBack):
		p.lib.log.Info("clip was taken back while it was prepared", slog.String("clip", id))
		return p.lib.forget(context.WithoutCancel(ctx), c)
	case errors.Is(err, errTaken):
		p.lib.log.Warn("another server took the preparation of a clip over", slog.String("clip", id))
		return err
	case errors.As(err, &e) && e.Code == "refused":
		p.lib.log.Warn("clip is refused", slog.String("clip", id), slog.Any("err", err))
		return p.refuse(ctx, id, e.Message)
	}
	return p.putBack(ctx, id, err)
}

// putBack lets a clip wait again. Only what may be the file's fault counts as an attempt and is tried again at once; for
// everything else, such as a full disk, cause is returned.
func (p *preparer) putBack(ctx context.Context, id string, cause error) error {
	fault := ctx.Err() == nil && fileFault(cause)
	p.lib.stats.failed.Add(1)
	err := p.lib.keep(context.WithoutCancel(ctx), id, func(c *Clip) {
		c.State, c.Progress = Waiting, 0
		if !fault {
			c.Attempts--
		}
	})
	if !fault {
		return errors.Join(cause, err)
	}
	p.lib.log.Warn("clip could not be prepared", slog.String("clip", id), slog.Any("err", cause))
	return err
}

func fileFault(err error) bool {
	var child *ffmpeg.Error
	return errors.As(err, &child) && !child.DiskFull() || errors.Is(err, ffmpeg.ErrTimeLimit) || errors.Is(err, errUnexpected)
}

func (p *preparer) refuse(ctx context.Context, id, sentence string) error {
	p.lib.stats.refused.Add(1)
	err := p.lib.keep(ctx, id, func(c *Clip) { c.State, c.Progress, c.Refusal = Refused, 0, sentence })
	if err != nil {
		return err
	}
	return p.lib.uploads.removeFile(id)
}

// make does the work, and says that the clip is ready. It ends early when the clip is deleted, or taken by another server.
func (p *preparer) make(ctx context.Context, c Clip) error {
	ctx, lost := context.WithCancelCause(ctx)
	var progress gauge
	var held sync.WaitGroup
	held.Go(func() { p.hold(ctx, c.ID, &progress, lost) })
	err := p.work(ctx, c, &progress)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	lost(nil)
	held.Wait()
	return err
}

// gauge is how far the work is, 0..1.
type gauge struct{ bits atomic.Uint64 }

func (g *gauge) set(part float64) { g.bits.Store(math.Float64bits(part)) }
func (g *gauge) get() float64     { return math.Float64frombits(g.bits.Load()) }

// hold publishes progress once a second, and keeps the lease with that, until ctx ends.
func (p *preparer) hold(ctx context.Context, id string, progress *gauge, lost context.CancelCauseFunc) {
	tick := time.NewTicker(progressStep)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := p.lib.keep(ctx, id, func(c *Clip) {
			c.Progress = 0.95 * progress.get() // the rest is thumbnails and storing
		})
		if errors.Is(err, ErrNotFound) || errors.Is(err, errTaken) || errors.Is(err, errTakenBack) {
			lost(err)
		}
	}
}

// work makes everything in a folder of its own, stores what came out, and says that the clip is ready, in this order.
func (p *preparer) work(ctx context.Context, c Clip, progress *gauge) error {
	t := p.tools
	t.dir = filepath.Join(p.dir, c.ID)
	if err := makeDir(t.dir); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(t.dir) }()
	path := p.lib.uploads.path(c.ID)
	if c.Practice {
		path = filepath.Join(t.dir, "practice.src")
		if err := t.makePractice(ctx, p.lib.log, path); err != nil {
			return err
		}
	}
	src, err := t.probe(ctx, path)
	if err != nil {
		return err
	}
	res, err := t.normalise(ctx, src, progress.set)
	if err != nil {
		return err
	}
	names, err := t.thumbnails(ctx, res)
	if err != nil {
		return err
	}
	if err := p.put(ctx, c.ID, t.dir, append(names, Rendition720, Rendition360)); err != nil {
		return err
	}
	return p.ready(ctx, c.ID, res)
}

func (p *preparer) put(ctx context.Context, id, dir string, names []string) error {
	for _, name := range names {
		if err := p.lib.blobs.PutFile(ctx, blobPrefix(id)+name, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("store %s: %w", name, err)
		}
	}
	return nil
}

func (p *preparer) ready(ctx context.Context, id string, res result) error {
	return p.lib.keep(ctx, id, func(c *Clip) {
		c.State, c.Progress, c.Refusal, c.Attempts = Ready, 1, "", 0
		c.Frames, c.FPSNum, c.FPSDen = res.frames, res.rate.num, res.rate.den
		c.Duration, c.Width, c.Height, c.HasAudio = res.duration(), res.width, res.height, res.hasAudio
		c.From, c.To = 0, c.Duration
		c.Prepared = p.lib.now().UTC()
	})
}
