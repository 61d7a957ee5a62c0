package signaling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// Erasures knows what members took their consent back for and what is not proved to be gone yet.
type Erasures interface {
	ListErasures(ctx context.Context) ([]recorder.Erasure, error)

	// CheckErasure is recorder.ErrKept if an erasure is not to be done any more: under a legal hold, or since it is proved.
	CheckErasure(ctx context.Context, e recorder.Erasure) error
}

// How long it may take to list what is to be removed, and to remove one member's recordings; how long until the next try after a failure.
const (
	listWithin  = 30 * time.Second
	eraseWithin = 10 * time.Minute
	eraseAgain  = 20 * time.Second
)

// eraser removes what members took their consent back for, and has the journal keep the proof. What it has not done when the
// server stops it does after the next start. The goroutine of run does the work.
type eraser struct {
	recordings *recorder.Recorder
	change     func(ctx context.Context, q question) error // of the session, wherever it is
	open       Erasures
	log        *slog.Logger
	wake       chan struct{} // capacity 1
	quit       context.CancelFunc
	done       chan struct{}
}

func newEraser(r *recorder.Recorder, change func(context.Context, question) error, open Erasures, log *slog.Logger) *eraser {
	ctx, quit := context.WithCancel(context.Background())
	e := &eraser{
		recordings: r, change: change, open: open, log: log,
		wake: make(chan struct{}, 1), quit: quit, done: make(chan struct{}),
	}
	e.wake <- struct{}{} // what is left of a former run
	go e.run(ctx)
	return e
}

// observe is called when a session's events are durable, and does not wait for anything.
func (e *eraser) observe(events []event.Event) {
	for _, ev := range events {
		switch ev.Body.(type) {
		case event.MemberWithdrew, event.KeepingChanged: // a legal hold that ended leaves much to do
		default:
			continue
		}
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
}

func (e *eraser) run(ctx context.Context) {
	defer close(e.done)
	timer := time.NewTimer(eraseAgain)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
		wait := time.Hour
		if err := e.eraseAll(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("what consent was taken back for is not removed yet", slog.Any("err", err))
			wait = eraseAgain
		}
		timer.Reset(wait)
	}
}

// eraseAll does what there is to do. What fails or hangs keeps nothing from the others.
func (e *eraser) eraseAll(ctx context.Context) error {
	listing, cancel := context.WithTimeout(ctx, listWithin)
	todo, err := e.open.ListErasures(listing)
	cancel()
	if err != nil {
		return fmt.Errorf("list what is to be removed: %w", err)
	}
	var errs []error
	for _, x := range todo {
		if err := e.erase(ctx, x); err != nil {
			errs = append(errs, fmt.Errorf("of %s in session %s: %w", x.Member, x.Session, err))
		}
	}
	return errors.Join(errs...)
}

// erase removes what an erasure names. What a legal hold keeps stays; its end wakes the eraser.
func (e *eraser) erase(ctx context.Context, x recorder.Erasure) error {
	ctx, cancel := context.WithTimeout(ctx, eraseWithin)
	defer cancel()
	check := func(ctx context.Context) error { return e.open.CheckErasure(ctx, x) }
	err := e.recordings.Erase(ctx, x, check, func(proof event.RecordingErased) error {
		return e.change(ctx, question{Session: x.Session, Erased: &proof})
	})
	if errors.Is(err, recorder.ErrKept) {
		return nil
	}
	return err
}

// close ends it. What is under way is done after the next start.
func (e *eraser) close(ctx context.Context) {
	e.quit()
	select {
	case <-e.done:
	case <-ctx.Done():
	}
}
