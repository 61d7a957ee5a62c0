package recorder

import (
	"slices"
	"testing"

	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

func numbered(seq uint16) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Timestamp: uint32(seq) * 960}, Payload: []byte{1}}
}

func popAll(r *reorder, now float64) (seqs []uint16, lost []bool) {
	for {
		p, ok := r.pop(now)
		if !ok {
			return seqs, lost
		}
		seqs, lost = append(seqs, p.SequenceNumber), append(lost, p.lost)
	}
}

// Whatever the order of arrival, what was lost and what came twice: packets leave in order, once, and a packet says exactly
// when some before it are missing.
func TestReorderGivesOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint16().Draw(t, "first")
		n := rapid.IntRange(1, 60).Draw(t, "n")
		var order []int
		for i := 1; i < n; i++ {
			switch rapid.IntRange(0, 5).Draw(t, "fate") {
			case 0: // lost
			case 1:
				order = append(order, i, i)
			default:
				order = append(order, i)
			}
		}
		order = append([]int{0}, rapid.Permutation(order).Draw(t, "order")...)
		var r reorder
		for _, i := range order {
			r.push(numbered(first+uint16(i)), 0)
		}
		got, lost := popAll(&r, 0)
		more, moreLost := popAll(&r, 1000)
		got, lost = append(got, more...), append(lost, moreLost...)
		slices.Sort(order)
		want := slices.Compact(order)
		if len(got) != len(want) {
			t.Fatalf("%d of %d packets came out", len(got), len(want))
		}
		for k, i := range want {
			missing := k > 0 && want[k-1] != i-1
			if got[k] != first+uint16(i) || lost[k] != missing {
				t.Fatalf("packet %d is %d (lost %v), not %d (lost %v)", k, got[k], lost[k], first+uint16(i), missing)
			}
		}
	})
}

func TestReorderWaitsOneSecond(t *testing.T) {
	var r reorder
	r.push(numbered(65535), 0)
	r.push(numbered(1), 20)
	if got, _ := popAll(&r, 1000); !slices.Equal(got, []uint16{65535}) {
		t.Errorf("before a second has passed: %v", got)
	}
	r.push(numbered(0), 1010)
	if got, lost := popAll(&r, 1010); !slices.Equal(got, []uint16{0, 1}) || slices.Contains(lost, true) {
		t.Errorf("after the missing one came: %v, lost %v", got, lost)
	}
	r.push(numbered(3), 1020)
	if got, lost := popAll(&r, 2020); !slices.Equal(got, []uint16{3}) || !lost[0] {
		t.Errorf("after a second: %v, lost %v", got, lost)
	}
	r.push(numbered(2), 2030)
	if got, _ := popAll(&r, 9000); got != nil {
		t.Errorf("what came too late came out: %v", got)
	}
}

func TestReorderFollowsAJump(t *testing.T) {
	var r reorder
	for _, seq := range []uint16{10, 11, 40_000, 12, 50_000, 50_001, 50_002} {
		r.push(numbered(seq), 0)
	}
	got, _ := popAll(&r, 1000)
	if !slices.Equal(got, []uint16{50_001, 50_002}) {
		t.Errorf("got %v: two packets in a row make a jump, one does not", got)
	}
}

func TestReorderIsBounded(t *testing.T) {
	var r reorder
	r.push(numbered(0), 0)
	r.pop(0)
	for i := range 2900 {
		r.push(numbered(uint16(i+2)), 0)
	}
	if len(r.waiting) > reorderLimit {
		t.Errorf("%d packets wait", len(r.waiting))
	}
	if got, _ := popAll(&r, 0); len(got) != reorderLimit {
		t.Errorf("%d packets came out of a full buffer", len(got))
	}
}
