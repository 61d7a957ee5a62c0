package account

import (
	"cmp"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// checkPauses returns the pauses as they are kept: by frame, each with the name of who prepared it. Whoever changes a
// pause does not take it over.
func checkPauses(next, before []event.Pause, by string, footage *Footage) ([]event.Pause, error) {
	if len(next) > maxPauses {
		return nil, invalid("A session can have %d prepared pauses. Remove some first.", maxPauses)
	}
	first, last, ok := footage.frames()
	if len(next) > 0 && !ok {
		return nil, invalid("Pauses can be set once the session has a clip and the clip is ready.")
	}
	out := make([]event.Pause, 0, len(next))
	for _, p := range next {
		kept, err := checkPause(p, first, last)
		if err != nil {
			return nil, err
		}
		kept.By = authorOf(p.ID, before, by)
		out = append(out, kept)
	}
	slices.SortFunc(out, func(a, b event.Pause) int { return cmp.Or(cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.ID, b.ID)) })
	return out, distinctPauses(out)
}

func checkPause(p event.Pause, first, last int64) (event.Pause, error) {
	switch {
	case !validID(p.ID):
		return p, invalid("That pause has no usable id. Reload the page and try again.")
	case p.Frame < first || p.Frame > last:
		return p, invalid("That frame is outside the chosen part of the clip. Choose a place inside it.")
	case p.Think < 0 || p.Think > maxThink:
		return p, invalid("Time to think can be up to 10 minutes.")
	case p.Talk < 0 || p.Talk > maxTalk:
		return p, invalid("Time to talk can be up to 60 minutes.")
	}
	prompt, err := block(p.Prompt, maxPrompt, "A prompt")
	return event.Pause{ID: p.ID, Frame: p.Frame, Prompt: prompt, Think: p.Think, Talk: p.Talk}, err
}

func authorOf(id string, before []event.Pause, by string) string {
	for _, p := range before {
		if p.ID == id {
			return p.By
		}
	}
	return by
}

// distinctPauses wants pauses sorted by frame.
func distinctPauses(pauses []event.Pause) error {
	seen := map[string]bool{}
	for i, p := range pauses {
		if i > 0 && pauses[i-1].Frame == p.Frame {
			return invalid("There are two pauses on the same frame. Remove one, or choose another frame for it.")
		}
		if seen[p.ID] {
			return invalid("A pause is there twice. Reload the page and try again.")
		}
		seen[p.ID] = true
	}
	return nil
}

// checkNotes returns an author's notes as they are kept: by their place on the clip.
func checkNotes(next []PlannedNote, role event.Role, footage *Footage) ([]PlannedNote, error) {
	if len(next) > maxNotes {
		return nil, invalid("You can prepare %d notes. Remove some first.", maxNotes)
	}
	out := make([]PlannedNote, 0, len(next))
	for _, n := range next {
		kept, err := checkNote(n, role, footage)
		if err != nil {
			return nil, err
		}
		if hasNote(out, n.ID) {
			return nil, invalid("A note is there twice. Reload the page and try again.")
		}
		out = append(out, kept)
	}
	slices.SortStableFunc(out, func(a, b PlannedNote) int { return cmp.Compare(a.From, b.From) })
	return out, nil
}

func checkNote(n PlannedNote, role event.Role, footage *Footage) (PlannedNote, error) {
	if n.Visibility == "" {
		n.Visibility = event.Private
	}
	switch {
	case !validID(n.ID):
		return n, invalid("That note has no usable id. Reload the page and try again.")
	case !slices.Contains(noteTypes, n.Type):
		return n, invalid("Choose a type for the note.")
	case !mayShow(role, n.Visibility):
		return n, invalid("In your role you cannot show a note to these people. Choose others, or keep it private.")
	case n.From < 0 || n.To < n.From || n.To > footage.duration():
		return n, invalid("A note must lie inside the clip and begin before it ends.")
	}
	var err error
	if n.Text, err = block(n.Text, maxNote, "A note"); err != nil {
		return n, err
	}
	if n.Text == "" {
		return n, invalid("Write something in the note, or remove it.")
	}
	return n, nil
}

// mayShow reports whether role may write notes of this visibility. A plan has a clip, so no live lesson is meant.
func mayShow(role event.Role, v event.Visibility) bool {
	may := event.May(role, event.Conversation, false, false)
	switch v {
	case event.Private:
		return slices.Contains(may, event.WritePrivate)
	case event.Shared:
		return slices.Contains(may, event.WriteShared)
	case event.Coaches:
		return slices.Contains(may, event.WriteCoaches)
	}
	return false
}

// Opening is what a session begins with, but for the clip.
type Opening struct {
	Session event.Session
	Keep    int // days
	Pauses  []event.Pause
	Notes   []event.Note
}

// opening makes what the journal begins with of a plan. What no longer fits the clip, whose range may have been
// changed since, is left out (pauses) or moved to its end (notes).
func (p Plan) opening(members []Member, footage *Footage) Opening {
	o := Opening{
		Session: event.Session{ID: p.ID, Kind: p.Kind, Title: p.Title, Focus: p.Focus, Purpose: p.Purpose, Recorded: p.Recorded},
		Keep:    p.Keep,
		Pauses:  []event.Pause{},
		Notes:   []event.Note{},
	}
	if first, last, ok := footage.frames(); ok {
		for _, pause := range p.Pauses {
			if pause.Frame >= first && pause.Frame <= last {
				o.Pauses = append(o.Pauses, pause)
			}
		}
	}
	for _, m := range members {
		if !m.Removed {
			o.Notes = append(o.Notes, openingNotes(p.Notes[m.ID], m, footage)...)
		}
	}
	return o
}

func openingNotes(planned []PlannedNote, m Member, footage *Footage) []event.Note {
	end := footage.duration()
	var notes []event.Note
	for _, n := range planned {
		visibility := n.Visibility
		if !mayShow(m.Role, visibility) { // the role may have changed since
			visibility = event.Private
		}
		notes = append(notes, event.Note{
			ID: n.ID, Author: m.ID, Type: n.Type, Visibility: visibility, Text: n.Text,
			OnClip: footage != nil, From: min(n.From, end), To: min(n.To, end), Replies: []event.Reply{},
		})
	}
	return notes
}
