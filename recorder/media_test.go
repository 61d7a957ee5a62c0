package recorder

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

// sample is one encoded frame and when it was captured, in seconds.
type sample struct {
	at   float64
	data []byte
}

// source is media that ffmpeg encoded.
type source struct {
	video, big []sample // VP8, 30 fps, key frame every 4 s, 320x240 and 640x360
	audio      []sample // Opus, 20 ms
}

// media encodes 10 s of picture and sound, and 2 s of a larger picture, once.
var media = sync.OnceValues(func() (source, error) {
	dir, err := os.MkdirTemp("", "recorder-media")
	if err != nil {
		return source{}, err
	}
	defer os.RemoveAll(dir)
	video, err := encodeVP8(filepath.Join(dir, "small.ivf"), "320x240", "10")
	if err != nil {
		return source{}, err
	}
	big, err := encodeVP8(filepath.Join(dir, "big.ivf"), "640x360", "2")
	if err != nil {
		return source{}, err
	}
	audio, err := encodeOpus(filepath.Join(dir, "sound.webm"))
	return source{video: video, big: big, audio: audio}, err
})

func encoded(t testing.TB) source {
	t.Helper()
	s, err := media()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ffmpeg(args ...string) error {
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		return errors.Join(err, errors.New("ffmpeg: "+stderr.String()))
	}
	return nil
}

func encodeVP8(path, size, seconds string) ([]sample, error) {
	err := ffmpeg("-f", "lavfi", "-i", "testsrc2=size="+size+":rate=30", "-t", seconds, "-c:v", "libvpx", "-deadline", "realtime",
		"-cpu-used", "8", "-g", "120", "-b:v", "600k", "-auto-alt-ref", "0", path)
	if err != nil {
		return nil, err
	}
	return readIVF(path)
}

// readIVF reads pictures, 30 a second.
func readIVF(path string) ([]sample, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, _, err := ivfreader.NewWith(f)
	if err != nil {
		return nil, err
	}
	var out []sample
	for {
		b, _, err := r.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, sample{float64(len(out)) / 30, b})
	}
}

func encodeOpus(path string) ([]sample, error) {
	err := ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "10", "-c:a", "libopus", "-ac", "2",
		"-b:a", "48k", "-application", "voip", "-frame_duration", "20", path)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []sample
	for _, block := range blocksOf(b) {
		out = append(out, sample{float64(len(out)) / 50, block.data})
	}
	if len(out) < 490 {
		return nil, errors.New("the encoded sound is too short")
	}
	return out, nil
}

// stored is one block of a WebM file; its time counts from the begin of the file in ms.
type stored struct {
	at    int64
	shown int64 // how long, as far as the file says so, ms
	key   bool
	data  []byte
}

// blocksOf reads all blocks of a WebM file, also of one that another program wrote.
func blocksOf(b []byte) []stored {
	var out []stored
	for len(b) > 0 {
		el, ok := readElement(b)
		if !ok {
			return out
		}
		if el.id == idSegment {
			b = b[el.head:]
			continue
		}
		if el.id == idCluster {
			c, n := readCluster(el.body)
			for i, block := range c.blocks {
				shown := c.shown
				if i+1 < n {
					shown = int64(c.blocks[i+1].Timecode) - int64(block.Timecode)
				}
				out = append(out, stored{c.start + int64(block.Timecode), shown, block.Keyframe, block.Data[0]})
			}
		}
		b = b[el.head+len(el.body):]
	}
	return out
}

// fileOf reads the file of a segment of session "s".
func fileOf(t *testing.T, dir string, s Segment) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "s", s.ID+".webm"))
	fatal(t, err)
	return b
}

// frames counts the blocks of several files.
func frames(files [][]stored) (n int) {
	for _, blocks := range files {
		n += len(blocks)
	}
	return n
}

// packets asks ffprobe for the times in a file, in seconds.
func packets(t *testing.T, path string) []float64 {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "quiet", "-show_entries", "packet=pts_time", "-of", "default=nw=1", path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var times []float64
	for line := range strings.Lines(string(out)) {
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), "pts_time="); ok {
			at, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			times = append(times, at)
		}
	}
	return times
}

// decodes fails unless ffmpeg decodes a file without any complaint, and returns how many frames came out.
func decodes(t *testing.T, path string) int {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "framecrc", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Errorf("decode %s: %v: %s", path, err, stderr.String())
	}
	return strings.Count(string(out), "\n0,")
}

// durationOf asks ffprobe how long a file lasts, in seconds.
func durationOf(t *testing.T, path string) float64 {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	return float(t, string(out))
}
