package codec_test

import (
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

func TestAV1(t *testing.T) {
	key := codec.Frame{Begin: true, Keyframe: true, SwitchUp: true}
	for _, c := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"one frame", []byte{0x10, 0x30, 1}, codec.Frame{Begin: true}},
		{"a tile group", []byte{0x10, 0x20, 1}, codec.Frame{}},
		{"continued", []byte{0x90, 0x30, 1}, codec.Frame{}},
		{"new sequence", []byte{0x18, 0x0a, 0x00}, key},
		{"elements with sizes", []byte{0x00, 2, 0x18, 1, 2, 0x20, 1}, codec.Frame{Begin: true}},
		{"two counted elements", []byte{0x28, 2, 0x08, 0, 0x30, 1}, key},
		{"continued, then a frame", []byte{0xa0, 2, 9, 9, 0x30, 1}, codec.Frame{}},
		{"extension and size", []byte{0x10, 0x36, 0x28, 0x01, 9}, codec.Frame{Begin: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := codec.Parse(codec.AV1, c.payload, false, nil)
			if err != nil || codec.Visible(f) != c.want {
				t.Errorf("%+v, %v; want %+v", f, err, c.want)
			}
		})
	}
}

func TestAV1Refuses(t *testing.T) {
	for name, payload := range map[string][]byte{
		"nothing": {}, "no elements": {0x10}, "continued new sequence": {0x98, 0x0a}, "forbidden bit": {0x10, 0x80},
		"size beyond the end": {0x00, 3, 0x30, 1}, "size without an end": {0x00, 0xff, 0xff}, "size of 9 bytes": {
			0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x30,
		},
	} {
		if f, err := codec.Parse(codec.AV1, payload, false, nil); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
