// Package allocate decides which layer of which video one subscriber gets, within what the way to them carries.
//
// It is arithmetic on integers: no clock, no state. What is sent at the moment is passed in, so that a choice is kept while the
// estimate of the bandwidth wavers.
//
// # Rules
//
// A video that is not visible gets nothing and costs nothing. Then everything happens in one fixed order, as far as the budget goes:
// first every visible video gets its lowest layer if that fits, those of higher priority first; then those of the highest priority are raised to
// what they can show, evenly, then those of the next. Where the budget ends, all that comes later in this order stays as it is: when
// not even the lowest layers fit, those that do not are off, and nothing is raised. The budget is exceeded only by lowest layers that are sent
// already: up to twice, and if that is not enough for all of them, by a quarter; sound is not in it, and is never taken away.
//
// So a higher priority never gives its video less, and more budget takes something only from videos of lower priority than one that it
// turns on.
package allocate

import (
	"cmp"
	"slices"
)

// Off is the layer of a video of which nothing is sent.
const Off = -1

// The budget must exceed what is needed by a quarter before more is sent than now, while less is sent only if it does not suffice:
// an estimate that wavers by a tenth both ways, 1.1 / 0.9 = 1.22, changes nothing to and fro.
const (
	marginOf   = 5
	marginFrom = 4
)

// What is sent already is kept up to twice the budget; if that does not suffice for all of it, up to five quarters only: a large
// picture would take the place of a small one, be off itself soon after, and leave its place to the small one again.
const (
	keptOf     = 4
	keptAll    = 8
	keptOthers = 5
)

// Layer is one of the ways in which a video can be had.
type Layer struct {
	Bitrate       int // bit/s as measured, with headers; 0: nothing comes. While one begins, what it will be
	Width, Height int // pixels, 0 if unknown
}

// Track is one video for one subscriber.
type Track struct {
	ID       int // breaks ties, the lower first: it stays the same from call to call
	Priority int // the higher the more important: a screen 2, the speaker 1, the rest 0
	Visible  bool
	// MaxHeight is how tall the place is in which it is shown, in pixels of the screen, 0 if unknown. The smallest layer that is at
	// least as tall is the highest that is sent.
	MaxHeight int
	// Layers are those that can be sent, each with all below it that it needs, ascending. Temporal layers are entries of their
	// own, with the same height.
	Layers []Layer
	// Current is the index of the layer that is sent now, Off if none.
	Current int
}

// Choice is what is decided for one track.
type Choice struct {
	Layer  int // index into Layers, or Off
	Wanted int // what would be sent if the budget were unlimited; if it is above Layer, the track waits for more
}

// Allocate appends a choice for each track to dst, in the order of tracks; budget is what there is for video, in bit/s.
func Allocate(dst []Choice, budget int, tracks []Track) []Choice {
	n := len(dst)
	for i := range tracks {
		dst = append(dst, Choice{Layer: Off, Wanted: tracks[i].wanted()})
	}
	var room [64]int
	a := allocation{budget: budget, tracks: tracks, choices: dst[n:], order: order(room[:0], tracks)}
	fits := a.keep(keptAll)
	if a.lost {
		fits = a.keep(keptOthers)
	}
	if fits {
		a.raiseClasses()
	}
	return dst
}

// Wanted is the bit/s that the tracks would have if the budget were unlimited: how far it is worth to look for more bandwidth. With
// the margin that raising takes.
func Wanted(tracks []Track) int {
	sum := 0
	for i := range tracks {
		if w := tracks[i].wanted(); w != Off {
			sum += tracks[i].Layers[w].Bitrate
		}
	}
	return (sum*marginOf + marginFrom - 1) / marginFrom
}

// wanted is the smallest layer that is as tall as its place, with the most frames; else the largest. Layers that do not come do
// not count.
func (t *Track) wanted() int {
	best := Off
	if !t.Visible {
		return best
	}
	for i, l := range t.Layers {
		if l.Bitrate <= 0 {
			continue
		}
		if best != Off && t.MaxHeight > 0 && t.Layers[best].Height >= t.MaxHeight && l.Height != t.Layers[best].Height {
			break
		}
		best = i
	}
	return best
}

// above returns the next layer that comes, Off if there is none up to the wanted one.
func (t *Track) above(layer, wanted int) int {
	for i := layer + 1; i <= wanted; i++ {
		if t.Layers[i].Bitrate > 0 {
			return i
		}
	}
	return Off
}

// order appends the indices of the tracks, the most important first.
func order(dst []int, tracks []Track) []int {
	for i := range tracks {
		dst = append(dst, i)
	}
	slices.SortFunc(dst, func(a, b int) int {
		return cmp.Or(cmp.Compare(tracks[b].Priority, tracks[a].Priority), cmp.Compare(tracks[a].ID, tracks[b].ID), cmp.Compare(a, b))
	})
	return dst
}

// allocation is one under way.
type allocation struct {
	budget, spent int
	tracks        []Track
	choices       []Choice
	order         []int
	kept          int  // of what is sent already, in parts of the budget
	lost          bool // some of what is sent already has no place
}

// keep gives every track its lowest layer, those that are sent already up to kept parts of the budget. It reports false if not all fit.
func (a *allocation) keep(kept int) bool {
	a.spent, a.kept, a.lost = 0, kept, false
	for i := range a.choices {
		a.choices[i].Layer = Off
	}
	return a.raise(a.order, true)
}

// raiseClasses raises the tracks of each priority, the highest first, each class evenly. It ends where the budget does.
func (a *allocation) raiseClasses() {
	for rest := a.order; len(rest) > 0; {
		n := 1
		for n < len(rest) && a.tracks[rest[n]].Priority == a.tracks[rest[0]].Priority {
			n++
		}
		if !a.raise(rest[:n], false) {
			return
		}
		rest = rest[n:]
	}
}

// raise gives each of some tracks its next layer, in turns until there is none, or once. It reports false where the budget ends. Once,
// for the lowest layers, one that does not fit is left out: a picture too large for anybody takes nobody else's.
func (a *allocation) raise(some []int, once bool) bool {
	fits := true
	for more := true; more; {
		more = false
		for _, i := range some {
			t, c := &a.tracks[i], &a.choices[i]
			next := t.above(c.Layer, c.Wanted)
			if next == Off {
				continue
			}
			switch {
			case a.take(t, c.Layer, next):
				c.Layer, more = next, !once
			case once:
				fits, a.lost = false, a.lost || t.Current != Off
			default:
				return false
			}
		}
	}
	return fits
}

// take pays for a step if it fits. A larger layer than is sent now takes a margin. The first layer of a video takes none, but is kept
// beyond the budget: a picture that comes and goes is worse than a little too much.
func (a *allocation) take(t *Track, from, to int) bool {
	cost := a.spent + t.Layers[to].Bitrate
	if from != Off {
		cost -= t.Layers[from].Bitrate
	}
	limit := a.budget
	switch {
	case from == Off && t.Current != Off:
		limit = a.budget / keptOf * a.kept
	case from != Off && to > t.Current:
		limit = a.budget / marginOf * marginFrom
	}
	if cost > limit {
		return false
	}
	a.spent = cost
	return true
}
