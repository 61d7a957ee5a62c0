package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	maxNotes   = 5000
	maxReplies = 200     // of one note
	maxText    = 10000   // runes
	maxWritten = 8 << 20 // bytes of all notes and replies: everybody who comes in gets them
	besideText = 200     // bytes of a note or a reply besides its text, about
)

// hasRoom refuses text that the session has no room for.
func (t *turn) hasRoom(text string) error {
	total := len(text)
	for _, n := range t.view.Notes {
		total += len(n.Text) + besideText
		for _, r := range n.Replies {
			total += len(r.Text) + besideText
		}
	}
	if total > maxWritten {
		return refuse("too_many", "This session holds as much text as it can. Remove a note first.")
	}
	return nil
}

func (t *turn) addNote(c event.NoteAdd) error {
	if err := t.checkWrite(c.Type, c.Visibility); err != nil {
		return err
	}
	text, err := noteText(c.Text, c.Mark)
	if err != nil {
		return err
	}
	if !validID(c.ID) {
		return refuse("invalid", "That note has no usable id. Reload the page and try again.")
	}
	if _, known := t.view.Note(c.ID); known {
		return refuse("conflict", "That note is there already.")
	}
	if len(t.view.Notes) >= maxNotes {
		return refuse("too_many", "A session can have %d notes. Remove one first.", maxNotes)
	}
	if err := t.hasRoom(text); err != nil {
		return err
	}
	n := event.Note{
		ID: c.ID, Author: t.by, Type: c.Type, Visibility: c.Visibility, Text: text, Mark: c.Mark && text == "",
		At: t.firstKey(c.At), Written: t.now, Replies: []event.Reply{},
	}
	if err := t.place(&n, c.OnClip, c.From, c.To); err != nil {
		return err
	}
	if !c.OnClip && t.ruler.ok() {
		n.OnClip, n.From = true, t.positionAt(n.At)
		n.To = n.From
	}
	t.emit(event.NoteAdded{Note: n})
	return nil
}

// firstKey is when writing began: what the member says, as far as that can be so.
func (t *turn) firstKey(at int64) int64 {
	if at == 0 {
		return t.now
	}
	return min(max(at, t.now-remember, 0), t.now)
}

// place puts a note where it was put by hand.
func (t *turn) place(n *event.Note, onClip bool, from, to int64) error {
	n.OnClip, n.From, n.To = false, 0, 0
	switch {
	case !onClip:
		return nil
	case !t.ruler.ok():
		return errNoClip()
	case from > to:
		return refuse("invalid", "A note's place in the clip has to begin before it ends.")
	}
	clip := t.view.Clip
	inRange := func(position int64) int64 { return min(max(position, clip.From), clip.To) }
	n.OnClip, n.From, n.To = true, inRange(from), inRange(to)
	return nil
}

// checkWrite checks a note's type, and whether this member may write for these readers.
func (t *turn) checkWrite(kind event.NoteType, to event.Visibility) error {
	if !slices.Contains(noteTypes, kind) {
		return refuse("invalid", "Choose what sort of note this is.")
	}
	needs, ok := writes[to]
	switch {
	case !ok:
		return refuse("invalid", "Choose who may read this note.")
	case t.may(needs):
		return nil
	case to == event.Shared:
		return refuse("forbidden", "You watch this session. You can write private notes.")
	}
	return refuse("forbidden", "You cannot write notes for those readers. Choose who may read this note.")
}

var noteTypes = []event.NoteType{
	event.Observation, event.Wondering, event.Learning, event.Question, event.Appreciation, event.NextStep,
}

var writes = map[event.Visibility]event.Action{
	event.Shared:  event.WriteShared,
	event.Coaches: event.WriteCoaches,
	event.Private: event.WritePrivate,
}

func noteText(text string, mark bool) (string, error) {
	text, err := cleanText(text, maxText, "A note")
	if err == nil && text == "" && !mark {
		err = refuse("invalid", "That note is empty. Write something first.")
	}
	return text, err
}

// noteOf gives a note that the member may read.
func (t *turn) noteOf(id string) (event.Note, error) {
	n, ok := t.view.Note(id)
	if m, _ := t.view.Member(t.by); !ok || !readable(n, Viewer{m.ID, m.Role}) {
		return event.Note{}, refuse("not_found", "That note is not there any more.")
	}
	return n, nil
}

// ownNote gives a note that the member wrote.
func (t *turn) ownNote(id string) (event.Note, error) {
	n, err := t.noteOf(id)
	if err == nil && n.Author != t.by {
		return event.Note{}, refuse("forbidden", "You can change your own notes. Reply to this one instead.")
	}
	return n, err
}

func (t *turn) editNote(c event.NoteEdit) error {
	n, err := t.ownNote(c.ID)
	if err != nil {
		return err
	}
	if err := t.checkWrite(c.Type, c.Visibility); err != nil {
		return err
	}
	before := len(n.Text)
	if n.Text, err = noteText(c.Text, n.Mark); err != nil {
		return err
	}
	if len(n.Text) > before {
		if err := t.hasRoom(n.Text[before:]); err != nil {
			return err
		}
	}
	if err := t.place(&n, c.OnClip, c.From, c.To); err != nil {
		return err
	}
	n.Type, n.Visibility, n.Mark, n.Edited = c.Type, c.Visibility, n.Mark && n.Text == "", t.now
	t.emit(event.NoteEdited{Note: n})
	return nil
}

func (t *turn) removeNote(c event.NoteRemove) error {
	n, err := t.ownNote(c.ID)
	if err != nil {
		return err
	}
	t.emit(event.NoteRemoved{ID: n.ID})
	return nil
}

func (t *turn) replyToNote(m event.Member, c event.NoteReply) error {
	if !t.may(event.WriteShared) {
		return refuse("forbidden", "You watch this session. You can write private notes.")
	}
	n, err := t.noteOf(c.Note)
	if err != nil {
		return err
	}
	text, err := noteText(c.Text, false)
	switch {
	case err != nil:
		return err
	case !validID(c.ID):
		return refuse("invalid", "That reply has no usable id. Reload the page and try again.")
	case len(n.Replies) >= maxReplies:
		return refuse("too_many", "A note can have %d replies. Write a new note instead.", maxReplies)
	case slices.ContainsFunc(n.Replies, func(r event.Reply) bool { return r.ID == c.ID }):
		return refuse("conflict", "That reply is there already.")
	}
	if err := t.hasRoom(text); err != nil {
		return err
	}
	t.emit(event.NoteReplied{Note: n.ID, Reply: event.Reply{ID: c.ID, Author: m.ID, Text: text, At: t.now}})
	return nil
}

func (t *turn) removeReply(m event.Member, c event.ReplyRemove) error {
	n, err := t.noteOf(c.Note)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(n.Replies, func(r event.Reply) bool { return r.ID == c.ID })
	switch {
	case i < 0:
		return refuse("not_found", "That reply is not there any more.")
	case n.Replies[i].Author != m.ID:
		return refuse("forbidden", "You can remove your own replies.")
	}
	t.emit(event.ReplyRemoved{Note: n.ID, ID: c.ID})
	return nil
}
