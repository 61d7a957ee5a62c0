package codec_test

import (
	"bytes"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

func TestVP8(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		marker  bool
		want    codec.Frame
	}{
		{"plain, key frame", []byte{0x10, 0x00}, false, codec.Frame{Begin: true, Keyframe: true, SwitchUp: true}},
		{
			"key frame with its size",
			[]byte{0x10, 0x50, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x01},
			true,
			codec.Frame{Begin: true, End: true, Keyframe: true, SwitchUp: true, Size: codec.Size{Width: 640, Height: 480}},
		},
		{"plain, inter frame", []byte{0x10, 0x01}, true, codec.Frame{Begin: true, End: true}},
		{"second packet", []byte{0x00, 0x00}, false, codec.Frame{}},
		{"another partition", []byte{0x11, 0x00}, false, codec.Frame{}},
		{"7 bits", []byte{0x90, 0x80, 0x11, 0x01}, false, codec.Frame{Begin: true, PictureID: 0x11, PictureBits: 7}},
		{"15 bits", []byte{0x90, 0x80, 0x92, 0x34, 0x01}, false, codec.Frame{Begin: true, PictureID: 0x1234, PictureBits: 15}},
		{
			"temporal layer with sync", []byte{0x90, 0xe0, 0x92, 0x34, 0x07, 0xa0, 0x01}, false, codec.Frame{
				Begin: true, PictureID: 0x1234, PictureBits: 15, TL0: 7, HasTL0: true,
				Layer: codec.Layer{Temporal: 2}, SwitchUp: true,
			},
		},
		{"key index only", []byte{0x90, 0x10, 0x5f, 0x01}, false, codec.Frame{Begin: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := codec.Parse(codec.VP8, c.payload, c.marker, nil)
			if err != nil || codec.Visible(f) != c.want {
				t.Errorf("%+v, %v; want %+v", f, err, c.want)
			}
		})
	}
}

// Every payload that is cut before its first byte of VP8 data is refused.
func TestVP8CutShort(t *testing.T) {
	whole := []byte{0x90, 0xf0, 0x92, 0x34, 0x07, 0xa0}
	for n := range len(whole) + 1 {
		if f, err := codec.Parse(codec.VP8, whole[:n], false, nil); err == nil {
			t.Errorf("%d bytes: %+v", n, f)
		}
	}
}

func TestVP8Rewrite(t *testing.T) {
	for _, c := range []struct {
		name      string
		in, after []byte
	}{
		{"15 bits", []byte{0x90, 0xe0, 0x92, 0x34, 0x07, 0x20, 0x01}, []byte{0x90, 0xe0, 0xff, 0xfe, 0x09, 0x20, 0x01}},
		{"7 bits", []byte{0x90, 0xc0, 0x12, 0x07, 0x01}, []byte{0x90, 0xc0, 0x7e, 0x09, 0x01}},
		{"none", []byte{0x10, 0x01}, []byte{0x10, 0x01}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := codec.Parse(codec.VP8, c.in, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			f.Rewrite(c.in, 0x7ffe, 9)
			if !bytes.Equal(c.in, c.after) {
				t.Errorf("% x, want % x", c.in, c.after)
			}
		})
	}
}
