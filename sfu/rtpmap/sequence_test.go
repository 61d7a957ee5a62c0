package rtpmap_test

import (
	"testing"

	"github.com/pausepoint/pausepoint/sfu/rtpmap"
	"pgregory.net/rapid"
)

func mapped(t *testing.T, s *rtpmap.Sequence, in, want uint16) {
	t.Helper()
	if got, ok := s.Map(in); !ok || got != want {
		t.Fatalf("Map(%d) = %d, %v; want %d", in, got, ok, want)
	}
	if back, ok := s.Original(want); !ok || back != in {
		t.Fatalf("Original(%d) = %d, %v; want %d", want, back, ok, in)
	}
}

func TestSequenceIsIdentityAtFirst(t *testing.T) {
	var s rtpmap.Sequence
	for _, in := range []uint16{65533, 65534, 0, 65535, 3, 1} {
		mapped(t, &s, in, in)
	}
}

func TestSequenceKeepsLossVisible(t *testing.T) {
	var s rtpmap.Sequence
	mapped(t, &s, 10, 10)
	mapped(t, &s, 15, 15)
	mapped(t, &s, 12, 12)
}

func TestSequenceClosesUpAfterDrop(t *testing.T) {
	var s rtpmap.Sequence
	mapped(t, &s, 65534, 65534)
	if !s.Drop(65535) || !s.Drop(0) {
		t.Fatal("a packet newer than all could not be dropped")
	}
	mapped(t, &s, 1, 65535)
	mapped(t, &s, 2, 0)
	if _, ok := s.Map(0); ok {
		t.Error("a dropped packet was mapped when it came again")
	}
	if s.Drop(1) {
		t.Error("a packet that was sent was dropped")
	}
}

func TestSequenceMapsLatePacketsAcrossDrops(t *testing.T) {
	var s rtpmap.Sequence
	mapped(t, &s, 100, 100)
	s.Drop(103)
	mapped(t, &s, 104, 103)
	mapped(t, &s, 102, 102)
	mapped(t, &s, 101, 101)
}

func TestSequenceRefusesWhatIsOlderThanItsBeginning(t *testing.T) {
	var s rtpmap.Sequence
	mapped(t, &s, 100, 100)
	if out, ok := s.Map(99); ok {
		t.Errorf("Map(99) = %d; want none", out)
	}
	if in, ok := s.Original(99); ok {
		t.Errorf("Original(99) = %d; want none", in)
	}
	if in, ok := s.Original(101); ok {
		t.Errorf("Original(101) = %d before it was sent", in)
	}
}

func TestSequenceRebase(t *testing.T) {
	var s rtpmap.Sequence
	s.Rebase(7) // before anything was sent: no effect
	mapped(t, &s, 65535, 65535)
	s.Rebase(5000)
	mapped(t, &s, 5000, 0)
	mapped(t, &s, 5001, 1)
	if _, ok := s.Map(4999); ok {
		t.Error("a packet from before the change was mapped")
	}
	if _, ok := s.Original(65535); ok {
		t.Error("a packet of the old source was found again")
	}
}

func TestSequenceForgetsTheOldest(t *testing.T) {
	var s rtpmap.Sequence
	mapped(t, &s, 0, 0)
	for i := range uint16(80) {
		s.Drop(2*i + 1)
		mapped(t, &s, 2*i+2, i+1)
	}
	if _, ok := s.Original(0); ok {
		t.Error("more changes are remembered than there should be")
	}
}

func TestSequenceUnused(t *testing.T) {
	var s rtpmap.Sequence
	if _, ok := s.Original(0); ok {
		t.Error("Original on an unused mapping")
	}
	if s.Drop(0) {
		t.Error("Drop on an unused mapping")
	}
}

// step is what may happen to a stream.
type step struct {
	drop bool
	skip uint16 // lost before this packet
}

// checkStream plays steps and checks that outgoing numbers have exactly the gaps that the loss has, and map back.
func checkStream(fatal func(format string, args ...any), first uint16, steps []step) {
	var s rtpmap.Sequence
	in := first
	out, ok := s.Map(in)
	if !ok || out != in {
		fatal("the first packet %d became %d, %v", in, out, ok)
	}
	for i, st := range steps {
		in += 1 + st.skip
		if st.drop {
			if !s.Drop(in) {
				fatal("step %d: %d could not be dropped", i, in)
			}
			out += st.skip
			continue
		}
		got, ok := s.Map(in)
		if want := out + 1 + st.skip; !ok || got != want {
			fatal("step %d: Map(%d) = %d, %v; want %d", i, in, got, ok, want)
		}
		if back, ok := s.Original(got); !ok || back != in {
			fatal("step %d: Original(%d) = %d, %v; want %d", i, got, back, ok, in)
		}
		out = got
	}
}

func TestSequenceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOf(rapid.Custom(func(t *rapid.T) step {
			return step{drop: rapid.Bool().Draw(t, "drop"), skip: rapid.Uint16Range(0, 5).Draw(t, "skip")}
		})).Draw(t, "steps")
		checkStream(t.Fatalf, rapid.Uint16().Draw(t, "first"), steps)
	})
}

func FuzzSequence(f *testing.F) {
	f.Add(uint16(65530), []byte{0, 1, 0x81, 0x80, 3})
	f.Fuzz(func(t *testing.T, first uint16, script []byte) {
		steps := make([]step, len(script))
		for i, b := range script {
			steps[i] = step{drop: b&0x80 != 0, skip: uint16(b & 0x7f)}
		}
		checkStream(t.Fatalf, first, steps)
	})
}

// FuzzSequenceAny plays any calls in any order: two packets never get one number unless they are the same packet.
func FuzzSequenceAny(f *testing.F) {
	f.Add([]byte{0, 0, 10, 1, 0, 11, 0, 0, 12, 2, 9, 9, 0, 9, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s rtpmap.Sequence
		for ; len(script) >= 3; script = script[3:] {
			seq := uint16(script[1])<<8 | uint16(script[2])
			switch script[0] % 4 {
			case 1:
				s.Drop(seq)
			case 2:
				s.Rebase(seq)
			default:
				out, ok := s.Map(seq)
				if back, found := s.Original(out); ok && (!found || back != seq) {
					t.Fatalf("%d was sent as %d, which maps back to %d, %v", seq, out, back, found)
				}
			}
		}
	})
}

func BenchmarkSequenceMap(b *testing.B) {
	var s rtpmap.Sequence
	b.ReportAllocs()
	for i := range b.N {
		s.Map(uint16(i)) //nolint:gosec // wraps
	}
}
