package recorder

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var calm = sending{delay: 0.02, firstReport: 0.5, reportEvery: 1}

// The camera of the test is asked in vain: it has a key frame each 4 s.
func TestSegmentsEndWhenTheyAreLongEnough(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	a, _ := packetised(audioInfo("m"), repeat(src.audio, 1./50, 130), calm)
	v, _ := packetised(videoInfo("m"), repeat(src.video[:240], 1./30, 130), calm)
	index, _ := record(t, dir, []TrackInfo{audioInfo("m"), videoInfo("m")}, [][]timed{a, v}, 131)
	for source, want := range map[string]struct{ segments, length, frames int }{
		"audio":  {segments: 3, length: 60_050, frames: 6500},
		"camera": {segments: 11, length: 12_050, frames: 3900},
	} {
		segments := bySource(index, source)
		stored := frames(check(t, dir, segments))
		if len(segments) != want.segments {
			t.Errorf("%s: %d segments", source, len(segments))
		}
		for i, s := range segments {
			if length := s.End - s.Start; length > int64(want.length) && (i > 0 || source == "audio") {
				t.Errorf("%s: a segment has %d ms", source, length)
			}
			if i > 0 && abs(s.Start-segments[i-1].End) > 2 {
				t.Errorf("%s: a segment begins at %d, the one before ends at %d", source, s.Start, segments[i-1].End)
			}
		}
		if stored != want.frames {
			t.Errorf("%s: %d of %d frames are stored", source, stored, want.frames)
		}
	}
}

// Two people are recorded from the same moment on, whose cameras answer. They are asked for as many key frames as are needed, and not
// at the same moments.
func TestASegmentOfPicturesBeginsWithTheKeyFrameThatWasAskedFor(t *testing.T) {
	dir, src := t.TempDir(), encoded(t)
	var index *memory
	var asked [2][]float64 // session time
	members := []string{"a", "d"}
	synctest.Test(t, func(t *testing.T) {
		var r *Recorder
		r, index = newRecorder(t, Config{Dir: dir})
		now := sessionClock(0)
		var h hall
		var filming sync.WaitGroup
		for i, member := range members {
			f := newFeed(videoInfo(member))
			c := &camera{feed: f, delay: 60 * time.Millisecond}
			f.asked = func() {
				if at := now(); at > 1000 { // before, if the first packets come in another order
					asked[i] = append(asked[i], at)
				}
				c.ask()
			}
			h.tracks = append(h.tracks, f)
			filming.Go(func() { c.film(src.video[:120], 60, func(float64) bool { return false }) })
		}
		fatal(t, r.Start("s", h, now))
		filming.Wait()
		time.Sleep(time.Second)
		closed(t, r)
	})
	for i, member := range members {
		segments := index.list(func(s Segment) bool { return s.Member == member })
		if stored := frames(check(t, dir, segments)); stored < 1795 {
			t.Errorf("of %s, %d of 1800 frames are stored", member, stored)
		}
		if len(segments) != len(asked[i])+1 || len(segments) < 5 {
			t.Errorf("of %s there are %d segments; %d key frames were asked for", member, len(segments), len(asked[i]))
		}
		for k, s := range segments {
			if length := s.End - s.Start; length > 10_400 && k > 0 || length > 15_400 {
				t.Errorf("of %s, segment %d has %d ms", member, k, length)
			}
		}
	}
	for _, at := range asked[0] {
		if slices.ContainsFunc(asked[1], func(other float64) bool { return math.Abs(at-other) < 1000 }) {
			t.Errorf("both are asked for a key frame at %.0f ms", at)
		}
	}
}

func abs(x int64) int64 { return max(x, -x) }

func TestAChangeOfSizeBeginsASegment(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	samples := slices.Concat(src.video[:150], later(src.big[:60], 5))
	v, _ := packetised(videoInfo("m"), samples, calm)
	index, _ := record(t, dir, []TrackInfo{videoInfo("m")}, [][]timed{v}, 8)
	segments := bySource(index, "camera")
	blocks := check(t, dir, segments)
	if len(segments) != 2 || len(blocks[0]) != 150 || len(blocks[1]) != 60 {
		t.Errorf("%d segments", len(segments))
	}
}

// later moves samples to a time in seconds.
func later(samples []sample, at float64) []sample {
	out := slices.Clone(samples)
	for i := range out {
		out[i].at += at - samples[0].at
	}
	return out
}

func TestSilenceIsAGapInTime(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	short := slices.Concat(src.audio[:100], later(src.audio[100:200], 5)) // 3 s: within the segment
	long := slices.Concat(src.audio[:100], later(src.audio[100:200], 30))
	camera := slices.Concat(src.video[:60], later(src.video[:60], 30))
	infos := []TrackInfo{audioInfo("a"), audioInfo("b"), videoInfo("c")}
	var items [][]timed
	for i, samples := range [][]sample{short, long, camera} {
		x, _ := packetised(infos[i], samples, calm)
		items = append(items, x)
	}
	index, _ := record(t, dir, infos, items, 40)
	a := index.list(func(s Segment) bool { return s.Member == "a" })
	if len(a) != 1 || len(check(t, dir, a)[0]) != 200 || a[0].End != 7020 {
		t.Fatalf("a short silence: %+v", a)
	}
	times := packets(t, filepath.Join(dir, "s", a[0].ID+".webm"))
	if times[99] != 1.98 || times[100] != 5 {
		t.Errorf("around the silence, packets lie at %v and %v s", times[99], times[100])
	}
	// The last picture stands until it is written without a next one.
	for member, stands := range map[string]int64{"b": 0, "c": int64(stillLimit) / 2} {
		long := index.list(func(s Segment) bool { return s.Member == member })
		check(t, dir, long)
		ends := func(s Segment, at int64) bool { return s.End > at-15 && s.End < at+stands+15 }
		if len(long) != 2 || long[0].Start != 20 || !ends(long[0], 2020) || long[1].Start != 30_020 || !ends(long[1], 32_020) {
			t.Errorf("a long silence of %s: %+v", member, long)
		}
	}
}

