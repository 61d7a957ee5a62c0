package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

// A viewer changes from a cable to a radio: the way is longer and uneven from one packet to the next, and loses some. That is no queue,
// and the picture goes on.
func TestAWayThatBecomesLongerAndUneven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := callWorld(t, conditions{delay: time.Millisecond})
		defer w.close()
		bob := w.caller("bob", l)
		v := bob.view("r")
		w.caller("ann", l).join("r", true, false).call()
		began := time.Now()
		time.Sleep(10*time.Second + time.Duration(*seed*37%100)*time.Millisecond) // feedback comes every 100 ms
		changed := time.Now()
		w.lose(0.01)
		l.lengthen(bob.addr, 75*time.Millisecond, 50*time.Millisecond)
		time.Sleep(40 * time.Second)

		list := v.shows(pictureBuffer)
		for _, e := range changes(list) {
			t.Logf("%8v layer %d", e.at.Sub(began).Round(10*time.Millisecond), e.layer)
		}
		until := changed.Add(38 * time.Second)
		still, longest := frozen(list, changed.Add(-time.Second), until)
		t.Logf("changed at %v, pictures stand still %.2f %% of the time, at most %v", changed.Sub(began),
			100*still.Seconds()/until.Sub(changed).Seconds(), longest)
		if longest > longestStill {
			t.Errorf("the picture stands still for %v", longest)
		}
		if layer := layerAt(list, changed.Add(15*time.Second)); layer < 1 {
			t.Errorf("15 s after the change, layer %d", layer)
		}
	})
}
