package recorder

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// joinFiles writes two segments of one source as one file: from the first one's begin on, without what lies in a second of it.
func joinFiles(t *testing.T, info TrackInfo, samples []sample, still bool) (path string, written []stored) {
	t.Helper()
	b, seg := whole(t, info, samples)
	again := seg
	again.ID, again.Start, again.End = "later", seg.Start+5000, seg.End+5000
	joined := Joined{
		Segments: []Segment{seg, again}, Still: still,
		Open: func(Segment) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
		Place: []Stretch{
			{From: seg.Start, To: seg.Start + 500, At: 0},
			{From: seg.Start + 1500, To: again.End, At: 500},
		},
	}
	var out bytes.Buffer
	fatal(t, joined.Write(&out))
	path = filepath.Join(t.TempDir(), "joined.webm")
	fatal(t, os.WriteFile(path, out.Bytes(), 0o600))
	if n := decodes(t, path); n != len(blocksOf(out.Bytes())) {
		t.Errorf("of %d frames, %d can be decoded", len(blocksOf(out.Bytes())), n)
	}
	return path, blocksOf(out.Bytes())
}

// Sound of a source in one file: what is cut out is not there, what is missing is time, and on demand silence.
func TestSegmentsOfSoundBecomeOneFile(t *testing.T) {
	samples := encoded(t).audio[:100] // two seconds
	_, plain := joinFiles(t, audioInfo("a"), samples, false)
	if n := len(plain); n < 25+25+100-4 || n > 25+25+100+4 {
		t.Errorf("there are %d packets: not half a second, half a second, and two seconds", n)
	}
	hole := int64(0)
	for i := 1; i < len(plain); i++ {
		hole = max(hole, plain[i].at-plain[i-1].at)
	}
	if hole < 2900 || hole > 3100 {
		t.Errorf("the gap of 3 s lasts %d ms", hole)
	}
	path, still := joinFiles(t, audioInfo("a"), samples, true)
	for i := 1; i < len(still); i++ {
		if d := still[i].at - still[i-1].at; d < 1 || d > 41 {
			t.Fatalf("packet %d lies %d ms after the one before", i, d)
		}
	}
	if d := durationOf(t, path); math.Abs(d-6) > 0.1 {
		t.Errorf("the file says that it lasts %.2f s, not 6", d)
	}
}

// A picture that was cut goes on with a key frame; the later one of two segments that overlap counts.
func TestSegmentsOfAPictureBecomeOneFile(t *testing.T) {
	_, blocks := joinFiles(t, videoInfo("a"), encoded(t).video[:60], false)
	for i, b := range blocks {
		if i > 0 && b.at-blocks[i-1].at > 1000 && !b.key {
			t.Errorf("after a gap, the frame at %d ms is no key frame", b.at)
		}
	}
	if n := len(blocks); n < 15+60-3 || blocks[len(blocks)-1].at < 5800 {
		t.Errorf("%d frames, the last at %d ms", n, blocks[len(blocks)-1].at)
	}
}

func TestNothingIsNoFile(t *testing.T) {
	for _, j := range []Joined{{}, {Segments: []Segment{{ID: "x", Mime: MimeOpus}}, Place: []Stretch{{From: 0, To: 1}}}} {
		j.Open = func(Segment) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte("nonsense"))), nil }
		if err := j.Write(io.Discard); !errors.Is(err, ErrNotFound) {
			t.Errorf("nothing was written: %v", err)
		}
	}
}

// A file that is being read breaks off without harm.
func TestAnErrorOfAFileIsTold(t *testing.T) {
	j := Joined{Segments: []Segment{{ID: "x", Mime: MimeOpus}}, Place: []Stretch{{From: 0, To: 1}}}
	j.Open = func(Segment) (io.ReadCloser, error) { return nil, errTest }
	if err := j.Write(io.Discard); !errors.Is(err, errTest) {
		t.Errorf("got %v", err)
	}
}
