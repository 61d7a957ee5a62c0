package bwe

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Up to 30 ms of jitter, which reorders: a link that carries what is wanted is found to, and one that does not is not taken for faster.
func TestProbesSeeThroughJitter(t *testing.T) {
	for _, c := range []struct{ link, least, most int }{{10_000_000, 2_000_000, 8_000_000}, {1_000_000, 600_000, 1_100_000}} {
		for seed := range uint64(20) {
			l := newLink(c.link)
			l.random = rand.New(rand.NewPCG(seed, 5))
			l.jitter = 30 * time.Millisecond
			f := newFlow(l, 2_000_000)
			f.e = New(250_000, 50_000, 8_000_000)
			f.run(t, 40*time.Second)
			if got := f.between(20*time.Second, 40*time.Second); got < c.least || got > c.most {
				t.Errorf("link of %d, seed %d: mean target %d", c.link, seed, got)
			}
		}
	}
}

func TestLine(t *testing.T) {
	var even, uneven line
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		at := time.Duration(i) * time.Millisecond
		even.add(uint32(i*1000), at)                                                                   //nolint:gosec // small
		uneven.add(uint32(i*1000)-50_000, at+time.Duration(random.Int64N(int64(30*time.Millisecond)))) //nolint:gosec // modulo 2^32
	}
	if slope, wrong := even.perByte(); slope < 0.99e-6 || slope > 1.01e-6 || wrong > 1e-8 {
		t.Errorf("even: %g, wrong by %g", slope, wrong)
	}
	if slope, wrong := uneven.perByte(); slope < 1e-6-2*wrong || slope > 1e-6+2*wrong || wrong > 0.1e-6 {
		t.Errorf("uneven: %g, wrong by %g", slope, wrong)
	}
}
