package rtpmap_test

import (
	"testing"

	"github.com/pausepoint/pausepoint/sfu/rtpmap"
)

func TestTimestamp(t *testing.T) {
	var ts rtpmap.Timestamp
	if got := ts.Map(1000); got != 1000 {
		t.Fatalf("Map(1000) = %d", got)
	}
	ts.Map(4000)
	ts.Map(1000) // late: the newest stays 4000
	ts.Rebase(900_000, 3000)
	if got := ts.Map(900_000); got != 7000 {
		t.Errorf("after a rebase: %d, want 7000", got)
	}
	if got := ts.Translate(903_000); got != 10_000 {
		t.Errorf("Translate: %d, want 10000", got)
	}
	ts.Rebase(5, 0)
	if got := ts.Map(5); got != 7001 {
		t.Errorf("a rebase without time: %d, want 7001", got)
	}
}

func TestTimestampWraps(t *testing.T) {
	var ts rtpmap.Timestamp
	ts.Map(0xffff_fff0)
	ts.Map(0x10)
	ts.Rebase(77, 1)
	if got := ts.Map(77); got != 0x11 {
		t.Errorf("got %#x, want 0x11", got)
	}
}

func TestTimestampRebaseBeforeUse(t *testing.T) {
	var ts rtpmap.Timestamp
	ts.Rebase(5000, 10)
	if got := ts.Map(5000); got != 5000 {
		t.Errorf("got %d, want 5000", got)
	}
}

func TestPicture(t *testing.T) {
	for _, c := range []struct {
		name            string
		bits            int
		last, next      uint16
		wantID, wantTwo uint16
	}{
		{"15 bits", 15, 100, 30_000, 101, 102},
		{"15 bits wrap", 15, 0x7fff, 5, 0, 1},
		{"7 bits", 7, 100, 3, 101, 102},
		{"7 bits wrap", 7, 0x7f, 90, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p rtpmap.Picture
			if id, tl0 := p.Map(c.last, c.bits, 9); id != c.last || tl0 != 9 || p.Changed() {
				t.Fatalf("before a rebase: %d, %d, changed %v", id, tl0, p.Changed())
			}
			p.Rebase(c.next, 200)
			if id, tl0 := p.Map(c.next, c.bits, 200); id != c.wantID || tl0 != 10 || !p.Changed() {
				t.Errorf("after: %d, %d; want %d, 10", id, tl0, c.wantID)
			}
			if id, tl0 := p.Map(c.next+1, c.bits, 201); id != c.wantTwo || tl0 != 11 {
				t.Errorf("next: %d, %d; want %d, 11", id, tl0, c.wantTwo)
			}
		})
	}
}

func TestPictureLateFrameIsNotTheNewest(t *testing.T) {
	var p rtpmap.Picture
	p.Map(50, 15, 5)
	p.Map(49, 15, 4)
	p.Rebase(7, 7)
	if id, tl0 := p.Map(7, 15, 7); id != 51 || tl0 != 6 {
		t.Errorf("got %d, %d; want 51, 6", id, tl0)
	}
}

func TestPictureRebaseBeforeUse(t *testing.T) {
	var p rtpmap.Picture
	p.Rebase(9, 9)
	if p.Changed() {
		t.Error("changed before anything was sent")
	}
}

func TestSource(t *testing.T) {
	for _, c := range []struct {
		name string
		seqs []uint16
		want []rtpmap.Verdict
	}{
		{"in order", []uint16{5, 6, 7}, []rtpmap.Verdict{rtpmap.Accept, rtpmap.Accept, rtpmap.Accept}},
		{"wraps", []uint16{65535, 0, 1}, []rtpmap.Verdict{rtpmap.Accept, rtpmap.Accept, rtpmap.Accept}},
		{"loss", []uint16{5, 2000}, []rtpmap.Verdict{rtpmap.Accept, rtpmap.Accept}},
		{"reordered", []uint16{5, 8, 6, 9}, []rtpmap.Verdict{rtpmap.Accept, rtpmap.Accept, rtpmap.Late, rtpmap.Accept}},
		{"again", []uint16{5, 5}, []rtpmap.Verdict{rtpmap.Accept, rtpmap.Late}},
		{"one stray", []uint16{5, 30_000, 6}, []rtpmap.Verdict{rtpmap.Accept, rtpmap.Reject, rtpmap.Accept}},
		{
			"strays that do not agree",
			[]uint16{5, 30_000, 40_000, 30_001, 6},
			[]rtpmap.Verdict{rtpmap.Accept, rtpmap.Reject, rtpmap.Reject, rtpmap.Reject, rtpmap.Accept},
		},
		{
			"jump ahead",
			[]uint16{5, 30_000, 30_001, 30_002},
			[]rtpmap.Verdict{rtpmap.Accept, rtpmap.Reject, rtpmap.Restart, rtpmap.Accept},
		},
		{
			"jump back",
			[]uint16{50_000, 100, 101},
			[]rtpmap.Verdict{rtpmap.Accept, rtpmap.Reject, rtpmap.Restart},
		},
		{
			"a jump is forgotten when the stream goes on",
			[]uint16{5, 30_000, 6, 30_001},
			[]rtpmap.Verdict{rtpmap.Accept, rtpmap.Reject, rtpmap.Accept, rtpmap.Reject},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s rtpmap.Source
			for i, seq := range c.seqs {
				if got := s.Check(seq); got != c.want[i] {
					t.Errorf("packet %d (%d): %v, want %v", i, seq, got, c.want[i])
				}
			}
		})
	}
}

func TestSourceCountsMissed(t *testing.T) {
	var s rtpmap.Source
	for _, seq := range []uint16{65534, 1, 0, 5} {
		s.Check(seq)
	}
	if got := s.Missed(); got != 5 {
		t.Errorf("missed %d, want 5: 65535 and 0, then 2 to 4", got)
	}
}
