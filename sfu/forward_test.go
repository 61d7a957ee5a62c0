package sfu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// bad is a network that loses packets both on the way in and on the way out.
var bad = conditions{loss: 0.05, delay: 60 * time.Millisecond, jitter: 20 * time.Millisecond}

func TestForwardsEveryPacketOnAGoodNetwork(t *testing.T) {
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
			if want := int(s.last - s.first + 1); s.packets != want || s.packets < 200 {
				t.Errorf("%s: %d packets of %d", name, s.packets, want)
			}
			if s.reports == 0 {
				t.Errorf("%s: no sender report", name)
			}
		}
		if n := len(a.got()); n != 0 {
			t.Errorf("ann got %d streams of her own", n)
		}
	})
}

func TestRecoversFromLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, bad)
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		time.Sleep(60 * time.Second)
		for _, name := range []string{"ann/audio", "ann/camera"} {
			s := b.got()[name]
			if s == nil {
				t.Fatalf("no %s", name)
			}
			sent, got := int(s.last-s.first+1), len(s.numbers)
			least := 0.995
			if name == "ann/audio" {
				least = 0.85 // nothing is sent again of Opus: browsers ask for it in no other way than its own redundancy
			}
			if sent < 2000 || float64(got) < least*float64(sent) {
				t.Errorf("%s: %d of %d packets arrived", name, got, sent)
			}
			// One number for each packet: what is missing in one is missing in the other.
			if len(s.seqs) != got {
				t.Errorf("%s: %d sequence numbers for %d packets", name, len(s.seqs), got)
			}
			t.Logf("%s: %d of %d", name, got, sent)
		}
	})
}

func TestJoiningInTheSameInstantLosesNoTrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 20 * time.Millisecond, jitter: 15 * time.Millisecond})
		defer w.close()
		var members []*client
		for i := range 6 {
			members = append(members, w.client(fmt.Sprintf("m%d", i)))
		}
		errs := make(chan error, len(members))
		for _, m := range members {
			go func() { errs <- m.join("r", true, true).publish(SourceAudio, SourceCamera) }()
		}
		for range members {
			must(t, <-errs)
		}
		time.Sleep(5 * time.Second)
		for _, m := range members {
			checkComplete(t, m, members)
		}
	})
}

// checkComplete checks that a member receives both tracks of each other member, and nothing else.
func checkComplete(t *testing.T, m *client, present []*client) {
	t.Helper()
	want := make(map[string]bool)
	for _, o := range present {
		if o != m {
			want[o.id+"/audio"], want[o.id+"/camera"] = true, true
		}
	}
	got := m.got()
	for name := range want {
		if got[name] == nil {
			t.Errorf("%s does not receive %s", m.id, name)
		}
	}
	for name := range m.offered() {
		if !want[name] {
			t.Errorf("%s is still offered %s", m.id, name)
		}
	}
}

func TestAnyOrderOfJoinsAndLeavesEndsComplete(t *testing.T) {
	for order := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, conditions{delay: 15 * time.Millisecond, jitter: 30 * time.Millisecond})
			defer w.close()
			var present []*client
			random := rand.New(rand.NewPCG(1, order))
			for i := range 10 {
				dice := random.Uint64()
				if len(present) > 1 && dice%3 == 0 {
					gone := present[int(dice/3)%len(present)]
					present = remove(present, gone)
					gone.leave()
				} else {
					m := w.client(fmt.Sprintf("m%d", i)).join("r", true, true)
					must(t, m.publish(SourceAudio, SourceCamera))
					present = append(present, m)
				}
				time.Sleep(time.Duration(dice%200) * time.Millisecond)
			}
			time.Sleep(5 * time.Second)
			for _, m := range present {
				checkComplete(t, m, present)
			}
		})
	}
}

func remove(list []*client, c *client) []*client {
	var out []*client
	for _, o := range list {
		if o != c {
			out = append(out, o)
		}
	}
	return out
}

func TestTransceiversAreReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		b := w.client("bob").join("r", false, true)
		for i := range 4 {
			a := w.client(fmt.Sprintf("a%d", i)).join("r", true, false)
			must(t, a.publish(SourceAudio, SourceCamera))
			time.Sleep(2 * time.Second)
			checkComplete(t, b, []*client{a, b})
			a.leave()
			time.Sleep(time.Second)
		}
		if n := len(b.subscribed().GetTransceivers()); n != 2 {
			t.Errorf("four members one after the other took %d transceivers, want 2", n)
		}
		if n := len(b.offered()); n != 0 {
			t.Errorf("%d tracks are left", n)
		}
	})
}

func TestSourceIsAddedAndRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceAudio))
		time.Sleep(2 * time.Second)
		must(t, a.publish(SourceScreen, SourceScreenAudio))
		time.Sleep(2 * time.Second)
		if n := len(b.got()); n != 3 {
			t.Fatalf("%d streams, want 3: %v", n, b.offered())
		}
		for range 2 {
			a.unpublish(SourceScreen)
			time.Sleep(2 * time.Second)
			if _, still := b.offered()["ann/screen"]; still || len(b.offered()) != 2 {
				t.Errorf("offered %v after the screen was removed", b.offered())
			}
			must(t, a.publish(SourceScreen))
			time.Sleep(2 * time.Second)
			if b.got()["ann/screen"] == nil {
				t.Error("the screen did not come again")
			}
		}
		if n := b.heard(); n != 5 {
			t.Errorf("%d publications in all, want 5: three, and the screen twice more", n)
		}
		for _, p := range w.sfu.Room("r").Publications() {
			if c := p.Counts(); c.Received == 0 {
				t.Errorf("%v was published without a packet", p.Info())
			}
		}
	})
}
