package cluster

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// watchOn compares what this node believes to have with what the database says, and takes what the dead have left.
func (n *Node) watchOn(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	answered := time.Now()
	taking := make(chan struct{}, 1) // held while sessions are taken over: loading them takes longer than looking
	var before calm                  // of whoever holds taking
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := n.compare(ctx); err == nil {
			answered = time.Now()
		} else {
			n.missed.Store(time.Now().UnixNano())
		}
		n.impaired.Store(time.Since(answered) > impairedAt)
		s := n.seen.Load()
		if len(n.ownedNow()) > 0 && s.cutOff(answered, time.Now()) {
			n.loseAll()
		}
		if !s.settled() || n.impaired.Load() || !n.steady() || n.draining.Load() {
			continue
		}
		select {
		case taking <- struct{}{}:
			live := append(s.live(), n.cfg.Name) // what others see of this node may be a beat old
			if before.lasts(live, time.Now()) {
				<-taking
				continue
			}
			n.ran.Go(func() {
				before = calm{}
				if n.takeOver(ctx, live) {
					before = calm{live, time.Now()}
				}
				<-taking
			})
		default:
		}
	}
}

// calm is that the live had left nothing behind at a time. Looking for that costs the database something with each node and each lease.
type calm struct {
	live []string
	at   time.Time
}

// lasts reports whether nobody has died since then, and it is not long ago.
func (c calm) lasts(live []string, now time.Time) bool {
	return slices.Equal(c.live, live) && now.Sub(c.at) < lookEvery
}

// steady reports whether the database has answered for so long that every node which reaches it has said so. Before, one that says that it
// does not may only have said so too early to be believed: all of them lose the database together, and have it again.
func (n *Node) steady() bool { return time.Since(time.Unix(0, n.missed.Load())) > settleFor }

// compare lets go of what has another owner by now.
func (n *Node) compare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchWithin)
	defer cancel()
	mine := n.ownedNow() // before the database is asked: what is taken meanwhile is not missed
	held, err := n.leases.Held(ctx)
	if err != nil {
		return err
	}
	for session, epoch := range mine {
		if held[session] != epoch {
			n.lose(session, epoch)
		}
	}
	return nil
}

// takeOver makes live what dead nodes have left and what is placed here: all nodes look, and each takes its share. It reports whether there
// was nothing.
func (n *Node) takeOver(ctx context.Context, live []string) (nothing bool) {
	asking, cancel := context.WithTimeout(ctx, watchWithin)
	defer cancel()
	orphans, err := n.leases.Orphans(asking, live)
	if err != nil {
		n.log.Warn("cannot see what other nodes have left", slog.Any("err", err))
		return false
	}
	var loading errgroup.Group
	loading.SetLimit(parallel)
	for _, session := range orphans {
		loading.Go(func() error {
			n.adopt(ctx, session)
			return nil
		})
	}
	_ = loading.Wait()
	return len(orphans) == 0
}

// adopt loads a session if it is this node's to run.
func (n *Node) adopt(ctx context.Context, session string) {
	owner, err := n.place(ctx, session, "")
	if err != nil || owner != n.cfg.Name || n.owns(session) {
		return
	}
	n.counts.takenOver.Add(1)
	n.log.Info("a session of another node goes on here", slog.String("session", session))
	n.awaken(ctx, session)
}

// awaken makes a session live here.
func (n *Node) awaken(ctx context.Context, session string) {
	if err := n.on().Load(ctx, session); err != nil && ctx.Err() == nil {
		n.log.Info("a session does not go on", slog.String("session", session), slog.Any("err", err)) // it may have ended
	}
}
