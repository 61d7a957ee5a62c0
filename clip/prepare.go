package clip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
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
		if err := p.drain(ctx); err != nil && ctx.Err() == nil {
			p.lib.log.Error("preparation has to wait", slog.Any("err", err))
			retry.Reset(retryAfter)
		}
	}
}

// drain prepares until nothing waits; an error means that it has to be tried again later.
func (p *preparer) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		waiting, err := p.lib.catalog.ListClips(ctx, Filter{States: []State{Waiting, Preparing}})
		if err != nil {
			return fmt.Errorf("list waiting clips: %w", err)
		}
		if len(waiting) == 0 {
			return nil
		}
		if err := p.prepare(ctx, waiting[0].ID); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("prepare clip %s: %w", waiting[0].ID, err)
		}
	}
	return ctx.Err()
}

// prepare takes one clip to Ready or Refused. With an error it goes on waiting.
func (p *preparer) prepare(ctx context.Context, id string) error {
	c, err := p.lib.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		c.State, c.Progress = Preparing, 0
		c.Attempts++
		return nil
	})
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
	_, err := p.lib.catalog.UpdateClip(context.WithoutCancel(ctx), id, func(c *Clip) error {
		c.State, c.Progress = Waiting, 0
		if !fault {
			c.Attempts--
		}
		return nil
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
	_, err := p.lib.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		c.State, c.Progress, c.Refusal = Refused, 0, sentence
		return nil
	})
	if err != nil {
		return err
	}
	return p.lib.uploads.removeFile(id)
}

// make does the work in a folder of its own, stores what came out, and says that the clip is ready, in this order.
func (p *preparer) make(ctx context.Context, c Clip) error {
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res, err := t.normalise(ctx, src, p.publish(ctx, c.ID, cancel))
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
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

// publish returns a function that writes progress to the catalog, once a second at most, and ends
// the work when the clip was deleted.
func (p *preparer) publish(ctx context.Context, id string, cancel context.CancelCauseFunc) func(float64) {
	var last time.Time
	return func(progress float64) {
		now := time.Now()
		if now.Sub(last) < progressStep {
			return
		}
		last = now
		_, err := p.lib.catalog.UpdateClip(ctx, id, func(c *Clip) error {
			c.Progress = 0.95 * progress // the rest is thumbnails and storing
			return nil
		})
		if errors.Is(err, ErrNotFound) {
			cancel(ErrNotFound)
		}
	}
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
	_, err := p.lib.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		c.State, c.Progress, c.Refusal, c.Attempts = Ready, 1, "", 0
		c.Frames, c.FPSNum, c.FPSDen = res.frames, res.rate.num, res.rate.den
		c.Duration, c.Width, c.Height, c.HasAudio = res.duration(), res.width, res.height, res.hasAudio
		c.From, c.To = 0, c.Duration
		c.Prepared = p.lib.now().UTC()
		return nil
	})
	return err
}
