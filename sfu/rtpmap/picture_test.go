package rtpmap_test

import (
	"testing"

	"github.com/pausepoint/pausepoint/sfu/rtpmap"
	"pgregory.net/rapid"
)

func TestPictureClosesUpAfterDrop(t *testing.T) {
	var p rtpmap.Picture
	p.Drop(3) // before anything was sent: no effect
	p.Map(126, 7, 5)
	for range 3 { // each packet of the picture
		p.Drop(127)
	}
	p.Drop(0)
	if id, tl0 := p.Map(1, 7, 6); id != 127 || tl0 != 6 || !p.Changed() {
		t.Errorf("%d, %d; want 127, 6", id, tl0)
	}
	if id, _ := p.Map(126, 7, 5); id != 126 {
		t.Errorf("a late packet of 126 became %d", id)
	}
	p.Drop(126)
	if id, _ := p.Map(2, 7, 6); id != 0 {
		t.Errorf("2 became %d, want 0: what was sent cannot be dropped", id)
	}
}

func TestPictureRebaseAfterDrop(t *testing.T) {
	var p rtpmap.Picture
	p.Map(10, 15, 1)
	p.Drop(11)
	p.Map(12, 15, 2)
	p.Rebase(500, 90)
	if id, tl0 := p.Map(500, 15, 90); id != 12 || tl0 != 3 {
		t.Errorf("%d, %d; want 12, 3", id, tl0)
	}
}

func TestPictureOf16Bits(t *testing.T) {
	var p rtpmap.Picture
	p.Map(0xffff, 16, 0)
	p.Rebase(7, 0)
	if id, _ := p.Map(7, 16, 0); id != 0 {
		t.Errorf("%d, want 0", id)
	}
}

func TestPictureChangesItsWidth(t *testing.T) {
	var p rtpmap.Picture
	p.Map(100, 7, 1)
	if id, tl0 := p.Map(3000, 15, 9); id != 101 || tl0 != 2 {
		t.Errorf("%d, %d; want 101, 2", id, tl0)
	}
	if id, tl0 := p.Map(0, 0, 10); id != 0 || tl0 != 3 {
		t.Errorf("%d, %d; want 0, 3: there are no ids", id, tl0)
	}
}

// What is left of a stream without loss has ids without gaps, whatever is dropped, and late packets keep theirs.
func TestPictureIsDense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SampledFrom([]int{7, 15}).Draw(t, "bits")
		mask := uint16(1)<<bits - 1
		id := rapid.Uint16().Draw(t, "first") & mask
		var p rtpmap.Picture
		want, _ := p.Map(id, bits, 0)
		for i, drop := range rapid.SliceOfN(rapid.Bool(), 0, 300).Draw(t, "drops") {
			id = (id + 1) & mask
			if drop {
				p.Drop(id)
				continue
			}
			want = (want + 1) & mask
			for range 2 {
				if got, _ := p.Map(id, bits, 0); got != want {
					t.Fatalf("picture %d: %d became %d, want %d", i, id, got, want)
				}
			}
		}
	})
}
