package room

import "github.com/pausepoint/pausepoint/room/event"

func (t *turn) startRecording() error {
	if !t.may(event.Record) {
		return refuse("forbidden", "The focal teacher, a coach or a facilitator can start the recording.")
	}
	if t.view.Recording.State == event.RecordingOn {
		return nil
	}
	switch n := t.notAgreed(); n {
	case 0:
		t.setRecording(event.RecordingOn, "")
		return nil
	case 1:
		return refuse("conflict", "One person here has not agreed to being recorded. Ask everybody whether they agree, then start again.")
	default:
		return refuse("conflict", "%d people here have not agreed to being recorded. Ask everybody whether they agree, then start again.", n)
	}
}

// notAgreed counts who is in the session without having agreed.
func (s *State) notAgreed() int {
	n := 0
	for _, m := range s.view.Members {
		if m.Presence != event.Left && m.Consent != event.Agreed {
			n++
		}
	}
	return n
}

func (t *turn) stopRecording() error {
	if !t.may(event.GoOffRecord) {
		return refuse("forbidden", "You are not a member of this session.")
	}
	if t.view.Recording.State == event.RecordingOn {
		t.setRecording(event.OffTheRecord, "")
	}
	return nil
}

// consent changes a member's answer. Whoever does not agree takes everybody off the record, without being named there.
func (t *turn) consent(m event.Member, c event.MemberConsent) error {
	old := m
	switch {
	case c.Agree:
		m.Consent = event.Agreed
	case m.Consent == event.Agreed:
		m.Consent = event.Withdrawn
	case m.Consent == event.Unasked:
		m.Consent = event.Declined
	}
	if m.Consent != event.Agreed {
		t.goOffRecord("Somebody here does not agree to being recorded.")
	}
	t.change(old, m)
	return nil
}

// goOffRecord stops a recording that is on because of somebody's consent.
func (t *turn) goOffRecord(reason string) {
	if t.view.Recording.State == event.RecordingOn {
		t.emit(event.RecordingChanged{Recording: event.Recording{State: event.OffTheRecord, Since: t.now, Reason: reason}})
	}
}

// RecordingNotice tells in a sentence what is wrong with a recording that is on; an empty one, that all is well again.
func (s *State) RecordingNotice(env Env, reason string) []event.Event {
	next := s.view.Recording
	if s.Ended() || next.State != event.RecordingOn || next.Reason == reason {
		return nil
	}
	next.Reason = reason
	t := s.turn(env, "", "")
	t.emit(event.RecordingChanged{Recording: next})
	return t.out
}

func (t *turn) setRecording(state event.RecordingState, reason string) {
	t.emit(event.RecordingChanged{Recording: event.Recording{State: state, Since: t.now, By: t.by, Reason: reason}})
}
