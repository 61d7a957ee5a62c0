package codec_test

import (
	"errors"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

var (
	s0t0 = codec.Layer{}
	s0t1 = codec.Layer{Temporal: 1}
	s1t0 = codec.Layer{Spatial: 1}
	s1t1 = codec.Layer{Spatial: 1, Temporal: 1}
)

func checkLayers(t *testing.T, name string, got codec.Layers, want ...codec.Layer) {
	t.Helper()
	var all codec.Layers
	for _, l := range want {
		if !got.Has(l) {
			t.Errorf("%s: %+v is missing", name, l)
		}
		all |= 1 << (l.Spatial*8 + l.Temporal)
	}
	if got != all {
		t.Errorf("%s: %b, want %b", name, got, all)
	}
}

func read(t *testing.T, d *codec.Dependency, ext []byte) codec.Descriptor {
	t.Helper()
	desc, err := d.Read(ext)
	if err != nil {
		t.Fatalf("% x: %v", ext, err)
	}
	return desc
}

func TestDependencyStructure(t *testing.T) {
	var d codec.Dependency
	desc := read(t, &d, keyDescriptor(0xabcd))
	if !desc.Begin || !desc.End || !desc.Structure || desc.FrameNumber != 0xabcd || desc.References != 0 ||
		desc.Size != (codec.Size{Width: 640, Height: 360}) {
		t.Errorf("%+v", desc)
	}
	checkLayers(t, "active", desc.Active, s0t0, s0t1, s1t0, s1t1)
	checkLayers(t, "switches", desc.Switches, s0t0, s0t1, s1t0, s1t1)
	f, err := codec.Parse(codec.AV1, []byte{0x18, 0x0a, 0x00}, true, &desc)
	if err != nil || !f.Keyframe || !f.SwitchUp || f.Size != desc.Size {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestDependencyTemplates(t *testing.T) {
	var d codec.Dependency
	read(t, &d, keyDescriptor(0))
	desc := read(t, &d, plainDescriptor(5, 3))
	if desc.Layer != s1t1 || desc.References != 1 || desc.Structure {
		t.Errorf("%+v", desc)
	}
	checkLayers(t, "present", desc.Present, s1t1)
	checkLayers(t, "switches", desc.Switches)
	desc = read(t, &d, plainDescriptor(4, 5))
	checkLayers(t, "present", desc.Present, s1t0, s1t1)
	checkLayers(t, "switches", desc.Switches, s1t0, s1t1)
}

func TestDependencyCustomFields(t *testing.T) {
	var d codec.Dependency
	read(t, &d, keyDescriptor(0))
	w := head(1, 9, 0x07).indications("RS--").put(1, 2).put(3, 4).put(3, 2).put(299, 12).put(0, 2).put(7, 8).put(7, 8)
	desc := read(t, &d, w.b)
	if desc.References != 2 || desc.Layer != s0t0 {
		t.Errorf("%+v", desc)
	}
	checkLayers(t, "present", desc.Present, s0t0, s0t1)
	checkLayers(t, "switches", desc.Switches, s0t1)
}

// What is active stays so until it is said anew, or a new structure comes.
func TestDependencyActive(t *testing.T) {
	var d codec.Dependency
	read(t, &d, keyDescriptor(0))
	checkLayers(t, "said", read(t, &d, head(1, 4, 0x08).put(0b0011, 4).b).Active, s0t0, s0t1)
	checkLayers(t, "later", read(t, &d, plainDescriptor(2, 6)).Active, s0t0, s0t1)
	checkLayers(t, "anew", read(t, &d, keyDescriptor(8)).Active, s0t0, s0t1, s1t0, s1t1)
}

func TestDependencyRefuses(t *testing.T) {
	var d codec.Dependency
	if _, err := d.Read(plainDescriptor(0, 1)); !errors.Is(err, codec.ErrNoStructure) {
		t.Errorf("without a structure: %v", err)
	}
	whole := keyDescriptor(0)
	for n := range len(whole) {
		if desc, err := d.Read(whole[:n]); err == nil {
			t.Errorf("%d bytes: %+v", n, desc)
		}
	}
	read(t, &d, whole)
	if desc, err := d.Read(plainDescriptor(6, 1)); err == nil {
		t.Errorf("an unknown template: %+v", desc)
	}
	many := head(1, 9, 0x02)
	for range 9 {
		many.put(1, 2).put(1, 4)
	}
	if desc, err := d.Read(many.put(0, 2).b); err == nil {
		t.Errorf("nine references: %+v", desc)
	}
	endless := head(0, 9, 0x10).put(0, 6).put(0, 5)
	for range 70 {
		endless.put(0, 2)
	}
	if desc, err := d.Read(endless.put(0, 800).b); err == nil {
		t.Errorf("65 templates: %+v", desc)
	}
	if desc := read(t, &d, plainDescriptor(5, 3)); desc.Layer != s1t1 {
		t.Errorf("after all that: %+v", desc)
	}
}

func TestRewriteFrameNumber(t *testing.T) {
	var d codec.Dependency
	ext := keyDescriptor(1)
	if !codec.RewriteFrameNumber(ext, 0xfedc) || read(t, &d, ext).FrameNumber != 0xfedc {
		t.Errorf("% x", ext[:3])
	}
	if codec.RewriteFrameNumber(ext[:2], 1) {
		t.Error("two bytes were rewritten")
	}
}

func TestBest(t *testing.T) {
	var d codec.Dependency
	read(t, &d, keyDescriptor(0))
	active := read(t, &d, head(1, 4, 0x08).put(0b0111, 4).b).Active
	for _, c := range []struct{ limit, want codec.Layer }{
		{codec.Layer{Spatial: 7, Temporal: 7}, s1t0}, {s0t1, s0t1}, {s1t1, s1t0}, {s0t0, s0t0},
	} {
		if got, ok := active.Best(c.limit); !ok || got != c.want {
			t.Errorf("%+v: %+v, %v", c.limit, got, ok)
		}
	}
	if _, ok := codec.Layers(0).Best(s1t1); ok {
		t.Error("the best of nothing")
	}
}
