package room

import "github.com/pausepoint/pausepoint/room/event"

// stint is since when a member has been on the record, or when they last were, in ms of session time.
type stint struct {
	from, to int64
	on       bool
}

// foldRecord follows who is on the record.
func (s *State) foldRecord(at int64) {
	for _, m := range s.view.Members {
		was := s.record[m.ID]
		switch on := s.onRecord(m); {
		case on && !was.on:
			s.record[m.ID] = stint{from: at, on: true}
		case !on && was.on:
			s.record[m.ID] = stint{from: was.from, to: at}
		}
	}
}

func (s *State) onRecord(m event.Member) bool {
	return s.view.Recording.State == event.RecordingOn && m.Consent == event.Agreed && m.Presence != event.Left
}

// Spoke keeps one stretch of a member's talk, in session time, as far as it was on the record and the member agrees to that.
func (s *State) Spoke(env Env, speech event.Speech) []event.Event {
	m, known := s.view.Member(speech.Member)
	t := s.turn(env, speech.Member, "")
	last := s.record[speech.Member]
	speech.From, speech.To = max(speech.From, last.from), min(speech.To, t.now)
	if !last.on {
		speech.To = min(speech.To, last.to)
	}
	if !known || m.Consent != event.Agreed || s.Ended() || speech.From >= speech.To {
		return nil
	}
	t.emit(event.MemberSpoke{Speech: speech})
	return t.out
}
