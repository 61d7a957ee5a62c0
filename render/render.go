// Package render makes one MP4 of a recorded session: the clip as it was shown, or the shared screen, faces beside it, everybody's
// sound and the clip's, in step. What was off the record is not in it; what was lost is a gap in time.
//
// Each source of a member becomes one WebM file (recorder.Joined), the clip one picture with its sound, made piece by piece as the
// session's player went; one ffmpeg puts them together.
package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// ErrNothing says that there is nothing to make a film of.
var ErrNothing = errors.New("nothing is recorded")

// Film says what to render. Its readers are closed.
type Film struct {
	Events      []event.Event      // the session's journal, as the reader may see it
	Segments    []recorder.Segment // as recorder.Kept gives them
	OpenSegment func(ctx context.Context, s recorder.Segment) (io.ReadCloser, error)
	OpenClip    func(ctx context.Context) (io.ReadCloser, error) // the session's clip as an MP4; nil without one

	Cards    bool                  // pivotal pauses are shown with what was asked at them
	Captions []recorder.ExportNote // go along as subtitles, which a player can turn off; none if empty
}

// Renderer renders films. It keeps nothing.
type Renderer struct {
	FFmpeg  string // the program
	Threads int    // that one child uses
}

// The picture.
const (
	width, height = 1280, 720
	rate          = 30 // frames a second
	sampleRate    = 48000
)

// What of the whole work the clip is, where there is one.
const clipShare = 0.35

// outputName is the film's name in the folder that it is made in.
const outputName = "film.mp4"

// Render makes a film in an empty folder, which is the caller's to remove, and returns its path. It tells how far it is, 0 to 1, and
// ends with ctx. ErrNothing if nothing is recorded.
func (r Renderer) Render(ctx context.Context, f Film, dir string, progress func(float64)) (path string, err error) {
	work := &work{Film: f, renderer: r, dir: dir, place: stretches(f.Events), progress: progress}
	if work.length() <= 0 || len(f.Segments) == 0 {
		return "", ErrNothing
	}
	for _, step := range []func(context.Context) error{work.joinTracks, work.makeClip, work.writeTexts, work.compose} {
		if err := step(ctx); err != nil {
			return "", fmt.Errorf("render: %w", err)
		}
	}
	progress(1)
	return filepath.Join(dir, outputName), nil
}

// work is one film that is being made.
type work struct {
	Film

	renderer Renderer
	dir      string
	place    []recorder.Stretch // where session time is in the film
	progress func(float64)
	tracks   []track
	clip     bool // clipList is there
	layout   layout
}

// stretches puts what is on the record one after the other.
func stretches(events []event.Event) (out []recorder.Stretch) {
	var at int64
	for _, i := range recorder.OnRecord(events) {
		out = append(out, recorder.Stretch{From: i.From, To: i.To, At: at})
		at += i.To - i.From
	}
	return out
}

// length is the film's, in ms.
func (w *work) length() int64 {
	if len(w.place) == 0 {
		return 0
	}
	last := w.place[len(w.place)-1]
	return last.At + last.To - last.From
}

// onFilm is what of session time [from, to) is in the film, in the film's ms.
func (w *work) onFilm(from, to float64) (out []span) {
	for _, p := range w.place {
		a, b := max(from, float64(p.From)), min(to, float64(p.To))
		if a < b {
			out = append(out, span{float64(p.At) + a - float64(p.From), float64(p.At) + b - float64(p.From)})
		}
	}
	return out
}

// span is film time [from, to), in ms.
type span struct{ from, to float64 }

// run runs ffmpeg in the work's folder.
func (w *work) run(ctx context.Context, args []string, read func(io.Reader) error) error {
	lim := ffmpeg.Limits{
		Memory: 8 << 30,
		File:   64 << 30,
		Time:   10*time.Minute + 20*time.Duration(w.length())*time.Millisecond,
	}
	args = append([]string{"-v", "error", "-nostdin", "-y"}, args...)
	return ffmpeg.Run(ctx, lim, w.dir, w.renderer.FFmpeg, args, read)
}

// create writes a file in the work's folder.
func (w *work) create(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
