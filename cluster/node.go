package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// How nodes tell that they are there.
const (
	beatEvery   = time.Second
	beatWithin  = time.Second     // what Redis is asked for takes no longer
	goneAfter   = 3 * time.Second // Redis that has not answered for so long is gone
	forgotten   = 5 * time.Second // a node that has not been heard of for so long is dead
	settleFor   = forgotten + time.Second
	rollFor     = beatEvery / 4 // nodes that beat within so long read who is there but once
	watchEvery  = time.Second
	lookEvery   = 10 * time.Second // for what the dead have left, while nobody dies
	watchWithin = 2 * time.Second  // what the database is asked for takes no longer
	impairedAt  = 3 * time.Second  // without the database for so long, a node is none to run sessions
	parallel    = 8                // sessions that are loaded or handed over at once
	leaveWithin = time.Second
)

// Config is what a Node needs. All but Region and Pages must be set.
type Config struct {
	URL      string // redis://…, see [CheckURL]
	Name     string // of this node: unique, and the same after a restart
	Region   string // where it is; sessions are rather placed where who asks for them is
	Pages    string // by which other nodes reach its pages, such as http://10.0.0.7:8080; empty if they do not
	Capacity int    // members that it is meant for
	Log      *slog.Logger
}

// Handler runs sessions on this node, and talks with others about them. Its methods may be called from any goroutine.
type Handler interface {
	// Accept serves a member who came to another node, until the line ends.
	Accept(line *Line, greeting []byte)
	// Answer answers another node, whose question came by [Node.Ask].
	Answer(ctx context.Context, question []byte) []byte
	// Hear takes what a node told everybody by [Node.Tell].
	Hear(notice []byte)
	// Load makes a session live here.
	Load(ctx context.Context, session string) error
	// LetGo ends a session's life here, and waits for that.
	LetGo(ctx context.Context, session string) error
	// Abandon ends a session's life here, because another node has it, and waits for nothing.
	Abandon(session string)
	// Members is how many members are here.
	Members() int
}

// Node is this server among others. Its methods may be called from any goroutine.
type Node struct {
	cfg     Config
	id      string // of this run
	redis   *redis.Client
	log     *slog.Logger
	leases  Leases                  // set by Journal
	key     atomic.Pointer[[]byte]  // set by Trust
	handler atomic.Pointer[Handler] // set by Start
	load    meter                   // owned by beat's goroutine

	seen     atomic.Pointer[sight] // the newest; what beat's goroutine saw
	draining atomic.Bool
	impaired atomic.Bool        // it runs no sessions: it has not started, or the database has not answered for a while
	missed   atomic.Int64       // when the database last did not answer, Unix ns
	news     chan chan struct{} // beat now, and close that

	out    *outbox
	lines  lines
	asked  questions
	counts counts

	mu    sync.Mutex // guards below
	owned map[string]int64

	running context.Context //nolint:containedctx // of the goroutines that ran and served count
	stop    context.CancelFunc
	ran     sync.WaitGroup // beat, publish, watch and receive, and what watch has begun
	served  sync.WaitGroup // what receive has begun: members, answers, loads
}

// CheckURL tells in a sentence what is wrong with the address of a Redis server.
func CheckURL(address string) error {
	_, err := options(address)
	return err
}

