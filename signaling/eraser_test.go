package signaling

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// openErasures are some that stay open.
type openErasures []recorder.Erasure

func (o openErasures) ListErasures(context.Context) ([]recorder.Erasure, error) {
	return slices.Clone(o), nil
}

func (o openErasures) CheckErasure(context.Context, recorder.Erasure) error { return nil }

// noSegments is an index of a server that never recorded.
type noSegments struct{ recorder.Index }

func (noSegments) ListSegments(context.Context, string) ([]recorder.Segment, error) { return nil, nil }

// The server of one session hangs. What is to be removed of the others is removed all the same, and the eraser ends when it is to.
func TestAnErasureThatHangsHoldsUpNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.DiscardHandler)
		r, err := recorder.New(recorder.Config{Dir: dir, Segments: noSegments{}, Log: quiet})
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan string)
		change := func(ctx context.Context, q question) error {
			if q.Session == "hangs" {
				<-ctx.Done()
			}
			if ctx.Err() == nil {
				asked <- q.Session
			}
			return ctx.Err()
		}
		open := openErasures{{Session: "hangs", Member: "ana"}, {Session: "answers", Member: "bo"}}
		e := newEraser(r, change, open, quiet)
		if session := <-asked; session != "answers" {
			t.Errorf("proved for %q", session)
		}
		e.observe([]event.Event{{Body: event.MemberWithdrew{}}})
		synctest.Wait() // it hangs again
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		e.close(soon)
		select {
		case <-e.done:
		default:
			t.Error("it goes on after it was closed")
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}
