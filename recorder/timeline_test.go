package recorder

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ntpOf is a sender's wall clock in ms as 32.32 fixed point.
func ntpOf(ms float64) uint64 {
	s := math.Floor(ms / 1000)
	return uint64(s)<<32 | uint64((ms/1000-s)*(1<<32))
}

// rtpOf is the RTP time of a moment in ms.
func rtpOf(base uint32, rate, ms float64) uint32 {
	return base + uint32(int64(math.Round(ms*rate/1000)))
}

func TestTimelineUnwrapsRTPTime(t *testing.T) {
	tl := newTimeline(48000, &senderClock{})
	base := uint32(math.MaxUint32 - 48000) // wraps after a second
	for ms := 0.; ms <= 3000; ms += 20 {
		rtp := rtpOf(base, 48000, ms)
		if !tl.Packet(rtp, 500+ms) {
			t.Fatalf("the packet at %v ms does not fit", ms)
		}
		if at, stepped := tl.At(rtp, true); math.Abs(at-500-ms) > 0.1 || stepped {
			t.Fatalf("At is %v at %v ms, stepped %v", at, ms, stepped)
		}
	}
}

func TestTimelineWithoutReportsTakesTheLeastDelay(t *testing.T) {
	tl := newTimeline(90000, &senderClock{})
	for i := range 20 {
		ms := float64(i) * 33
		tl.Packet(rtpOf(9, 90000, ms), ms+50+float64(i%5)*10)
	}
	if at, _ := tl.At(rtpOf(9, 90000, 0), true); math.Abs(at-50) > 0.1 {
		t.Errorf("the first frame lies at %v ms, not at 50", at)
	}
}

func TestTracksOfAMemberShareADelay(t *testing.T) {
	clock := &senderClock{}
	audio, video := newTimeline(48000, clock), newTimeline(90000, clock)
	const ahead = 3.9e12
	for ms := 0.; ms < 1000; ms += 20 {
		audio.Packet(rtpOf(1, 48000, ms), ms+30)
		video.Packet(rtpOf(2, 90000, ms), ms+180) // encoding and queues take longer
		if ms == 100 {
			audio.Report(SenderReport{ntpOf(ahead + ms), rtpOf(1, 48000, ms)}, ms+30)
			video.Report(SenderReport{ntpOf(ahead + ms), rtpOf(2, 90000, ms)}, ms+30)
		}
	}
	a, _ := audio.At(rtpOf(1, 48000, 500), true)
	v, _ := video.At(rtpOf(2, 90000, 500), true)
	if math.Abs(a-530) > 0.5 || math.Abs(v-530) > 0.5 {
		t.Errorf("sound lies at %v and picture at %v ms, not at 530", a, v)
	}
}

func TestTimelineFollowsASkewedClockForAnHour(t *testing.T) {
	const skew = 150e-6 // of the sound card; 540 ms in an hour
	clock := &senderClock{}
	tl := newTimeline(48000, clock)
	worst := 0.
	for ms := 0.; ms < 3_600_000; ms += 20 {
		rtp := rtpOf(77, 48000*(1+skew), ms)
		if !tl.Packet(rtp, ms+40) {
			t.Fatalf("the packet at %v ms does not fit", ms)
		}
		if math.Mod(ms, 5000) == 0 {
			tl.Report(SenderReport{ntpOf(4e12 + ms), rtp}, ms+40)
		}
		at, stepped := tl.At(rtp, true)
		worst = max(worst, math.Abs(at-ms-40))
		if stepped {
			t.Fatalf("it stepped at %v ms", ms)
		}
	}
	if worst > 5 {
		t.Errorf("media was placed up to %v ms off", worst)
	}
}

func TestTimelineCorrectsSlowlyAndFarErrorsAtOnce(t *testing.T) {
	for _, c := range []struct {
		error float64
		steps bool
	}{{60, false}, {-60, false}, {400, true}} {
		clock := &senderClock{}
		tl := newTimeline(48000, clock)
		tl.Packet(5, 1000)
		tl.At(5, true) // placed at 1000 without a report
		// The report says that the media lies earlier than it seemed (or, at -60, later: impossible before the arrival).
		clock.Sample(4e12, 500)
		tl.Report(SenderReport{ntpOf(4e12 - c.error + 500), 5}, 1000+200)
		at, stepped := tl.At(5+960, true)
		moved := at - 1020
		if stepped != c.steps {
			t.Errorf("error %v: stepped is %v", c.error, stepped)
		}
		if !stepped && math.Abs(moved) > 0.11 {
			t.Errorf("error %v: media jumped by %v ms within 20 ms", c.error, moved)
		}
		if stepped && math.Abs(moved+c.error) > 1 {
			t.Errorf("error %v: the step was %v ms", c.error, moved)
		}
	}
}

