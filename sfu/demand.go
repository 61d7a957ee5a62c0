package sfu

import (
	"slices"
	"time"
)

const (
	// AnyHeight is the height of a place that takes the best there is, of a recorder for instance.
	AnyHeight = 16384

	// A larger layer of a picture that is seen already is begun when it has been wanted for so long: a pause of a moment is not worth it.
	growHold = 1500 * time.Millisecond
	// A layer is let go of when nobody needs it for so long: by then everybody has the smaller one.
	shrinkHold = 500 * time.Millisecond
)

// demand is how large a picture is wanted, in lines: as tall as the tallest place in which anybody shows it. It is pure.
type demand struct {
	told  int       // what the publisher knows; -1: nothing yet
	other time.Time // since when something larger or something smaller is wanted; zero while it is not
	grows bool      // which of both
}

// update takes what is wanted now, and reports whether the publisher is to be told: at once if nobody had the picture before,
// else when it has lasted.
func (d *demand) update(height int, now time.Time) bool {
	if height == d.told {
		d.other = time.Time{}
		return false
	}
	hold := shrinkHold
	grows := height > d.told
	if grows {
		hold = growHold
	}
	if d.other.IsZero() || d.grows != grows {
		d.other, d.grows = now, grows
	}
	if d.told > 0 && now.Sub(d.other) < hold {
		return false
	}
	d.told, d.other = height, time.Time{}
	return true
}

// demands are those of a room's pictures that come in several layers; the room's goroutine owns them.
type demands map[*Publication]*demand

// update finds what is wanted, here and by other servers (fed), and lets peers tell their members; of a publication that begins, in any case.
func (all demands) update(pubs []*Publication, peers []*Peer, fed map[*Publication]int, now time.Time) {
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
		if d.update(max(p.wantedHeight(peers), fed[p]), now) {
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
