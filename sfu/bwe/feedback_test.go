package bwe

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

// reportOf has packets from first on, with gaps and reordering.
func reportOf(tb testing.TB, first uint16, n int, random *rand.Rand) ([]byte, map[uint16]bool) {
	tb.Helper()
	r := twcc.NewRecorder(1)
	got := make(map[uint16]bool)
	at := int64(5_000_000)
	for i := range n {
		at += random.Int64N(40_000)
		seq := first + uint16(i)
		if i == 0 || random.IntN(4) != 0 {
			r.Record(7, seq, at)
			got[seq] = true
		}
	}
	packets := r.BuildFeedbackPacket()
	raw, err := rtcp.Marshal(packets[:1])
	if err != nil {
		tb.Fatal(err)
	}
	return raw, got
}

func TestReportReadsWhatWasRecorded(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := 1; n < 120; n++ {
		raw, want := reportOf(t, uint16(65500), n, random)
		r, err := parseReport(raw)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[uint16]bool)
		last := time.Duration(0)
		err = r.each(func(s status) {
			if s.received {
				got[s.seq] = true
				if s.arrival < last {
					t.Errorf("arrival of %d goes back", s.seq)
				}
				last = s.arrival
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for seq := range got {
			if !want[seq] {
				t.Errorf("n=%d: %d was not received", n, seq)
			}
		}
		if len(got) != len(want) {
			t.Errorf("n=%d: %d received, want %d", n, len(got), len(want))
		}
	}
}

func TestFeedbackDoesNotAllocate(t *testing.T) {
	e := New(1_000_000, 50_000, 5_000_000)
	raw, _ := reportOf(t, 1, 30, rand.New(rand.NewPCG(1, 1)))
	at := epoch
	allocations := testing.AllocsPerRun(100, func() {
		for i := range 30 {
			e.Sent(uint16(1+i), 1000, at, 0)
		}
		at = at.Add(50 * time.Millisecond)
		if err := e.Feedback(raw, at); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

// FuzzFeedback compares with pion's reader where both accept, and feeds an estimator.
func FuzzFeedback(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	for n := 1; n < 40; n += 7 {
		raw, _ := reportOf(f, uint16(n), n, random)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := New(1_000_000, 50_000, 5_000_000)
		for i := range 64 {
			e.Sent(uint16(i), 1000, epoch, 0)
		}
		err := e.Feedback(bytes.Clone(raw), epoch.Add(time.Second))
		if target := e.Target(); target < 50_000 || target > 5_000_000 {
			t.Fatalf("target %d", target)
		}
		var theirs rtcp.TransportLayerCC
		if err != nil || theirs.Unmarshal(raw) != nil {
			return
		}
		r, err := parseReport(raw)
		if err != nil {
			t.Fatal(err)
		}
		received := 0
		if err := r.each(func(s status) {
			if s.received {
				received++
			}
		}); err != nil {
			t.Fatal(err)
		}
		if received > len(theirs.RecvDeltas) {
			t.Fatalf("%d received, pion reads %d", received, len(theirs.RecvDeltas))
		}
	})
}

func BenchmarkFeedback(b *testing.B) {
	e := New(1_000_000, 50_000, 5_000_000)
	raw, _ := reportOf(b, 1, 20, rand.New(rand.NewPCG(1, 1)))
	at := epoch
	b.ReportAllocs()
	for b.Loop() {
		for i := range 20 {
			e.Sent(uint16(1+i), 1000, at, 0)
		}
		at = at.Add(50 * time.Millisecond)
		_ = e.Feedback(raw, at)
	}
}
