package sfu

import (
	"sync/atomic"
	"time"
)

// A publisher who lacks bandwidth sends the largest layer no more, without a word. That shows by the layers below it, whose pictures go on
// to come; where they pause too it shows nothing: the picture may not move, or the network may hold up everything.
const (
	offAfter  = 200 * time.Millisecond // at least this long nothing came
	offMissed = 3                      // pictures, at least: of those that a burst of losses leaves, one may come before the layer's own
	offUsual  = 2                      // times as many as have been missed of late by a layer that went on

	missedMost    = 16       // more is not learned
	missedForgets = 1. / 256 // of it, with each picture: half of it in six seconds
)

// presence tells whether a layer is still sent, by how many pictures of the layers below it came since its newest packet. It is pure.
type presence struct {
	off atomic.Bool // it was sent, and is sent no more; anyone reads it

	pictures  uint32 // that began to come
	timestamp uint32 // of the newest
	at        time.Time
	seen      [maxLayers]uint32 // pictures of each layer below when the newest packet came
	usual     float64           // how many of them come between two of its own packets, the most of late
}

// came notes the newest packet of a layer, of which it is the first time that it is sent; below are the layers below it.
func (p *presence) came(timestamp uint32, key bool, below []*layer, now time.Time) {
	first := p.at.IsZero()
	if first || timestamp != p.timestamp {
		p.pictures++
		p.usual -= p.usual * missedForgets
	}
	if missed := p.missed(below); !first && !(p.off.Load() && key) { // what begins anew has not only paused
		p.usual = max(p.usual, float64(min(missed, missedMost)))
	}
	p.timestamp, p.at = timestamp, now
	p.off.Store(false)
	for i, l := range below {
		p.seen[i] = l.presence.pictures
	}
}

// missed is how many pictures of a layer below came since the newest packet.
func (p *presence) missed(below []*layer) uint32 {
	most := uint32(0)
	for i, l := range below {
		most = max(most, l.presence.pictures-p.seen[i])
	}
	return most
}

// ends reports whether the layer has just turned out to be sent no more.
func (p *presence) ends(below []*layer, now time.Time) bool {
	if p.off.Load() || p.at.IsZero() || now.Sub(p.at) < offAfter {
		return false
	}
	if missed := p.missed(below); missed < offMissed || float64(missed) <= offUsual*p.usual {
		return false
	}
	p.off.Store(true)
	return true
}
