package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// ReuseQuestion asks whether the recording of a session that is over may become a clip of its own.
type ReuseQuestion struct {
	Clip string   `json:"clip"` // id that the clip is to have
	Of   []string `json:"of"`   // members who are asked: everybody who is in the recording
	Gone string   `json:"gone"` // id of the clip that was made before and is not there any more, if that is so
}

// AskReuse asks everybody who is in the recording for a member, who agrees by that. An error is a *event.Problem, and then nothing has
// changed.
func (s *State) AskReuse(env Env, member string, q ReuseQuestion) ([]event.Event, error) {
	if err := s.mayAskReuse(member, q); err != nil {
		return nil, err
	}
	next := event.Reuse{State: event.ReuseAsked, Clip: q.Clip, By: member, Of: slices.Sorted(slices.Values(q.Of)), Agreed: []string{}}
	if slices.Contains(next.Of, member) {
		next.Agreed = []string{member}
	}
	t := s.turn(env, member, "")
	t.setReuse(next)
	return t.out, nil
}

func (s *State) mayAskReuse(member string, q ReuseQuestion) error {
	m, ok := s.view.Member(member)
	may := event.May(m.Role, s.view.Session.Kind, false, false)
	stranger := func(id string) bool {
		_, known := s.view.Member(id)
		return !known
	}
	switch {
	case !ok || s.removed[member] || !slices.Contains(may, event.Record):
		return refuse("forbidden", "The focal teacher, a coach or a facilitator can ask for a clip of the conversation.")
	case !validID(q.Clip) || slices.ContainsFunc(q.Of, stranger):
		return errNoID()
	case !s.Ended():
		return refuse("conflict", "The session goes on. Ask when it is over.")
	case len(q.Of) == 0:
		return refuse("conflict", "Nothing of this conversation is recorded, so no clip can be made of it.")
	case s.view.Reuse.State == event.ReuseAsked:
		return refuse("conflict", "Everybody who is in the recording is being asked already.")
	case s.view.Reuse.State == event.ReuseGranted && s.view.Reuse.Clip != q.Gone:
		return refuse("conflict", "There is a clip of this conversation already.")
	}
	return nil
}

// AnswerReuse takes a member's answer to the question for a clip. Once all have agreed the clip may be made; as soon as one does not,
// nothing is asked any more. An error is a *event.Problem, and then nothing has changed.
func (s *State) AnswerReuse(env Env, member, clip string, agree bool) ([]event.Event, error) {
	next := s.view.Reuse
	switch {
	case next.Clip != clip || !slices.Contains(next.Of, member):
		return nil, refuse("forbidden", "You are not asked for that.")
	case next.State == event.ReuseGranted && !agree:
		return nil, refuse("conflict", "Everybody has agreed. To have the clip removed, take back your consent to being recorded.")
	case next.State != event.ReuseAsked:
		return nil, refuse("conflict", "This is not asked any more.")
	case agree && slices.Contains(next.Agreed, member):
		return nil, nil
	}
	t := s.turn(env, member, "")
	if !agree {
		t.endReuse(event.ReuseDeclined)
		return t.out, nil
	}
	next.Agreed = slices.Sorted(slices.Values(append([]string{member}, next.Agreed...)))
	t.setReuse(next)
	return t.out, nil
}

// setReuse keeps a question that goes on, or is answered by all.
func (t *turn) setReuse(next event.Reuse) {
	if len(next.Agreed) == len(next.Of) {
		next.State = event.ReuseGranted
	}
	t.emit(event.ReuseChanged{Reuse: next, When: t.wall})
}

// endReuse ends a question without naming who does not agree.
func (t *turn) endReuse(state event.ReuseState) {
	next := t.view.Reuse
	next.State, t.by = state, ""
	t.emit(event.ReuseChanged{Reuse: next, When: t.wall})
}

// takeReuseBack ends what a member was asked for, or has agreed to, with their consent to being recorded.
func (t *turn) takeReuseBack(member string) {
	r := t.view.Reuse
	if (r.State == event.ReuseAsked || r.State == event.ReuseGranted) && slices.Contains(r.Of, member) {
		t.endReuse(event.ReuseTakenBack)
	}
}
