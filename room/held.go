package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	heldFor  = 3000   // ms; for whom a start waits longer holds it up
	heldOnce = 30_000 // ms in which a member holds up the others once
)

// noteHeld remembers, before an event is folded, who has held up a start that others were ready for: who gets ready so late, or is
// not when the wait ends.
func (s *State) noteHeld(e event.Event) {
	line := s.view.Playback
	if line.Mode != event.Waiting || len(line.Ready) == 0 || e.At-(line.At-readyFor) < heldFor {
		return
	}
	switch b := e.Body.(type) {
	case event.PlaybackReadied:
		s.holds(b.Member, e.At)
	case event.MemberLost:
		s.holds(b.Member.ID, e.At)
	case event.MemberChanged:
		if b.Member.Watching == event.Behind {
			s.holds(b.Member.ID, e.At)
		}
	case event.PlaybackChanged, event.HoldBegan:
		for _, m := range s.view.Members {
			s.holds(m.ID, e.At)
		}
	}
}

func (s *State) holds(member string, at int64) {
	m, ok := s.view.Member(member)
	if _, ready := slices.BinarySearch(s.view.Playback.Ready, member); ok && !ready && s.awaited(m, at) {
		s.held[member] = at
	}
}

// awaited reports whether a start at a session time waits for a member.
func (s *State) awaited(m event.Member, at int64) bool {
	held, ever := s.held[m.ID]
	return m.Presence == event.Here && m.Watching == event.Along && (!ever || at >= held+heldOnce)
}
