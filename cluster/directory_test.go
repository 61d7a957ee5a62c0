package cluster

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/store/storetest"
)

// holders are the leases of a database that says who has what.
type holders map[string]string

func (h holders) OwnFree(context.Context, string) (int64, error)           { return 0, ErrHeld }
func (h holders) Holder(_ context.Context, session string) (string, error) { return h[session], nil }
func (h holders) Held(context.Context) (map[string]int64, error)           { return nil, nil }
func (h holders) Orphans(context.Context, []string) ([]string, error)      { return nil, nil }

// square is a real Redis, and who is there.
type square struct {
	t     *testing.T
	redis *storetest.Redis
	held  holders
}

func newSquare(t *testing.T) *square {
	t.Helper()
	r, err := storetest.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	s := &square{t: t, redis: r, held: holders{}}
	t.Cleanup(func() { s.must(r.Stop()) })
	return s
}

func (s *square) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// node joins without being started: it says what it is told to, and only then.
func (s *square) node(name, region string) *Node {
	s.t.Helper()
	n, _ := newNode(s.t, s.redis.URL(), name, region)
	n.impaired.Store(false)
	n.leases = s.held
	s.t.Cleanup(func() { s.must(n.Close(context.WithoutCancel(s.t.Context()))) })
	s.beats(n)
	return n
}

// beats makes a node say that it is there, and see who is; as if all of them had been there for long.
func (s *square) beats(n *Node) {
	s.t.Helper()
	n.beat(s.t.Context())
	seen := *n.seen.Load()
	s.must(seen.err)
	seen.since = time.Now().Add(-time.Hour)
	n.seen.Store(&seen)
}

// loaded says of a node how loaded it is.
func (s *square) loaded(n *Node, load float64) {
	s.t.Helper()
	s.must(n.redis.HSet(s.t.Context(), nodeKey(n.cfg.Name), "load", load).Err())
}

func (s *square) placed(by *Node, session, want string) {
	s.t.Helper()
	if got, err := by.place(s.t.Context(), session, ""); got != want || err != nil {
		s.t.Errorf("%s places %s at %q, want %q: %v", by.cfg.Name, session, got, want, err)
	}
}

func TestPlacing(t *testing.T) {
	s := newSquare(t)
	a, b, c := s.node("a", "north"), s.node("b", "north"), s.node("c", "south")
	s.loaded(a, 0.3)
	s.loaded(b, 0.2)
	s.placed(a, "least loaded", "b")
	s.placed(c, "least loaded", "b") // it stays where it is, whoever asks
	s.placed(c, "in the region", "c")
	s.loaded(c, 0.9)
	s.placed(c, "rather far than crowded", "b")
	if got, err := a.place(t.Context(), "asked to take it", "a"); got != "a" || err != nil {
		t.Errorf("a does not take what nobody has: %q, %v", got, err)
	}

	b.draining.Store(true)
	s.beats(b)
	s.placed(a, "not with who leaves", "a")
	s.placed(a, "least loaded", "b") // until it is handed over
	a.impaired.Store(true)
	s.beats(a)
	s.placed(b, "not without a database", "c")
	s.must(leave.Run(t.Context(), c.redis, []string{nodeKey("c"), rollKey}, c.id).Err())
	if got, err := b.place(t.Context(), "nobody is left", ""); !errors.Is(err, errNowhere) {
		t.Errorf("placed at %q, %v", got, err)
	}
}

// As many are placed before a load is measured anew, so many are spread.
func TestPlacingSpreads(t *testing.T) {
	s := newSquare(t)
	a, b := s.node("a", ""), s.node("b", "")
	s.loaded(a, 0)
	s.loaded(b, 0)
	count := map[string]int{}
	for i := range 20 {
		name, err := a.place(t.Context(), fmt.Sprint(i), "")
		s.must(err)
		count[name]++
	}
	if count["a"] != 10 || count["b"] != 10 {
		t.Errorf("placed %v", count)
	}
}

// A session that somebody has in the database goes there while they live, and is not given away before it is known that they do not.
func TestPlacingAfterRedisForgot(t *testing.T) {
	s := newSquare(t)
	a, b := s.node("a", ""), s.node("b", "")
	s.loaded(a, 0.9)
	s.held["with a"], s.held["with c"] = "a", "c"
	s.placed(b, "with a", "a")
	young := *b.seen.Load()
	young.since = time.Now()
	b.seen.Store(&young)
	if got, err := b.place(t.Context(), "with c", ""); !errors.Is(err, errNowhere) {
		t.Errorf("a moment after Redis came back it is placed at %q, %v", got, err)
	}
	s.beats(b)
	s.placed(b, "with c", "b")
}

