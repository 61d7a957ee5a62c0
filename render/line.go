package render

import (
	"math"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// A piece is a stretch of session time in which the clip ran evenly, or stood.
type piece struct {
	from, to float64 // session ms
	a        float64 // clip time at its begin, µs
	rate     float64 // clip time per session time; 0 where it stood
}

// line is where the shared player was: the position at a session time, from then on moving by rate, until stop. Everybody stayed
// on the line before until this one began, if that one moved. It is what the browser's sync/line.ts is.
type line struct {
	since    float64 // session ms from which it counts
	moving   bool
	position float64 // µs
	at       float64 // session ms
	rate     float64
	stop     float64 // µs; infinite where nothing stops it
	before   *line
}

func (l line) placeAt(t float64) float64 {
	if l.before == nil || t >= l.at {
		return l.alone(t)
	}
	before := l.before.alone(t)
	if !l.moving {
		return min(before, l.position)
	}
	return before
}

// alone is the place without regard to the line before.
func (l line) alone(t float64) float64 {
	if !l.moving || t <= l.at {
		return l.position
	}
	return min(l.position+l.rate*(t-l.at)*1000, max(l.stop, l.position))
}

// reaches is when a moving line comes to a place.
func (l line) reaches(us float64) float64 { return l.at + (us-l.position)/(l.rate*1000) }

// turns are the session times at which its motion changes.
func (l line) turns() []float64 {
	out := []float64{l.at}
	if l.moving {
		out = append(out, l.reaches(l.stop))
	}
	if l.before != nil {
		out = append(out, l.before.reaches(l.before.stop))
		if !l.moving {
			out = append(out, l.before.reaches(l.position))
		}
	}
	return out
}

// linesOf folds a journal to the lines of its player, in order.
func linesOf(events []event.Event) (out []line) {
	var v event.View
	for _, e := range events {
		seq, at, mode, pauses, clip := v.Playback.Seq, v.Playback.At, v.Playback.Mode, slices.Clone(v.Pauses), v.Clip
		v.Fold(e)
		if v.Clip == nil {
			continue
		}
		p := v.Playback
		turned := p.Seq != seq || p.At != at || p.Mode != mode || clip == nil
		if !turned && len(out) > 0 && slices.Equal(pauses, v.Pauses) {
			continue
		}
		next := lineOf(p, v.Pauses, *v.Clip)
		next.since = float64(e.At)
		if n := len(out) - 1; n >= 0 {
			next.before = out[n].before
			if turned {
				next.before = nil
			}
			if turned && out[n].moving {
				before := out[n]
				before.before = nil
				next.before = &before
			}
		}
		out = append(out, next)
	}
	return out
}

func lineOf(p event.Playback, pauses []event.Pause, c event.Clip) line {
	l := line{moving: p.Mode == event.Playing, position: float64(p.Position), at: float64(p.At), rate: p.Rate, stop: math.Inf(1)}
	if p.Mode == event.Waiting { // whoever waits, waits at the line's place at once
		l.at = 0
	}
	if l.moving {
		l.stop = nextStop(p.Position, pauses, c)
	}
	return l
}

// nextStop is where playing stops by itself, µs: in the middle of the frame of the next pause, or of the last frame of the range.
func nextStop(position int64, pauses []event.Pause, c event.Clip) float64 {
	middle := func(n int64) int64 { return (2*n + 1) * c.FPSDen * 1_000_000 / (2 * c.FPSNum) }
	from := position * c.FPSNum / (c.FPSDen * 1_000_000)
	to := min(c.To, c.Duration)
	stop := min(max(to-1, 0)*c.FPSNum/(c.FPSDen*1_000_000), c.Frames-1)
	if stop > 0 && middle(stop) >= to {
		stop--
	}
	for _, p := range pauses {
		if p.Frame > from && p.Frame <= stop && !p.Proposed {
			stop = p.Frame
			break
		}
	}
	return float64(middle(stop))
}

// piecesOf cuts session time up to an end into pieces, without a gap; none without a clip.
func piecesOf(events []event.Event, end float64) (out []piece) {
	lines := linesOf(events)
	for i, l := range lines {
		from, to := l.since, end
		if i == 0 {
			from = 0
		}
		if i+1 < len(lines) {
			to = min(end, lines[i+1].since)
		}
		cuts := []float64{from, to}
		for _, t := range l.turns() {
			if t > from && t < to {
				cuts = append(cuts, t)
			}
		}
		slices.Sort(cuts)
		for k := 1; k < len(cuts); k++ {
			out = appendPiece(out, l, cuts[k-1], cuts[k])
		}
	}
	return out
}

func appendPiece(out []piece, l line, from, to float64) []piece {
	if to <= from {
		return out
	}
	p := piece{from: from, to: to, a: l.placeAt(from)}
	if b := l.placeAt(to); b-p.a > 1 {
		p.rate = (b - p.a) / ((to - from) * 1000)
	}
	if n := len(out) - 1; n >= 0 && out[n].rate == 0 && p.rate == 0 && math.Abs(out[n].a-p.a) <= 1 {
		out[n].to = to
		return out
	}
	return append(out, p)
}
