package recorder

import (
	"math"

	"github.com/pausepoint/pausepoint/room/event"
)

// Shown is what the shared player showed at a moment.
type Shown struct {
	Mode     event.Mode
	Position int64 // clip time, µs
	Frame    int64 // of the clip
	Rate     float64
	Hold     string // the pivotal pause that was on; empty if none
	OnClip   bool   // false in a session without a clip: then only Mode means something
}

// At returns what the shared player showed at a session time in ms, from a session's journal in order. It computes what every
// client computes: the newest line that was in force.
func At(events []event.Event, t int64) Shown {
	var v event.View
	var before event.Playback // the line that was replaced last
	for _, e := range events {
		if e.At > t {
			break
		}
		line := v.Playback
		v.Fold(e)
		if v.Playback.Seq != line.Seq || v.Playback.At != line.At || v.Playback.Mode != line.Mode {
			before = line
		}
	}
	s := Shown{Mode: v.Playback.Mode, Rate: v.Playback.Rate, Position: v.Playback.Position}
	if v.Hold != nil {
		s.Hold = v.Hold.ID
	}
	if v.Clip == nil {
		return s
	}
	s.OnClip = true
	s.Position = position(v.Playback, before, v.Clip.To, t)
	s.Frame = frameAt(*v.Clip, s.Position)
	return s
}

// position is the clip time that a line shows. A line that stops motion at a time to come lets the one before run on until then.
func position(line, before event.Playback, end, t int64) int64 {
	if line.Mode != event.Playing {
		if t >= line.At || before.Mode != event.Playing || line.Mode == event.Waiting {
			return line.Position
		}
		return min(moving(before, t), line.Position)
	}
	p := moving(line, t)
	if end > 0 {
		p = min(p, max(end, line.Position))
	}
	return p
}

// moving is the clip time of a line that plays: it stands until its At.
func moving(line event.Playback, t int64) int64 {
	return line.Position + int64(math.Round(line.Rate*float64(max(t-line.At, 0))*1000))
}

// frameAt is the frame of a clip at a clip time, within [0, Frames).
func frameAt(c event.Clip, position int64) int64 {
	if c.FPSNum <= 0 || c.FPSDen <= 0 || c.Frames <= 0 {
		return 0
	}
	return min(max(position, 0)*c.FPSNum/(c.FPSDen*1_000_000), c.Frames-1)
}
