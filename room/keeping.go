package room

import "github.com/pausepoint/pausepoint/room/event"

// maxReason bounds the reason of a legal hold, in characters.
const maxReason = 500

// Keep sets for how many days the session is kept after its last moment; 0 is for ever. Whether the member may is for the caller to
// know, who knows whose session it is.
func (s *State) Keep(env Env, member string, days int64) []event.Event {
	next := s.view.Keeping
	next.Days = days
	return s.changeKeeping(env, member, next)
}

// LegalHold sets or lifts the legal hold on the session. The reason is for those who were in it.
func (s *State) LegalHold(env Env, on bool, reason string) []event.Event {
	next := event.Keeping{Days: s.view.Keeping.Days}
	if on {
		next.Held, next.Reason = s.view.Keeping.Held, cleanCut(reason, maxReason)
		if next.Held == 0 {
			next.Held = env.Wall
		}
	}
	return s.changeKeeping(env, "", next)
}

func (s *State) changeKeeping(env Env, by string, next event.Keeping) []event.Event {
	if next == s.view.Keeping {
		return nil
	}
	t := s.turn(env, by, "")
	t.emit(event.KeepingChanged{Keeping: next, When: t.wall})
	return t.out
}
