package render

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

// Colours of the picture.
const (
	paper = "0x1F1D1A"
	empty = "0x35322E" // where somebody is who is not to be seen
)

// compose puts everything together.
func (w *work) compose(ctx context.Context) error {
	share := 1.
	if w.clip {
		share = 1 - clipShare
	}
	return w.run(ctx, w.composeArgs(), func(r io.Reader) error {
		return ffmpeg.ReadProgress(r, float64(w.length())/1000, func(p float64) { w.progress(1 - share + share*p) })
	})
}

// composeArgs returns ffmpeg's arguments: the times of the inputs are the film's, wherever they begin. The tracks are inputs in their order, then the clip, then the captions.
func (w *work) composeArgs() []string {
	args := []string{"-progress", "pipe:1", "-copyts", "-filter_complex_threads", strconv.Itoa(w.renderer.Threads)}
	for _, t := range w.tracks { // pictures change their size: scale follows that, what reinit_filter does would lose time
		args = append(args, "-reinit_filter", "0", "-threads", "1", "-f", "matroska", "-protocol_whitelist", "file,pipe", "-i", "file:"+t.file)
	}
	if w.clip {
		args = append(args, "-f", "concat", "-protocol_whitelist", "file,pipe", "-i", "file:"+clipList)
	}
	if len(w.Captions) > 0 {
		args = append(args, "-f", "webvtt", "-protocol_whitelist", "file,pipe", "-i", "file:"+captionFile)
	}
	args = append(args, "-filter_complex", w.pictures()+";"+w.sounds(), "-map", "[v]", "-map", "[a]")
	if len(w.Captions) > 0 {
		args = append(args, "-map", strconv.Itoa(w.captionInput())+":s", "-c:s", "mov_text", "-metadata:s:s:0", "title=Notes", "-disposition:s:0", "0")
	}
	return append(args, "-map_metadata", "-1", "-map_chapters", "-1",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-g", strconv.Itoa(2*rate),
		"-threads", strconv.Itoa(w.renderer.Threads),
		"-c:a", "aac", "-b:a", "128k", "-ar", strconv.Itoa(sampleRate), "-ac", "2",
		"-t", seconds(float64(w.length())), "-movflags", "+faststart", "-f", "mp4", outputName)
}

func (w *work) captionInput() int {
	if w.clip {
		return len(w.tracks) + 1
	}
	return len(w.tracks)
}

// pictures is the filter graph of what is seen: a ground with a place for each person, and on it what there is, while it is there.
func (w *work) pictures() string {
	var g strings.Builder
	fmt.Fprintf(&g, "color=c=%s:s=%dx%d:r=%d:d=%s", paper, width, height, rate, seconds(float64(w.length())))
	for _, t := range w.layout.tiles {
		fmt.Fprintf(&g, ",drawbox=x=%d:y=%d:w=%d:h=%d:color=%s:t=fill", t.x, t.y, t.w, t.h, empty)
	}
	g.WriteString("[b0]")
	n := 0
	lay := func(input int, at box, when string) {
		fmt.Fprintf(&g, ";[%d:v]scale=%d:%d:force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1,fps=%d:start_time=0[p%d]",
			input, at.w, at.h, rate, n)
		fmt.Fprintf(&g, ";[b%d][p%d]overlay=x=%d+(%d-overlay_w)/2:y=%d+(%d-overlay_h)/2:eof_action=repeat%s[b%d]",
			n, n, at.x, at.w, at.y, at.h, when, n+1)
		n++
	}
	if w.clip {
		lay(len(w.tracks), w.layout.stage, "")
	}
	for i, t := range w.tracks {
		if t.source == screen {
			lay(i, w.layout.stage, enabled(t.there))
		}
	}
	for _, p := range w.layout.tiles {
		if i, ok := w.trackOf(p.member, camera); ok {
			lay(i, p.box, enabled(w.tracks[i].there))
		}
	}
	fmt.Fprintf(&g, ";[b%d]ass=%s,format=yuv420p[v]", n, textFile)
	return g.String()
}

// enabled shows an overlay while there is something.
func enabled(when []span) string {
	var s strings.Builder
	for i, t := range when {
		if i > 0 {
			s.WriteString("+")
		}
		fmt.Fprintf(&s, "between(t,%s,%s)", seconds(t.from), seconds(t.to))
	}
	return ":enable='" + s.String() + "'"
}

// sounds is the filter graph of what is heard: everybody and the clip, each where it was.
func (w *work) sounds() string {
	var g, mixed strings.Builder
	n := 0
	for i, t := range w.tracks {
		if t.picture {
			continue
		}
		fmt.Fprintf(&g, "[%d:a]aresample=%d:async=1000:min_hard_comp=0.03:first_pts=0:flags=res,aformat=sample_fmts=fltp:channel_layouts=stereo[s%d];",
			i, sampleRate, n)
		fmt.Fprintf(&mixed, "[s%d]", n)
		n++
	}
	if w.clip {
		fmt.Fprintf(&mixed, "[%d:a]", len(w.tracks))
		n++
	}
	end := fmt.Sprintf("apad,atrim=end=%s[a]", seconds(float64(w.length())))
	if n == 0 {
		return fmt.Sprintf("anullsrc=r=%d:cl=stereo,%s", sampleRate, end)
	}
	return fmt.Sprintf("%s%samix=inputs=%d:normalize=0:dropout_transition=0,alimiter=level=0:limit=0.95,%s", g.String(), mixed.String(), n, end)
}

func seconds(ms float64) string { return strconv.FormatFloat(ms/1000, 'f', 3, 64) }
