package sfu

import (
	"slices"
	"time"
)

const (
	// AnyHeight is the height of a place that takes the best there is, of a recorder for instance.
	AnyHeight = 16384

	// A picture that is shown smaller may be shown larger again in a moment, and a layer that comes back needs a key frame.
	demandHold = 2 * time.Second
)

// demand is how large a picture is wanted, in lines: as tall as the tallest place in which anybody shows it. It is pure.
type demand struct {
	told  int       // what the publisher knows; -1: nothing yet
	lower time.Time // since when less is wanted; zero while it is not
}

// update takes what is wanted now, and reports whether the publisher is to be told: more at once, less when it has lasted.
func (d *demand) update(height int, now time.Time) bool {
	switch {
	case height == d.told:
		d.lower = time.Time{}
		return false
	case height > d.told:
	case d.lower.IsZero():
		d.lower = now
		return false
	case now.Sub(d.lower) < demandHold:
		return false
	}
	d.told, d.lower = height, time.Time{}
	return true
}

// demands are those of a room's pictures that come in several layers; the room's goroutine owns them.
type demands map[*Publication]*demand

// update finds what is wanted, and lets peers tell their members; of a publication that begins, in any case.
func (all demands) update(pubs []*Publication, peers []*Peer, now time.Time) {
	for p := range all {
		if !slices.Contains(pubs, p) {
			delete(all, p)
		}
	}
	for _, p := range pubs {
		if len(p.layers) < 2 {
			continue
		}
		d := all[p]
		if d == nil {
			d = &demand{told: -1}
			all[p] = d
		}
		if d.update(p.wantedHeight(peers), now) {
			p.peer.box.post(wantedChanged{p.info.Source, d.told})
		}
	}
}

// wantedHeight is how tall the tallest place is in which one of peers shows the publication, 0 if nobody does.
func (p *Publication) wantedHeight(peers []*Peer) int {
	if len(*p.taps.Load()) != 0 {
		return AnyHeight
	}
	height := 0
	for _, peer := range peers {
		if peer.subscribes && peer != p.peer {
			height = max(height, peer.placeOf(p).lines())
		}
	}
	return height
}

// placeOf is how the member's client displays a publication. One that it has said nothing of is taken for visible.
func (p *Peer) placeOf(pub *Publication) View {
	p.viewsMu.Lock()
	defer p.viewsMu.Unlock()
	if v, said := p.views[pub.info.Publication]; said {
		return v
	}
	return View{Visible: true}
}

// lines is how tall a picture is of use there.
func (v View) lines() int {
	switch {
	case !v.Visible:
		return 0
	case v.Height <= 0:
		return AnyHeight
	}
	return min(v.Height, AnyHeight)
}
