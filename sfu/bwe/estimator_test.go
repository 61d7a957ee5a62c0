package bwe

import (
	"testing"
	"time"
)

func newFlow(l *link, wanted int) *flow {
	return &flow{e: New(600_000, 50_000, 8_000_000), link: l, wanted: wanted}
}

func (f *flow) dump(t *testing.T) {
	t.Helper()
	if !testing.Verbose() {
		return
	}
	for i, s := range f.samples {
		if i%5 == 0 {
			t.Logf("%6v target %5d kbit/s, queue %d ms", s.at, s.target/1000, s.queue)
		}
	}
}

func TestReachesWhatIsWanted(t *testing.T) {
	f := newFlow(newLink(20_000_000), 2_500_000)
	f.run(t, 10*time.Second)
	f.dump(t)
	if got := f.between(3*time.Second, 10*time.Second); got < 2_500_000 {
		t.Errorf("target is %d after 3 s on a fast link, want 2.5 Mbit/s", got)
	}
}

func TestSettlesBelowTheLink(t *testing.T) {
	for _, rate := range []int{150_000, 300_000, 1_000_000, 2_000_000} {
		f := newFlow(newLink(rate), 4_000_000)
		f.run(t, 40*time.Second)
		f.dump(t)
		got := f.between(10*time.Second, 40*time.Second)
		if got > rate*11/10 || got < rate*6/10 {
			t.Errorf("link of %d: mean target %d", rate, got)
		}
		queued := 0
		for _, s := range f.samples {
			if s.at > 10*time.Second && s.queue > 200 {
				queued++
			}
		}
		if queued > len(f.samples)/20 {
			t.Errorf("link of %d: more than 200 ms were queued in %d of %d samples", rate, queued, len(f.samples))
		}
	}
}

func TestFallsAndRecovers(t *testing.T) {
	l := newLink(0)
	l.rate = func(at time.Duration) int {
		if at >= 10*time.Second && at < 30*time.Second {
			return 300_000
		}
		return 3_000_000
	}
	f := newFlow(l, 2_200_000)
	f.run(t, 60*time.Second)
	f.dump(t)
	if got := f.between(5*time.Second, 10*time.Second); got < 2_000_000 {
		t.Errorf("before the fall: %d", got)
	}
	if got := f.between(12*time.Second, 30*time.Second); got > 400_000 {
		t.Errorf("2 s after the fall: %d", got)
	}
	if got := f.between(40*time.Second, 60*time.Second); got < 2_000_000 {
		t.Errorf("10 s after the recovery: %d", got)
	}
}

func TestHoldsUnderRandomLoss(t *testing.T) {
	for _, loss := range []float64{0.02, 0.05, 0.10} {
		l := newLink(10_000_000)
		l.loss = loss
		f := newFlow(l, 2_000_000)
		f.run(t, 60*time.Second)
		f.dump(t)
		if got := f.between(10*time.Second, 60*time.Second); got < 1_600_000 {
			t.Errorf("loss of %v: mean target %d", loss, got)
		}
		if got := f.e.Loss(); got < loss/2 || got > loss*2 {
			t.Errorf("loss of %v is measured as %v", loss, got)
		}
	}
}

func TestHoldsUnderJitter(t *testing.T) {
	l := newLink(10_000_000)
	l.delay, l.jitter, l.loss = 75*time.Millisecond, 50*time.Millisecond, 0.02
	f := newFlow(l, 2_000_000)
	f.run(t, 60*time.Second)
	f.dump(t)
	if got := f.between(15*time.Second, 60*time.Second); got < 1_600_000 {
		t.Errorf("mean target %d", got)
	}
	if rtt := f.e.RTT(); rtt < 150*time.Millisecond || rtt > 300*time.Millisecond {
		t.Errorf("round trip %v", rtt)
	}
}

// A receiver without enough CPU reads late, again and again; there is no queue, and sending less would not help.
func TestHoldsWhileTheReceiverStutters(t *testing.T) {
	l := newLink(20_000_000)
	l.busy = stutter{every: 150 * time.Millisecond, length: 40 * time.Millisecond}
	f := newFlow(l, 2_000_000)
	f.run(t, 60*time.Second)
	f.dump(t)
	if got := f.between(5*time.Second, 60*time.Second); got < 1_900_000 {
		t.Errorf("mean target %d", got)
	}
}

func TestFallsWhenNothingIsReported(t *testing.T) {
	f := newFlow(newLink(5_000_000), 2_000_000)
	f.run(t, 5*time.Second)
	before := f.e.Target()
	at := epoch.Add(5 * time.Second)
	for i := range 300 {
		now := at.Add(time.Duration(i) * 10 * time.Millisecond)
		f.seq++
		f.e.Sent(f.seq, 1000, now, 0)
		f.e.Tick(now)
	}
	if f.e.Target() > before/3 {
		t.Errorf("target %d, was %d before 3 s without a report", f.e.Target(), before)
	}
}

func TestReceiverReports(t *testing.T) {
	e := New(1_000_000, 100_000, 3_000_000)
	for i := range 30 {
		e.ReceiverReport(0, 40*time.Millisecond, epoch.Add(time.Duration(i)*time.Second))
	}
	if e.Target() != 3_000_000 {
		t.Errorf("without loss: %d", e.Target())
	}
	e.ReceiverReport(0.4, 0, epoch.Add(time.Minute))
	if e.Target() != 2_400_000 || e.RTT() != 40*time.Millisecond {
		t.Errorf("with 40 %% loss: %d, %v", e.Target(), e.RTT())
	}
	e.REMB(500_000, epoch.Add(time.Minute))
	if e.Target() != 500_000 {
		t.Errorf("after REMB: %d", e.Target())
	}
}
