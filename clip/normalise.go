package clip

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

// tools are the programs that do the work, and the folder that they do it in.
type tools struct {
	ffmpeg, ffprobe string
	dir             string
	threads         int
}

const noConversion = "This video could not be converted. Open it in a video program, export it as MP4, and upload that."

// errUnexpected is a rendition that is not what was asked for.
var errUnexpected = errors.New("rendition fails its check")

// result is what a preparation made.
type result struct {
	rate          rate
	frames        int64
	width, height int // of the larger rendition
	hasAudio      bool
}

// duration returns the µs that the frames last.
func (r result) duration() int64 { return r.frames * r.rate.den * 1_000_000 / r.rate.num }

// fit returns the largest even size inside maxW by maxH with the aspect of w by h, never larger than that.
func fit(w, h, maxW, maxH int) (int, int) {
	scale := min(1, float64(maxW)/float64(w), float64(maxH)/float64(h))
	even := func(side int) int { return max(2, int(float64(side)*scale/2+0.499)*2) }
	return min(even(w), maxW), min(even(h), maxH)
}

// normalise makes both renditions in t.dir in one run, tells progress 0..1, and checks what came out. Colours
// beyond 8 bits are mapped with care if the file says enough about them, and plainly if that fails.
func (t tools) normalise(ctx context.Context, src source, progress func(float64)) (result, error) {
	err := t.encode(ctx, src, progress)
	if src.hdr && isChildError(err) {
		src.hdr, src.matrix = false, "bt2020"
		err = t.encode(ctx, src, progress)
	}
	if err != nil {
		return result{}, refuseUnreadable(err, noConversion)
	}
	return t.verify(ctx, src)
}

func isChildError(err error) bool {
	var child *ffmpeg.Error
	return errors.As(err, &child) && !child.DiskFull()
}

func (t tools) encode(ctx context.Context, src source, progress func(float64)) error {
	lim := ffmpeg.Limits{
		Memory: 4 << 30,
		File:   16 << 30,
		Time:   10*time.Minute + time.Duration(12*src.duration*float64(time.Second)),
	}
	return ffmpeg.Run(ctx, lim, t.dir, t.ffmpeg, t.encodeArgs(src), func(r io.Reader) error {
		return ffmpeg.ReadProgress(r, src.duration, progress)
	})
}

// encodeArgs returns ffmpeg's arguments.
//
// No B-frames: decoding order is display order, so no edit list moves frame 0 away from time 0. A closed group of
// pictures every second at most, wherever scenes change: seeking costs the same everywhere. Both renditions come from the
// same filtered frames, so that frame n is frame n in both, and share one sound track, encoded once.
func (t tools) encodeArgs(src source) []string {
	threads := strconv.Itoa(t.threads)
	args := []string{"-v", "error", "-nostdin", "-y", "-progress", "pipe:1", "-threads", threads, "-filter_threads", threads, "-reinit_filter", "0"}
	args = append(args, src.input()...)
	args = append(args, "-filter_complex_threads", threads, "-filter_complex", src.filters(),
		"-map", "[v0]", "-map", "[v1]", "-map", "[a]", "-map_metadata", "-1", "-map_chapters", "-1",
		"-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-bf", "0", "-sc_threshold", "0", "-threads", threads,
		"-g", strconv.FormatInt(src.rate.keyInterval(), 10),
		"-crf:v:0", "22", "-maxrate:v:0", "3000k", "-bufsize:v:0", "4M",
		"-crf:v:1", "24", "-maxrate:v:1", "700k", "-bufsize:v:1", "1M",
		"-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
		"-fps_mode", "passthrough", "-enc_time_base:v", fmt.Sprintf("%d:%d", src.rate.den, src.rate.num),
		"-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2", "-flags", "+global_header")
	mp4 := fmt.Sprintf("f=mp4:movflags=+faststart:video_track_timescale=%d", src.rate.timescale())
	return append(args, "-f", "tee", fmt.Sprintf(`[select=\'v:0,a\':%s]%s|[select=\'v:1,a\':%s]%s`, mp4, Rendition720, mp4, Rendition360))
}

