package sfu

import (
	"time"

	"github.com/pausepoint/pausepoint/sfu/allocate"
)

// A picture that begins and has one layer is sent at once, unless the subscriber's link is known to be slow: it is that or nothing,
// and while little is sent, little is known.
const (
	startUp       = 2 * time.Second
	startUpBudget = 12_000_000            // bit/s
	startUpQueue  = 60 * time.Millisecond // a link that is slow shows at once
	startUpLoss   = 0.1
	leastRate     = 30_000 // bit/s, of a layer that begins, or whose picture does not move
)

// planner is the memory that deciding takes.
type planner struct {
	downs   []*downTrack
	tracks  []allocate.Track
	choices []allocate.Choice
	layers  []allocate.Layer
}

// decide allocates the bandwidth to the tracks. mu is held.
func (e *egress) decide(now time.Time) {
	e.decidedAt, e.holding = now, false
	if e.feed != nil {
		e.feed.decide(now)
		return
	}
	p := &e.plan
	p.downs, p.tracks, p.choices, p.layers = p.downs[:0], p.tracks[:0], p.choices[:0], p.layers[:0]
	speaking := e.peer.room.speakingNow()
	plain, sound := 0, 0
	for _, t := range e.tracks {
		switch {
		case !t.attached || t.stopped:
		case t.pub.video:
			p.downs, p.tracks = append(p.downs, t), append(p.tracks, e.describe(t, speaking))
		case t.to.red == 0:
			plain += t.pub.layers[0].rate(0)
		default:
			sound += t.pub.layers[0].rate(0)
		}
	}
	sound = e.protect(plain, sound, now)
	budget := e.estimator.Estimate() - sound
	p.choices = allocate.Allocate(p.choices, budget, p.tracks)
	if e.paced && e.estimator.Target() >= estimateFirst/10*9 {
		p.begin(now)
	}
	e.wanted, e.chosen = allocate.Wanted(p.tracks)+sound, sound
	for i, c := range p.choices {
		if c.Layer >= 0 {
			e.chosen += p.tracks[i].Layers[c.Layer].Bitrate
		}
		p.downs[i].choose(c.Layer, now)
	}
	e.judge(sound)
}

// describe says how a track can be had. mu is held.
func (e *egress) describe(t *downTrack, speaking map[string]bool) allocate.Track {
	a := allocate.Track{ID: t.serial, Visible: true, Current: t.choice}
	if v, ok := e.views[t.pub.info.Publication]; ok {
		a.Visible, a.MaxHeight = v.Visible, v.Height
		if v.Pinned {
			a.Priority = 2
		}
	}
	switch {
	case t.pub.info.Source == SourceScreen:
		a.Priority += 2
	case speaking[t.pub.info.Member]:
		a.Priority++
	}
	at := len(e.plan.layers)
	e.plan.layers = t.pub.measure(e.plan.layers)
	a.Layers = e.plan.layers[at:len(e.plan.layers):len(e.plan.layers)]
	for _, l := range a.Layers {
		if l.Bitrate > 0 {
			return a
		}
	}
	a.Layers[min(max(t.choice, 0), len(a.Layers)-1)].Bitrate = leastRate
	return a
}

// measure appends the layers of a picture, ascending: the streams of simulcast, or the spatial layers of the only one.
func (p *Publication) measure(dst []allocate.Layer) []allocate.Layer {
	add := func(l *layer, spatial int) {
		width, height := l.size(spatial)
		dst = append(dst, allocate.Layer{Bitrate: l.rate(spatial), Width: width, Height: height})
	}
	if len(p.layers) > 1 {
		for _, l := range p.layers {
			add(l, 0)
		}
		return dst
	}
	for i := range int(p.layers[0].spatial.Load()) {
		add(p.layers[0], i)
	}
	return dst
}

// begin turns on what is new, has one layer and was left out.
func (p *planner) begin(now time.Time) {
	spent := 0
	for i, c := range p.choices {
		if c.Layer >= 0 {
			spent += p.tracks[i].Layers[c.Layer].Bitrate
		}
	}
	for i := range p.choices {
		t, c := &p.tracks[i], &p.choices[i]
		if c.Layer < 0 && t.Visible && len(t.Layers) == 1 && now.Sub(p.downs[i].since) < startUp && spent+t.Layers[0].Bitrate <= startUpBudget {
			c.Layer = 0
			spent += t.Layers[0].Bitrate
		}
	}
}

// judge tells the member's meter whether there is bandwidth for what is wanted.
func (e *egress) judge(sound int) {
	wanted := sound
	for i, c := range e.plan.choices {
		if c.Wanted >= 0 && c.Layer < 0 {
			e.peer.meter.bandwidth(0.01) // a picture is missing
			return
		}
		if c.Wanted >= 0 {
			wanted += e.plan.tracks[i].Layers[c.Wanted].Bitrate
		}
	}
	if wanted > 0 && e.paced {
		e.peer.meter.bandwidth(min(float64(e.estimator.Target())/float64(wanted), 1))
	}
}
