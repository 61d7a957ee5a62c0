package clip

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

// bits of the frame number that the sources show: stripes, the lowest bit first.
const bits = 8

// coded is a filter source whose frame n shows n as black and white stripes from left to right.
func coded(w, h int, fps string, seconds int) string {
	return fmt.Sprintf("color=c=gray:s=%dx%d:r=%s:d=%d,format=yuv420p,geq=lum='if(mod(floor(N/pow(2,floor(X*%d/W))),2),210,40)':cb=128:cr=128",
		w, h, fps, seconds, bits)
}

func runFFmpeg(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg %v: %v: %s", args, err, out)
	}
}

// lavfi gives the arguments of a coded source, with a tone if sound is set.
func lavfi(source string, sound bool) []string {
	args := []string{"-f", "lavfi", "-i", source}
	if sound {
		args = append(args, "-f", "lavfi", "-i", "sine=f=440:d=3", "-shortest")
	}
	return args
}

func testTools(t *testing.T) tools {
	t.Helper()
	tl, err := findTools(Config{})
	if err != nil {
		t.Fatal(err)
	}
	tl.dir = t.TempDir()
	return tl
}

// normalised makes the renditions of a file that must have some.
func (t tools) normalised(tb testing.TB, path string, progress func(float64)) (source, result) {
	tb.Helper()
	src, err := t.probe(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	res, err := t.normalise(tb.Context(), src, progress)
	if err != nil {
		tb.Fatal(err)
	}
	return src, res
}

// stripes is the filter that brings a coded picture down to one pixel a bit.
func stripes(vertical bool) string {
	if vertical {
		return fmt.Sprintf("scale=1:%d:flags=area,format=gray", bits)
	}
	return fmt.Sprintf("scale=%d:1:flags=area,format=gray", bits)
}

// numbers decodes every frame of a file and returns the numbers that they show. vertical reads the stripes from top to bottom.
func numbers(t *testing.T, path string, vertical bool) []int {
	t.Helper()
	return decodeNumbers(t, path, nil, stripes(vertical))
}

// numberAt seeks and returns the number of the one frame there.
func numberAt(t *testing.T, path string, vertical bool, us int64) []int {
	t.Helper()
	return decodeNumbers(t, path, []string{"-ss", fmt.Sprintf("%dus", us)}, stripes(vertical), "-frames:v", "1")
}

func decodeNumbers(t *testing.T, path string, before []string, filter string, after ...string) []int {
	t.Helper()
	args := append([]string{"-v", "error", "-nostdin"}, before...)
	args = append(args, "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-vf", filter)
	args = append(append(args, after...), "-f", "rawvideo", "-")
	var stderr bytes.Buffer
	cmd := exec.Command("ffmpeg", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("decode %s: %v: %s", path, err, &stderr)
	}
	var shown []int
	for frame := 0; frame+bits <= len(out); frame += bits {
		n := 0
		for bit := range bits {
			if out[frame+bit] > 125 {
				n |= 1 << bit
			}
		}
		shown = append(shown, n)
	}
	return shown
}

// identity says that frame n of the clip is frame n of the source.
func identity(n int) int { return n }

// recording is what a device makes, and what has to become of it.
type recording struct {
	name   string
	file   string
	args   []string // of ffmpeg, making the source
	rate   rate
	frames int
	w, h   int
	audio  bool
	rotate bool
	shows  func(n int) int // the source's frame that frame n of the clip shows
}

func recordings() []recording {
	const seconds = 2
	h264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-c:a", "aac"}
	return []recording{
		{
			name: "plain", file: "a.mp4", args: append(lavfi(coded(320, 180, "25", seconds), true), h264...),
			rate: rate{25, 1}, frames: 50, w: 320, h: 180, audio: true, shows: identity,
		},
		{
			name: "NTSC", file: "a.mov", args: append(lavfi(coded(320, 180, "30000/1001", seconds), true), h264...),
			rate: rate{30000, 1001}, frames: 60, w: 320, h: 180, audio: true, shows: identity,
		},
		{
			name: "portrait by rotation", file: "a.mp4",
			args: append(lavfi(coded(640, 360, "30", seconds), true), h264...), rotate: true,
			rate: rate{30, 1}, frames: 60, w: 360, h: 640, audio: true, shows: identity,
		},
		{
			name: "tall", file: "a.mp4", args: append(lavfi(coded(54, 96, "30", 1)+",scale=540:960:flags=neighbor", false), h264...),
			rate: rate{30, 1}, frames: 30, w: 404, h: 720, shows: identity,
		},
		{
			name: "large", file: "a.mp4", args: append(lavfi(coded(192, 108, "24", 1)+",scale=1920:1080:flags=neighbor", false), h264...),
			rate: rate{24, 1}, frames: 24, w: 1280, h: 720, shows: identity,
		},
		{
			name: "variable frame rate", file: "a.mp4",
			args: append(lavfi(coded(320, 180, "30", seconds)+",select='not(between(mod(n,30),10,19))'", true), append(h264, "-fps_mode", "vfr")...),
			rate: rate{30, 1}, frames: 60, w: 320, h: 180, audio: true, shows: func(n int) int {
				if k := n % 30; k >= 10 && k <= 19 {
					return n - k + 9 // what was last shown stays
				}
				return n
			},
		},
		{
			name: "60 a second", file: "a.mp4", args: append(lavfi(coded(320, 180, "60", seconds), true), h264...),
			rate: rate{30, 1}, frames: 60, w: 320, h: 180, audio: true, shows: nil,
		},
		{
			name: "HEVC of 10 bits", file: "a.mov",
			args: append(lavfi(coded(320, 180, "30", seconds), true), "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "-c:a", "aac"),
			rate: rate{30, 1}, frames: 60, w: 320, h: 180, audio: true, shows: identity,
		},
		{
			name: "HDR", file: "a.mov",
			args: append(lavfi(coded(320, 180, "30", 1), false), "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le",
				"-x265-params", "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"),
			rate: rate{30, 1}, frames: 30, w: 320, h: 180, shows: identity,
		},
		{
			name: "MPEG-4 in AVI", file: "a.avi",
			args: append(lavfi(coded(320, 240, "25", seconds), true), "-c:v", "mpeg4", "-q:v", "3", "-c:a", "libmp3lame"),
			rate: rate{25, 1}, frames: 51, w: 320, h: 240, audio: true, shows: func(n int) int { return max(0, n-1) },
		}, // ffmpeg leaves frame 1 of such a file empty
		{
			name: "slow camera", file: "a.avi",
			args: append(lavfi(coded(320, 240, "15", seconds), true), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"),
			rate: rate{15, 1}, frames: 30, w: 320, h: 240, audio: true, shows: identity,
		},
		{
			name: "no sound", file: "a.mp4", args: append(lavfi(coded(320, 180, "25", seconds), false), h264...),
			rate: rate{25, 1}, frames: 50, w: 320, h: 180, shows: identity,
		},
		{
			name: "WebM with VP8 and no duration", file: "a.webm",
			args: append(lavfi(coded(320, 180, "30", seconds), true), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", "-c:a", "libopus", "-f", "webm", "-live", "1"),
			rate: rate{30, 1}, frames: 60, w: 320, h: 180, audio: true, shows: identity,
		},
		{
			name: "odd size", file: "a.mkv", args: append(lavfi(coded(320, 240, "25", 1)+",format=yuv444p,scale=321:241", false), "-c:v", "ffv1"),
			rate: rate{25, 1}, frames: 25, w: 320, h: 240, shows: identity,
		},
		{
			name: "wide pixels", file: "a.mp4", args: append(lavfi(coded(360, 288, "25", 1)+",setsar=16/11", false), h264...),
			rate: rate{25, 1}, frames: 25, w: 524, h: 288, shows: identity,
		},
		{
			name: "interlaced transport stream", file: "a.ts",
			args: append(lavfi(coded(352, 288, "25", seconds), true), "-c:v", "mpeg2video", "-b:v", "4M", "-flags", "+ilme+ildct", "-top", "1", "-c:a", "mp2"),
			rate: rate{25, 1}, frames: 50, w: 352, h: 288, audio: true, shows: identity,
		},
		{
			name: "sound before the picture", file: "a.mkv",
			args: append([]string{"-itsoffset", "0.5"}, append(lavfi(coded(320, 180, "25", 2), true), append(h264, "-t", "3")...)...),
			rate: rate{25, 1}, frames: 50, w: 320, h: 180, audio: true, shows: identity,
		},
	}
}

func TestWhatPhonesAndCamerasMake(t *testing.T) {
	for _, tt := range recordings() {
		t.Run(tt.name, func(t *testing.T) {
			tl := testTools(t)
			path := filepath.Join(t.TempDir(), tt.file)
			runFFmpeg(t, append(tt.args, path)...)
			if tt.rotate { // as phones do: the picture lies, and a matrix says so
				upright := path
				path = filepath.Join(t.TempDir(), tt.file)
				runFFmpeg(t, "-i", upright, "-c", "copy", "-metadata:s:v:0", "rotate=270", path)
			}
			src, got := tl.normalised(t, path, func(float64) {})
			if src.hdr {
				if err := tl.encode(t.Context(), src, func(float64) {}); err != nil {
					t.Errorf("colours are not mapped with care: %v", err)
				}
			}
			if src.hdr != (tt.name == "HDR") {
				t.Errorf("HDR is seen to be %v", src.hdr)
			}
			if want := (result{tt.rate, int64(tt.frames), tt.w, tt.h, tt.audio}); got != want {
				t.Errorf("made %+v, want %+v", got, want)
			}
			for _, name := range []string{Rendition720, Rendition360} {
				checkRendition(t, filepath.Join(tl.dir, name), got)
				if tt.shows != nil {
					checkNumbers(t, filepath.Join(tl.dir, name), got, tt.rotate, tt.shows)
				}
			}
		})
	}
}

// The clock of a camera's sound is not that of its picture: what is heard stays with what is seen.
func TestSoundOnAnotherClock(t *testing.T) {
	tl, path := testTools(t), filepath.Join(t.TempDir(), "a.mkv")
	const beeps = "aevalsrc='if(between(mod(t,1),0.5,0.6),0.5*sin(2*PI*1000*t),0)':s=48000,asetpts=PTS*1.001"
	runFFmpeg(t, "-f", "lavfi", "-i", coded(64, 36, "10", 6), "-f", "lavfi", "-i", beeps, "-t", "6",
		"-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le", path)
	tl.normalised(t, path, func(float64) {})
	got := beepsIn(t, filepath.Join(tl.dir, Rendition360))
	if len(got) != 6 {
		t.Fatalf("beeps at %v", got)
	}
	for i, at := range got {
		if want := 1.001 * (float64(i) + 0.5); math.Abs(at-want) > 0.02 {
			t.Errorf("beep %d is at %.3f s, not %.3f", i, at, want)
		}
	}
}

// beepsIn is when it becomes loud in a file, s.
func beepsIn(t *testing.T, path string) (at []float64) {
	t.Helper()
	const filter = "asetpts=N/SR/TB,asetnsamples=240,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=-"
	out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-i", path, "-vn", "-af", filter, "-f", "null", "-").Output()
	if err != nil {
		t.Fatalf("listen to %s: %v", path, err)
	}
	now, was := 0., false
	for line := range strings.Lines(string(out)) {
		if _, s, ok := strings.Cut(line, "pts_time:"); ok {
			now = seconds(strings.TrimSpace(s))
		}
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), "lavfi.astats.Overall.Peak_level="); ok {
			loud := s != "-inf" && seconds(s) > -20
			if loud && !was {
				at = append(at, now)
			}
			was = loud
		}
	}
	return at
}

// checkNumbers sees that frame n is the right frame, when all are decoded in order and when a player seeks to its middle.
func checkNumbers(t *testing.T, path string, r result, vertical bool, shows func(int) int) {
	t.Helper()
	for n, got := range numbers(t, path, vertical) {
		if got != shows(n) {
			t.Fatalf("%s: frame %d shows %d, want %d", filepath.Base(path), n, got, shows(n))
		}
	}
	if filepath.Base(path) != Rendition720 {
		return
	}
	for _, n := range []int{0, 1, int(r.frames) / 2, int(r.frames) - 1} {
		// ffmpeg shows the first frame that begins at or after the place; half a frame earlier than a browser
		place := (2*int64(n) - 1) * r.rate.den * 1_000_000 / (2 * r.rate.num)
		got := numberAt(t, path, vertical, max(0, place))
		if len(got) != 1 || got[0] != shows(n) {
			t.Errorf("%s: a seek to frame %d shows %v, want %d", filepath.Base(path), n, got, shows(n))
		}
	}
}

// checkRendition reads with ffprobe what players rely on.
func checkRendition(t *testing.T, path string, r result) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "default=nk=0", "-show_entries",
		"stream=codec_name,profile,pix_fmt,r_frame_rate,avg_frame_rate,start_time,sample_aspect_ratio,channels,sample_rate,nb_frames,color_space,duration:stream_side_data=rotation", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	video, audio, ok := strings.Cut(text, "[/STREAM]")
	if !ok || strings.Contains(text, "rotation") {
		t.Fatalf("streams are %s", text)
	}
	for _, want := range []string{
		"codec_name=h264", "profile=High", "pix_fmt=yuv420p\n", "r_frame_rate=" + r.rate.String() + "\n", "avg_frame_rate=" + r.rate.String() + "\n",
		"start_time=0.000000", fmt.Sprintf("nb_frames=%d\n", r.frames), "color_space=bt709",
	} {
		if !strings.Contains(video, want) {
			t.Errorf("%s lacks %q: %s", filepath.Base(path), want, video)
		}
	}
	for _, want := range []string{"codec_name=aac", "sample_rate=48000", "channels=2", "start_time=0.000000"} {
		if !strings.Contains(audio, want) {
			t.Errorf("%s lacks %q: %s", filepath.Base(path), want, audio)
		}
	}
	_, after, _ := strings.Cut(audio, "duration=")
	length, _, _ := strings.Cut(after, "\n")
	if d := math.Abs(seconds(length) - float64(r.duration())/1e6); d > 0.1 {
		t.Errorf("%s: sound and picture differ by %.3f s", filepath.Base(path), d)
	}
	head, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if moov, mdat := bytes.Index(head, []byte("moov")), bytes.Index(head, []byte("mdat")); moov < 0 || moov > mdat {
		t.Errorf("%s does not begin with its index", filepath.Base(path))
	}
}

func TestSizeChangesInTheMiddle(t *testing.T) {
	tl := testTools(t)
	dir := t.TempDir()
	var all []byte
	for i, size := range []string{"320x180", "640x360"} {
		part := filepath.Join(dir, fmt.Sprintf("%d.ts", i))
		runFFmpeg(t, "-f", "lavfi", "-i", "testsrc2=r=25:d=2:s="+size, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-output_ts_offset", fmt.Sprint(2*i), "-muxdelay", "0", part)
		data, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	path := filepath.Join(dir, "both.ts")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	_, got := tl.normalised(t, path, func(float64) {})
	if got.frames < 99 || got.frames > 101 {
		t.Errorf("made %d frames of 100", got.frames)
	}
}

func TestLongClipsStayBounded(t *testing.T) {
	const length = 800
	tl := testTools(t)
	path := filepath.Join(t.TempDir(), "long.mp4")
	runFFmpeg(t, "-f", "lavfi", "-i", fmt.Sprintf("color=c=teal:s=64x36:r=1:d=%d", length), "-c:v", "libx264", "-preset", "ultrafast", path)
	steps, last := 0, 0.0
	_, res := tl.normalised(t, path, func(p float64) {
		if p < last || p > 1 {
			t.Errorf("progress goes from %v to %v", last, p)
		}
		steps, last = steps+1, p
	})
	if steps < 2 || res.duration() != length*1_000_000 {
		t.Errorf("%d steps of progress, %+v", steps, res)
	}
	names, err := tl.thumbnails(t.Context(), res)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(tl.dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// A clip may end anywhere in the second of its last thumbnail, which may be the first of a sheet.
func TestNoSheetIsMissing(t *testing.T) {
	for _, frames := range []int{2998, 3007, 3016, 3024} { // of 30000/1001 a second; 100 thumbnails are a sheet
		t.Run(strconv.Itoa(frames), func(t *testing.T) {
			t.Parallel()
			tl := testTools(t)
			path := filepath.Join(t.TempDir(), "a.mp4")
			runFFmpeg(t, "-f", "lavfi", "-i", "testsrc2=s=64x36:r=30000/1001", "-frames:v", strconv.Itoa(frames), "-c:v", "libx264", "-preset", "ultrafast", path)
			_, res := tl.normalised(t, path, func(float64) {})
			names, err := tl.thumbnails(t.Context(), res)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(names, SheetName(1)) {
				t.Errorf("there is no second sheet: %v", names)
			}
			for _, name := range names {
				if _, err := os.Stat(filepath.Join(tl.dir, name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestThumbnailsAreFewHoweverLongTheClip(t *testing.T) {
	for _, tt := range []struct{ seconds, interval, count, sheets int64 }{
		{1, 1, 1, 1}, {60, 1, 60, 1}, {101, 1, 101, 2}, {400, 1, 400, 4}, {401, 2, 201, 3}, {3 * 3600, 27, 400, 4}, {4 * 3600, 36, 400, 4},
	} {
		s := spritesFor(result{rate: rate{30, 1}, frames: 30 * tt.seconds, width: 404, height: 720})
		if s.Interval != tt.interval*1e6 || int64(s.Count) != tt.count || int64(s.Sheets) != tt.sheets || s.Width != 50 || s.Height != 90 {
			t.Errorf("%d s gives %+v", tt.seconds, s)
		}
	}
}

func TestThumbnailsShowTheirMoment(t *testing.T) {
	tl := testTools(t)
	path := filepath.Join(t.TempDir(), "a.mp4")
	runFFmpeg(t, "-f", "lavfi", "-i", coded(160, 90, "1", 101)+",fps=25", "-c:v", "libx264", "-preset", "ultrafast", path)
	_, res := tl.normalised(t, path, func(float64) {})
	if _, err := tl.thumbnails(t.Context(), res); err != nil {
		t.Fatal(err)
	}
	for sheet, want := range map[int][]int{0: {0, 1, 57, 99}, 1: {100}} {
		for _, k := range want {
			crop := fmt.Sprintf("crop=160:90:%d:%d,", k%10*160, k%100/10*90)
			if got := decodeNumbers(t, filepath.Join(tl.dir, SheetName(sheet)), nil, crop+stripes(false)); len(got) != 1 || got[0] != k {
				t.Errorf("thumbnail %d shows second %v", k, got)
			}
		}
	}
}

func TestCancelEndsTheChild(t *testing.T) {
	tl := testTools(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := ffmpeg.Run(ctx, ffmpeg.Limits{Memory: 4 << 30, File: 1 << 30, Time: 1 << 40}, tl.dir, tl.ffmpeg,
		[]string{"-v", "error", "-progress", "pipe:1", "-re", "-f", "lavfi", "-i", "testsrc", "-f", "null", "-"}, func(r io.Reader) error {
			_, err := r.Read(make([]byte, 1))
			cancel()
			return err
		})
	if err != context.Canceled {
		t.Errorf("run ends with %v", err)
	}
}
