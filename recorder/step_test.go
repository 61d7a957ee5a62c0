package recorder

import (
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// envCall makes the test of a long call as long as that, e.g. 4h.
const envCall = "RECORDER_CALL"

// In each second, there is a beep from 0.4 s and a flash from frame 10 of 30 on.
const (
	beepAt  = 0.4
	flashAt = 10. / 30
)

// clapper is a second of sound with a beep, and of pictures with a flash in two sizes, as encoded by ffmpeg; of the pictures, the
// first is a key frame.
func clapper(t *testing.T) (beep, small, large []sample) {
	t.Helper()
	dir := t.TempDir()
	flash := func(name, size string) []sample {
		path := filepath.Join(dir, name)
		fatal(t, ffmpeg("-f", "lavfi", "-i", "color=black:size="+size+":rate=30,drawbox=color=white:t=fill:enable='between(n,10,14)'",
			"-t", "1", "-c:v", "libvpx", "-deadline", "realtime", "-g", "30", "-b:v", "100k", "-auto-alt-ref", "0", path))
		samples, err := readIVF(path)
		fatal(t, err)
		return samples
	}
	sound := filepath.Join(dir, "beep.webm")
	fatal(t, ffmpeg("-f", "lavfi", "-i", "aevalsrc='if(between(t,0.4,0.5),0.5*sin(2*PI*1000*t),0)':s=48000", "-t", "1",
		"-c:a", "libopus", "-b:a", "32k", "-application", "voip", "-frame_duration", "20", sound))
	b, err := os.ReadFile(sound)
	fatal(t, err)
	for i, block := range blocksOf(b)[:50] {
		beep = append(beep, sample{float64(i) / 50, block.data})
	}
	return beep, flash("small.ivf", "64x48"), flash("large.ivf", "128x96")
}

// speech is sound of a length in s: in each second minute silence is sent as DTX does, a packet each 400 ms, and for the last ten
// seconds of each minute it is muted.
func speech(beep []sample, length int) (out []sample) {
	for s := range length {
		if s%60 >= 50 {
			continue
		}
		for i, x := range beep {
			if s/60%2 == 1 && i > 30 && i%20 != 0 {
				continue
			}
			out = append(out, sample{float64(s) + x.at, x.data})
		}
	}
	return out
}

// picture is a camera's: its size changes each 20 s, as that of another layer or of another resolution.
func picture(small, large []sample, length int) (out []sample) {
	for s := range length {
		from := small
		if s/20%2 == 1 {
			from = large
		}
		out = append(out, later(from, float64(s))...)
	}
	return out
}

// roundTrip is what the reports of somebody say to whom it takes a time each way, in s: now and then, what waits in queues, too.
func roundTrip(delay float64, seed uint64) func() time.Duration {
	rnd := rand.New(rand.NewPCG(seed, 9))
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration((2*delay + 0.06*rnd.Float64()) * float64(time.Second))
	}
}

// Three people beep and flash once a second, with clocks that are 100 ppm fast and slow, from as near as can be and from 60 and 120 ms
// away, through networks that delay and lose; the third only speaks. ffmpeg hears and sees when, in the files. Time is virtual;
// "make step-recorder" lets it be four hours.
func TestEverythingStaysInStep(t *testing.T) {
	length := 90
	if long := os.Getenv(envCall); long != "" {
		d, err := time.ParseDuration(long)
		fatal(t, err)
		length = int(d.Seconds())
	}
	beep, small, large := clapper(t)
	dir := t.TempDir()
	ana := sending{delay: 0, jitter: 0.04, loss: 0.005, resent: 0.045, ahead: 3600, skew: 1e-4, drift: 1e-4, seed: 1}
	bo := sending{delay: 0.12, jitter: 0.04, loss: 0.005, resent: 0.045, ahead: -90, skew: -1e-4, drift: -1e-4, seed: 2}
	cy := sending{delay: 0.06, jitter: 0.04, loss: 0.005, resent: 0.045, ahead: 5, skew: 5e-5, drift: -1e-4, seed: 3}
	var infos []TrackInfo
	var items [][]timed
	var trips []func() time.Duration
	add := func(info TrackInfo, samples []sample, s sending) {
		arriving, _ := packetised(info, samples, s)
		infos, items, trips = append(infos, info), append(items, arriving), append(trips, roundTrip(s.delay, s.seed))
	}
	for i, s := range []sending{ana, bo, cy} {
		name := []string{"ana", "bo", "cy"}[i]
		s.firstReport, s.reportEvery = 0.7, 5
		add(audioInfo(name), speech(beep, length), s)
		if name == "cy" {
			continue
		}
		s.firstReport, s.reportEvery, s.capture, s.seed = 0.4, 1, 0.03, s.seed+10
		add(videoInfo(name), picture(small, large, length), s)
	}
	index, _ := recordOver(t, dir, infos, items, trips, float64(length+2))
	at := map[string]map[int]float64{}
	for i, errors := range errorsOf(t, dir, index, infos) {
		at[infos[i].Publication] = errors
		if len(errors) < length*7/10 {
			t.Errorf("of %s, %d beeps or flashes in %d s are there", infos[i].Publication, len(errors), length)
		}
	}
	for _, pair := range [][2]string{
		{"ana-audio", "ana-camera"},
		{"bo-audio", "bo-camera"},
		{"ana-audio", "bo-audio"},
		{"ana-camera", "bo-camera"},
		{"ana-audio", "cy-audio"},
		{"bo-audio", "cy-audio"},
	} {
		inStep(t, pair[0]+" and "+pair[1], apart(at[pair[0]], at[pair[1]]))
	}
	for _, info := range infos {
		inStep(t, info.Publication+" and the clip", apart(at[info.Publication], nil))
	}
}

