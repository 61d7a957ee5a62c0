package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

const notAgreeing = "Somebody here does not agree to being recorded."

// startRecording records if everybody here has agreed; while somebody has not answered, they are asked. Whoever asks agrees
// by that, unless they have said otherwise.
func (t *turn) startRecording(m event.Member) error {
	if r := t.view.Recording; !t.may(event.Record) && !(r.State == event.OffTheRecord && r.By == t.by) {
		return refuse("forbidden", "The focal teacher, a coach or a facilitator can start the recording.")
	}
	if s := t.view.Recording.State; s == event.RecordingOn || s == event.Asking {
		return nil
	}
	switch n := t.count(refuses); n {
	case 0:
	case 1:
		return refuse("conflict", "One person here does not agree to being recorded. They can change that in their settings.")
	default:
		return refuse("conflict", "%d people here do not agree to being recorded. They can change that in their settings.", n)
	}
	if m.Consent == event.Unasked {
		old := m
		m.Consent = event.Agreed
		t.change(old, m)
	}
	if t.notAgreed() > 0 {
		t.setRecording(event.Asking, "")
		return nil
	}
	t.setRecording(event.RecordingOn, "")
	return nil
}

// refuses reports whether somebody has said that they do not agree.
func refuses(m event.Member) bool { return m.Consent == event.Declined || m.Consent == event.Withdrawn }

// notAgreed counts who is in the session without having agreed.
func (s *State) notAgreed() int {
	return s.count(func(m event.Member) bool { return m.Consent != event.Agreed })
}

// count counts who is in the session, here or away, and is such.
func (s *State) count(such func(event.Member) bool) int {
	n := 0
	for _, m := range s.view.Members {
		if m.Presence != event.Left && such(m) {
			n++
		}
	}
	return n
}

func (t *turn) stopRecording() error {
	if !t.may(event.GoOffRecord) {
		return refuse("forbidden", "You are not a member of this session.")
	}
	switch t.view.Recording.State {
	case event.RecordingOn:
		t.setRecording(event.OffTheRecord, "")
	case event.Asking:
		t.setRecording(event.NotRecording, "")
	}
	return nil
}

// consent changes a member's answer. Whoever does not agree takes everybody off the record, without being named there.
func (t *turn) consent(m event.Member, c event.MemberConsent) error {
	if !c.Agree && m.Consent == event.Agreed {
		t.withdraw(m, c.RemoveNotes)
		return nil
	}
	old := m
	switch {
	case c.Agree:
		m.Consent = event.Agreed
	case m.Consent == event.Unasked:
		m.Consent = event.Declined
	}
	if refuses(m) {
		t.goOffRecord(notAgreeing)
	}
	t.change(old, m)
	t.settleQuestion()
	return nil
}

// withdraw takes a member's consent back.
func (t *turn) withdraw(m event.Member, notes bool) {
	if m.Presence != event.Left {
		t.goOffRecord(notAgreeing)
	}
	m.Consent = event.Withdrawn
	t.emit(event.MemberWithdrew{Member: m, Notes: notes, When: t.wall})
	t.takeReuseBack(m.ID)
}

// Withdraw takes back what a member has agreed to, also of those who have left, and of a session that has ended. An error is a
// *event.Problem, and then nothing has changed.
func (s *State) Withdraw(env Env, member string, notes bool) ([]event.Event, error) {
	m, ok := s.view.Member(member)
	if !ok {
		return nil, refuse("not_found", "You were not in this session, so nothing of you was recorded.")
	}
	t := s.turn(env, member, "")
	if m.Consent != event.Withdrawn || notes {
		t.withdraw(m, notes)
	}
	return t.out, nil
}

// Erased keeps the proof that what was recorded of a member is gone; When is set here. Under a legal hold it is an error, a *event.Problem:
// what is gone is proved when that ends.
func (s *State) Erased(env Env, erased event.RecordingErased) ([]event.Event, error) {
	if s.view.Keeping.Held != 0 {
		return nil, refuse("conflict", "This session is under a legal hold. Nothing of it is removed until that ends.")
	}
	t := s.turn(env, "", "")
	erased.Files, erased.When = append([]event.ErasedFile{}, erased.Files...), t.wall
	t.emit(erased)
	return t.out, nil
}

// SeeMeasures keeps that a member has looked at the measures of their part, the first time that they do. An error is a
// *event.Problem, and then nothing has changed.
func (s *State) SeeMeasures(env Env, member string) ([]event.Event, error) {
	if !s.Ended() {
		return nil, refuse("conflict", "The measures are there once the session has ended.")
	}
	if _, ok := s.view.Member(member); !ok || s.measured[member] {
		return nil, nil
	}
	t := s.turn(env, member, "")
	t.emit(event.MeasuresSeen{Member: member, When: t.wall})
	return t.out, nil
}

// goOffRecord stops a recording that is on, or is asked for, because of somebody's consent.
func (t *turn) goOffRecord(reason string) {
	switch t.view.Recording.State {
	case event.RecordingOn:
		t.emit(event.RecordingChanged{Recording: event.Recording{State: event.OffTheRecord, Since: t.now, Reason: reason}})
	case event.Asking:
		t.emit(event.RecordingChanged{Recording: event.Recording{State: event.NotRecording, Since: t.now, Reason: reason}})
	}
}

// settleQuestion begins the recording that was asked for once everybody agrees, and forgets the question when whoever asked has
// left.
func (t *turn) settleQuestion() {
	asked := t.view.Recording
	if asked.State != event.Asking {
		return
	}
	asker := func(m event.Member) bool { return m.ID == asked.By && m.Presence != event.Left }
	switch {
	case !slices.ContainsFunc(t.view.Members, asker):
		t.setRecording(event.NotRecording, "")
	case t.notAgreed() == 0:
		t.emit(event.RecordingChanged{Recording: event.Recording{State: event.RecordingOn, Since: t.now, By: asked.By}})
	}
}

// RecordingNotice tells in a sentence what is wrong with a recording that is on, and from when to when in session time something is
// missing because of that, 0 as long as that lasts; an empty one, that all is well again.
func (s *State) RecordingNotice(env Env, reason string, from, to int64) []event.Event {
	next := s.view.Recording
	next.Reason, next.MissingFrom, next.MissingTo = reason, from, to
	if s.Ended() || next.State != event.RecordingOn || next == s.view.Recording {
		return nil
	}
	t := s.turn(env, "", "")
	t.emit(event.RecordingChanged{Recording: next})
	return t.out
}

func (t *turn) setRecording(state event.RecordingState, reason string) {
	t.emit(event.RecordingChanged{Recording: event.Recording{State: state, Since: t.now, By: t.by, Reason: reason}})
}
