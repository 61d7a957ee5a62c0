package shape

import "testing"

func TestFramesAreSplitAsChromiumDoes(t *testing.T) {
	for bytes := 1; bytes < 30_000; bytes += 7 {
		total := 0
		sizes := split(bytes)
		for i, size := range sizes {
			total += size
			if size+vp8Header > maxPayload || i > 0 && (size < sizes[i-1] || size > sizes[0]+1) {
				t.Fatalf("%d bytes: %v", bytes, sizes)
			}
		}
		if total != bytes || len(sizes) > 1 && len(sizes) > (bytes-1)/(maxPayload-vp8Header)+1 {
			t.Fatalf("%d bytes: %v", bytes, sizes)
		}
	}
}

func TestFramesAreVP8OfTheirRate(t *testing.T) {
	f := NewFrames(1)
	for _, rate := range Layers() {
		total := 0
		for range 10 * FrameRate {
			f.Next()
			for i, p := range f.Payloads(rate, false) {
				total += len(p)
				if IsKeyframe(p) || (p[0]&0x10 != 0) != (i == 0) {
					t.Fatalf("packet %d: % x", i, p[:8])
				}
			}
		}
		if got := total * 8 / 10; got < rate*9/10 || got > rate*12/10 {
			t.Errorf("%d bit/s, not %d", got, rate)
		}
	}
	for i, p := range f.Payloads(1_200_000, true) {
		if IsKeyframe(p) != (i == 0) {
			t.Errorf("packet %d of a key frame: % x", i, p[:8])
		}
	}
}

func TestShortPayloadsAreNoKeyframes(t *testing.T) {
	key := []byte{0x90, 0xe0, 0x80, 0, 0, 0, 0}
	for n := range key {
		if IsKeyframe(key[:n]) {
			t.Errorf("% x", key[:n])
		}
	}
	if !IsKeyframe(key) || !IsKeyframe([]byte{0x10, 0}) || IsKeyframe([]byte{0x10, 1}) {
		t.Error("a key frame is not seen")
	}
}