// inStep checks differences by the second, in ms: at most 40 ms at the 99th percentile, and no drift of more than 20 ms between the
// medians of any two minutes.
func inStep(t *testing.T, what string, ms map[int]float64) {
	t.Helper()
	minutes := map[int][]float64{}
	var all []float64
	for s, d := range ms {
		minutes[s/60] = append(minutes[s/60], d)
		all = append(all, math.Abs(d))
	}
	if len(all) == 0 {
		t.Errorf("of %s there is nothing to compare", what)
		return
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, m := range minutes {
		slices.Sort(m)
		low, high = min(low, m[len(m)/2]), max(high, m[len(m)/2])
	}
	slices.Sort(all)
	p99 := all[len(all)*99/100]
	t.Logf("%s: apart by %.0f ms at the median, %.0f ms at the 99th percentile; drift %.0f ms", what, all[len(all)/2], p99, high-low)
	if p99 > 40 || high-low > 20 {
		t.Errorf("%s are not in step: %.1f ms apart, a drift of %.1f ms", what, p99, high-low)
	}
}

// apart is the difference of what is known of both, by the second; of one and true time, if the other is nil.
func apart(a, b map[int]float64) map[int]float64 {
	out := map[int]float64{}
	for s, x := range a {
		if y, ok := b[s]; ok || b == nil {
			out[s] = x - y
		}
	}
	return out
}

// errorsOf returns by how many ms each beep or flash of a track lies after its true time, by the second that it belongs to. The tracks
// are measured at once.
func errorsOf(t *testing.T, dir string, index *memory, infos []TrackInfo) []map[int]float64 {
	t.Helper()
	out := make([]map[int]float64, len(infos))
	var measuring sync.WaitGroup
	for i, info := range infos {
		of, from := loud, beepAt
		if isVideo(info.Mime) {
			of, from = bright, flashAt
		}
		measuring.Go(func() {
			out[i] = map[int]float64{}
			segments := index.list(func(s Segment) bool { return s.Publication == info.Publication })
			for k, onsets := range of.onsetsOf(t, dir, segments) {
				for _, at := range onsets {
					ms := float64(segments[k].Start) + at*1000 - from*1000
					second := int(math.Round(ms / 1000))
					out[i][second] = ms - float64(second)*1000
				}
			}
		})
	}
	measuring.Wait()
	return out
}

// measure is a figure that ffmpeg tells of each frame.
type measure struct {
	kind   string // the option for its filters
	filter string // up to the file that the figures go to
	key    string
	limit  float64 // an onset is where the figure passes it,
	hole   float64 // but not after a hole of so many seconds: there, the begin was lost
}

var (
	loud = measure{
		"-af", "astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=",
		"lavfi.astats.Overall.Peak_level=", -30, 0.03,
	}
	bright = measure{"-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=", "lavfi.signalstats.YAVG=", 128, 0.05}
)

// onsetsOf lets ffmpeg decode segments, many in one process, and returns the onsets of each, in s.
func (m measure) onsetsOf(t *testing.T, dir string, segments []Segment) (out [][]float64) {
	figures := t.TempDir()
	for group := range slices.Chunk(segments, 24) {
		args := []string{"-v", "error", "-nostdin", "-y"}
		for _, s := range group {
			args = append(args, "-i", pathOf(dir, s))
		}
		for i, s := range group {
			args = append(args, "-map", strconv.Itoa(i), m.kind, m.filter+filepath.Join(figures, s.ID),
				"-fps_mode", "passthrough", "-enc_time_base", "1:48000", "-f", "null", "-")
		}
		if said, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("ffmpeg: %v: %s", err, said)
			return out
		}
		for _, s := range group {
			out = append(out, m.onsets(t, filepath.Join(figures, s.ID)))
		}
	}
	return out
}

// onsets reads the figures of a file.
func (m measure) onsets(t *testing.T, path string) (out []float64) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	at, before, was := 0., 0., true
	for line := range strings.Lines(string(b)) {
		if _, s, ok := strings.Cut(line, "pts_time:"); ok {
			at, before = float(t, s), at
		}
		if s, ok := strings.CutPrefix(line, m.key); ok {
			is := float(t, s) > m.limit
			if is && !was && at-before < m.hole {
				out = append(out, at)
			}
			was = is
		}
	}
	return out
}

func float(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		t.Error(err)
	}
	return x
}
