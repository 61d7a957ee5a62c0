package sfu

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"
)

// The buffers that a browser would have come to on such networks.
const (
	soundBuffer   = 300 * time.Millisecond
	pictureBuffer = 400 * time.Millisecond
)

// callWorld is a server and its links, all with the same delay and jitter each way.
func callWorld(t *testing.T, c conditions) (*world, *links) {
	t.Helper()
	l := newLinks(c.jitter)
	c.jitter = 0 // of the links instead
	return newWorld(t, c, func(cfg *Config) { cfg.Net = linkNet{Net: cfg.Net, links: l} }), l
}

func TestSoundAndPicturesOverBadNetworks(t *testing.T) {
	// A single freeze is luck: of a minute it is a small part. In the mean of many runs it is 0.1 % of the time at 5 %, and 1.3 % at 10 %.
	const measured = time.Minute
	for _, c := range []struct {
		name   string
		loss   float64
		bursts bool
		sound  float64 // in time, at least
		frozen float64 // of the time, at most, in the mean of the viewers
	}{
		{"2 % lost", 0.02, false, 0.995, 0.005},
		{"5 % lost", 0.05, false, 0.99, 0.01},
		{"10 % lost", 0.10, false, 0.96, 0.05},
		{"bursts", 0, true, 0.96, 0.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// 150 ms there and back, of which up to 50 ms each way are jitter, which reorders.
				w, l := callWorld(t, conditions{delay: 50 * time.Millisecond, jitter: 50 * time.Millisecond})
				defer w.close()
				viewers := []*viewer{w.caller("bob", l).view("r"), w.caller("cid", l).view("r")}
				w.caller("ann", l).join("r", true, false).call()
				time.Sleep(8 * time.Second)
				w.lose(c.loss)
				if c.bursts {
					began := time.Now()
					w.router.AddChunkFilter(func(vnet.Chunk) bool {
						return time.Since(began)%(10*time.Second) > 200*time.Millisecond
					})
				}
				from := time.Now().Add(time.Second)
				until := from.Add(measured)
				time.Sleep(time.Until(until) + 2*time.Second)
				frozenFor := 0.0
				for _, v := range viewers {
					sound := v.soundInTime(from, until, soundBuffer)
					still, longest := frozen(v.shows(pictureBuffer), from, until)
					t.Logf("%s: sound %.2f %% in time, pictures stand still %.2f %% of the time, at most %v", v.id, 100*sound,
						100*still.Seconds()/measured.Seconds(), longest.Round(time.Millisecond))
					if sound < c.sound {
						t.Errorf("%s: %.2f %% of the sound comes in time", v.id, 100*sound)
					}
					frozenFor += still.Seconds() / measured.Seconds() / float64(len(viewers))
				}
				if frozenFor > c.frozen {
					t.Errorf("pictures stand still for %.2f %% of the time", 100*frozenFor)
				}
			})
		})
	}
}

func TestTwelveJoinInTheSameInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 20 * time.Millisecond, jitter: 15 * time.Millisecond})
		defer w.close()
		var members []*client
		for i := range 12 {
			members = append(members, w.client(fmt.Sprintf("m%d", i)))
		}
		errs := make(chan error, len(members))
		for _, m := range members {
			go func() { errs <- m.join("r", true, true).publish(SourceAudio, SourceCamera) }()
		}
		for range members {
			must(t, <-errs)
		}
		time.Sleep(6 * time.Second)
		for _, m := range members {
			checkComplete(t, m, members)
		}
	})
}

func TestAPublisherThatVanishesIsGoneInFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 20 * time.Millisecond, jitter: 20 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, true)
		others := []*client{w.client("bob").join("r", true, true), w.client("cid").join("r", true, true)}
		must(t, a.publish(SourceAudio, SourceCamera))
		for _, o := range others {
			must(t, o.publish(SourceAudio))
		}
		time.Sleep(3 * time.Second)
		for _, o := range others {
			if len(o.got()) != 3 {
				t.Fatalf("%s receives %d streams, want 3", o.id, len(o.got()))
			}
		}
		w.vanish(a)
		time.Sleep(5 * time.Second)
		for _, o := range others {
			if n := len(o.offered()); n != 1 {
				t.Errorf("5 s after ann vanished, %s is offered %d tracks, want the other one's", o.id, n)
			}
		}
	})
}