// When it becomes known how long the way is, media is placed anew at once; what is then measured moves it slowly.
func TestTimelineTakesTheWayOffOnceItIsKnown(t *testing.T) {
	clock := &senderClock{}
	tl := newTimeline(48000, clock)
	steps, worst := 0, 0.
	for ms := 0.; ms < 20_000; ms += 20 {
		rtp := rtpOf(5, 48000, ms)
		tl.Packet(rtp, 1000+ms+60)
		if math.Mod(ms, 1000) == 500 {
			tl.Report(SenderReport{ntpOf(4e12 + ms), rtp}, 1000+ms+60)
		}
		if ms >= 3000 { // a round trip of 120 ms, and what waits in queues
			clock.RoundTrip(time.Duration(120+math.Mod(ms*7, 90))*time.Millisecond, 1000+ms)
		}
		at, stepped := tl.At(rtp, true)
		if stepped {
			steps++
		}
		switch err := math.Abs(at - 1000 - ms); {
		case ms < 3000 && math.Abs(err-60) > 0.1:
			t.Fatalf("before anything is known, media lies %v ms off", err)
		case ms > 6000:
			worst = max(worst, err)
		}
	}
	if steps != 1 || worst > 10 {
		t.Errorf("media was placed anew %d times, and up to %v ms off", steps, worst)
	}
}

// A way that is longer than what anybody could talk over is not believed.
func TestTimelineDoesNotBelieveEveryRoundTrip(t *testing.T) {
	clock := &senderClock{}
	clock.RoundTrip(time.Hour, 10)
	tl := newTimeline(48000, clock)
	tl.Packet(5, 1000)
	if at, _ := tl.At(5, true); math.Abs(at-1000+longestWay) > 0.1 {
		t.Errorf("what arrived at 1000 ms lies at %v", at)
	}
	clock.RoundTrip(-time.Hour, 20)
	if way, known := clock.Way(); way != longestWay || !known {
		t.Errorf("the way has %v ms, known is %v", way, known)
	}
}

func TestTimelineKeepsGaps(t *testing.T) {
	tl := newTimeline(48000, &senderClock{})
	tl.Packet(0, 100)
	tl.At(0, true)
	for _, ms := range []float64{400, 800, 60_000, 3_600_000} { // comfort noise, then muted for long
		if rtp := rtpOf(0, 48000, ms); !tl.Packet(rtp, 100+ms) {
			t.Errorf("the packet after a gap up to %v ms does not fit", ms)
		} else if at, stepped := tl.At(rtp, true); math.Abs(at-100-ms) > 1 || stepped {
			t.Errorf("after a gap up to %v ms it lies at %v, stepped %v", ms, at, stepped)
		}
	}
}

func TestTimelineTellsAnotherStream(t *testing.T) {
	tl := newTimeline(90000, &senderClock{})
	tl.Packet(1_000_000, 0)
	if tl.Packet(1_000_000+90_000*30, 33) {
		t.Error("a jump by 30 s within 33 ms fits")
	}
	if !tl.Packet(1_003_000, 33) {
		t.Error("the next good packet does not fit")
	}
}

// Whatever a sender claims, its media is placed at most 2 s before and never after its arrival, apart from the slow correction.
func TestHostileReportsDoNotMoveMediaFar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tl := newTimeline(uint32(rapid.SampledFrom([]int{48000, 90000, 1, 0}).Draw(t, "rate")), &senderClock{})
		now := 10_000.
		for range rapid.IntRange(1, 40).Draw(t, "items") {
			now += float64(rapid.IntRange(0, 50).Draw(t, "after"))
			rtp := uint32(now * 48)
			if rapid.Bool().Draw(t, "hostile") {
				tl.Report(SenderReport{rapid.Uint64().Draw(t, "ntp"), rapid.Uint32().Draw(t, "rtp")}, now)
				continue
			}
			tl.Packet(rtp, now)
			if at, _ := tl.At(rtp, true); tl.msPer == 1./48 && (at < now-maxBehind-stepBeyond || at > now+stepBeyond) {
				t.Fatalf("media that arrived at %v lies at %v", now, at)
			}
		}
	})
}
