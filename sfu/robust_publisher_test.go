package sfu

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// How long the picture of a publisher who is 200 ms away may stand still when a layer ends: until that shows, and a key frame of a smaller
// one has come. The request for it may be lost.
const (
	longestChange = time.Second
	usualChange   = 500 * time.Millisecond
)

// A publisher behind a bad network turns the larger layers off, from one picture to the next, and on again.
func TestAPublisherTurnsLayersOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := callWorld(t, conditions{delay: time.Millisecond})
		defer w.close()
		v := w.caller("bob", l).view("r")
		ann := w.caller("ann", l)
		b := ann.join("r", true, false).call()
		time.Sleep(5 * time.Second)
		w.lose(0.01)
		l.lengthen(ann.addr, 75*time.Millisecond, 50*time.Millisecond)
		time.Sleep(10*time.Second + time.Duration(*seed*37%100)*time.Millisecond)
		began := time.Now()
		var offs, ons []time.Time
		for i := range 20 {
			b.turnOff(1 + i%2)
			offs = append(offs, time.Now())
			time.Sleep(4 * time.Second)
			b.turnOff(0)
			ons = append(ons, time.Now())
			time.Sleep(4 * time.Second)
		}
		list := v.shows(pictureBuffer)
		var still, back []time.Duration
		for i, off := range offs {
			_, longest := frozen(list, off, off.Add(3*time.Second))
			still = append(still, longest)
			top := slices.IndexFunc(list, func(s shown) bool { return s.layer == 2 && s.at.After(ons[i]) })
			if top < 0 {
				t.Fatalf("after it is sent again, the largest layer is not shown")
			}
			back = append(back, list[top].at.Sub(ons[i])-pictureBuffer)
			if layer := layerAt(list, ons[i]); layer != uint8(1-i%2) {
				t.Errorf("layer %d while %d are off", layer, 1+i%2)
			}
		}
		sum, _ := frozen(list, began, ons[len(ons)-1])
		slices.Sort(still)
		slices.Sort(back)
		n := len(changes(list))
		t.Logf("stands still for %v, at most %v; back at the top after %v, at most %v; %d changes of layer, %.2f %% of the time still",
			still[10], still[19], back[10], back[19], n, 100*sum.Seconds()/ons[len(ons)-1].Sub(began).Seconds())
		if still[10] > usualChange || still[19] > longestChange {
			t.Errorf("the picture stands still for %v, at most %v", still[10], still[19])
		}
	})
}
