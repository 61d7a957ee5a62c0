package sfu

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestHowLateRepairsComeIsTold(t *testing.T) {
	ann, bob, cid := &Peer{id: "ann"}, &Peer{id: "bob"}, &Peer{id: "cid"}
	pubs := []*Publication{{peer: ann}}
	all, now := make(qualities), time.Now()
	trips := func(p *Peer, ms int) {
		for range 50 {
			p.meter.roundTrip(time.Duration(ms) * time.Millisecond)
		}
	}
	lost := func() { ann.lostAt.Store(now.UnixNano()) }
	for i, c := range []struct {
		note    func()
		members []*Peer
		want    string
	}{
		{func() {}, []*Peer{ann}, "[]"}, // nothing is known
		{func() { trips(ann, 180); trips(bob, 180) }, []*Peer{ann, bob}, "[ann good 0s bob good 0s]"},
		{lost, []*Peer{ann, bob}, "[ann good 200ms]"},
		{func() { trips(ann, 215) }, []*Peer{ann, bob}, "[]"},   // about as it was told
		{func() {}, []*Peer{ann, bob, cid}, "[ann good 200ms]"}, // who comes knows nothing yet
		{func() {}, []*Peer{ann, bob, cid}, "[]"},
		{func() { trips(ann, 100) }, []*Peer{ann, bob}, "[ann good 100ms]"},
		{func() { now = now.Add(lateHeld + time.Second) }, []*Peer{ann, bob}, "[ann good 0s]"},
		{func() {}, []*Peer{ann, bob, cid}, "[]"}, // all is as who comes expects it
	} {
		c.note()
		told := []string{}
		tell := func(q QualityChanged) { told = append(told, fmt.Sprint(q.Member, " ", q.Quality, " ", q.Late)) }
		all.judge(c.members, tell)
		all.delay(pubs, now, tell)
		slices.Sort(told)
		if got := fmt.Sprint(told); got != c.want {
			t.Errorf("interval %d: %s is told, want %s", i, got, c.want)
		}
	}
}

// A teacher to whom nobody says anything reports no round trip; then it is how long it took until what was lost came.
func TestHowLateAPublishersRepairsCome(t *testing.T) {
	for _, receives := range []bool{true, false} {
		t.Run(fmt.Sprint("who receives something: ", receives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, l := callWorld(t, conditions{delay: time.Millisecond})
				defer w.close()
				var j journal
				tap, err := w.sfu.Room("r").Tap(&j)
				must(t, err)
				defer tap.Close()
				ann := w.caller("ann", l)
				ann.join("r", true, receives).call()
				w.caller("bob", l).join("r", true, true).call()
				late := func(after time.Duration) (newest time.Duration) {
					time.Sleep(after)
					j.mu.Lock()
					defer j.mu.Unlock()
					for _, e := range j.events {
						if q, ok := e.(QualityChanged); ok && q.Member == "ann" {
							newest = q.Late
						}
					}
					return newest
				}
				l.lengthen(ann.addr, 75*time.Millisecond, 50*time.Millisecond)
				if got := late(10 * time.Second); got != 0 {
					t.Errorf("%v late, where nothing is lost", got)
				}
				w.lose(0.01)
				if got := late(5 * time.Second); got < 150*time.Millisecond || got > 250*time.Millisecond {
					t.Errorf("200 ms away and where something is lost, it is %v late", got)
				}
				w.lose(0)
				if got := late(lateHeld + 2*time.Second); got != 0 {
					t.Errorf("%v late, long after the last loss", got)
				}
			})
		})
	}
}
