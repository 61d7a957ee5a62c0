package codec_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// fuzzRewrite checks that a payload, if it can be read, is read as what was written into it and as nothing else.
func fuzzRewrite(t *testing.T, k codec.Kind, payload []byte, id uint16, tl0 uint8) {
	before, err := codec.Parse(k, payload, true, nil)
	if err != nil {
		return
	}
	if before.PictureBits != 0 && before.PictureBits != 7 && before.PictureBits != 15 {
		t.Fatalf("%d bits", before.PictureBits)
	}
	rewritten := bytes.Clone(payload)
	before.Rewrite(rewritten, id, tl0)
	after, err := codec.Parse(k, rewritten, true, nil)
	if err != nil {
		t.Fatalf("% x became % x: %v", payload, rewritten, err)
	}
	want := before
	if want.PictureBits != 0 {
		want.PictureID = id & (1<<want.PictureBits - 1)
	}
	if want.HasTL0 {
		want.TL0 = tl0
	}
	if after != want || len(rewritten) != len(payload) {
		t.Fatalf("%+v, want %+v", after, want)
	}
	before.Rewrite(rewritten[:1], id, tl0) // of another packet: no panic
}

func FuzzVP8(f *testing.F) {
	f.Add([]byte{0x10, 0x50, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x01}, uint16(3), uint8(1))
	f.Add([]byte{0x90, 0xf0, 0x92, 0x34, 0x07, 0xa0, 0x01}, uint16(0x8001), uint8(255))
	f.Add([]byte{0x90, 0x80, 0x11, 0x01}, uint16(0x81), uint8(0))
	f.Fuzz(func(t *testing.T, payload []byte, id uint16, tl0 uint8) { fuzzRewrite(t, codec.VP8, payload, id, tl0) })
}

func FuzzVP9(f *testing.F) {
	f.Add([]byte{0xec, 0x92, 0x34, 0x53, 0x09, 1}, uint16(3), uint8(1))
	f.Add([]byte{0xfc, 0x11, 0x20, 0x03, 0x05, 0x06, 1}, uint16(0x8001), uint8(255))
	f.Add([]byte{0x0a, 0x38, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 2, 0x14, 1, 0x28, 1, 2, 0x82, 0x49, 0x83, 0x42}, uint16(9), uint8(9))
	f.Fuzz(func(t *testing.T, payload []byte, id uint16, tl0 uint8) { fuzzRewrite(t, codec.VP9, payload, id, tl0) })
}

// fuzzFrame checks what holds of every frame.
func fuzzFrame(t *testing.T, f codec.Frame, err error) {
	if err != nil {
		return
	}
	if f.Keyframe && (!f.Begin || f.Spatial != 0) || f.Width < 0 || f.Height < 0 || (f.Width == 0) != (f.Height == 0) || f.PictureBits != 0 {
		t.Fatalf("%+v", f)
	}
}

func FuzzH264(f *testing.F) {
	f.Add([]byte{0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68})
	f.Add([]byte{0x7c, 0x85, 0x88})
	f.Add([]byte{0x67, 0x64, 0x00, 0x0c, 0xac, 0xb2, 0x02, 0x83, 0xf4, 0x20, 0, 0, 3, 0, 0x20, 0, 0, 3, 3, 0xc1, 0xe2, 0x85, 0x49})
	f.Fuzz(func(t *testing.T, payload []byte) {
		frame, err := codec.Parse(codec.H264, payload, true, nil)
		fuzzFrame(t, frame, err)
	})
}

func FuzzAV1(f *testing.F) {
	f.Add([]byte{0x18, 0x0a, 0x0b, 0, 0, 0, 0x24, 0xc4, 0xff, 0xdf, 0x3f, 0xfe, 0xf6, 0x04})
	f.Add([]byte{0x28, 2, 0x08, 0, 0x30, 1})
	f.Add([]byte{0x00, 2, 0x18, 1, 2, 0x20, 1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		frame, err := codec.Parse(codec.AV1, payload, true, nil)
		fuzzFrame(t, frame, err)
	})
}

// FuzzDependency reads a descriptor on top of a structure, and again: what was refused left nothing behind.
func FuzzDependency(f *testing.F) {
	f.Add(keyDescriptor(7), plainDescriptor(5, 9))
	f.Add(head(1, 9, 0x07).indications("RS--").put(1, 2).put(3, 4).put(0, 2).put(7, 16).b, []byte{1})
	f.Add(head(1, 4, 0x08).put(0b0011, 4).b, plainDescriptor(2, 4))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var d codec.Dependency
		read(t, &d, keyDescriptor(0))
		var s codec.Selector
		s.Want(s1t1)
		for _, ext := range [][]byte{first, second} {
			before := d
			desc, err := d.Read(ext)
			if err != nil {
				if d != before {
					t.Fatal("a refused descriptor changed the structure")
				}
				continue
			}
			frame, err := codec.Parse(codec.AV1, []byte{0x10, 0x30, 1}, true, &desc)
			fuzzFrame(t, frame, err)
			if send, marker := s.Next(&frame, true); marker && !send {
				t.Fatal("marked but not sent")
			}
			if n := ext[1:3]; codec.RewriteFrameNumber(ext, 77) && (n[0] != 0 || n[1] != 77) {
				t.Fatalf("% x", n)
			}
		}
	})
}

