package sfu

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
)

// numbers are the newest of the publisher's own count that came, by stream.
func (c *client) newest() map[string]uint32 {
	out := make(map[string]uint32)
	for name, s := range c.got() {
		out[name] = s.last
	}
	return out
}

func TestICERestartsKeepMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 10 * time.Millisecond, jitter: 20 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, true)
		b := w.client("bob").join("r", true, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		must(t, b.publish(SourceAudio, SourceCamera))
		time.Sleep(3 * time.Second)
		for i := range 24 {
			before := []map[string]uint32{a.newest(), b.newest()}
			must(t, a.offer(&webrtc.OfferOptions{ICERestart: true}))
			must(t, a.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe}))
			began := time.Now()
			for range 200 {
				time.Sleep(100 * time.Millisecond)
				done := true
				for j, m := range []*client{a, b} {
					now := m.newest()
					for name, n := range before[j] {
						if now[name] < n+60 {
							done = false
						}
					}
				}
				if done {
					break
				}
			}
			for j, m := range []*client{a, b} {
				now := m.newest()
				for name, n := range before[j] {
					if now[name] < n+60 {
						fmt.Println("  ", m.id, name, n, now[name])
					}
				}
			}
			if time.Since(began) > 5*time.Second {
				for _, pc := range []*webrtc.PeerConnection{a.pub, a.subscribed()} {
					fmt.Println(pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair())
				}
			}
			fmt.Println(i, time.Since(began), a.pub.ICEConnectionState(), a.subscribed().ICEConnectionState(), a.restarts)
		}
	})
}
