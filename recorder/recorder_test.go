package recorder

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// check verifies what must hold for every finished recording, and returns its blocks by segment.
func check(t *testing.T, dir string, segments []Segment) [][]stored {
	t.Helper()
	var all [][]stored
	for _, s := range segments {
		b, err := os.ReadFile(filepath.Join(dir, s.Session, s.ID+".webm"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		blocks := blocksOf(b)
		all = append(all, blocks)
		switch {
		case !s.Finished || s.Bytes != int64(len(b)) || s.SHA256 != hex.EncodeToString(sum[:]):
			t.Errorf("segment %+v does not describe its file of %d bytes", s, len(b))
		case len(blocks) == 0 || blocks[0].at != 0 || !blocks[0].key:
			t.Errorf("segment %+v does not begin with a key frame at 0", s)
		case s.End <= s.Start+blocks[len(blocks)-1].at:
			t.Errorf("segment %+v ends before its last frame at %d", s, blocks[len(blocks)-1].at)
		}
		if !slices.IsSortedFunc(blocks, func(a, b stored) int { return int(a.at - b.at) }) {
			t.Errorf("segment %+v: times fall", s)
		}
		if n := decodes(t, filepath.Join(dir, s.Session, s.ID+".webm")); n < len(blocks)*9/10 {
			t.Errorf("segment %+v: %d of %d frames decoded", s, n, len(blocks))
		}
	}
	return all
}

// record lets members' media arrive in a bubble and returns what was stored.
func record(t *testing.T, dir string, infos []TrackInfo, items [][]timed, length float64) (*memory, Stats) {
	t.Helper()
	return recordOver(t, dir, infos, items, make([]func() time.Duration, len(infos)), length)
}

// recordOver is record of tracks whose round trips are measured.
func recordOver(t *testing.T, dir string, infos []TrackInfo, items [][]timed, trips []func() time.Duration, length float64) (*memory, Stats) {
	t.Helper()
	var index *memory
	var stats Stats
	synctest.Test(t, func(t *testing.T) {
		var r *Recorder
		r, index = newRecorder(t, Config{Dir: dir})
		var h hall
		begin := time.Now()
		for i, info := range infos {
			f := newFeed(info)
			f.trip = trips[i]
			h.tracks = append(h.tracks, f)
			go play(f, begin, items[i])
		}
		if err := r.Start("s", h, sessionClock(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(length * float64(time.Second)))
		<-r.Stop("s")
		stats = r.Stats()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return index, stats
}

func bySource(m *memory, source string) []Segment {
	return m.list(func(s Segment) bool { return s.Source == source })
}

func TestSoundAndPictureAreInStep(t *testing.T) {
	src := encoded(t)
	video, audio := repeat(src.video, 1./30, 20), repeat(src.audio, 1./50, 20)
	for name, s := range map[string]struct{ audio, video sending }{
		"calm": {
			audio: sending{delay: 0.02, firstReport: 1, reportEvery: 5},
			video: sending{delay: 0.02, firstReport: 0.3, reportEvery: 1},
		},
		"skewed clocks, jitter, loss, wall clock an hour ahead": {
			audio: sending{delay: 0.06, jitter: 0.05, loss: 0.01, resent: 0.03, ahead: 3600, skew: 2e-4, firstReport: 2, reportEvery: 5, seed: 1},
			video: sending{delay: 0.06, jitter: 0.08, loss: 0.002, resent: 0.03, ahead: 3600, skew: -1e-4, capture: 0.06, firstReport: 0.5, reportEvery: 1, seed: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, aTimes := packetised(audioInfo("m"), audio, s.audio)
			v, vTimes := packetised(videoInfo("m"), video, s.video)
			index, _ := record(t, dir, []TrackInfo{audioInfo("m"), videoInfo("m")}, [][]timed{a, v}, 22)
			aErr := displacements(t, dir, bySource(index, "audio"), audio, aTimes)
			vErr := displacements(t, dir, bySource(index, "camera"), video, vTimes)
			if len(aErr) < 900 || len(vErr) < 200 {
				t.Fatalf("%d packets of sound and %d frames of picture were stored", len(aErr), len(vErr))
			}
			lowA, highA := extremes(aErr)
			lowV, highV := extremes(vErr)
			apart := max(highA-lowV, highV-lowA)
			t.Logf("sound %v to %v ms late, picture %v to %v ms late", lowA, highA, lowV, highV)
			if apart > 40 {
				t.Errorf("sound and picture are up to %v ms apart", apart)
			}
		})
	}
}

// displacements returns how many ms after its capture each stored frame was placed. Frames are found by their bytes.
func displacements(t *testing.T, dir string, segments []Segment, samples []sample, captured []float64) []float64 {
	t.Helper()
	next := 0
	var out []float64
	for i, blocks := range check(t, dir, segments) {
		for _, b := range blocks {
			for next < len(samples) && string(samples[next].data) != string(b.data) {
				next++
			}
			if next == len(samples) {
				t.Fatal("a stored frame is not one that was sent, or out of order")
			}
			out = append(out, float64(segments[i].Start+b.at)-captured[next]*1000)
			next++
		}
	}
	return out
}

func extremes(x []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	return math.Round(low), math.Round(high)
}
