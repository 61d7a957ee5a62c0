package cluster

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"
)

// Drain hands this node's sessions to others, where they go on at once, and takes none from now on. What nobody takes until ctx ends,
// or as there is nobody else, stays. Members who come here are brought to the others.
func (n *Node) Drain(ctx context.Context) {
	n.draining.Store(true)
	n.beatNow()
	if !n.seen.Load().others(n.cfg.Name) {
		return
	}
	var handing errgroup.Group
	handing.SetLimit(parallel)
	for session := range n.ownedNow() {
		handing.Go(func() error {
			n.handOver(ctx, session)
			return nil
		})
	}
	_ = handing.Wait()
}

func (n *Node) handOver(ctx context.Context, session string) {
	if ctx.Err() != nil {
		return
	}
	if err := n.on().LetGo(ctx, session); err != nil {
		n.log.Warn("a session is not handed over", slog.String("session", session), slog.Any("err", err))
		return
	}
	owner, err := n.place(ctx, session, "")
	if err != nil || owner == n.cfg.Name {
		n.log.Warn("nobody takes a session over at once", slog.String("session", session), slog.Any("err", err))
		return
	}
	n.counts.handedOver.Add(1)
	n.send(owner, envelope{Kind: kindLoad}, []byte(session))
}
