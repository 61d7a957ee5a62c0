package event

import (
	"cmp"
	"slices"
	"strings"
)

// Fold replaces what e changed. Folding a session's journal from its first event, session.opened, gives the
// session's state; a client folds what it is sent over the view that welcome brought, by the same rules:
//
//   - session.opened resets everything: nobody is here, nothing is recorded, the player is stopped at the
//     begin of the clip's range at rate 1 with seq 0.
//   - Whoever comes, is lost, leaves or is removed is no longer in playback.ready and hold.confirmed: they say
//     so again once they are back.
//   - hold.began brings the line too, and marks its prepared pause as passed. hold.ended takes the hold away.
//   - Strokes stay on their frame until the line moves, or stands on another frame.
//   - member.withdrew with notes takes away the member's notes, replies, strokes, and answers to the hold.
//   - hold.answered with at 0 takes an answer back; with an empty text and an at, somebody wrote an answer
//     that is not for this member yet: only "answered" grows.
//   - Members are kept by joined, pauses by frame, notes and replies by at, each then by id; ready, confirmed
//     and answered are sorted ids; answers are kept by member.
//   - Transient events, and events about an entity that is not there, change nothing.
//
// Fold never writes into a slice that came with an event, nor into one inside an entity: those may be shared.
// It does write into the view's own Members, Pauses and Notes.
func (v *View) Fold(e Event) {
	switch b := e.Body.(type) {
	case SessionOpened:
		v.open(b)
	case SessionEnded:
		v.Session = b.Session
	case MemberJoined:
		v.arrive(b.Member)
	case MemberChanged:
		v.putMember(b.Member)
	case MemberWithdrew:
		v.withdraw(b)
	case MemberLost:
		v.arrive(b.Member)
	case MemberLeft:
		v.arrive(b.Member)
	case MemberRemoved:
		v.arrive(b.Member)
	case ControlsChanged:
		v.Controls = b.Controls
	case PauseSet:
		v.Pauses = put(v.Pauses, b.Pause, pauseID, byFrame)
	case PauseRemoved:
		v.Pauses = drop(v.Pauses, b.ID, pauseID)
	case RecordingChanged:
		v.Recording = b.Recording
	case KeepingChanged:
		v.Keeping = b.Keeping
	case ReuseChanged:
		v.Reuse = b.Reuse
	case PlaybackChanged:
		v.setLine(b.Playback)
	case PlaybackReadied:
		if b.Seq == v.Playback.Seq {
			v.Playback.Ready = include(v.Playback.Ready, b.Member)
		}
	case NoteAdded:
		v.putNote(b.Note)
	case NoteEdited:
		v.putNote(b.Note)
	case NoteRemoved:
		v.Notes = drop(v.Notes, b.ID, noteID)
	case NoteReplied:
		v.changeNote(b.Note, func(n *Note) { n.Replies = put(slices.Clone(n.Replies), b.Reply, replyID, byReplyAt) })
	case ReplyRemoved:
		v.changeNote(b.Note, func(n *Note) { n.Replies = drop(slices.Clone(n.Replies), b.ID, replyID) })
	case DrawingAdded:
		v.Drawings = append(slices.Clone(v.Drawings), b.Drawing)
	case DrawingRemoved:
		v.leaveOut(func(d Drawing) bool { return slices.Contains(b.IDs, d.ID) })
	default:
		v.foldHold(e)
	}
}

func (v *View) foldHold(e Event) {
	switch b := e.Body.(type) {
	case HoldBegan:
		v.beginHold(b)
	case HoldConfirmed:
		v.changeHold(b.Hold, func(h *Hold) { h.Confirmed = include(h.Confirmed, b.Member) })
	case HoldAnswered:
		v.changeHold(b.Hold, func(h *Hold) { h.answer(b.Answer) })
	case HoldPhaseChanged:
		v.changeHold(b.Hold, func(h *Hold) { h.Phase, h.PhaseSince = b.Phase, b.Since })
	case HoldRevealed:
		v.changeHold(b.Hold, func(h *Hold) { h.Revealed, h.Answers = true, some(b.Answers) })
	case HoldEnded:
		if v.Hold != nil && v.Hold.ID == b.Hold {
			v.Hold = nil
		}
	}
}

// Clone copies the view so that folding into either does not change the other.
func (v *View) Clone() View {
	c := *v
	c.Members = append([]Member{}, v.Members...)
	c.Pauses = append([]Pause{}, v.Pauses...)
	c.Notes = append([]Note{}, v.Notes...)
	return c
}

// Member gives the member with this id.
func (v *View) Member(id string) (Member, bool) { return find(v.Members, id, memberID) }

// Pause gives the prepared pause with this id.
func (v *View) Pause(id string) (Pause, bool) { return find(v.Pauses, id, pauseID) }

// Note gives the note with this id.
func (v *View) Note(id string) (Note, bool) { return find(v.Notes, id, noteID) }

func (v *View) open(b SessionOpened) {
	*v = View{
		Session:   b.Session,
		Clip:      b.Clip,
		Members:   []Member{},
		Playback:  Playback{Mode: Stopped, Rate: 1, Ready: []string{}},
		Pauses:    append([]Pause{}, b.Pauses...),
		Notes:     append([]Note{}, b.Notes...),
		Drawings:  []Drawing{},
		Recording: Recording{State: NotRecording},
		Keeping:   b.Keeping,
		Reuse:     Reuse{Of: []string{}, Agreed: []string{}},
	}
	if b.Clip != nil {
		v.Playback.Position = b.Clip.From
	}
	slices.SortFunc(v.Pauses, byFrame)
	for i := range v.Notes {
		v.Notes[i].Replies = some(v.Notes[i].Replies)
	}
	slices.SortFunc(v.Notes, byAt)
}

