package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// A server that was told to end ends within a minute, even if one of its parts never does. Time is virtual.
func TestStopDoesNotWaitForWhatHangs(t *testing.T) {
	for name, c := range map[string]struct {
		closes func(ctx context.Context, ever <-chan struct{}) error
		after  time.Duration
		says   error
	}{
		"what ends at once":          {func(context.Context, <-chan struct{}) error { return nil }, 0, nil},
		"what takes all it is given": {func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return nil }, 9 * time.Second, nil},
		"what never ends":            {func(_ context.Context, ever <-chan struct{}) error { <-ever; return nil }, time.Minute, errHangs},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ever := make(chan struct{})
				defer close(ever)
				h := &house{log: slog.New(slog.DiscardHandler)}
				h.later(func(ctx context.Context) error { return c.closes(ctx, ever) })
				began := time.Now()
				if err := h.stop(t.Context()); !errors.Is(err, c.says) {
					t.Errorf("it ends with %v", err)
				}
				if took := time.Since(began); took != c.after {
					t.Errorf("it takes %v", took)
				}
			})
		})
	}
}
