package room

import (
	"math"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	maxPoints  = 512   // of one stroke
	maxStrokes = 256   // on one frame: everybody who comes in gets them
	pointSteps = 10000 // points are kept to ten-thousandths of the picture
)

// addDrawing draws a stroke on the frame on which the clip stands.
func (t *turn) addDrawing(m event.Member, c event.DrawingAdd) error {
	line := t.view.Playback
	switch {
	case !t.may(event.Draw):
		return refuse("forbidden", "You cannot draw in this session. Write a note instead.")
	case !t.ruler.ok():
		return errNoClip()
	case m.Watching == event.Own:
		return refuse("conflict", "You look around on your own. Come back to the others to draw.")
	case !line.Stands() || t.now < line.At || c.Position != line.Position:
		return refuse("conflict", "The clip has moved on. You can draw while it stands.")
	case len(t.view.Drawings) >= maxStrokes:
		return refuse("too_many", "A frame can have %d strokes. Clear some first.", maxStrokes)
	case !validID(c.ID):
		return refuse("invalid", "That stroke has no usable id. Reload the page and try again.")
	case slices.ContainsFunc(t.view.Drawings, func(d event.Drawing) bool { return d.ID == c.ID }):
		return refuse("conflict", "That stroke is there already.")
	}
	points, err := cleanPoints(c.Points)
	if err != nil {
		return err
	}
	t.emit(event.DrawingAdded{Drawing: event.Drawing{ID: c.ID, Author: t.by, Position: line.Position, Points: points}})
	return nil
}

// cleanPoints rounds the points of a stroke, so that what is kept of each is short.
func cleanPoints(points []float64) ([]float64, error) {
	switch n := len(points); {
	case n == 0 || n%2 != 0:
		return nil, refuse("invalid", "That stroke has no usable points. Draw it again.")
	case n > 2*maxPoints:
		return nil, refuse("too_large", "A stroke can have up to %d points. Draw it in parts.", maxPoints)
	}
	clean := make([]float64, len(points))
	for i, p := range points {
		if !(p >= 0 && p <= 1) { // also refuses what is no number
			return nil, refuse("invalid", "That stroke leaves the picture. Draw it again.")
		}
		clean[i] = math.Round(p*pointSteps) / pointSteps
	}
	return clean, nil
}

// removeDrawings takes strokes away; those that have gone meanwhile are passed over.
func (t *turn) removeDrawings(c event.DrawingRemove) error {
	if len(c.IDs) > maxStrokes {
		return refuse("too_large", "A frame has at most %d strokes.", maxStrokes)
	}
	ids := []string{}
	for _, d := range t.view.Drawings {
		switch {
		case !slices.Contains(c.IDs, d.ID):
			continue
		case d.Author != t.by && !t.may(event.Drive):
			return refuse("forbidden", "You can clear what you drew yourself. Whoever has the controls can clear all.")
		}
		ids = append(ids, d.ID)
	}
	if len(ids) == 0 {
		return refuse("not_found", "That drawing is not there any more.")
	}
	t.emit(event.DrawingRemoved{IDs: ids})
	return nil
}