// filters returns the filter graph: from the chosen streams to [v0], [v1] and [a].
// Without flags=res, aresample begins its count anew, and shifts all that follows, once it first corrects sound of 48 kHz.
// Clip time 0 is the first frame of the video; sound that began before it is cut, sound that begins later is padded with silence.
func (s source) filters() string {
	w, h := fit(s.width, s.height, 1280, 720)
	w2, h2 := fit(w, h, 640, 360)
	var v []string
	if s.deint {
		v = append(v, "yadif=mode=send_frame:deint=interlaced")
	}
	v = append(v, fmt.Sprintf("setpts=PTS-%f/TB", s.start), fmt.Sprintf("fps=%s:start_time=0:round=near", s.rate),
		fmt.Sprintf("trim=end=%f", maxDuration.Seconds()))
	if s.hdr {
		v = append(v, fmt.Sprintf("zscale=w=%d:h=%d:t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv", w, h))
	} else {
		v = append(v, fmt.Sprintf("scale=%d:%d:flags=bicubic:in_color_matrix=%s:out_color_matrix=bt709:out_range=tv", w, h, s.matrix))
	}
	v = append(v, "format=yuv420p", "setsar=1")
	sound := fmt.Sprintf("anullsrc=r=48000:cl=stereo,atrim=end=%f", s.duration)
	if s.audio >= 0 {
		sound = fmt.Sprintf("[0:%d]asetpts=PTS-%f/TB,aresample=48000:async=1000:first_pts=0:flags=res,aformat=sample_fmts=fltp:channel_layouts=stereo,apad,atrim=end=%f", s.audio, s.start, s.duration)
	}
	return fmt.Sprintf("[0:%d]%s,split[v0][w];[w]scale=%d:%d:flags=bicubic,setsar=1[v1];%s[a]",
		s.video, strings.Join(v, ","), w2, h2, sound)
}

// verify reads both renditions back: what the call relies on is seen to be true, not believed.
func (t tools) verify(ctx context.Context, src source) (result, error) {
	w, h := fit(src.width, src.height, 1280, 720)
	res := result{rate: src.rate, width: w, height: h, hasAudio: src.audio >= 0}
	for _, name := range []string{Rendition720, Rendition360} {
		frames, err := t.verifyRendition(ctx, filepath.Join(t.dir, name), src.rate)
		if err != nil {
			return result{}, fmt.Errorf("%w: %s: %w", errUnexpected, name, err)
		}
		if res.frames != 0 && res.frames != frames {
			return result{}, fmt.Errorf("%w: 720p has %d frames, 360p has %d", errUnexpected, res.frames, frames)
		}
		res.frames = frames
	}
	return res, nil
}

// verifyRendition returns the number of frames, having seen that frame n has time n/rate and
// that there is a key frame at least every second.
func (t tools) verifyRendition(ctx context.Context, path string, want rate) (int64, error) {
	check := frameCheck{ticks: want.timescale() * want.den / want.num, every: want.keyInterval()}
	args := []string{
		"-v", "error", "-of", "csv=p=0", "-select_streams", "v:0", "-show_entries", "packet=pts,flags",
		"-f", "mov", "-protocol_whitelist", "file,pipe", "-i", "file:" + path,
	}
	if err := t.runProbe(ctx, args, check.read); err != nil {
		return 0, err
	}
	if check.n == 0 {
		return 0, because("refused", notVideo, nil)
	}
	return check.n, nil
}

// frameCheck follows the packets of a rendition.
type frameCheck struct {
	ticks, every int64
	n, key       int64
}

func (c *frameCheck) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		pts, flags, _ := strings.Cut(lines.Text(), ",")
		got, err := strconv.ParseInt(pts, 10, 64)
		if err != nil {
			continue
		}
		if got != c.n*c.ticks {
			return fmt.Errorf("frame %d is at tick %d, not at %d", c.n, got, c.n*c.ticks)
		}
		if strings.HasPrefix(flags, "K") {
			c.key = c.n
		} else if c.n == 0 || c.n-c.key >= c.every {
			return fmt.Errorf("frame %d is %d frames after a key frame", c.n, c.n-c.key)
		}
		c.n++
	}
	return lines.Err()
}
