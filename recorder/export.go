package recorder

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/room/event/text"
)

// The shape that WriteJSON writes: its name, and its version, which grows when a field changes its meaning.
const (
	exportFormat  = "pausepoint-notes"
	exportVersion = 1
)

// Export is what was written in a session, in the shape of the JSON export. Session times are ms since the session was opened,
// clip times are µs in the prepared clip. Lists are never null. Strings are valid UTF-8 with "\n" for a new line.
type Export struct {
	Format  string         `json:"format"` // "pausepoint-notes"
	Version int            `json:"version"`
	Session ExportSession  `json:"session"`
	Clip    *ExportClip    `json:"clip"` // null in a session without one
	Members []ExportMember `json:"members"`
	Notes   []ExportNote   `json:"notes"`  // by session time
	Pauses  []ExportPause  `json:"pauses"` // pivotal pauses that took place, by session time
}

// ExportSession is the session that was exported.
type ExportSession struct {
	ID       string     `json:"id"`
	Kind     event.Kind `json:"kind"`
	Title    string     `json:"title"`
	Focus    string     `json:"focus"`
	Purpose  string     `json:"purpose"`
	Opened   time.Time  `json:"opened"`   // session time 0, UTC
	Duration int64      `json:"duration"` // ms
}

// ExportClip is the clip that a session was about.
type ExportClip struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Focus    string `json:"focus"`
	Duration int64  `json:"duration"` // µs
	FPSNum   int64  `json:"fpsNum"`
	FPSDen   int64  `json:"fpsDen"`
	From     int64  `json:"from"` // chosen range, µs
	To       int64  `json:"to"`
}

// ExportMember is a person who was in the session.
type ExportMember struct {
	ID   string     `json:"id"`
	Name string     `json:"name"`
	Role event.Role `json:"role"`
}

// ExportNote is a note on both clocks.
type ExportNote struct {
	ID          string           `json:"id"`
	Author      string           `json:"author"` // name
	Member      string           `json:"member"` // the author's id
	Role        event.Role       `json:"role"`
	Type        event.NoteType   `json:"type"`
	Visibility  event.Visibility `json:"visibility"`
	Text        string           `json:"text"`
	Mark        bool             `json:"mark"`        // set by one key, without words yet
	SessionTime int64            `json:"sessionTime"` // ms
	ClipFrom    *int64           `json:"clipFrom"`    // µs; null if the note is not on the clip
	ClipTo      *int64           `json:"clipTo"`      // equal to clipFrom for a moment
	Written     int64            `json:"written"`     // session time, ms
	Edited      int64            `json:"edited"`      // session time, ms; 0 if never
	Replies     []ExportReply    `json:"replies"`
}

// ExportReply is an answer to a note.
type ExportReply struct {
	ID          string `json:"id"`
	Author      string `json:"author"`
	Member      string `json:"member"`
	Text        string `json:"text"`
	SessionTime int64  `json:"sessionTime"`
}

// ExportPause is a pivotal pause that took place.
type ExportPause struct {
	ID       string         `json:"id"`
	Frame    int64          `json:"frame"`
	Position int64          `json:"position"` // clip time, µs
	Prompt   string         `json:"prompt"`
	By       string         `json:"by"` // name
	Began    int64          `json:"began"`
	Ended    int64          `json:"ended"`   // 0 if it never did
	Answers  []ExportAnswer `json:"answers"` // those that were revealed
}

// ExportAnswer is what a member wrote for themselves at a pause, and then showed.
type ExportAnswer struct {
	Author string `json:"author"`
	Member string `json:"member"`
	Text   string `json:"text"`
	At     int64  `json:"at"`
}

// Scope is whose writing a member may take out of a session.
type Scope struct {
	member string
	reach  event.Action
}

// ScopeOf returns the widest scope of export that a member's actions give: everything that they can see, what was shared and their
// own, or their own alone.
func ScopeOf(member string, may []event.Action) (s Scope, ok bool) {
	for _, a := range []event.Action{event.ExportAll, event.ExportShared, event.ExportOwn} {
		if slices.Contains(may, a) {
			return Scope{member, a}, true
		}
	}
	return Scope{}, false
}

func (s Scope) note(n event.Note) bool {
	return s.reach == event.ExportAll || n.Author == s.member || s.reach == event.ExportShared && n.Visibility == event.Shared
}

func (s Scope) answer(a event.Answer) bool { return s.reach != event.ExportOwn || a.Member == s.member }

