package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// Viewer is for whom events are filtered.
type Viewer struct {
	ID   string // member
	Role event.Role
}

// readable reports whether to may read n.
func readable(n event.Note, to Viewer) bool {
	switch {
	case n.Author == to.ID || n.Visibility == event.Shared:
		return true
	case n.Visibility == event.Coaches:
		return to.Role == event.Coach || to.Role == event.Facilitator
	}
	return false
}

// Visible gives an event as a member may see it, if they may see anything of it. before is the whole state just
// before the event. Folding what is visible over what a member was welcomed with gives what they may see later.
func Visible(before *event.View, to Viewer, e event.Event) (event.Event, bool) {
	f := newFanout(before, e)
	how := f.variant(to)
	if how == hidden {
		return event.Event{}, false
	}
	return f.as(how, to), true
}

// viewFor is the whole state v as a member may see it.
func viewFor(v *event.View, member string) event.View {
	m, _ := v.Member(member)
	to := Viewer{member, m.Role}
	seen := *v
	seen.Members = append([]event.Member{}, v.Members...)
	seen.Pauses = append([]event.Pause{}, v.Pauses...)
	seen.Notes = readableNotes(v.Notes, to)
	if h := v.Hold; h != nil && !h.Revealed {
		own := *h
		own.Answers = ownAnswers(h.Answers, to.ID)
		seen.Hold = &own
	}
	return seen
}

func readableNotes(notes []event.Note, to Viewer) []event.Note {
	out := make([]event.Note, 0, len(notes))
	for _, n := range notes {
		if readable(n, to) {
			out = append(out, n)
		}
	}
	return out
}

func ownAnswers(answers []event.Answer, member string) []event.Answer {
	out := []event.Answer{}
	if i := slices.IndexFunc(answers, func(a event.Answer) bool { return a.Member == member }); i >= 0 {
		out = append(out, answers[i])
	}
	return out
}

// variant is one of the few ways in which members see the same event, so that each is marshalled once.
type variant int

const (
	hidden   variant = iota
	whole            // as it is
	appeared         // a note that was edited and may be read now
	vanished         // a note that was edited and may not be read any more
	blank            // an answer without its text
	personal         // made for one member
)

// fanout is an event on its way to members, with what is needed to tell who sees what of it.
type fanout struct {
	event event.Event
	was   *event.Note // the note before, if there was one
	is    *event.Note // the note afterwards, if there is one
	owner string      // the member whose hidden answer it is
}

func newFanout(before *event.View, e event.Event) fanout {
	f := fanout{event: e}
	switch b := e.Body.(type) {
	case event.NoteAdded:
		f.is = &b.Note
	case event.NoteEdited:
		f.was, f.is = noteBefore(before, b.Note.ID), &b.Note
	case event.NoteRemoved:
		f.was = noteBefore(before, b.ID)
	case event.NoteReplied:
		f.was = noteBefore(before, b.Note)
		f.is = f.was
	case event.ReplyRemoved:
		f.was = noteBefore(before, b.Note)
		f.is = f.was
	case event.HoldAnswered:
		if h := before.Hold; h == nil || h.ID != b.Hold || !h.Revealed {
			f.owner = b.Answer.Member
		}
	}
	return f
}

func noteBefore(before *event.View, id string) *event.Note {
	n, ok := before.Note(id)
	if !ok {
		return nil
	}
	return &n
}

// variant tells how a member sees the event.
func (f *fanout) variant(to Viewer) variant {
	switch b := f.event.Body.(type) {
	case event.SessionOpened:
		return personal
	case event.HoldAnswered:
		if f.owner == "" || f.owner == to.ID || b.Answer.Text == "" {
			return whole
		}
		return blank
	case event.NoteAdded, event.NoteEdited, event.NoteRemoved, event.NoteReplied, event.ReplyRemoved:
		return f.noteVariant(to)
	}
	return whole
}

func (f *fanout) noteVariant(to Viewer) variant {
	was := f.was != nil && readable(*f.was, to)
	is := f.is != nil && readable(*f.is, to)
	_, edited := f.event.Body.(event.NoteEdited)
	switch {
	case !was && !is:
		return hidden
	case edited && !was:
		return appeared
	case edited && !is:
		return vanished
	}
	return whole
}

// as gives the event in one of its variants.
func (f *fanout) as(how variant, to Viewer) event.Event {
	e := f.event
	switch b := e.Body.(type) {
	case event.NoteEdited:
		switch how {
		case appeared:
			e.Body = event.NoteAdded(b)
		case vanished:
			e.Body = event.NoteRemoved{ID: b.Note.ID}
		}
	case event.HoldAnswered:
		if how == blank {
			b.Answer.Text = ""
			e.Body = b
		}
	case event.SessionOpened:
		b.Notes = readableNotes(b.Notes, to)
		e.Body = b
	}
	return e
}