// FuzzRED checks that blocks fill the payload behind their headers, and that what is written of them is read as the same blocks.
func FuzzRED(f *testing.F) {
	f.Add(redExample, uint8(5))
	f.Add([]byte{111}, uint8(111))
	f.Fuzz(func(t *testing.T, payload []byte, payloadType uint8) {
		blocks, err := codec.REDBlocks(nil, payload)
		if err != nil {
			return
		}
		size := 4*(len(blocks)-1) + 1
		for _, b := range blocks {
			size += len(b.Payload)
		}
		last := blocks[len(blocks)-1]
		if size != len(payload) || last.Offset != 0 {
			t.Fatalf("%d of %d bytes, primary %+v", size, len(payload), last)
		}
		written := codec.AppendRED(nil, payloadType, blocks[:len(blocks)-1], last.Payload)
		again, err := codec.REDBlocks(nil, written)
		if err != nil || len(again) != len(blocks) || len(written) != len(payload) {
			t.Fatalf("% x became % x: %v", payload, written, err)
		}
		for i, b := range again {
			if b.PayloadType != payloadType&0x7f || b.Offset != blocks[i].Offset || !bytes.Equal(b.Payload, blocks[i].Payload) {
				t.Fatalf("block %d: %+v, want %+v", i, b, blocks[i])
			}
		}
	})
}

// FuzzAppendRED checks that blocks that can be described are read as they were written, and others are left out.
func FuzzAppendRED(f *testing.F) {
	f.Add([]byte("older"), uint32(1920), []byte("old"), uint32(960), []byte("new!"))
	f.Add([]byte{}, uint32(1<<14), make([]byte, 1024), uint32(0), []byte{})
	f.Fuzz(func(t *testing.T, a []byte, aOffset uint32, b []byte, bOffset uint32, primary []byte) {
		earlier := []codec.REDBlock{{PayloadType: 111, Offset: aOffset, Payload: a}, {PayloadType: 111, Offset: bOffset, Payload: b}}
		got, err := codec.REDBlocks(nil, codec.AppendRED(nil, 111, earlier, primary))
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(earlier), func(e codec.REDBlock) bool { return e.Offset >= 1<<14 || len(e.Payload) >= 1<<10 })
		want = append(want, codec.REDBlock{PayloadType: 111, Payload: primary})
		same := func(a, b codec.REDBlock) bool {
			return a.PayloadType == b.PayloadType && a.Offset == b.Offset && bytes.Equal(a.Payload, b.Payload)
		}
		if !slices.EqualFunc(got, want, same) {
			t.Fatalf("%+v is read instead of %+v", got, want)
		}
	})
}

func FuzzOpusTicks(f *testing.F) {
	f.Add([]byte{0xff, 6})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if n, ok := codec.OpusTicks(packet); ok && (n < 120 || n > 5760 || n%120 != 0) {
			t.Fatal(n)
		}
	})
}

func FuzzAudioLevel(f *testing.F) {
	f.Add([]byte{0x80 | 42})
	f.Fuzz(func(t *testing.T, ext []byte) {
		if level, _, ok := codec.AudioLevel(ext); ok != (len(ext) > 0) || level > 127 {
			t.Fatal(level, ok)
		}
	})
}

func TestReadingAllocatesNothing(t *testing.T) {
	payloads := map[codec.Kind][]byte{
		codec.Opus: {1}, codec.VP8: vp8Frame(true, 1, true), codec.VP9: vp9Frame(true, s0t0, true),
		codec.H264: {0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68}, codec.AV1: {0x18, 0x0a, 0x00}, codec.Unknown: {1},
	}
	var d codec.Dependency
	var s codec.Selector
	key, blocks, written := keyDescriptor(1), make([]codec.REDBlock, 0, 2), make([]byte, 0, 100)
	s.Want(s1t1)
	var sent bool
	for k, payload := range payloads {
		n := testing.AllocsPerRun(100, func() {
			desc, _ := d.Read(key)
			f, _ := codec.Parse(k, payload, true, &desc)
			f.Rewrite(payload, 5, 6)
			sent, _ = s.Next(&f, true)
			blocks, _ = codec.REDBlocks(blocks[:0], redExample)
			written = codec.AppendRED(written[:0], 111, blocks[:1], payload)
		})
		if n != 0 || !sent {
			t.Errorf("%v: %v allocations, sent %v", k, n, sent)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var d codec.Dependency
	key, plain := keyDescriptor(1), plainDescriptor(4, 5)
	if _, err := d.Read(key); err != nil {
		b.Fatal(err)
	}
	b.Run("VP8", func(b *testing.B) { benchParse(b, codec.VP8, vp8Frame(false, 1, true)) })
	b.Run("VP9", func(b *testing.B) { benchParse(b, codec.VP9, vp9Frame(false, s1t1, true)) })
	b.Run("descriptor", func(b *testing.B) {
		for b.Loop() {
			_, _ = d.Read(plain)
		}
	})
	b.Run("structure", func(b *testing.B) {
		for b.Loop() {
			_, _ = d.Read(key)
		}
	})
}

func benchParse(b *testing.B, k codec.Kind, payload []byte) {
	for b.Loop() {
		_, _ = codec.Parse(k, payload, true, nil)
	}
}
