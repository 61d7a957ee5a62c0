package render

import (
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/pausepoint/pausepoint/ctxio"
	"github.com/pausepoint/pausepoint/room/event"
)

// Names in the work's folder.
const (
	clipFile = "clip.mp4" // as prepared
	clipList = "clip.txt" // its pieces, one after the other
)

// part is a piece of the clip in the film: as many frames as lie between two frames of the film, so that roundings do not add up.
type part struct {
	frames int64
	a      float64 // clip time at its first frame, µs
	rate   float64
}

// partsOf lays pieces into the film. Before the clip's first piece there is none; the parts have no gap between them.
func (w *work) partsOf(pieces []piece) (out []part) {
	var done int64
	for _, stretch := range w.place {
		for _, p := range pieces {
			from, to := max(p.from, float64(stretch.From)), min(p.to, float64(stretch.To))
			if from >= to {
				continue
			}
			end := int64(math.Round((float64(stretch.At) + to - float64(stretch.From)) * rate / 1000))
			if end <= done {
				continue
			}
			begin := float64(done)*1000/rate - float64(stretch.At) + float64(stretch.From) // session ms of the part's first frame
			out = append(out, part{frames: end - done, a: max(0, p.a+p.rate*(begin-p.from)*1000), rate: p.rate})
			done = end
		}
	}
	return out
}

// makeClip makes what the player showed, as a list of files of the film's frame rate, and their sound.
func (w *work) makeClip(ctx context.Context) error {
	var end event.View
	for _, e := range w.Events {
		end.Fold(e)
	}
	if end.Clip != nil && w.OpenClip != nil {
		if err := w.makeParts(ctx, *end.Clip); err != nil {
			return err
		}
		w.clip = true
	}
	w.layout = w.arrange(end)
	return nil
}

func (w *work) makeParts(ctx context.Context, c event.Clip) error {
	if err := w.fetchClip(ctx); err != nil {
		return fmt.Errorf("fetch the clip: %w", err)
	}
	parts := w.partsOf(piecesOf(w.Events, float64(w.place[len(w.place)-1].To)))
	var all, done int64
	for _, p := range parts {
		all += p.frames
	}
	var list strings.Builder
	list.WriteString("ffconcat version 1.0\n")
	for i, p := range parts {
		name := fmt.Sprintf("part-%d.mov", i)
		if err := w.run(ctx, w.partArgs(p, c, name), drain); err != nil {
			return fmt.Errorf("part %d of the clip: %w", i, err)
		}
		fmt.Fprintf(&list, "file %s\nduration %.6f\n", name, float64(p.frames)/rate)
		done += p.frames
		w.progress(clipShare * float64(done) / float64(all))
	}
	return w.create(clipList, func(f io.Writer) error {
		_, err := io.WriteString(f, list.String())
		return err
	})
}

func (w *work) fetchClip(ctx context.Context) error {
	src, err := w.OpenClip(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	return w.create(clipFile, func(f io.Writer) error {
		_, err := io.Copy(f, ctxio.Reader(ctx, src))
		return err
	})
}

// partArgs returns ffmpeg's arguments for one part: from half a frame before the frame that is shown first, which is then moved to
// where it lies.
func (w *work) partArgs(p part, c event.Clip, name string) []string {
	frame := float64(c.FPSDen) * 1e6 / float64(c.FPSNum) // µs
	from := max(0, (math.Floor(p.a/frame)-0.5)*frame)
	picture := fmt.Sprintf("trim=end_frame=1,loop=-1:1,setpts=N/(%d*TB)", rate)
	sound := fmt.Sprintf("anullsrc=r=%d:cl=stereo", sampleRate)
	if p.rate > 0 {
		picture = fmt.Sprintf("setpts=(PTS-%f/TB)/%f", (p.a-from)/1e6, p.rate)
		sound = fmt.Sprintf("[0:a]atrim=start=%f,asetpts=PTS-STARTPTS%s,apad", (p.a-from)/1e6, tempo(p.rate))
	}
	graph := fmt.Sprintf("[0:v]%s,fps=%d:start_time=0:round=near,tpad=stop_mode=clone:stop=-1[v];%s,aformat=sample_fmts=s16p:sample_rates=%d:channel_layouts=stereo,atrim=end_sample=%d[a]",
		picture, rate, sound, sampleRate, p.frames*sampleRate/rate)
	return []string{
		"-ss", strconv.FormatFloat(from/1e6, 'f', 6, 64), "-f", "mov", "-protocol_whitelist", "file,pipe", "-i", "file:" + clipFile,
		"-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-frames:v", strconv.FormatInt(p.frames, 10),
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-pix_fmt", "yuv420p", "-bf", "0", "-threads", strconv.Itoa(w.renderer.Threads),
		"-video_track_timescale", strconv.Itoa(rate), "-c:a", "alac", name,
	}
}

// tempo changes the speed of sound and keeps its pitch.
func tempo(rate float64) string {
	var s strings.Builder
	for ; rate < 0.5; rate *= 2 {
		s.WriteString(",atempo=0.5")
	}
	if rate != 1 {
		fmt.Fprintf(&s, ",atempo=%f", rate)
	}
	return s.String()
}

// drain waits for the end of what a child says.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
