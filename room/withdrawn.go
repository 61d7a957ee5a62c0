package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// WithoutWithdrawn leaves out of a journal what those had written who took back their consent with their notes, up to when they
// did. What is left folds to the same state at the end.
func WithoutWithdrawn(journal []event.Event) []event.Event {
	until := map[string]int64{} // seq, by member
	for _, e := range journal {
		if b, ok := e.Body.(event.MemberWithdrew); ok && b.Notes {
			until[b.Member.ID] = e.Seq
		}
	}
	if len(until) == 0 {
		return journal
	}
	out := make([]event.Event, 0, len(journal))
	for _, e := range journal {
		gone := func(author string) bool { return e.Seq < until[author] }
		if kept, ok := without(e, gone); ok {
			out = append(out, kept)
		}
	}
	return out
}

// without is an event without what is gone, if anything is left of it. It shares what it does not change.
func without(e event.Event, gone func(author string) bool) (event.Event, bool) {
	switch b := e.Body.(type) {
	case event.SessionOpened:
		b.Notes = slices.DeleteFunc(slices.Clone(b.Notes), func(n event.Note) bool { return gone(n.Author) })
		e.Body = b
	case event.NoteAdded:
		return e, !gone(b.Note.Author)
	case event.NoteEdited:
		if gone(b.Note.Author) {
			return e, false
		}
		b.Note.Replies = slices.DeleteFunc(slices.Clone(b.Note.Replies), func(r event.Reply) bool { return gone(r.Author) })
		e.Body = b
	case event.NoteReplied:
		return e, !gone(b.Reply.Author)
	case event.DrawingAdded:
		return e, !gone(b.Drawing.Author)
	case event.HoldAnswered:
		return e, !gone(b.Answer.Member)
	case event.HoldRevealed:
		b.Answers = slices.DeleteFunc(slices.Clone(b.Answers), func(a event.Answer) bool { return gone(a.Member) })
		e.Body = b
	}
	return e, true
}
