package cluster

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// clinging is a handler whose sessions do not let go.
type clinging struct{ guests }

func (*clinging) LetGo(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// Handing over ends when it has to, however many sessions hang: nobody is handed what is still here. Time is virtual.
func TestDrainEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, "redis://127.0.0.1:1", "a", "")
		handler := Handler(&clinging{})
		n.handler.Store(&handler)
		n.running, n.stop = context.WithCancel(t.Context())
		n.stop() // it does not beat, and what it has seen stays
		n.seen.Store(&sight{nodes: map[string]peer{"a": {}, "b": {}}})
		for i := range 3 * parallel {
			n.take(fmt.Sprint(i), 1)
		}
		const within = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		began := time.Now()
		n.Drain(ctx)
		if took := time.Since(began); took != within {
			t.Errorf("it takes %v", took)
		}
		if s := n.Stats(); s.HandedOver != 0 || s.Sessions != 3*parallel {
			t.Errorf("%d are handed over, %d are left", s.HandedOver, s.Sessions)
		}
		if err := n.redis.Close(); err != nil {
			t.Error(err)
		}
	})
}
