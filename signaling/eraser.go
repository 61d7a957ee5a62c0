package signaling

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// Erasures knows what members took their consent back for and what is not proved to be gone yet.
type Erasures interface {
	ListErasures(ctx context.Context) ([]recorder.Erasure, error)
}

// How long one try to remove recordings may take, and how long until the next one after a failure.
const (
	eraseWithin = 30 * time.Second
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
	quit       chan struct{}
	once       sync.Once
	done       chan struct{}
	rounds     sync.Mutex // held while something is removed
}

func newEraser(r *recorder.Recorder, change func(context.Context, question) error, open Erasures, log *slog.Logger) *eraser {
	e := &eraser{
		recordings: r, change: change, open: open, log: log,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	e.wake <- struct{}{} // what is left of a former run
	go e.run()
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

func (e *eraser) run() {
	defer close(e.done)
	timer := time.NewTimer(eraseAgain)
	defer timer.Stop()
	for {
		select {
		case <-e.quit:
			return
		case <-e.wake:
		case <-timer.C:
		}
		wait := time.Hour
		if !e.eraseAll() {
			wait = eraseAgain
		}
		timer.Reset(wait)
	}
}

// eraseAll does what there is to do, and reports whether all of it is done.
func (e *eraser) eraseAll() bool {
	e.rounds.Lock()
	defer e.rounds.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), eraseWithin)
	defer cancel()
	todo, err := e.open.ListErasures(ctx)
	if err != nil {
		e.log.Error("cannot list what is to be removed", slog.Any("err", err))
		return false
	}
	done := true
	for _, x := range todo {
		if err := e.erase(ctx, x); err != nil {
			done = false
			e.log.Error("what consent was taken back for is not removed yet",
				slog.String("session", x.Session), slog.String("member", x.Member), slog.Any("err", err))
		}
	}
	return done
}

// between runs a change of what may be removed, while nothing is.
func (e *eraser) between(change func() error) error {
	e.rounds.Lock()
	defer e.rounds.Unlock()
	return change()
}

func (e *eraser) erase(ctx context.Context, x recorder.Erasure) error {
	return e.recordings.Erase(ctx, x, func(proof event.RecordingErased) error {
		return e.change(ctx, question{Session: x.Session, Erased: &proof})
	})
}

// close ends it, after what is under way.
func (e *eraser) close(ctx context.Context) {
	e.once.Do(func() { close(e.quit) })
	select {
	case <-e.done:
	case <-ctx.Done():
	}
}
