package room

import "github.com/pausepoint/pausepoint/room/event"

// Totals are how much goes on in a house.
type Totals struct {
	Sessions int // live
	Members  int // who are here
	Away     int // whose connection is gone for a moment
}

// Totals counts what goes on now.
func (h *House) Totals() Totals {
	var t Totals
	for _, session := range h.Sessions() {
		r, ok := h.Live(session)
		if !ok {
			continue
		}
		t.Sessions++
		for _, m := range r.Inside() {
			if m.Presence == event.Away {
				t.Away++
			} else {
				t.Members++
			}
		}
	}
	return t
}