// Redis is back so soon that no node saw it go, and has forgotten them all. One that finds that out has not seen who is alive, whatever
// it saw before.
func TestPlacingBeforeARestartIsSeen(t *testing.T) {
	s := newSquare(t)
	a, b, c := s.node("a", ""), s.node("b", ""), s.node("c", "")
	s.held["with c"] = "c"
	s.must(a.redis.FlushAll(t.Context()).Err())
	nowhere := func(when string) {
		t.Helper()
		if got, err := b.place(t.Context(), "with c", ""); !errors.Is(err, errNowhere) {
			t.Errorf("%s b places it at %q, %v", when, got, err)
		}
	}
	nowhere("before anybody has said that they are there,")
	s.beats(a)
	nowhere("when a has said so,")
	_, err := b.enrol(t.Context())
	s.must(err)
	nowhere("when b has said so, and not looked yet,")
	s.beats(c)
	s.placed(b, "with c", "c")
}

func TestClaims(t *testing.T) {
	s := newSquare(t)
	a, b := s.node("a", ""), s.node("b", "")
	lost := func(n *Node, epoch int64) bool {
		n.take("s", epoch)
		s.must(n.tellOwned(t.Context(), map[string]int64{"s": epoch}))
		return !n.owns("s")
	}
	for _, n := range []*Node{a, b} {
		_, g := newNode(t, s.redis.URL(), n.cfg.Name, "")
		handler := Handler(g)
		n.handler.Store(&handler)
	}
	if lost(a, 3) {
		t.Error("what nobody has is somebody else's")
	}
	if !lost(b, 3) || !lost(b, 2) || b.Stats().Lost != 2 {
		t.Error("a session is claimed under an epoch that is not higher")
	}
	if lost(b, 4) {
		t.Error("a higher epoch does not count")
	}
	s.must(a.seeTaken(t.Context(), a.ownedNow()))
	if a.owns("s") {
		t.Error("a does not see that b has it")
	}
	a.free(t.Context(), "s", 3)
	s.placed(a, "s", "b")
	b.free(t.Context(), "s", 4)
	if n, err := b.redis.Exists(t.Context(), sessionKey("s")).Result(); n != 0 || err != nil {
		t.Errorf("it is still somewhere: %v", err)
	}
}

// However many sessions a node has, it says so in few requests; and it lets go of just those that another has.
func TestManyClaims(t *testing.T) {
	s := newSquare(t)
	n := s.node("a", "")
	_, g := newNode(t, s.redis.URL(), "a", "")
	handler := Handler(g)
	n.handler.Store(&handler)
	const count = 2*claimed + 1
	for i := range count {
		n.take(fmt.Sprint(i), 1)
	}
	for _, session := range []string{"0", "300", "512"} {
		s.must(n.redis.HSet(t.Context(), sessionKey(session), "node", "b", "epoch", 2).Err())
	}
	s.must(n.redis.ConfigResetStat(t.Context()).Err())
	s.beats(n)
	if owned := n.ownedNow(); len(owned) != count-3 || owned["0"]+owned["300"]+owned["512"] != 0 {
		t.Errorf("%d are left", len(owned))
	}
	if at, err := n.redis.HGet(t.Context(), sessionKey("511"), "node").Result(); at != "a" || err != nil {
		t.Errorf("the last but one is at %q, %v", at, err)
	}
	asked, err := n.redis.Info(t.Context(), "commandstats").Result()
	s.must(err)
	if scripts := regexp.MustCompile(`cmdstat_evalsha:calls=(\d+)`).FindStringSubmatch(asked); scripts == nil || scripts[1] != "4" {
		t.Errorf("%v requests, want one for who is there, and three for sessions", scripts)
	}
}

// What a node says of itself is seen by who looks next, but for its load, which may be a moment old.
func TestRoll(t *testing.T) {
	s := newSquare(t)
	a, b := s.node("a", "north"), s.node("b", "south")
	sees := func(by *Node, name string, want peer) {
		t.Helper()
		s.beats(by)
		got := by.seen.Load().nodes[name]
		got.run, got.Load = "", 0
		if got != want {
			t.Errorf("%s sees %s as %+v, want %+v", by.cfg.Name, name, got, want)
		}
	}
	sees(a, "b", peer{Region: "south"})
	b.draining.Store(true)
	s.beats(b)
	sees(a, "b", peer{Region: "south", Draining: true})
	b.impaired.Store(true)
	s.beats(b)
	sees(a, "b", peer{Region: "south", Draining: true, Impaired: true})
	s.node("c", "")
	sees(a, "c", peer{})
	b.leave(t.Context())
	s.beats(a)
	if _, there := a.seen.Load().nodes["b"]; there || len(a.seen.Load().nodes) != 2 {
		t.Errorf("b has left, and a sees %+v", a.seen.Load().nodes)
	}
}

func TestNames(t *testing.T) {
	s := newSquare(t)
	first := s.node("a", "")
	second, _ := newNode(t, s.redis.URL(), "a", "")
	second.beat(t.Context())
	if err := second.seen.Load().err; !errors.Is(err, errNamed) {
		t.Errorf("two are called a: %v", err)
	}
	s.must(second.Close(t.Context()))
	s.beats(first)
	if nodes := first.Stats().Nodes; nodes != 1 {
		t.Errorf("the one that was refused made %d of one", nodes)
	}
	for _, address := range []string{"", "http://x", "redis://u:secret@h:port"} {
		if err := CheckURL(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