func TestNoUndecodableFrameIsStored(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	samples := repeat(src.video, 1./30, 30)
	v, captured := packetised(videoInfo("m"), samples, sending{
		delay: 0.05, jitter: 0.1, loss: 0.01, resent: 0.05, firstReport: 0.5, reportEvery: 1, seed: 5,
	})
	index, stats := record(t, dir, []TrackInfo{videoInfo("m")}, [][]timed{v}, 33)
	stored := len(displacements(t, dir, bySource(index, "camera"), samples, captured))
	if stored < 100 || stored > 850 {
		t.Errorf("%d of 900 frames are stored", stored)
	}
	if stats.KeyFrameRequests == 0 || stats.KeyFrameRequests > 33 {
		t.Errorf("%d key frames were asked for in 30 s", stats.KeyFrameRequests)
	}
}

// whole is the bytes of a segment of 8 s.
func whole(t *testing.T, info TrackInfo, samples []sample) (b []byte, seg Segment) {
	t.Helper()
	dir := t.TempDir()
	items, _ := packetised(info, samples, calm)
	index, _ := record(t, dir, []TrackInfo{info}, [][]timed{items}, 9)
	segments := bySource(index, info.Source)
	check(t, dir, segments)
	return fileOf(t, dir, segments[0]), segments[0]
}

// Hundreds of cuts are looked at by our own reader, which is quick; of some, ffprobe and ffmpeg say the same. Each second cut also has
// a sector before it that was never stored.
func TestAFileCutAnywhereIsPlayable(t *testing.T) {
	src := encoded(t)
	for _, c := range []struct {
		info    TrackInfo
		samples []sample
	}{{audioInfo("m"), src.audio[:400]}, {videoInfo("m"), src.video[:240]}} {
		b, _ := whole(t, c.info, c.samples)
		all := blocksOf(b)
		rnd := rand.New(rand.NewPCG(1, 2))
		for i := range 400 {
			size := rnd.IntN(len(b))
			cut, good := bytes.Clone(b[:size]), size
			if good -= 512; i%2 == 1 && good > 0 {
				clear(cut[good:])
			}
			there := blocksOf(cut)
			if i%2 == 0 && !sameBlocks(there, all[:len(there)]) {
				t.Fatalf("%s cut at %d: the blocks differ", c.info.Source, size)
			}
			repaired := checkRepaired(t, cut, blocksOf(wholeClusters(b, good)))
			if i%40 < 2 && len(blocksOf(repaired)) > 0 {
				checkPlayable(t, cut, repaired, len(blocksOf(repaired)))
			}
		}
	}
}

func sameBlocks(a, b []stored) bool {
	return slices.EqualFunc(a, b, func(a, b stored) bool { return a.at == b.at && string(a.data) == string(b.data) })
}

// wholeClusters is the begin of a file up to the last cluster that ends before a position.
func wholeClusters(b []byte, before int) []byte {
	for at := 0; ; {
		el, ok := readElement(b[at:])
		next := at + el.head
		if el.id != idSegment {
			next += len(el.body)
		}
		if !ok || next > before {
			return b[:at]
		}
		at = next
	}
}

// checkRepaired cuts a file to what is whole: the clusters that were, and nothing else.
func checkRepaired(t *testing.T, spoilt []byte, there []stored) []byte {
	t.Helper()
	repaired, end := repairWebM(spoilt)
	got := blocksOf(repaired)
	if len(got) < len(there) || !sameBlocks(got[:len(there)], there) {
		t.Errorf("after the repair %d blocks are there, not the %d of whole clusters", len(got), len(there))
	}
	if n := len(got); n == 0 && end != 0 || n > 0 && end <= got[n-1].at {
		t.Errorf("of %d blocks, the end is %d", n, end)
	}
	return repaired
}

// checkPlayable lets other programs read a file that was cut, and decode it, without complaint, once it is repaired.
func checkPlayable(t *testing.T, cut, repaired []byte, there int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cut.webm")
	fatal(t, os.WriteFile(path, cut, 0o600))
	if times := packets(t, path); len(times) < there {
		t.Errorf("cut at %d, %d of %d packets can be read", len(cut), len(times), there)
	}
	fatal(t, os.WriteFile(path, repaired, 0o600))
	if n := decodes(t, path); n < there*9/10 {
		t.Errorf("after the repair %d of %d frames decode", n, there)
	}
}

func TestClustersHaveAtMostASecond(t *testing.T) {
	b, _ := whole(t, audioInfo("m"), encoded(t).audio[:400])
	clusters := 0
	for at := 0; at < len(b); {
		el, ok := readElement(b[at:])
		if !ok {
			t.Fatal("the file ends within an element")
		}
		at += el.head
		if el.id == idSegment {
			continue
		}
		at += len(el.body)
		if el.id == idCluster {
			c, n := readCluster(el.body)
			clusters++
			if c.end-c.start > 1020 || n == 0 {
				t.Errorf("a cluster has %d ms and %d blocks", c.end-c.start, n)
			}
		}
	}
	if clusters != 8 {
		t.Errorf("8 s are in %d clusters", clusters)
	}
}
