package account

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event"
)

// DefaultPurpose is a session's purpose until somebody writes another.
const DefaultPurpose = "We look closely to learn; nobody is being assessed."

// Limits of a plan; texts in characters. None is beyond those of the live session.
const (
	maxTitle   = 200
	maxFocus   = 1000
	maxPurpose = 1000
	maxPrompt  = 500
	maxNote    = 10_000
	maxPauses  = 200
	maxNotes   = 500            // of one author
	maxThink   = 10 * 60 * 1000 // ms
	maxTalk    = 60 * 60 * 1000 // ms
	minMinutes = 5
	maxMinutes = 8 * 60
	maxKeep    = 10 * 365 // days
)

// Plan is what is prepared for a session.
type Plan struct {
	ID        string // of the session, UUIDv7
	Planner   string // account
	Kind      event.Kind
	Title     string
	Focus     string
	Purpose   string
	Clip      string    // id, or empty
	Scheduled time.Time // UTC; zero when no time is set
	Minutes   int
	Recorded  bool // to be recorded, if all agree
	Keep      int  // days for which it is kept after its last moment; 0 is for ever
	Pauses    []event.Pause
	Notes     map[string][]PlannedNote // by member
	Created   time.Time
}

// PlannedNote is a note on the clip, written alone before the session.
type PlannedNote struct {
	ID         string           `json:"id"`
	Type       event.NoteType   `json:"type"`
	Text       string           `json:"text"`
	Visibility event.Visibility `json:"visibility"` // private when empty; takes effect when the session opens
	From       int64            `json:"from"`       // clip time, µs
	To         int64            `json:"to"`         // equal to From for a moment
}

// Footage is what planning has to know of a clip. Times are µs of clip time; all numbers are 0 until it is prepared.
type Footage struct {
	ID       string
	Owner    string // account; empty for the practice clip
	Title    string
	Practice bool
	Duration int64
	Frames   int64
	FPSNum   int64
	FPSDen   int64
	From     int64 // chosen range [From, To)
	To       int64
}

// frames returns the first and last frame whose middle is in the chosen range; ok is false for no clip (nil), and for one
// that is not prepared.
func (f *Footage) frames() (first, last int64, ok bool) {
	if f == nil || f.Frames <= 0 || f.FPSNum <= 0 || f.FPSDen <= 0 || f.To <= f.From {
		return 0, 0, false
	}
	tick := f.FPSDen * 1_000_000
	first = f.From * f.FPSNum / tick
	if f.middle(first) < f.From {
		first++
	}
	last = (min(f.To, f.Duration) - 1) * f.FPSNum / tick
	if f.middle(last) >= f.To {
		last--
	}
	last = min(last, f.Frames-1)
	return first, last, first <= last
}

func (f *Footage) duration() int64 {
	if f == nil {
		return 0
	}
	return f.Duration
}

func (f *Footage) middle(n int64) int64 { return (2*n + 1) * f.FPSDen * 1_000_000 / (2 * f.FPSNum) }

// Optional is a field that may be absent, null or a value. Absent leaves things as they are.
type Optional[T any] struct {
	Set   bool // not absent
	Value *T   // nil for null
}

// UnmarshalJSON is called only where the field is there.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	return json.Unmarshal(b, &o.Value)
}

// Change is what somebody changes of a plan; nil leaves a field as it is. Its JSON is the body of a request.
type Change struct {
	Kind      *event.Kind         `json:"kind"`
	Title     *string             `json:"title"`
	Focus     *string             `json:"focus"`
	Purpose   *string             `json:"purpose"`
	Clip      Optional[string]    `json:"clip"`
	Scheduled Optional[time.Time] `json:"scheduled"`
	Minutes   *int                `json:"minutes"`
	Recorded  *bool               `json:"recorded"`
	Keep      *int                `json:"keep"`   // days; 0 is for ever
	Pauses    *[]event.Pause      `json:"pauses"` // all of them
	Notes     *[]PlannedNote      `json:"notes"`  // all of one's own
}

// plannersOnly reports whether the change touches more than pauses and notes.
func (c Change) plannersOnly() bool {
	return c.Kind != nil || c.Title != nil || c.Focus != nil || c.Purpose != nil || c.Clip.Set || c.Scheduled.Set ||
		c.Minutes != nil || c.Recorded != nil || c.Keep != nil
}

// apply checks the change, which by makes, and makes it. footage is the clip that the plan has afterwards, if it has one.
// An error is an [*event.Problem]; p may then have been changed in part.
func (c Change) apply(p *Plan, by Member, footage *Footage) error {
	if err := c.applyFrame(p); err != nil {
		return err
	}
	if err := c.applyClip(p); err != nil {
		return err
	}
	if c.Pauses != nil {
		pauses, err := checkPauses(*c.Pauses, p.Pauses, by.Name, footage)
		if err != nil {
			return err
		}
		p.Pauses = pauses
	}
	if c.Notes != nil {
		return c.applyNotes(p, by, footage)
	}
	return nil
}

