package codec_test

import (
	"bytes"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

func TestVP9(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"plain, key frame", []byte{0x0c, 0x82}, codec.Frame{Begin: true, End: true, Keyframe: true, SwitchUp: true}},
		{"no reference said, but an inter frame", []byte{0x0c, 0x86}, codec.Frame{Begin: true, End: true}},
		{"a frame shown again", []byte{0x0c, 0x88}, codec.Frame{Begin: true, End: true}},
		{"plain, inter frame", []byte{0x48, 1}, codec.Frame{Begin: true}},
		{"middle of a key frame", []byte{0x00, 1}, codec.Frame{}},
		{"7 bits", []byte{0xcc, 0x11, 1}, codec.Frame{Begin: true, End: true, PictureID: 0x11, PictureBits: 7}},
		{
			"layers, not flexible",
			[]byte{0xec, 0x92, 0x34, 0x53, 0x09, 1},
			codec.Frame{
				Begin: true, End: true, PictureID: 0x1234, PictureBits: 15, TL0: 9, HasTL0: true,
				Layer: codec.Layer{Spatial: 1, Temporal: 2}, SwitchUp: true,
			},
		},
		{
			"an upper layer of a key picture",
			[]byte{0xa8, 0x11, 0x03, 0x09, 0x82},
			codec.Frame{Begin: true, PictureID: 0x11, PictureBits: 7, TL0: 9, HasTL0: true, Layer: codec.Layer{Spatial: 1}},
		},
		{
			"flexible, with three references",
			[]byte{0xfc, 0x11, 0x20, 0x03, 0x05, 0x06, 1},
			codec.Frame{Begin: true, End: true, PictureID: 0x11, PictureBits: 7, Layer: codec.Layer{Temporal: 1}},
		},
		{
			"structure with two sizes and a group of two",
			[]byte{0x0a, 0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 2, 0x14, 1, 0x28, 1, 2, 0x82},
			codec.Frame{Begin: true, Keyframe: true, SwitchUp: true, Size: codec.Size{Width: 640, Height: 360}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := codec.Parse(codec.VP9, c.payload, false, nil)
			if err != nil || codec.Visible(f) != c.want {
				t.Errorf("%+v, %v; want %+v", f, err, c.want)
			}
			for n := range len(c.payload) {
				if f, err := codec.Parse(codec.VP9, c.payload[:n], false, nil); err == nil {
					t.Errorf("%d bytes: %+v", n, f)
				}
			}
		})
	}
}

func TestVP9TooManyReferences(t *testing.T) {
	if f, err := codec.Parse(codec.VP9, []byte{0xd8, 0x11, 0x03, 0x05, 0x07, 0x02, 1}, false, nil); err == nil {
		t.Errorf("%+v", f)
	}
}

func TestVP9Rewrite(t *testing.T) {
	payload := []byte{0xec, 0x92, 0x34, 0x53, 0x09, 1}
	f, err := codec.Parse(codec.VP9, payload, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Rewrite(payload, 0x7ffe, 10)
	if want := []byte{0xec, 0xff, 0xfe, 0x53, 0x0a, 1}; !bytes.Equal(payload, want) {
		t.Errorf("% x, want % x", payload, want)
	}
}
