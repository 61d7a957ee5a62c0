package cluster

import "sync/atomic"

// Stats are what a node counts since it began, and how it is now.
type Stats struct {
	Nodes      int // alive, with this one; 0 while Redis does not answer
	Draining   int // of them
	Sessions   int // that this node has
	Lines      int // to and from other nodes: members who came by another one
	Load       float64
	HandedOver uint64 // sessions, as this node stops
	TakenOver  uint64 // from nodes that are dead
	Lost       uint64 // to others, who took this node for dead
	Dropped    uint64 // messages to other nodes, as Redis does not keep up or is gone
}

type counts struct{ handedOver, takenOver, lost, dropped atomic.Uint64 }

// Stats returns the figures of now.
func (n *Node) Stats() Stats {
	s := n.seen.Load()
	out := Stats{
		Nodes: len(s.nodes), Sessions: len(n.ownedNow()), Lines: n.lines.count(), Load: s.nodes[n.cfg.Name].Load,
		HandedOver: n.counts.handedOver.Load(), TakenOver: n.counts.takenOver.Load(), Lost: n.counts.lost.Load(),
		Dropped: n.counts.dropped.Load(),
	}
	for _, p := range s.nodes {
		if p.Draining {
			out.Draining++
		}
	}
	return out
}
