package sfu

import (
	"time"
)

// startUp is how long a subscriber gets the only layer of a picture although nothing is known of the bandwidth.
const (
	startUp       = 2 * time.Second
	startUpBudget = 4_000_000 // bit/s
	audioBitrate  = 50_000    // bit/s, of one track, with redundancy and headers
)

// demand is what one video track could be sent with.
type demand struct {
	track    *downTrack
	priority int
	visible  bool
	height   int // of its place, 0 if it is not known
	rates    []int
	heights  []int
}

// demandOf looks at a track. mu is held.
func (e *egress) demandOf(t *downTrack, speaking map[string]bool) demand {
	d := demand{track: t, visible: true}
	if v, ok := e.views[t.pub.info.Publication]; ok {
		d.visible, d.height = v.Visible, v.Height
		if v.Pinned {
			d.priority++
		}
	}
	switch {
	case t.pub.info.Source == SourceScreen:
		d.priority += 2
	case speaking[t.pub.info.Member]:
		d.priority++
	}
	d.rates, d.heights = t.pub.measures()
	return d
}

// measures are the bitrates and heights of the layers of a picture, in ascending order; a rate is 0 for a layer that is not sent.
func (p *Publication) measures() (rates, heights []int) {
	add := func(l *layer, spatial int) {
		_, h := l.size(spatial)
		rates, heights = append(rates, int(l.rates[spatial].Load())), append(heights, h)
	}
	if len(p.layers) > 1 {
		for _, l := range p.layers {
			add(l, 0)
		}
		return rates, heights
	}
	for i := range int(p.layers[0].spatial.Load()) {
		add(p.layers[0], i)
	}
	return rates, heights
}

// decide allocates the bandwidth to the tracks. mu is held.
func (e *egress) decide(now time.Time) {
	e.decidedAt = now
	speaking := e.peer.room.speakingNow()
	budget := e.budget(now)
	var list []demand
	for _, t := range e.tracks {
		if !t.attached || t.stopped {
			continue
		}
		if !t.pub.video {
			budget -= audioBitrate
			continue
		}
		list = append(list, e.demandOf(t, speaking))
	}
	e.apply(list, e.allot(budget, list, now), now)
}

// budget is what may be spent. Before anything is known it is generous: a picture that has one layer is sent or not.
func (e *egress) budget(now time.Time) int {
	target := e.estimator.Target()
	if e.paced && now.Sub(e.began) < startUp {
		return max(target, estimateFirst)
	}
	return target
}

// apply sets what was decided.
func (e *egress) apply(list []demand, choices []int, now time.Time) {
	e.wanted, e.chosen = 0, 0
	for i, d := range list {
		c := choices[i]
		d.track.choose(c, now)
		if c >= 0 && c < len(d.rates) {
			e.chosen += d.rates[c]
		}
		if d.visible {
			e.wanted += d.best()
		}
	}
	for _, t := range e.tracks {
		if t.attached && !t.pub.video {
			e.wanted += audioBitrate
			e.chosen += audioBitrate
		}
	}
}

// best is the bitrate of the largest layer that the subscriber can show.
func (d *demand) best() int {
	most := 0
	for i, rate := range d.rates {
		if i > 0 && d.height > 0 && d.heights[i-1] >= d.height {
			break
		}
		most = max(most, rate)
	}
	return most
}

func (e *egress) allot(budget int, list []demand, now time.Time) []int {
	out := make([]int, len(list))
	for i, d := range list {
		out[i] = len(d.rates) - 1
		if !d.visible {
			out[i] = -1
		}
	}
	return out
}
