package codec_test

import (
	"bytes"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// The layout of RFC 2198 section 4: a redundant block of DVI (5) and a primary of LPC (7), here with short data.
var redExample = []byte{0x80 | 5, 0x78, 0x00, 3, 7, 'o', 'l', 'd', 'n', 'e', 'w', '!'}

func TestREDBlocks(t *testing.T) {
	blocks, err := codec.REDBlocks(nil, redExample)
	if err != nil || len(blocks) != 2 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	if b := blocks[0]; b.PayloadType != 5 || b.Offset != 0x78<<6 || string(b.Payload) != "old" {
		t.Errorf("redundant: %+v", b)
	}
	if b := blocks[1]; b.PayloadType != 7 || b.Offset != 0 || string(b.Payload) != "new!" {
		t.Errorf("primary: %+v", b)
	}
}

func TestREDOffsetAndLengthShareAByte(t *testing.T) {
	payload := append([]byte{0x80 | 111, 0xff, 0xff, 0xff, 111}, bytes.Repeat([]byte{1}, 1023)...)
	blocks, err := codec.REDBlocks(nil, payload)
	if err != nil || blocks[0].Offset != 1<<14-1 || len(blocks[0].Payload) != 1023 || len(blocks[1].Payload) != 0 {
		t.Errorf("%d blocks, %v", len(blocks), err)
	}
}

func TestREDRefuses(t *testing.T) {
	for n := range len(redExample) - len("new!") {
		if _, err := codec.REDBlocks(nil, redExample[:n]); err == nil {
			t.Errorf("%d bytes: no error", n)
		}
	}
}

func TestAppendRED(t *testing.T) {
	if got := codec.AppendRED([]byte{9}, 111, nil, []byte("new!")); string(got) != "\x09\x6fnew!" {
		t.Errorf("without redundancy: % x", got)
	}
	earlier := []codec.REDBlock{
		{Offset: 1 << 14, Payload: []byte("too long ago")},
		{Offset: 1920, Payload: make([]byte, 1<<10)}, // too large
		{Offset: 1<<14 - 1, Payload: bytes.Repeat([]byte{1}, 1023)},
		{Offset: 960, Payload: []byte("old")},
	}
	blocks, err := codec.REDBlocks(nil, codec.AppendRED(nil, 111, earlier, []byte("new!")))
	if err != nil || len(blocks) != 3 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	for i, want := range []codec.REDBlock{earlier[2], earlier[3], {Payload: []byte("new!")}} {
		if b := blocks[i]; b.PayloadType != 111 || b.Offset != want.Offset || !bytes.Equal(b.Payload, want.Payload) {
			t.Errorf("block %d: offset %d, %d bytes", i, b.Offset, len(b.Payload))
		}
	}
}

func TestOpusTicks(t *testing.T) {
	for _, c := range []struct {
		packet []byte
		ms     float64
		ok     bool
	}{
		{[]byte{0xfc, 1}, 20, true},  // CELT, 20 ms
		{[]byte{0xe0}, 2.5, true},    // CELT, 2.5 ms
		{[]byte{0x08, 1}, 20, true},  // SILK, 20 ms
		{[]byte{0x19, 1}, 120, true}, // SILK, two of 60 ms
		{[]byte{0x60, 1}, 10, true},  // hybrid, 10 ms
		{[]byte{0xff, 0x06}, 120, true},
		{[]byte{0xff, 0x07}, 140, false},
		{[]byte{0xff, 0x00}, 0, false},
		{[]byte{0xff}, 0, false},
		{nil, 0, false},
	} {
		if got, ok := codec.OpusTicks(c.packet); ok != c.ok || ok && float64(got) != c.ms*48 {
			t.Errorf("OpusTicks(% x) = %v, %v", c.packet, got, ok)
		}
	}
}

func TestAudioLevel(t *testing.T) {
	if level, voice, ok := codec.AudioLevel([]byte{0x80 | 42}); level != 42 || !voice || !ok {
		t.Error(level, voice, ok)
	}
	if level, voice, ok := codec.AudioLevel([]byte{127, 0}); level != 127 || voice || !ok {
		t.Error(level, voice, ok)
	}
	if _, _, ok := codec.AudioLevel(nil); ok {
		t.Error("a level was read from nothing")
	}
}

func TestOpus(t *testing.T) {
	f, err := codec.Parse(codec.Opus, []byte{0x78, 1, 2}, true, nil)
	if err != nil || !f.Begin || !f.End || f.Keyframe {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestKind(t *testing.T) {
	for mime, want := range map[string]struct {
		kind  codec.Kind
		name  string
		video bool
	}{
		"audio/opus": {codec.Opus, "opus", false}, "audio/RED": {codec.RED, "red", false}, "video/vp8": {codec.VP8, "VP8", true},
		"video/VP9": {codec.VP9, "VP9", true}, "video/H264": {codec.H264, "H264", true}, "video/AV1": {codec.AV1, "AV1", true},
		"video/H265": {codec.Unknown, "unknown", false},
	} {
		k := codec.KindOf(mime)
		if k != want.kind || k.String() != want.name || k.Video() != want.video {
			t.Errorf("%s: %v, video %v", mime, k, k.Video())
		}
	}
	if _, err := codec.Parse(codec.Unknown, []byte{1}, false, nil); err == nil {
		t.Error("an unknown codec was read")
	}
}
