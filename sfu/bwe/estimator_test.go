package bwe

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
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
	for _, s := range f.samples {
		if s.at > 10*time.Second+350*time.Millisecond && s.at < 30*time.Second && (s.target > 450_000 || s.target < 120_000) {
			t.Errorf("%v after the fall: %d", s.at-10*time.Second, s.target)
		}
	}
	if got := f.between(40*time.Second, 60*time.Second); got < 2_000_000 {
		t.Errorf("10 s after the recovery: %d", got)
	}
}

// The queue that a link's fall leaves behind is one reason to send less, not one for each report of it.
func TestAFallIsOneDecrease(t *testing.T) {
	for _, queue := range []time.Duration{150 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond} {
		l := newLink(0)
		l.queue = queue
		l.rate = func(at time.Duration) int {
			if at >= 10*time.Second {
				return 500_000
			}
			return 5_000_000
		}
		f := newFlow(l, 2_000_000)
		f.run(t, 12*time.Second)
		f.dump(t)
		last := f.samples[len(f.samples)-1].target
		for _, s := range f.samples {
			if s.at > 10*time.Second {
				last = min(last, s.target)
			}
		}
		if last < 250_000 { // while the queue drains it is six tenths
			t.Errorf("queue of %v: the target falls to %d on a link of 500 kbit/s", queue, last)
		}
	}
}

func TestALongerWayIsNoSlowerLink(t *testing.T) {
	l := newLink(10_000_000)
	l.jitter = 20 * time.Millisecond
	l.detour = func(at time.Duration) time.Duration {
		if at >= 10*time.Second {
			return 80 * time.Millisecond
		}
		return 0
	}
	f := newFlow(l, 1_000_000)
	f.run(t, 20*time.Second)
	f.dump(t)
	if got := f.between(10*time.Second, 20*time.Second); got < 1_200_000 {
		t.Errorf("mean target %d", got)
	}
}

// A way that becomes longer and uneven at once, as from a cable to a radio: what comes late holds up what was sent after it.
func TestALongerAndUnevenWayIsNoSlowerLink(t *testing.T) {
	for seed := range uint64(20) {
		l := newLink(10_000_000)
		l.random = rand.New(rand.NewPCG(seed, 3))
		l.delay, l.loss, l.inTurn = time.Millisecond, 0.01, true
		l.detour = func(at time.Duration) time.Duration {
			if at < 10*time.Second {
				return 0
			}
			return 75*time.Millisecond + time.Duration(l.random.Int64N(int64(50*time.Millisecond)))
		}
		f := newFlow(l, 700_000)
		f.run(t, 40*time.Second)
		f.dump(t)
		if got := f.between(10*time.Second, 40*time.Second); got < 800_000 {
			t.Errorf("mean target %d", got)
		}
	}
}

// What has waited just as long for two seconds, although less is sent, does not wait: the way is longer.
func TestAQueueThatDoesNotDrainIsALongerWay(t *testing.T) {
	l := newLink(10_000_000)
	l.detour = func(at time.Duration) time.Duration {
		if at >= 10*time.Second {
			return 100 * time.Millisecond
		}
		return 0
	}
	for _, c := range []struct{ until, least, most time.Duration }{
		{10 * time.Second, 0, 5 * time.Millisecond},
		{11 * time.Second, 95 * time.Millisecond, 105 * time.Millisecond},
		{14 * time.Second, 0, 5 * time.Millisecond},
	} {
		f := newFlow(l, 700_000)
		f.run(t, c.until)
		if got := f.e.Queued(); got < c.least || got > c.most {
			t.Errorf("after %v, %v seem to wait", c.until, got)
		}
		l.freeAt = 0
	}
}

func TestBacklog(t *testing.T) {
	e := New(800_000, 50_000, 8_000_000) // 100 bytes per ms
	for seq := range uint16(10) {
		e.Sent(seq, 1000, epoch, 0)
	}
	check := func(ms int, want time.Duration) {
		t.Helper()
		if got := e.Backlog(epoch.Add(time.Duration(ms) * time.Millisecond)); got != want {
			t.Errorf("after %d ms %v, want %v", ms, got, want)
		}
	}
	check(30, 70*time.Millisecond)
	r := twcc.NewRecorder(1)
	for seq := range uint16(9) {
		r.Record(7, seq, int64(seq)*10_000)
	}
	raw, err := rtcp.Marshal(r.BuildFeedbackPacket())
	if err != nil {
		t.Fatal(err)
	}
	if err = e.Feedback(raw, epoch.Add(100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	check(105, 5*time.Millisecond) // of the last packet
	check(1000, 0)
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
