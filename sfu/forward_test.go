package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestForwardsCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 10 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, true)
		b := w.client("bob").join("r", true, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		time.Sleep(5 * time.Second)
		got := b.got()
		if len(got) != 2 {
			t.Fatalf("bob got %d streams, want audio and camera; offered %v", len(got), b.offered())
		}
		for name, s := range got {
			if want := int(s.last - s.first + 1); s.packets != want {
				t.Errorf("%s: %d packets, want %d", name, s.packets, want)
			}
			t.Log(name, s.packets, s.first, s.last, s.keys, s.reports)
		}
	})
}
