package sfu

import (
	"testing"
	"time"
)

// present plays the pictures of three layers, 33 ms apart, and says when the largest is taken to be sent no more.
type present struct {
	layers []*layer
	now    time.Time
	n      uint32
}

func newPresent() *present {
	return &present{layers: []*layer{{}, {index: 1}, {index: 2}}, now: time.Now()}
}

// picture sends one picture of a layer, and reports whether that shows the end of the largest.
func (p *present) picture(layer int, key bool) bool {
	p.layers[layer].presence.came(p.n, key, p.layers[:layer], p.now)
	return layer < 2 && p.layers[2].presence.ends(p.layers[:2], p.now)
}

// run sends so many pictures of those layers that sends says, and returns when the largest ended, 0 if it did not.
func (p *present) run(count int, sends func(i, layer int) bool) time.Duration {
	began, ended := p.now, time.Duration(0)
	for i := range count {
		p.n++
		for layer := range p.layers {
			if sends(i, layer) && p.picture(layer, false) && ended == 0 {
				ended = p.now.Sub(began)
			}
		}
		p.now = p.now.Add(pictureEvery)
	}
	return ended
}

func sendsAll(int, int) bool         { return true }
func sendsNone(int, int) bool        { return false }
func sendsSmaller(_, layer int) bool { return layer < 2 }

// slowly sends the smallest layer ten times a second, as a camera does.
func slowly(sends func(i, layer int) bool) func(i, layer int) bool {
	return func(i, layer int) bool { return sends(i, layer) && (layer != 0 || i%3 == 0) }
}

func TestALayerThatIsSentNoMore(t *testing.T) {
	for name, c := range map[string]struct {
		sends func(i, layer int) bool
		most  time.Duration // 0: it is not found
	}{
		"the smaller ones go on":             {sendsSmaller, 240 * time.Millisecond},
		"the smaller ones go on, one slowly": {slowly(sendsSmaller), 240 * time.Millisecond},
		"only a slow one goes on":            {func(i, layer int) bool { return layer == 0 && i%3 == 0 }, 340 * time.Millisecond},
		"all pause":                          {sendsNone, 0},
		"all pause, and go on":               {func(i, _ int) bool { return i > 20 }, 0},
		"the largest goes on a picture late": {func(i, layer int) bool { return i > 20 && layer < 2 || i > 21 }, 0},
		"the largest alone goes on":          {func(_, layer int) bool { return layer == 2 }, 0},
		"it loses every other picture":       {func(i, layer int) bool { return layer < 2 || i%2 == 0 }, 0},
		"it has ten pictures a second":       {func(i, layer int) bool { return layer < 2 || i%3 == 0 }, 0},
	} {
		p := newPresent()
		if p.run(100, slowly(sendsAll)) != 0 {
			t.Errorf("%s: it ended before", name)
		}
		took := p.run(60, c.sends)
		if (took != 0) != (c.most != 0) || took > c.most {
			t.Errorf("%s: found after %v, want %v", name, took, c.most)
		}
	}
}

// A key frame that takes long to come is no pause: each of its packets shows that the layer is sent.
func TestALargePictureThatTakesLongToCome(t *testing.T) {
	p := newPresent()
	p.run(100, sendsAll)
	stamp := p.n
	for range 30 {
		p.n++
		if p.picture(0, false) || p.picture(1, false) {
			t.Fatal("it is taken to have ended")
		}
		p.layers[2].presence.came(stamp, true, p.layers[:2], p.now)
		p.now = p.now.Add(pictureEvery)
	}
	if n := p.layers[2].presence.pictures; n != 100 {
		t.Errorf("%d pictures", n)
	}
}

// What pauses and goes on without a key frame was not turned off; what does so often is given longer, for a while.
func TestALayerThatPausesIsGivenLonger(t *testing.T) {
	p := newPresent()
	p.run(100, sendsAll)
	found := 0
	for range 20 {
		if p.run(8, sendsSmaller) != 0 {
			found++
		}
		p.run(30, sendsAll)
	}
	if found != 1 {
		t.Errorf("taken to have ended %d times, want once", found)
	}
	p.run(600, sendsAll)
	if took := p.run(60, sendsSmaller); took == 0 || took > 240*time.Millisecond {
		t.Errorf("much later it is found after %v", took)
	}
}

// What begins anew with a key frame was turned off, however long: that teaches nothing.
func TestALayerThatBeginsAnew(t *testing.T) {
	p := newPresent()
	p.run(100, sendsAll)
	for range 5 {
		if took := p.run(60, sendsSmaller); took == 0 || took > 240*time.Millisecond {
			t.Errorf("found after %v", took)
		}
		p.n++
		p.picture(2, true)
		if p.layers[2].presence.off.Load() {
			t.Error("it is still taken to be off")
		}
		p.run(60, sendsAll)
	}
}