func (c Change) applyFrame(p *Plan) error {
	if c.Kind != nil {
		if !slices.Contains(kinds, *c.Kind) {
			return invalid("Choose a kind of session: kickoff, conversation, inquiry, live lesson or reflection.")
		}
		p.Kind = *c.Kind
	}
	if err := c.applyTexts(p); err != nil {
		return err
	}
	if c.Scheduled.Set {
		if err := p.schedule(c.Scheduled.Value); err != nil {
			return err
		}
	}
	if c.Minutes != nil {
		if *c.Minutes < minMinutes || *c.Minutes > maxMinutes {
			return invalid("A session can last from %d minutes to %d hours.", minMinutes, maxMinutes/60)
		}
		p.Minutes = *c.Minutes
	}
	if c.Recorded != nil {
		p.Recorded = *c.Recorded
	}
	if c.Keep != nil {
		if err := CheckKeep(*c.Keep); err != nil {
			return err
		}
		p.Keep = *c.Keep
	}
	return nil
}

// CheckKeep refuses what is no number of days for which a session can be kept.
func CheckKeep(days int) error {
	if days < 0 || days > maxKeep {
		return invalid("A session can be kept for up to %d days, or for ever.", maxKeep)
	}
	return nil
}

func (c Change) applyTexts(p *Plan) (err error) {
	if c.Title != nil {
		if p.Title, err = line(*c.Title, maxTitle, "A title"); err != nil {
			return err
		}
		if p.Title == "" {
			return invalid("A session needs a title. Write a few words that people recognise it by.")
		}
	}
	if c.Focus != nil {
		if p.Focus, err = block(*c.Focus, maxFocus, "A focus question"); err != nil {
			return err
		}
	}
	if c.Purpose != nil {
		if p.Purpose, err = line(*c.Purpose, maxPurpose, "A purpose"); err != nil {
			return err
		}
		if p.Purpose == "" {
			p.Purpose = DefaultPurpose
		}
	}
	return nil
}

// schedule keeps whole seconds of a year that calendars know.
func (p *Plan) schedule(t *time.Time) error {
	if t == nil {
		p.Scheduled = time.Time{}
		return nil
	}
	if t.Year() < 2020 || t.Year() > 2120 {
		return invalid("Choose a date that is not so far away.")
	}
	p.Scheduled = t.UTC().Truncate(time.Second)
	return nil
}

// applyClip changes the clip. Pauses name frames of the old one, so they go with it.
func (c Change) applyClip(p *Plan) error {
	if c.Clip.Set {
		next := ""
		if c.Clip.Value != nil {
			next = *c.Clip.Value
		}
		if next != p.Clip {
			p.Clip, p.Pauses = next, nil
		}
	}
	if p.Kind == event.LiveLesson && p.Clip != "" {
		return invalid("A live lesson has no clip: the lesson itself is what people watch. Take the clip out of the plan.")
	}
	return nil
}

func (c Change) applyNotes(p *Plan, by Member, footage *Footage) error {
	notes, err := checkNotes(*c.Notes, by.Role, footage)
	if err != nil {
		return err
	}
	for author, others := range p.Notes {
		if author != by.ID && slices.ContainsFunc(others, func(n PlannedNote) bool { return hasNote(notes, n.ID) }) {
			return invalid("One of these notes cannot be kept. Reload the page and write it again.")
		}
	}
	if p.Notes == nil {
		p.Notes = map[string][]PlannedNote{}
	}
	p.Notes[by.ID] = notes
	if len(notes) == 0 {
		delete(p.Notes, by.ID)
	}
	return nil
}

func hasNote(notes []PlannedNote, id string) bool {
	return slices.ContainsFunc(notes, func(n PlannedNote) bool { return n.ID == id })
}

var (
	kinds     = []event.Kind{event.Kickoff, event.Conversation, event.Inquiry, event.LiveLesson, event.Reflection}
	roles     = []event.Role{event.Focal, event.Coach, event.Facilitator, event.Peer, event.Observer}
	noteTypes = []event.NoteType{event.Observation, event.Wondering, event.Learning, event.Question, event.Appreciation, event.NextStep}
)

// titleOf is a session's title until somebody writes another.
func titleOf(k event.Kind) string {
	switch k {
	case event.Kickoff:
		return "Kickoff call"
	case event.Inquiry:
		return "Inquiry"
	case event.LiveLesson:
		return "Live lesson"
	case event.Reflection:
		return "Reflection"
	}
	return "Conversation"
}

// validID accepts UUIDs in their usual form, as clients make them.
func validID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}
