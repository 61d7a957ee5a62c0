package cluster

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// estate are leases that the dead have left, and how often somebody looked for them.
type estate struct {
	holders

	mu     sync.Mutex // guards below
	left   []string
	looked int
}

func (e *estate) Orphans(context.Context, []string) ([]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looked++
	return e.left, nil
}

// looks is how often somebody looked since the last time.
func (e *estate) looks() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.looked = 0 }()
	return e.looked
}

func (e *estate) leave(sessions ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left = sessions
}

// What the dead have left is looked for when somebody dies, until nothing is left; else now and then. Time is virtual.
func TestLookingForOrphans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, g := newNode(t, "redis://127.0.0.1:1", "a", "")
		handler := Handler(g)
		n.handler.Store(&handler)
		left := &estate{}
		n.leases = left
		sees := func(others ...string) {
			nodes := map[string]peer{"a": {}}
			for _, name := range others {
				nodes[name] = peer{}
			}
			n.seen.Store(&sight{since: time.Now().Add(-time.Hour), nodes: nodes})
		}
		ctx, stop := context.WithCancel(t.Context())
		n.stop = stop
		after := func(d time.Duration, least, most int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if looks := left.looks(); looks < least || looks > most {
				t.Errorf("%d looks in %v", looks, d)
			}
		}
		sees("b", "c")
		n.ran.Go(func() { n.watchOn(ctx) })
		after(time.Minute, 5, 7)
		left.leave("of c")
		n.take("of c", 1) // so it is not loaded
		sees("b")
		after(watchEvery+watchEvery/10, 1, 2)
		after(5*watchEvery, 5, 5)
		left.leave()
		after(time.Minute, 5, 7)
		n.impaired.Store(true)
		after(watchEvery/10, 0, 0)
		n.seen.Store(&sight{err: errAlone}) // nobody is told that it leaves
		if err := n.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
}
