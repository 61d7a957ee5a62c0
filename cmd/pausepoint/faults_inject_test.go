package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/bench/faults"
)

// What a node is told to do, and what is promised of it.
const (
	handOverWithin = 60 * time.Second
	liveWithin     = 12 * time.Second
	healedWithin   = 5 * time.Second
)

// misfortune is what can happen to a node: how it begins, and how it ends.
type misfortune struct{ begins, ends func(n *node) error }

// misfortunes are those that come over a node without a word, by name.
var misfortunes = map[string]misfortune{
	"killed":                  {(*node).kill, (*node).start},
	"stopped":                 {(*node).freeze, (*node).thaw},
	"cut off from Redis":      {cut((*node).toRedis), mended((*node).toRedis)},
	"cut off from PostgreSQL": {cut((*node).toPostgres), mended((*node).toPostgres)},
	"cut off from both":       {cut((*node).toBoth), mended((*node).toBoth)},
}

// upgrade is a node that ends as it is asked to, and starts again.
var upgrade = misfortune{
	func(n *node) error { return n.signal(syscall.SIGTERM) },
	func(n *node) error { return errors.Join(n.awaitEnd(handOverWithin), n.start()) },
}

func (n *node) toRedis() []*faults.Link    { return []*faults.Link{n.redis} }
func (n *node) toPostgres() []*faults.Link { return []*faults.Link{n.database} }
func (n *node) toBoth() []*faults.Link     { return []*faults.Link{n.redis, n.database} }

func cut(links func(*node) []*faults.Link) func(*node) error {
	return func(n *node) error {
		for _, l := range links(n) {
			l.Cut()
		}
		return nil
	}
}

func mended(links func(*node) []*faults.Link) func(*node) error {
	return func(n *node) error {
		for _, l := range links(n) {
			l.Mend()
		}
		return nil
	}
}

// pause is how long a fault lasts: nothing is waited for.
func pause(ctx context.Context, lasts time.Duration) {
	select {
	case <-time.After(lasts):
	case <-ctx.Done():
	}
}

// toll is what faults have cost.
type toll struct {
	log func(format string, args ...any) // is told of each

	mu      sync.Mutex
	count   map[string]int
	longest map[string]time.Duration // until every session was live again
}

func newToll(log func(format string, args ...any)) *toll {
	return &toll{log: log, count: map[string]int{}, longest: map[string]time.Duration{}}
}

func (t *toll) add(name string, took time.Duration) {
	t.log("%s: live again after %v", name, took.Round(10*time.Millisecond))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[name]++
	t.longest[name] = max(t.longest[name], took)
}

func (t *toll) worst() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	worst := time.Duration(0)
	for _, took := range t.longest {
		worst = max(worst, took)
	}
	return worst
}

func (t *toll) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := ""
	for _, name := range slices.Sorted(maps.Keys(t.count)) {
		text += fmt.Sprintf("%d %s, live again after %v at most\n", t.count[name], name, t.longest[name].Round(10*time.Millisecond))
	}
	return text
}

// suffers lets a misfortune come over a node for a while. Meanwhile, and again once it is over, it waits until every session is live.
func (c *class) suffers(ctx context.Context, name string, m misfortune, n *node, lasts time.Duration, costs *toll) error {
	if err := m.begins(n); err != nil {
		return err
	}
	over := make(chan error, 1)
	struck := c.now()
	go func() {
		pause(ctx, lasts)
		over <- m.ends(n)
	}()
	meanwhile, err := c.live(ctx, struck)
	err = errors.Join(err, <-over)
	afterwards, dead := c.live(ctx, c.now())
	costs.add(name, max(meanwhile, afterwards))
	return errors.Join(err, dead)
}

// together waits until every session is live for the first time.
func (c *class) together(ctx context.Context, t *testing.T) {
	t.Helper()
	_, err := c.live(ctx, c.now())
	must(t, err)
}

// now is the present on the clock of each session's history.
func (c *class) now() map[string]time.Duration {
	now := map[string]time.Duration{}
	for session, h := range c.histories {
		now[session] = h.Now()
	}
	return now
}

// live waits until in every session something is done that was asked for after a moment, and returns how long that took.
func (c *class) live(ctx context.Context, after map[string]time.Duration) (longest time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for session, h := range c.histories {
		took, dead := h.AwaitLive(ctx, after[session])
		if dead != nil {
			err = errors.Join(err, fmt.Errorf("a session is dead for %v: %w", took, dead))
		}
		longest = max(longest, took)
	}
	return longest, err
}

// busy is a node that runs one of the sessions, or any node if nobody knows.
func (c *class) busy(ctx context.Context, f *fleet, random *rand.Rand) *node {
	sessions := slices.Sorted(maps.Keys(c.histories))
	holder, err := f.store.Holder(ctx, sessions[random.IntN(len(sessions))])
	if i := slices.IndexFunc(f.nodes, func(n *node) bool { return n.name == holder }); err == nil && i >= 0 {
		return f.nodes[i]
	}
	return f.nodes[random.IntN(len(f.nodes))]
}

// torment lets misfortunes come over nodes, one after the other: each as often, in an order that a random source says.
func (c *class) torment(ctx context.Context, f *fleet, o ordeal, random *rand.Rand, costs *toll) error {
	names := slices.Sorted(maps.Keys(misfortunes))
	for i := range o.faults {
		turn := i % len(names)
		if turn == 0 {
			random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		}
		name, n := names[turn], c.busy(ctx, f, random)
		lasts := time.Second + time.Duration(random.Int64N(int64(o.longest-time.Second)))
		f.t.Logf("%d: %s is %s (%v)", i+1, n.name, name, lasts)
		if err := c.suffers(ctx, name, misfortunes[name], n, lasts, costs); err != nil {
			return fmt.Errorf("fault %d, %s %s for %v: %w", i+1, n.name, name, lasts, err)
		}
	}
	return nil
}