// arrive puts a member whose presence changed.
func (v *View) arrive(m Member) {
	v.putMember(m)
	v.Playback.Ready = exclude(v.Playback.Ready, m.ID)
	if v.Hold != nil && slices.Contains(v.Hold.Confirmed, m.ID) {
		v.changeHold(v.Hold.ID, func(h *Hold) { h.Confirmed = exclude(h.Confirmed, m.ID) })
	}
}

// withdraw puts a member who took back their consent, and takes what they wrote away if they want that.
func (v *View) withdraw(b MemberWithdrew) {
	v.putMember(b.Member)
	if !b.Notes {
		return
	}
	kept := []Note{}
	for _, n := range v.Notes {
		if n.Author == b.Member.ID {
			continue
		}
		n.Replies = slices.DeleteFunc(some(slices.Clone(n.Replies)), func(r Reply) bool { return r.Author == b.Member.ID })
		kept = append(kept, n)
	}
	v.Notes = kept
	v.leaveOut(func(d Drawing) bool { return d.Author == b.Member.ID })
	if v.Hold != nil {
		v.changeHold(v.Hold.ID, func(h *Hold) { h.answer(Answer{Member: b.Member.ID}) })
	}
}

func (v *View) putMember(m Member) { v.Members = put(v.Members, m, memberID, byJoined) }

func (v *View) putNote(n Note) {
	n.Replies = some(n.Replies)
	v.Notes = put(v.Notes, n, noteID, byAt)
}

func (v *View) setLine(p Playback) {
	p.Ready = some(p.Ready)
	if !p.Stands() || p.Position != v.Playback.Position {
		v.Drawings = []Drawing{}
	}
	v.Playback = p
}

// leaveOut replaces the strokes by those that stay.
func (v *View) leaveOut(gone func(Drawing) bool) {
	v.Drawings = slices.DeleteFunc(some(slices.Clone(v.Drawings)), gone)
}

func (v *View) beginHold(b HoldBegan) {
	h := b.Hold
	h.Confirmed, h.Answered, h.Answers = some(h.Confirmed), some(h.Answered), some(h.Answers)
	v.Hold = &h
	v.setLine(b.Playback)
	if i := index(v.Pauses, h.Pause, pauseID); i >= 0 {
		v.Pauses[i].Passed = true
	}
}

// changeHold replaces the hold, so that a copy of the view keeps its own.
func (v *View) changeHold(id string, change func(*Hold)) {
	if v.Hold == nil || v.Hold.ID != id {
		return
	}
	h := *v.Hold
	change(&h)
	v.Hold = &h
}

func (v *View) changeNote(id string, change func(*Note)) {
	if i := index(v.Notes, id, noteID); i >= 0 {
		change(&v.Notes[i])
	}
}

func (h *Hold) answer(a Answer) {
	h.Answers = drop(slices.Clone(h.Answers), a.Member, answerMember)
	if a.At == 0 {
		h.Answered = exclude(h.Answered, a.Member)
		return
	}
	h.Answered = include(h.Answered, a.Member)
	if a.Text != "" {
		h.Answers = put(h.Answers, a, answerMember, byMember)
	}
}

func memberID(m *Member) string     { return m.ID }
func pauseID(p *Pause) string       { return p.ID }
func noteID(n *Note) string         { return n.ID }
func replyID(r *Reply) string       { return r.ID }
func answerMember(a *Answer) string { return a.Member }

func byJoined(a, b Member) int {
	return cmp.Or(cmp.Compare(a.Joined, b.Joined), strings.Compare(a.ID, b.ID))
}

func byFrame(a, b Pause) int {
	return cmp.Or(cmp.Compare(a.Frame, b.Frame), strings.Compare(a.ID, b.ID))
}

func byAt(a, b Note) int {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
}

func byReplyAt(a, b Reply) int {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
}

func byMember(a, b Answer) int { return strings.Compare(a.Member, b.Member) }

// index looks from the end: what is asked for is mostly recent.
func index[T any](list []T, id string, idOf func(*T) string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if idOf(&list[i]) == id {
			return i
		}
	}
	return -1
}

func find[T any](list []T, id string, idOf func(*T) string) (T, bool) {
	if i := index(list, id, idOf); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}

// put replaces the entity with the same id, or adds it, at its place in the order. It writes into list.
func put[T any](list []T, entity T, idOf func(*T) string, order func(a, b T) int) []T {
	if i := index(list, idOf(&entity), idOf); i >= 0 {
		if order(list[i], entity) == 0 {
			list[i] = entity
			return list
		}
		list = slices.Delete(list, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(list, entity, order)
	return slices.Insert(list, at, entity)
}

// drop takes the entity with this id away. It writes into list.
func drop[T any](list []T, id string, idOf func(*T) string) []T {
	if i := index(list, id, idOf); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return some(list)
}

// include gives a sorted set with id in it; it does not write into set.
func include(set []string, id string) []string {
	at, found := slices.BinarySearch(set, id)
	if found {
		return set
	}
	out := make([]string, 0, len(set)+1)
	return append(append(append(out, set[:at]...), id), set[at:]...)
}

// exclude gives a sorted set without id in it; it does not write into set.
func exclude(set []string, id string) []string {
	at, found := slices.BinarySearch(set, id)
	if !found {
		return some(set)
	}
	out := make([]string, 0, len(set)-1)
	return append(append(out, set[:at]...), set[at+1:]...)
}

// some makes an empty list of no list: JSON then says [], never null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
