package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pausepoint/pausepoint/recorder"
)

// The sources of a member.
const (
	camera = "camera"
	screen = "screen"
)

// seam is how far apart two pictures of one source may be without a gap between them being shown, ms.
const seam = 1000

// track is one source of one member, in a file whose time is the film's.
type track struct {
	member, source string
	file           string
	picture        bool
	there          []span // when there is something of it
}

// joinTracks writes the files of tracks.
func (w *work) joinTracks(ctx context.Context) error {
	for _, of := range recorder.Tracks(w.Segments) {
		t := track{
			member: of[0].Member, source: of[0].Source, picture: of[0].Mime == recorder.MimeVP8,
			file: fmt.Sprintf("track-%d.webm", len(w.tracks)), there: w.thereOf(of),
		}
		joined := recorder.Joined{
			Segments: of, Place: w.place, Still: true,
			Open: func(s recorder.Segment) (io.ReadCloser, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return w.OpenSegment(ctx, s)
			},
		}
		err := w.create(t.file, joined.Write)
		if errors.Is(err, recorder.ErrNotFound) { // nothing of it is in the film
			continue
		}
		if err != nil {
			return err
		}
		w.tracks = append(w.tracks, t)
	}
	return nil
}

// thereOf is when there is something of segments in the film.
func (w *work) thereOf(segments []recorder.Segment) (out []span) {
	for _, s := range segments {
		for _, i := range w.onFilm(float64(s.Start), float64(s.End)) {
			if n := len(out) - 1; n >= 0 && i.from-out[n].to <= seam {
				out[n].to = max(out[n].to, i.to)
				continue
			}
			out = append(out, i)
		}
	}
	return out
}

// trackOf finds a member's source.
func (w *work) trackOf(member, source string) (input int, ok bool) {
	input = slices.IndexFunc(w.tracks, func(t track) bool { return t.member == member && t.source == source })
	return input, input >= 0
}
