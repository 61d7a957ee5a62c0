package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
)

// newest are the highest of the publisher's own count that came, by stream.
func (c *client) newest() map[string]uint32 {
	out := make(map[string]uint32)
	for name, s := range c.got() {
		out[name] = s.last
	}
	return out
}

// awaitProgress waits until each of a member's streams goes on by n packets, and returns how long that takes: at most patience.
func awaitProgress(n uint32, patience time.Duration, members ...*client) time.Duration {
	began := time.Now()
	before := make([]map[string]uint32, len(members))
	for i, m := range members {
		before[i] = m.newest()
	}
	gone := func() bool {
		for i, m := range members {
			now := m.newest()
			for name, last := range before[i] {
				if now[name] < last+n {
					return false
				}
			}
		}
		return true
	}
	for !gone() && time.Since(began) < patience {
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// A member whose network changes again and again loses packets each time: what is taken for a lack of bandwidth must not last.
func TestICERestartsKeepMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 10 * time.Millisecond, jitter: 20 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, true)
		b := w.client("bob").join("r", true, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		must(t, b.publish(SourceAudio, SourceCamera))
		time.Sleep(3 * time.Second)
		if len(a.newest()) != 2 || len(b.newest()) != 2 {
			t.Fatalf("ann receives %v, bob %v", a.newest(), b.newest())
		}
		longest := time.Duration(0)
		for i := range 30 {
			must(t, a.offer(&webrtc.OfferOptions{ICERestart: true}))
			must(t, a.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe}))
			took := awaitProgress(60, 5*time.Second, a, b)
			longest = max(longest, took)
			if took >= 5*time.Second {
				t.Fatalf("5 s after restart %d, ann receives %v, bob %v", i, a.newest(), b.newest())
			}
		}
		t.Logf("everything came again after at most %v", longest)
	})
}
