package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsWantedIsToldWhenItLasts(t *testing.T) {
	start := time.Unix(1000, 0)
	d := demand{told: -1}
	for _, step := range []struct {
		at     time.Duration
		height int
		tells  bool
	}{
		{0, 0, true}, // of one that begins, in any case
		{0, 540, true},
		{time.Second, 540, false},
		{2000 * time.Millisecond, 270, false},
		{2400 * time.Millisecond, 540, false}, // it did not last
		{4000 * time.Millisecond, 270, false},
		{4400 * time.Millisecond, 100, false},
		{4500 * time.Millisecond, 135, true}, // the newest
		{5000 * time.Millisecond, 270, false},
		{6000 * time.Millisecond, 100, false}, // neither did that
		{6100 * time.Millisecond, 270, false},
		{7500 * time.Millisecond, 540, false},
		{7600 * time.Millisecond, 540, true},
	} {
		if tells := d.update(step.height, start.Add(step.at)); tells != step.tells {
			t.Errorf("%d after %v: told is %v", step.height, step.at, tells)
		}
		if step.tells && d.told != step.height {
			t.Errorf("told %d of %d", d.told, step.height)
		}
	}
}

func TestPublishersAreToldWhatIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newSimulcast(t, conditions{delay: 20 * time.Millisecond})
		defer w.close()
		a, pub := w.members[0], w.sfu.Room("r").Publications()[0]
		show := func(v View) { b.peer.SetViews(map[string]View{pub.Info().Publication: v}) }
		wanted := func(why string, height int) {
			t.Helper()
			time.Sleep(growHold + time.Second)
			if got := a.wanted(SourceCamera); got != height {
				t.Errorf("%s: %d is wanted, not %d", why, got, height)
			}
		}
		wanted("a place that is not known", AnyHeight)
		show(View{Visible: true, Width: 160, Height: 90})
		wanted("a small place", 90)
		show(View{Visible: true, Width: 960, Height: 540})
		wanted("a large place", 540)
		show(View{})
		wanted("no place", 0)
		tap := pub.Attach(10)
		wanted("a recorder", AnyHeight)
		tap.Close()
		wanted("no recorder any more", 0)
		show(View{Visible: true, Width: 160, Height: 90})
		wanted("a small place", 90)
		b.leave()
		wanted("nobody", 0)
	})
}

func TestALayerThatIsSentOnlyWhileItIsWantedIsThereWhenItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newSimulcast(t, conditions{delay: 20 * time.Millisecond})
		defer w.close()
		w.members[0].obeys.Store(true)
		id := w.sfu.Room("r").Publications()[0].Info().Publication
		for range 3 {
			for _, v := range []View{{Visible: true, Width: 160, Height: 90}, {Visible: true, Width: 1280, Height: 720}} {
				b.peer.SetViews(map[string]View{id: v})
				time.Sleep(3 * time.Second)
				b.share()
				before := b.got()["ann/camera"].packets
				time.Sleep(3 * time.Second)
				if got := b.got()["ann/camera"].packets - before; got < 300 {
					t.Errorf("%d packets of the picture came in 3 s", got)
				}
				if s := b.share(); v.Height < 180 && s != 0 || v.Height > 180 && s < 0.99 {
					t.Errorf("in a place of %d lines %.0f %% of the packets are of the larger layer", v.Height, s*100)
				}
			}
		}
	})
}
