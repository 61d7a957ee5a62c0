package stats

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHistogramKeepsPercentilesWithinAStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.SliceOfN(rapid.IntRange(0, 20_000_000), 1, 300).Draw(t, "us")
		p := rapid.Float64Range(0.01, 1).Draw(t, "p")
		var h Histogram
		var values []float64
		for _, v := range us {
			h.Add(time.Duration(v) * time.Microsecond)
			values = append(values, float64(v))
		}
		want := Percentile(values, p)
		got := float64(h.Percentile(p)) / float64(time.Microsecond)
		if math.Abs(got-want) > want/64+1 {
			t.Errorf("percentile %v is %v, not %v", p, got, want)
		}
	})
}

func TestHistogramsMerge(t *testing.T) {
	var a, b Histogram
	a.Add(-time.Second)
	a.Add(time.Hour)
	b.Add(50 * time.Microsecond)
	a.Merge(&b)
	if a.Count() != 3 || a.Percentile(0.5) != 50*time.Microsecond || a.Percentile(0.01) != 0 || a.Percentile(1) < time.Minute {
		t.Errorf("%d: %v %v %v", a.Count(), a.Percentile(0.01), a.Percentile(0.5), a.Percentile(1))
	}
	if new(Histogram).Percentile(0.5) != 0 {
		t.Error("nothing has a percentile")
	}
}

func TestPercentileAndMedian(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	for p, want := range map[float64]float64{0: 1, 0.2: 1, 0.5: 3, 0.81: 5, 0.95: 5, 1: 5} {
		if got := Percentile(values, p); got != want {
			t.Errorf("percentile %v is %v, not %v", p, got, want)
		}
	}
	if Median(values) != 3 || Median([]float64{4, 1}) != 2.5 || !math.IsNaN(Median(nil)) || !math.IsNaN(Percentile(nil, 1)) {
		t.Error("a median is wrong")
	}
	if got := PairedRatio([]float64{1, 4, math.NaN(), 9}, []float64{2, 4, 1, 3}); got != 1 {
		t.Errorf("the ratio is %v", got)
	}
}

// TestReceivedAgreesWithASet drops, repeats and delays packets and compares with a plain set.
func TestReceivedAgreesWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint16().Draw(t, "first")
		steps := rapid.SliceOfN(rapid.IntRange(-40, 60), 1, 400).Draw(t, "steps")
		var r Received
		at := int64(first) + 1<<16
		highest := at
		seen := map[int64]bool{at: true}
		r.Note(first)
		for _, d := range steps {
			at = max(at+int64(d), int64(first)+1<<16)
			fresh, gap := r.Note(uint16(at)) //nolint:gosec // modulo 2^16
			if fresh == seen[at] {
				t.Fatalf("%d: fresh %v", at, fresh)
			}
			if gap != int(max(at-highest-1, 0)) {
				t.Fatalf("%d after %d: a gap of %d", at, highest, gap)
			}
			seen[at] = true
			highest = max(highest, at)
		}
		if r.Unique() != uint64(len(seen)) || r.Expected() != uint64(highest-(int64(first)+1<<16))+1 {
			t.Fatalf("%d of %d, not %d", r.Unique(), r.Expected(), len(seen))
		}
		if r.Highest() != uint32(highest-1<<16) {
			t.Fatalf("highest is %d", r.Highest())
		}
		for n := range seen {
			if highest-n < 1000 && !r.Has(uint16(n)) { //nolint:gosec // modulo 2^16
				t.Fatalf("%d is forgotten", n)
			}
		}
	})
}

func TestReceivedForgetsWhatIsLongPast(t *testing.T) {
	var r Received
	r.Note(0)
	if fresh, gap := r.Note(5000); !fresh || gap != 4999 {
		t.Errorf("a jump: %v %d", fresh, gap)
	}
	if fresh, _ := r.Note(1); fresh {
		t.Error("too old to know, and yet new")
	}
	if fresh, _ := r.Note(4999); !fresh {
		t.Error("a late packet is not new")
	}
}

func TestLoss(t *testing.T) {
	if Loss(98, 100) < 0.0199 || Loss(98, 100) > 0.0201 || Loss(0, 0) != 0 || Loss(101, 100) != 0 || Loss(0, 10) != 1 {
		t.Error("loss is wrong")
	}
}
