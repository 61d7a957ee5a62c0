package codec_test

// bitWriter writes dependency descriptors as the AV1 RTP payload specification, appendix A, spells them.
type bitWriter struct {
	b    []byte
	bits int
}

func (w *bitWriter) put(v, n int) *bitWriter {
	for i := n - 1; i >= 0; i-- {
		if w.bits%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[len(w.b)-1] |= byte(v >> i & 1 << (7 - w.bits%8))
		w.bits++
	}
	return w
}

// written is a template: its layer, its indications as in the specification's tables ("-" not present, D, S, R), its references.
type written struct {
	next    int // what next_layer_idc says after it
	targets string
	diffs   []int
}

// l2t2 is two spatial layers of two temporal ones, where upper pictures refer to lower ones in key pictures only. Targets are
// S0T0, S0T1, S1T0, S1T1; there are two chains.
var l2t2 = []written{
	{0, "SSSS", nil},
	{1, "SS--", []int{4}},
	{2, "-D--", []int{2}},
	{0, "--SS", []int{1}},
	{1, "--SS", []int{4}},
	{3, "---D", []int{2}},
}

const firstTemplate = 60 // so that ids wrap

// head begins a descriptor of a frame in one packet; flags are structure, active, custom targets, differences and chains.
func head(id, number, flags int) *bitWriter {
	w := new(bitWriter)
	return w.put(3, 2).put((firstTemplate+id)%64, 6).put(number, 16).put(flags, 5)
}

// structure writes l2t2 with the sizes of its two layers.
func (w *bitWriter) structure() *bitWriter {
	w.put(firstTemplate, 6).put(3, 5)
	for _, t := range l2t2 {
		w.put(t.next, 2)
	}
	for _, t := range l2t2 {
		w.indications(t.targets)
	}
	for _, t := range l2t2 {
		for _, d := range t.diffs {
			w.put(1, 1).put(d-1, 4)
		}
		w.put(0, 1)
	}
	w.put(2, 2)                               // two chains, of 5 values
	w.put(0, 1).put(0, 1).put(1, 1).put(1, 1) // which protect the targets
	for range l2t2 {
		w.put(3, 4).put(3, 4)
	}
	return w.put(1, 1).put(319, 16).put(179, 16).put(639, 16).put(359, 16)
}

func (w *bitWriter) indications(s string) *bitWriter {
	for _, c := range s {
		w.put(map[rune]int{'-': 0, 'D': 1, 'S': 2, 'R': 3}[c], 2)
	}
	return w
}

// keyDescriptor is of the first frame of a stream of l2t2.
func keyDescriptor(number int) []byte { return head(0, number, 0x10).structure().b }

// plainDescriptor is of a frame that is as its template says.
func plainDescriptor(id, number int) []byte { return head(id, number, 0).b[:3] }
