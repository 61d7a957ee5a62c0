package cluster

import (
	"context"
	"errors"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// ErrHeld says that another node holds a session's lease.
var ErrHeld = errors.New("another node has the session")

// Leases are who may write which session's journal, as the database has it. Each node has one of its own, which knows its name.
type Leases interface {
	// OwnFree is as [room.Journal].Own, but fails with ErrHeld if another node holds the lease, alive or not.
	OwnFree(ctx context.Context, session string) (epoch int64, err error)
	// Holder is the node that holds a session's lease; empty if none does.
	Holder(ctx context.Context, session string) (string, error)
	// Held is what this node holds, with the epochs.
	Held(ctx context.Context) (map[string]int64, error)
	// Orphans are sessions whose leases are held by none of the live nodes, but by some.
	Orphans(ctx context.Context, live []string) ([]string, error)
}

// Journal is a journal whose sessions are owned only where they are placed.
type Journal struct {
	room.Journal

	node *Node
}

// Journal makes the node know what is owned and disowned of another journal. It is called once, before Start.
func (n *Node) Journal(of room.Journal, leases Leases) Journal {
	n.leases = leases
	return Journal{of, n}
}

// Own implements room.Journal. It fails with an *event.Problem where the session is another node's to run.
func (j Journal) Own(ctx context.Context, session string) (int64, error) {
	n := j.node
	if n.draining.Load() {
		n.free(ctx, session, 0)
		return 0, errElsewhere
	}
	epoch, err := j.own(ctx, session)
	if err != nil {
		return 0, err
	}
	n.take(session, epoch)
	if n.up() {
		if err := n.tellOwned(ctx, map[string]int64{session: epoch}); err != nil {
			n.log.Warn("others learn later where a session is", "session", session, "err", err)
		}
	}
	return epoch, nil
}

func (j Journal) own(ctx context.Context, session string) (int64, error) {
	if j.node.up() {
		owner, err := j.node.place(ctx, session, j.node.cfg.Name)
		var problem *event.Problem
		switch {
		case errors.As(err, &problem):
			return 0, err
		case err == nil && owner != j.node.cfg.Name:
			return 0, errElsewhere
		case err == nil:
			return j.Journal.Own(ctx, session)
		}
	}
	epoch, err := j.node.leases.OwnFree(ctx, session)
	if errors.Is(err, ErrHeld) {
		err = errCutOff
	}
	return epoch, err
}

// Disown implements room.Journal.
func (j Journal) Disown(ctx context.Context, session string, epoch int64) error {
	ours := j.node.drop(session, epoch) // before the database, or watch would take it for lost
	err := j.Journal.Disown(ctx, session, epoch)
	if ours {
		j.node.free(ctx, session, epoch)
	}
	return err
}
