package codec_test

import (
	"math/bits"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

func TestH264(t *testing.T) {
	key := codec.Frame{Begin: true, Keyframe: true, SwitchUp: true}
	for _, c := range []struct {
		name    string
		payload []byte
		want    codec.Frame
	}{
		{"first slice", []byte{0x61, 0x9a}, codec.Frame{Begin: true}},
		{"second slice", []byte{0x61, 0x4a}, codec.Frame{}},
		{"first slice of an IDR picture", []byte{0x65, 0x88}, key},
		{"second slice of an IDR picture", []byte{0x65, 0x48}, codec.Frame{}},
		{"parameter set", []byte{0x67, 0x42}, key},
		{"delimiter", []byte{0x09, 0xf0}, codec.Frame{Begin: true}},
		{"filler", []byte{0x0c, 0xff}, codec.Frame{}},
		{"STAP-A", []byte{0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68}, key},
		{"STAP-A without a key frame", []byte{0x78, 0, 0, 0, 2, 0x61, 0x9a}, codec.Frame{Begin: true}},
		{"FU-A, start", []byte{0x7c, 0x85, 0x88}, key},
		{"FU-A, middle", []byte{0x7c, 0x05, 0x88}, codec.Frame{}},
		{"FU-A, end", []byte{0x7c, 0x45, 0x88}, codec.Frame{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := codec.Parse(codec.H264, c.payload, false, nil)
			if err != nil || codec.Visible(f) != c.want {
				t.Errorf("%+v, %v; want %+v", f, err, c.want)
			}
		})
	}
}

func TestH264Refuses(t *testing.T) {
	for name, payload := range map[string][]byte{
		"nothing": {}, "type 0": {0x60, 1}, "STAP-B": {0x79, 1, 1}, "FU-B": {0x7d, 0x85, 1}, "type 31": {0x7f}, "forbidden bit": {0xe5, 0x88},
		"STAP-A without units": {0x78}, "STAP-A with half a size": {0x78, 0}, "STAP-A cut short": {0x78, 0, 3, 0x67, 0x42},
		"FU-A without data": {0x7c, 0x85}, "FU-A that starts and ends": {0x7c, 0xc5, 0x88},
	} {
		if f, err := codec.Parse(codec.H264, payload, false, nil); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// golomb writes ue(v) (ITU-T H.264 section 9.1).
func (w *bitWriter) golomb(values ...int) *bitWriter {
	for _, v := range values {
		n := bits.Len(uint(v + 1)) //nolint:gosec // not negative
		w.put(0, n-1).put(v+1, n)
	}
	return w
}

// A picture of 1920 by 1080 in two fields, with a scaling list and an order count of type 1, which browsers do not use.
func TestH264ParameterSet(t *testing.T) {
	w := new(bitWriter).put(0x67, 8).put(100, 8).put(0, 8).put(40, 8)
	w.golomb(0, 1, 0, 0).put(0, 1)                   // id, chroma 4:2:0, depths
	w.put(1, 1).put(1, 1).golomb(16).put(0, 7)       // one list, whose first difference is -8: the default
	w.golomb(0, 1).put(0, 1).golomb(0, 0, 2, 5, 300) // frame number, order count with two differences
	w.golomb(1).put(0, 1).golomb(119, 33)            // references, 120 by 34 macroblocks of a field
	w.put(0, 1).put(1, 1).put(1, 1)
	w.put(1, 1).golomb(0, 0, 0, 2).put(0, 1).put(1, 1) // two units of four rows are cut off
	var escaped []byte
	for i, b := range w.b {
		if i > 2 && b <= 3 && w.b[i-1] == 0 && w.b[i-2] == 0 {
			escaped = append(escaped, 3)
		}
		escaped = append(escaped, b)
	}
	f, err := codec.Parse(codec.H264, escaped, false, nil)
	if err != nil || f.Size != (codec.Size{Width: 1920, Height: 1080}) {
		t.Errorf("%+v, %v", f, err)
	}
}
