package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

// What is demanded of a link that becomes ten times slower, with a queue of 300 ms: how long a picture that is too large may stay, and
// how long it may stand still.
const (
	stepsDown    = 2 * time.Second
	longestStill = time.Second
)

func TestALinkThatFallsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		testFall(t, conditions{delay: 20 * time.Millisecond}, 15*time.Second)
	})
}

// Up to 30 ms of jitter each way, which reorders, hides how fast a link is: looking for that takes longer.
func TestALinkThatFallsAndRecoversUnderJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		testFall(t, conditions{delay: 20 * time.Millisecond, jitter: 30 * time.Millisecond}, 25*time.Second)
	})
}

// testFall is a viewer's link that falls to 300 kbit/s, and recovers: within back the picture is to be at the top again.
func testFall(t *testing.T, c conditions, back time.Duration) {
	t.Helper()
	w, l := callWorld(t, c)
	defer w.close()
	bob := w.caller("bob", l)
	l.limit(bob.addr, 3_000_000, 300*time.Millisecond)
	v := bob.view("r")
	w.caller("ann", l).join("r", true, false).call()
	began := time.Now()
	time.Sleep(20*time.Second + time.Duration(*seed*37%100)*time.Millisecond) // feedback comes every 100 ms
	fell := time.Now()
	l.limit(bob.addr, 300_000, 300*time.Millisecond)
	time.Sleep(30 * time.Second)
	rose := time.Now()
	l.limit(bob.addr, 3_000_000, 300*time.Millisecond)
	time.Sleep(back + 10*time.Second)

	list := v.shows(pictureBuffer)
	for _, e := range changes(list) {
		t.Logf("%8v layer %d", e.at.Sub(began).Round(10*time.Millisecond), e.layer)
	}
	top := func(at time.Time) bool { return layerAt(list, at) == 2 }
	if !top(fell) {
		t.Errorf("before the fall, layer %d", layerAt(list, fell))
	}
	if at := fell.Add(stepsDown + pictureBuffer); top(at) {
		t.Errorf("%v after the fall, layer %d", stepsDown, layerAt(list, at))
	}
	if at := rose.Add(back + pictureBuffer); !top(at) {
		t.Errorf("%v after the rise, layer %d", back, layerAt(list, at))
	}
	_, longest := frozen(list, began.Add(5*time.Second), rose.Add(20*time.Second))
	sound := v.soundInTime(began.Add(5*time.Second), rose.Add(20*time.Second), pictureBuffer)
	t.Logf("fell at %v, rose at %v", fell.Sub(began), rose.Sub(began))
	t.Logf("sound %.2f %% in time, pictures stand still for at most %v", 100*sound, longest)
	if longest > longestStill {
		t.Errorf("the picture stands still for %v", longest)
	}
	if sound < 0.995 {
		t.Errorf("%.2f %% of the sound comes in time", 100*sound)
	}
}

// changes lists the first picture of each layer in turn.
func changes(list []shown) (out []shown) {
	for _, s := range list {
		if len(out) == 0 || out[len(out)-1].layer != s.layer {
			out = append(out, s)
		}
	}
	return out
}

// layerAt is the layer on the screen; 255 before the first picture.
func layerAt(list []shown, at time.Time) uint8 {
	layer := uint8(255)
	for _, s := range list {
		if s.at.After(at) {
			break
		}
		layer = s.layer
	}
	return layer
}