func options(address string) (*redis.Options, error) {
	o, err := redis.ParseURL(address)
	if err != nil { // not what was wrong: there may be a password in it
		return nil, errors.New("give an address such as redis://host:6379, rediss://user:password@host:6379/0, or unix:///run/redis.sock")
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = beatWithin, beatWithin, beatWithin, beatWithin
	o.MaxRetries, o.ContextTimeoutEnabled, o.DisableIdentity = -1, true, true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // they are of one vendor, and leave a goroutine behind
	return o, nil
}

// New makes a node that nobody knows yet. Join, Start and Close it, in this order.
func New(cfg Config) (*Node, error) {
	o, err := options(cfg.URL)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(silent{})
	n := &Node{
		cfg: cfg, id: uuid.NewString(), redis: redis.NewClient(o), log: cfg.Log.With(slog.String("node", cfg.Name)),
		news: make(chan chan struct{}), out: newOutbox(), owned: map[string]int64{}, stop: func() {},
	}
	n.seen.Store(&sight{err: errAlone})
	n.impaired.Store(true)
	return n, nil
}

// silent is where the client of Redis logs: what matters of it is an error where it is used.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// Name is how other nodes call this one.
func (n *Node) Name() string { return n.cfg.Name }

// Impaired reports whether the node runs no sessions now: it has not started, or the database has not answered for a while.
func (n *Node) Impaired() bool { return n.impaired.Load() }

// Why others are not seen.
var (
	errAlone = errors.New("nobody was looked for yet")
	errNamed = errors.New("another node has this name: give each one its own, with --node (or PAUSEPOINT_NODE)")
)

// Join makes the node known, though it runs no sessions before Start. It fails if the name is another one's; a run of this node
// that ended just now may be remembered for a moment. Without Redis the node is known once Redis is there.
func (n *Node) Join(ctx context.Context) error {
	end := time.Now().Add(settleFor)
	for {
		n.beat(ctx)
		s := n.seen.Load()
		if !errors.Is(s.err, errNamed) {
			break
		}
		if time.Now().After(end) {
			return s.err
		}
		select {
		case <-time.After(beatEvery / 4):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	n.running = running
	n.ran.Go(func() { n.beatOn(running) })
	n.ran.Go(func() { n.publishOn(running) })
	return nil
}

// Start takes sessions, and what other nodes say, from now on.
func (n *Node) Start(h Handler) {
	n.handler.Store(&h)
	n.impaired.Store(false)
	n.ran.Go(func() { n.watchOn(n.running) })
	n.ran.Go(func() { n.receiveOn(n.running) })
	n.beatNow()
}

// Close sends what is queued, for a moment, makes the node forgotten at once, and ends its lines. It waits, until ctx ends, for what
// the handler does for others.
func (n *Node) Close(ctx context.Context) error {
	n.stop()
	n.ran.Wait()
	n.leave(ctx)
	n.lines.closeAll()
	n.awaitServed(ctx)
	return n.redis.Close()
}

func (n *Node) leave(ctx context.Context) {
	if !n.up() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveWithin)
	defer cancel()
	if err := leave.Run(ctx, n.redis, []string{nodeKey(n.cfg.Name), rollKey}, n.id).Err(); err != nil {
		n.log.Warn("others find out by themselves that this node is gone", slog.Any("err", err))
	}
}

func (n *Node) awaitServed(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		n.served.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		n.log.Warn("what other nodes asked for has not ended")
	}
}

// up reports whether Redis answers.
func (n *Node) up() bool { return n.seen.Load().err == nil }

// owns reports whether this node holds a session's lease, as far as it knows.
func (n *Node) owns(session string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.owned[session]
	return ok
}

func (n *Node) ownedNow() map[string]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.owned)
}

func (n *Node) take(session string, epoch int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.owned[session] = epoch
}

// drop forgets an owned session, and reports whether it was owned under that epoch.
func (n *Node) drop(session string, epoch int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.owned[session] != epoch {
		return false
	}
	delete(n.owned, session)
	return true
}

// lose lets go of a session that somebody else has by now.
func (n *Node) lose(session string, epoch int64) {
	if !n.drop(session, epoch) {
		return
	}
	n.counts.lost.Add(1)
	n.log.Warn("another node has a session now", slog.String("session", session), slog.Int64("epoch", epoch))
	n.on().Abandon(session)
}

// loseAll lets go of what others have by now, as this node is cut off and cannot see it.
func (n *Node) loseAll() {
	n.log.Warn("neither Redis nor the database answers: other nodes take what is here")
	for session, epoch := range n.ownedNow() {
		n.lose(session, epoch)
	}
}

// on is who runs sessions here. It is there once the node has started.
func (n *Node) on() Handler { return *n.handler.Load() }

func (n *Node) members() int {
	if h := n.handler.Load(); h != nil {
		return (*h).Members()
	}
	return 0
}

// wrap says in which part of the work an error came up.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
