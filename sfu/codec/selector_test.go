package codec_test

import (
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// vp8Frame is one of a single packet.
func vp8Frame(key bool, temporal int, sync bool) []byte {
	b := []byte{0x90, 0xe0, 0x80, 0x01, 0x01, byte(temporal << 6), 0x01}
	if sync {
		b[5] |= 0x20
	}
	if key {
		b[6] = 0
	}
	return b
}

// vp9Frame is the whole frame of one layer.
func vp9Frame(key bool, l codec.Layer, up bool) []byte {
	b := []byte{0xec, 0x80, 0x01, l.Temporal<<5 | l.Spatial<<1, 1, 0x86}
	if up {
		b[3] |= 0x10
	}
	if key {
		b[0], b[5] = b[0]&^0x40, 0x82
	}
	return b
}

// asked is a packet and what is to become of it.
type asked struct {
	payload      []byte
	marker       bool
	send, marked bool
}

func play(t *testing.T, s *codec.Selector, k codec.Kind, packets []asked) {
	t.Helper()
	for i, p := range packets {
		f, err := codec.Parse(k, p.payload, p.marker, nil)
		if err != nil {
			t.Fatal(err)
		}
		if send, marked := s.Next(&f, p.marker); send != p.send || marked != p.marked {
			t.Errorf("packet %d: sent %v, marked %v; want %v, %v", i, send, marked, p.send, p.marked)
		}
	}
}

func TestSelectorVP8(t *testing.T) {
	var s codec.Selector
	play(t, &s, codec.VP8, []asked{
		{vp8Frame(true, 0, false), true, true, true},
		{vp8Frame(false, 2, true), true, false, false},
		{vp8Frame(false, 1, true), true, false, false},
	})
	s.Want(codec.Layer{Temporal: 2})
	play(t, &s, codec.VP8, []asked{
		{vp8Frame(false, 0, false), true, true, true},
		{vp8Frame(false, 2, true), true, false, false}, // layer 1 would follow without what it depends on
		{vp8Frame(false, 1, false), true, false, false},
		{vp8Frame(false, 1, true), true, true, true},
		{vp8Frame(false, 2, false), true, false, false},
		{vp8Frame(false, 2, true), true, true, true},
	})
	if s.NeedsKeyframe() || s.Current() != (codec.Layer{Temporal: 2}) {
		t.Errorf("%+v", s)
	}
	s.Want(codec.Layer{Temporal: 1})
	play(t, &s, codec.VP8, []asked{{vp8Frame(false, 2, false), true, false, false}, {vp8Frame(false, 1, false), true, true, true}})
}

func TestSelectorVP9(t *testing.T) {
	var s codec.Selector
	s.Want(s0t1)
	play(t, &s, codec.VP9, []asked{
		{vp9Frame(true, s0t0, false), false, true, true},
		{vp9Frame(true, s1t0, false), true, false, false},
		{vp9Frame(false, s0t1, false), false, true, true},
		{vp9Frame(false, s1t1, false), true, false, false},
	})
	s.Want(s1t1)
	play(t, &s, codec.VP9, []asked{{vp9Frame(false, s0t0, true), false, true, true}, {vp9Frame(false, s1t0, true), true, false, false}})
	if !s.NeedsKeyframe() {
		t.Error("a key frame is not needed for another spatial layer")
	}
	play(t, &s, codec.VP9, []asked{
		{vp9Frame(true, s0t0, false), false, true, false}, {vp9Frame(true, s1t0, false), true, true, true},
	})
	if s.NeedsKeyframe() {
		t.Error("a key frame is still needed")
	}
	s.Want(s0t0)
	play(t, &s, codec.VP9, []asked{
		{vp9Frame(false, s1t1, false), true, true, true}, // the rest of a picture that has begun
		{vp9Frame(false, s0t0, false), false, true, true},
		{vp9Frame(false, s1t0, false), true, false, false},
		{vp9Frame(false, s0t1, false), false, false, false},
	})
	s.Want(s0t1)
	play(t, &s, codec.VP9, []asked{
		{vp9Frame(false, s0t1, true), false, false, false}, // it tells of what is above it only
		{vp9Frame(false, s0t0, true), false, true, true}, {vp9Frame(false, s0t1, false), false, true, true},
	})
}

// described is a frame of l2t2 and whether it is sent.
type described struct {
	id, number int
	send       bool
}

func playAV1(t *testing.T, s *codec.Selector, d *codec.Dependency, frames []described) {
	t.Helper()
	for _, p := range frames {
		ext := plainDescriptor(p.id, p.number)
		if p.id == 0 {
			ext = keyDescriptor(p.number)
		}
		desc := read(t, d, ext)
		f, err := codec.Parse(codec.AV1, []byte{0x10, 0x30, 1}, false, &desc)
		if err != nil {
			t.Fatal(err)
		}
		if send, marked := s.Next(&f, false); send != p.send || marked != (send && f.Spatial == s.Current().Spatial) {
			t.Errorf("frame %d: sent %v, marked %v", p.number, send, marked)
		}
	}
}

// A frame that is marked as a switch brings no other spatial layer if it refers to pictures of that layer that were not sent.
func TestSelectorAV1(t *testing.T) {
	var s codec.Selector
	var d codec.Dependency
	s.Want(s0t0)
	playAV1(t, &s, &d, []described{{0, 0, true}, {3, 1, false}, {2, 2, false}, {5, 3, false}})
	s.Want(s0t1)
	playAV1(t, &s, &d, []described{{1, 4, true}, {4, 5, false}, {2, 6, true}, {5, 7, false}})
	if s.NeedsKeyframe() {
		t.Error("a key frame for a temporal layer")
	}
	s.Want(codec.Layer{Spatial: 7, Temporal: 7})
	playAV1(t, &s, &d, []described{{1, 8, true}, {4, 9, false}, {2, 10, true}, {5, 11, false}})
	if !s.NeedsKeyframe() {
		t.Error("no key frame for a spatial layer")
	}
	playAV1(t, &s, &d, []described{{0, 12, true}, {3, 13, true}, {2, 14, false}, {5, 15, true}, {1, 16, false}, {4, 17, true}})
	if s.NeedsKeyframe() || s.Current() != s1t1 {
		t.Errorf("%+v", s.Current())
	}
	s.Want(s0t1)
	playAV1(t, &s, &d, []described{{1, 20, false}, {4, 21, true}})
	if !s.NeedsKeyframe() {
		t.Error("the lower layer refers to pictures that were not sent: no key frame")
	}
	s.Reset()
	playAV1(t, &s, &d, []described{{0, 500, true}, {3, 501, false}, {2, 502, true}})
}