// NewExport collects what was written, from the events of the journal that the member may see, in order.
func NewExport(events []event.Event, scope Scope) Export {
	x := Export{
		Format: exportFormat, Version: exportVersion, Members: []ExportMember{}, Notes: []ExportNote{}, Pauses: []ExportPause{},
	}
	var v event.View
	var last int64
	holds := map[string]*event.Hold{}
	var order []string
	for _, e := range events {
		v.Fold(e)
		last = max(last, e.At)
		if b, ok := e.Body.(event.HoldBegan); ok && holds[b.Hold.ID] == nil {
			h := b.Hold
			h.Revealed, h.Answers, h.Ended = false, nil, 0
			holds[h.ID] = &h
			order = append(order, h.ID)
		}
		followHold(holds, e)
	}
	x.Session, x.Clip = exportSession(v.Session, last), exportClip(v.Clip)
	for _, m := range v.Members {
		x.Members = append(x.Members, ExportMember{ID: m.ID, Name: text.Clean(m.Name), Role: m.Role})
	}
	for _, n := range v.Notes {
		if scope.note(n) {
			x.Notes = append(x.Notes, exportNote(&v, n))
		}
	}
	for _, id := range order {
		x.Pauses = append(x.Pauses, exportPause(&v, *holds[id], scope))
	}
	return x
}

func followHold(holds map[string]*event.Hold, e event.Event) {
	switch b := e.Body.(type) {
	case event.HoldRevealed:
		if h := holds[b.Hold]; h != nil {
			h.Revealed, h.Answers = true, b.Answers
		}
	case event.HoldAnswered:
		if h := holds[b.Hold]; h != nil && h.Revealed {
			h.Answers = slices.DeleteFunc(slices.Clone(h.Answers), func(a event.Answer) bool { return a.Member == b.Answer.Member })
			if b.Answer.At != 0 && b.Answer.Text != "" {
				h.Answers = append(h.Answers, b.Answer)
			}
		}
	case event.HoldEnded:
		if h := holds[b.Hold]; h != nil {
			h.Ended = e.At
		}
	}
}

func exportSession(s event.Session, last int64) ExportSession {
	return ExportSession{
		ID: s.ID, Kind: s.Kind, Title: text.Clean(s.Title), Focus: text.Clean(s.Focus), Purpose: text.Clean(s.Purpose),
		Opened: time.UnixMilli(s.Opened).UTC(), Duration: max(last, s.Ended),
	}
}

func exportClip(c *event.Clip) *ExportClip {
	if c == nil {
		return nil
	}
	return &ExportClip{
		ID: c.ID, Title: text.Clean(c.Title), Focus: text.Clean(c.Focus), Duration: c.Duration, FPSNum: c.FPSNum, FPSDen: c.FPSDen,
		From: c.From, To: c.To,
	}
}

func exportNote(v *event.View, n event.Note) ExportNote {
	author, _ := v.Member(n.Author)
	x := ExportNote{
		ID: n.ID, Author: text.Clean(author.Name), Member: n.Author, Role: author.Role, Type: n.Type, Visibility: n.Visibility,
		Text: text.Clean(n.Text), Mark: n.Mark, SessionTime: n.At, Written: n.Written, Edited: n.Edited, Replies: []ExportReply{},
	}
	if n.OnClip {
		from, to := n.From, max(n.From, n.To)
		x.ClipFrom, x.ClipTo = &from, &to
	}
	for _, r := range n.Replies {
		x.Replies = append(x.Replies, ExportReply{
			ID: r.ID, Author: nameOf(v, r.Author), Member: r.Author, Text: text.Clean(r.Text), SessionTime: r.At,
		})
	}
	return x
}

func exportPause(v *event.View, h event.Hold, scope Scope) ExportPause {
	x := ExportPause{
		ID: h.ID, Frame: h.Frame, Position: h.Position, Prompt: text.Clean(h.Prompt), By: text.Clean(h.By), Began: h.Began, Ended: h.Ended,
		Answers: []ExportAnswer{},
	}
	for _, a := range h.Answers {
		if h.Revealed && scope.answer(a) {
			x.Answers = append(x.Answers, ExportAnswer{Author: nameOf(v, a.Member), Member: a.Member, Text: text.Clean(a.Text), At: a.At})
		}
	}
	return x
}

func nameOf(v *event.View, member string) string {
	m, _ := v.Member(member)
	return text.Clean(m.Name)
}

// WriteJSON writes an export as JSON with the shape of Export.
func WriteJSON(w io.Writer, x Export) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(x)
}
