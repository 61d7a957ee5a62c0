package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

// narrowWorld is a simulcast camera, whose layers have about 250 kbit/s and 1 Mbit/s, and a subscriber behind a narrow link.
func narrowWorld(t *testing.T, rate int) (w *world, b *client, link *narrow) {
	link = &narrow{rate: rate, free: make(map[string]time.Time)}
	w = newWorld(t, conditions{delay: 20 * time.Millisecond}, func(c *Config) { c.Net = narrowNet{Net: c.Net, link: link} })
	a := w.client("ann").join("r", true, false)
	b = w.client("bob").join("r", false, true)
	a.publishLayers()
	must(t, w.client("eve").join("r", true, false).publish(SourceAudio))
	return w, b, link
}

func TestANarrowLinkGetsTheSmallerLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b, link := narrowWorld(t, 600_000)
		defer w.close()
		time.Sleep(20 * time.Second)
		b.share()
		before := b.got()
		time.Sleep(20 * time.Second)
		after := b.got()
		if s := b.share(); s > 0.05 {
			t.Errorf("%.0f %% of the packets are of the larger layer, for which there is no room", s*100)
		}
		for name, least := range map[string]int{"eve/audio": 20 * 50 * 95 / 100, "ann/camera": 20 * 120 * 95 / 100} {
			if n := len(after[name].numbers) - len(before[name].numbers); name == "eve/audio" && n < least {
				t.Errorf("%s: %d packets in 20 s, want %d", name, n, least)
			}
			if n := after[name].packets - before[name].packets; n < least {
				t.Errorf("%s: %d packets in 20 s, want %d", name, n, least)
			}
		}
		link.set(10_000_000)
		time.Sleep(15 * time.Second)
		b.share()
		time.Sleep(5 * time.Second)
		if s := b.share(); s < 0.99 {
			t.Errorf("15 s after the link became wide %.0f %% of the packets are of the larger layer", s*100)
		}
		link.set(600_000)
		time.Sleep(5 * time.Second)
		b.share()
		time.Sleep(10 * time.Second)
		if s := b.share(); s > 0.05 {
			t.Errorf("5 s after the link became narrow %.0f %% of the packets are of the larger layer", s*100)
		}
	})
}

func TestSoundIsKeptWhereThereIsNoRoomForAPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b, _ := narrowWorld(t, 150_000)
		defer w.close()
		time.Sleep(20 * time.Second)
		before := b.got()["eve/audio"]
		if before == nil {
			t.Fatal("no sound")
		}
		time.Sleep(20 * time.Second)
		if n := len(b.got()["eve/audio"].numbers) - len(before.numbers); n < 20*50*90/100 {
			t.Errorf("%d packets of sound in 20 s", n)
		}
	})
}
