package bwe

import (
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

// link is a simulated way to a subscriber: a queue with a rate, a propagation delay, jitter and loss.
type link struct {
	rate   func(at time.Duration) int // bit/s
	delay  time.Duration              // one way
	jitter time.Duration              // up to this much more, independently for each packet
	queue  time.Duration              // what does not get through within it is dropped
	loss   float64
	random *rand.Rand
	freeAt time.Duration
	busy   stutter                              // of the receiver
	detour func(at time.Duration) time.Duration // nil, or what the way is longer
	inTurn bool                                 // a packet that jitter holds up holds up those after it
	lastAt time.Duration                        // arrival of the newest packet
}

func newLink(rate int) *link {
	return &link{
		rate: func(time.Duration) int { return rate }, delay: 30 * time.Millisecond, queue: 400 * time.Millisecond,
		random: rand.New(rand.NewPCG(1, 2)),
	}
}

// send says when a packet arrives, or that it is lost.
func (l *link) send(size int, at time.Duration) (time.Duration, bool) {
	l.freeAt = max(l.freeAt, at)
	if l.freeAt-at > l.queue {
		return 0, false
	}
	l.freeAt += time.Duration(float64(size+28) * 8 / float64(l.rate(at)) * float64(time.Second))
	if l.random.Float64() < l.loss {
		return 0, false
	}
	arrival := l.freeAt + l.delay
	if l.jitter > 0 {
		arrival += time.Duration(l.random.Int64N(int64(l.jitter)))
	}
	if l.detour != nil {
		arrival += l.detour(at)
	}
	if l.inTurn {
		arrival = max(arrival, l.lastAt)
		l.lastAt = arrival
	}
	return l.busy.delay(arrival), true
}

type arrival struct {
	seq uint16
	at  time.Duration
}

// sample is the state every 100 ms.
type sample struct {
	at            time.Duration
	target, queue int // bit/s, ms
}

// flow sends video of min(target, wanted) in frames, audio, and probes over a link, and reports arrivals every 50 ms.
type flow struct {
	e       *Estimator
	link    *link
	wanted  int
	seq     uint16
	pending []arrival
	credit  float64
	probe   Cluster
	left    int
	budget  int // bytes of the probe that may go now
	samples []sample
}

const feedbackEvery = 50 * time.Millisecond

//nolint:gochecknoglobals // constant
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (f *flow) run(t *testing.T, length time.Duration) {
	t.Helper()
	recorder := twcc.NewRecorder(1)
	type due struct {
		at  time.Duration
		raw []byte
	}
	var reports []due
	for now := time.Duration(0); now < length; now += time.Millisecond {
		for len(reports) > 0 && reports[0].at <= now {
			if err := f.e.Feedback(reports[0].raw, epoch.Add(now)); err != nil {
				t.Fatal(err)
			}
			reports = reports[1:]
		}
		f.produce(now)
		if now%feedbackEvery == 0 {
			f.e.Tick(epoch.Add(now))
			for _, raw := range f.report(t, recorder, now) {
				reports = append(reports, due{now + f.link.delay, raw})
			}
		}
		if now%(100*time.Millisecond) == 0 {
			f.samples = append(f.samples, sample{now, f.e.Target(), int((f.link.freeAt - now).Milliseconds())})
		}
	}
}

// produce sends what is due in this millisecond.
func (f *flow) produce(now time.Duration) {
	if now%(20*time.Millisecond) == 0 {
		f.packet(120, now, 0)
	}
	if now%(33*time.Millisecond) == 0 {
		rate := min(f.e.Target(), f.wanted) - 48_000
		f.credit += float64(max(rate, 0)) / 8 * 0.033
		for f.credit >= 1100 {
			f.packet(1100, now, 0)
			f.credit -= 1100
		}
	}
	if f.left <= 0 {
		if c, ok := f.e.Probe(f.wanted, epoch.Add(now)); ok {
			f.probe, f.left = c, c.Bytes
			f.budget = 0
		}
	}
	for f.budget += f.probe.Rate / 8 / 1000; f.left > 0 && f.budget > 0; f.budget -= f.probe.Packet {
		f.packet(f.probe.Packet, now, f.probe.ID)
		f.left -= f.probe.Packet
	}
}

func (f *flow) packet(size int, now time.Duration, probe uint8) {
	f.seq++
	f.e.Sent(f.seq, size, epoch.Add(now), probe)
	if at, ok := f.link.send(size, now); ok {
		f.pending = append(f.pending, arrival{f.seq, at})
	}
}

func (f *flow) report(t *testing.T, recorder *twcc.Recorder, now time.Duration) [][]byte {
	t.Helper()
	sort.Slice(f.pending, func(i, j int) bool { return f.pending[i].at < f.pending[j].at })
	n := 0
	for n < len(f.pending) && f.pending[n].at <= now {
		recorder.Record(7, f.pending[n].seq, f.pending[n].at.Microseconds())
		n++
	}
	f.pending = f.pending[n:]
	var out [][]byte
	for _, p := range recorder.BuildFeedbackPacket() {
		raw, err := rtcp.Marshal([]rtcp.Packet{p})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw)
	}
	return out
}

// between is the mean target in a span of time.
func (f *flow) between(from, to time.Duration) int {
	sum, n := 0, 0
	for _, s := range f.samples {
		if s.at >= from && s.at < to {
			sum += s.target
			n++
		}
	}
	return sum / n
}

// stutter delays the reports and arrivals of a receiver that is busy for a while, now and then.
type stutter struct{ every, length time.Duration }

func (s stutter) delay(at time.Duration) time.Duration {
	if s.every == 0 {
		return at
	}
	if phase := at % s.every; phase < s.length {
		return at - phase + s.length
	}
	return at
}
