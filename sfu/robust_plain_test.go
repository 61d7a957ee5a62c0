package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"
)

// A viewer without redundancy hears what is sent twice, whether there are pictures whose losses are seen or only sound.
func TestPlainSoundOverALinkThatLoses(t *testing.T) {
	for _, c := range []struct {
		name   string
		camera bool
		runs   time.Duration
	}{{"sound alone", false, 2 * time.Minute}, {"with a camera", true, 30 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, l := callWorld(t, conditions{delay: 20 * time.Millisecond})
				defer w.close()
				bob := w.plainCaller("bob", l)
				v := bob.view("r")
				w.caller("ann", l).join("r", true, false).call()
				time.Sleep(3 * time.Second)
				if !c.camera {
					hideAll(bob)
				}
				w.loseOf(bob, 0.05)
				time.Sleep(8 * time.Second)
				from := time.Now()
				until := from.Add(c.runs)
				time.Sleep(time.Until(until) + time.Second)
				sound := v.soundInTime(from, until, soundBuffer)
				t.Logf("%.2f %% of the sound is in time", 100*sound)
				if sound < 0.99 {
					t.Errorf("%.2f %% of the sound comes in time", 100*sound)
				}
			})
		})
	}
}

// loseOf loses some of what goes to a member and comes from them.
func (w *world) loseOf(c *client, fraction float64) {
	w.router.AddChunkFilter(func(p vnet.Chunk) bool {
		from, to := p.SourceAddr(), p.DestinationAddr()
		if hostOf(from) != c.addr && hostOf(to) != c.addr {
			return true
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.chance.of(from, to).Float64() >= fraction
	})
}

// hideAll shows no picture to a member.
func hideAll(c *client) {
	views := make(map[string]View)
	for _, p := range c.peer.room.publications("") {
		views[p.Info().Publication] = View{}
	}
	c.peer.SetViews(views)
}
