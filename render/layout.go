package render

import (
	"cmp"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// box is a part of the picture, in pixels.
type box struct{ x, y, w, h int }

// tile is where a person is, and what is to be seen of them.
type tile struct {
	box
	member string
	name   string
}

// layout is where things are, for the whole film.
type layout struct {
	stage box // of the clip and of shared screens; empty where there is neither
	tiles []tile
}

// railWidth is what faces have beside a stage.
const railWidth = 320

// arrange makes the layout: whoever is seen or heard has a tile.
func (w *work) arrange(end event.View) layout {
	var l layout
	faces := box{0, 0, width, height}
	if w.clip || slices.ContainsFunc(w.tracks, func(t track) bool { return t.source == screen }) {
		l.stage = box{0, 0, width - railWidth, height}
		faces = box{width - railWidth, 0, railWidth, height}
	}
	for _, m := range end.Members {
		if slices.ContainsFunc(w.tracks, func(t track) bool { return t.member == m.ID }) {
			l.tiles = append(l.tiles, tile{member: m.ID, name: cmp.Or(m.Name, "Somebody")})
		}
	}
	for i, b := range grid(faces, len(l.tiles)) {
		l.tiles[i].box = b
	}
	return l
}

// gap is between tiles, px.
const gap = 4

// grid places n tiles of 16 by 9 in an area, as large as they can be, rows in the middle.
func grid(area box, n int) (out []box) {
	if n == 0 {
		return nil
	}
	var best box
	columns := 1
	for c := 1; c <= n; c++ {
		rows := (n + c - 1) / c
		w := min(area.w/c, area.h/rows*16/9)
		if w > best.w {
			best, columns = box{w: w &^ 1, h: w * 9 / 16 &^ 1}, c
		}
	}
	rows := (n + columns - 1) / columns
	top := area.y + (area.h-rows*best.h)/2
	for i := range n {
		inRow := min(columns, n-i/columns*columns)
		left := area.x + (area.w-inRow*best.w)/2
		out = append(out, box{left + i%columns*best.w + gap/2, top + i/columns*best.h + gap/2, best.w - gap, best.h - gap})
	}
	return out
}
