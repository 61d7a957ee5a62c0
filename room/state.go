package room

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event"
)

// Env is what State is told about the world with each call.
type Env struct {
	Now   int64 // session time, ms
	Lead  int64 // ms ahead of now at which everybody can act together
	Start int64 // ms that a player takes to start: it must hear of a start so much earlier
	Wall  int64 // Unix ms, for what is to be proved; State goes by Now alone
}

// Plan is what a session opens with.
type Plan struct {
	Session event.Session
	Clip    *event.Clip // nil in a session without one
	Pauses  []event.Pause
	Notes   []event.Note // written alone beforehand
	Keep    int64        // days after the end; 0 is for ever
}

// remember is how far back the room knows where the player was, and which commands it has seen.
const remember = 15 * 60 * 1000 // ms

// State is the state of a session: the fold of its journal. Use it from one goroutine.
//
// Time must have been brought up to date by Tick before a command is applied for the same Env.
type State struct {
	view  event.View
	seq   int64 // of the latest event
	at    int64 // of the latest event
	ruler ruler

	// What View does not say, from the same journal.
	lines    []lineSince       // where the player was, for the last while
	seen     seen              // commands that were applied
	held     map[string]int64  // members for whom a start waited long, and until when it did
	turned   int64             // when pages have turned back to the clip after a pause
	lost     map[string]int64  // members who are away, and since when
	empty    int64             // since when nobody is here; -1 while somebody is
	removed  map[string]bool   // members who may not come back
	prepared map[string]string // pauses, and the members who prepared them in the session
	measured map[string]bool   // members who have looked at the measures of their part
	record   map[string]stint  // when members are on the record
}

// Open begins a session's journal with what was planned.
func Open(plan Plan) (*State, []event.Event, error) {
	if plan.Clip != nil && !newRuler(plan.Clip).ok() {
		return nil, nil, fmt.Errorf("clip %s has no usable frame rate, length or range", plan.Clip.ID)
	}
	opened := plan.opened()
	s := empty()
	t := s.turn(Env{}, "", "")
	t.emit(opened)
	if s.ruler.ok() {
		t.setLine(t.line(event.Stopped, s.ruler.middle(s.ruler.first), 0))
	}
	return s, t.out, nil
}

// opened is the plan as the journal has it: clean, and with nothing that only a session that goes on can have.
func (p Plan) opened() event.SessionOpened {
	o := event.SessionOpened{Session: p.Session, Pauses: []event.Pause{}, Notes: []event.Note{}, Keeping: event.Keeping{Days: max(p.Keep, 0)}}
	o.Session.Ended, o.Session.EndedBy = 0, ""
	o.Session.Title = cleanLine(p.Session.Title, maxTitle)
	o.Session.Focus = cleanCut(p.Session.Focus, maxAbout)
	o.Session.Purpose = cleanCut(p.Session.Purpose, maxAbout)
	if p.Clip != nil {
		clip := *p.Clip
		clip.Title, clip.Focus = cleanLine(clip.Title, maxTitle), cleanCut(clip.Focus, maxAbout)
		clip.Context = cleanCut(clip.Context, maxText)
		o.Clip = &clip
	}
	for _, pause := range p.Pauses {
		pause.Prompt, pause.By, pause.Passed = cleanCut(pause.Prompt, maxPrompt), cleanLine(pause.By, maxName), false
		pause.Think, pause.Talk = min(max(pause.Think, 0), maxThink), min(max(pause.Talk, 0), maxTalk)
		o.Pauses = append(o.Pauses, pause)
	}
	for _, n := range p.Notes {
		n.Text = cleanCut(n.Text, maxText)
		n.Replies = append([]event.Reply{}, n.Replies...)
		o.Notes = append(o.Notes, n)
	}
	return o
}

// New folds a journal.
func New(journal []event.Event) (*State, error) {
	if len(journal) == 0 {
		return nil, errors.New("the journal is empty")
	}
	if _, ok := journal[0].Body.(event.SessionOpened); !ok {
		return nil, fmt.Errorf("the journal begins with %s", event.Name(journal[0].Body))
	}
	s := empty()
	for _, e := range journal {
		if e.Seq != s.seq+1 {
			return nil, fmt.Errorf("the journal has %d after %d", e.Seq, s.seq)
		}
		s.fold(e)
	}
	return s, nil
}

func empty() *State {
	return &State{
		seen:     seen{ids: map[string]bool{}},
		held:     map[string]int64{},
		lost:     map[string]int64{},
		removed:  map[string]bool{},
		prepared: map[string]string{},
		measured: map[string]bool{},
		record:   map[string]stint{},
	}
}

// View copies the whole state, with what is private.
func (s *State) View() event.View { return s.view.Clone() }

// Seq is the number of the latest event, and At its session time.
func (s *State) Seq() int64 { return s.seq }

// At is the session time of the latest event, ms.
func (s *State) At() int64 { return s.at }

// Ended reports whether the session has ended.
func (s *State) Ended() bool { return ended(&s.view) }

// Inside reports whether anybody is here, or may still come back by themselves.
func (s *State) Inside() bool {
	return slices.ContainsFunc(s.view.Members, func(m event.Member) bool { return m.Presence != event.Left })
}

// opened sessions that have not ended have Ended 0; ending one at session time 0 is told apart by who ended it.
func ended(v *event.View) bool { return v.Session.Ended > 0 || v.Session.EndedBy != "" }

// fold takes an event in: everything State knows comes through here.
func (s *State) fold(e event.Event) {
	if e.Seq == 0 {
		return
	}
	s.noteHeld(e)
	s.view.Fold(e)
	s.seq, s.at = e.Seq, max(s.at, e.At)
	s.seen.add(e)
	switch b := e.Body.(type) {
	case event.SessionOpened:
		s.ruler = newRuler(b.Clip)
		s.empty = e.At
		s.keepLine(e.At)
	case event.PlaybackChanged, event.HoldBegan:
		s.keepLine(e.At)
	case event.HoldEnded:
		s.turned = e.At + turnFor
	case event.MemberJoined:
		delete(s.lost, b.Member.ID)
	case event.MemberLost:
		s.lost[b.Member.ID] = e.At
	case event.MemberLeft:
		delete(s.lost, b.Member.ID)
	case event.MemberRemoved:
		delete(s.lost, b.Member.ID)
		s.removed[b.Member.ID] = true
	case event.MeasuresSeen:
		s.measured[b.Member] = true
	case event.PauseSet:
		if _, known := s.prepared[b.Pause.ID]; !known {
			s.prepared[b.Pause.ID] = e.By
		}
	case event.PauseRemoved:
		delete(s.prepared, b.ID)
	}
	s.foldEmpty(e.At)
	s.foldRecord(e.At)
}

func (s *State) foldEmpty(at int64) {
	switch {
	case s.somebodyHere():
		s.empty = -1
	case s.empty < 0:
		s.empty = at
	}
}

func (s *State) somebodyHere() bool {
	return slices.ContainsFunc(s.view.Members, func(m event.Member) bool { return m.Presence == event.Here })
}

// turn is one call of State: it collects the events that the call emits.
type turn struct {
	*State
	now     int64 // session time; never before the latest event
	lead    int64
	starts  int64
	wall    int64
	by, cmd string
	out     []event.Event
}

func (s *State) turn(env Env, by, cmd string) *turn {
	lead, start := min(max(env.Lead, 0), maxLead), min(max(env.Start, 0), maxLead)
	return &turn{State: s, now: max(env.Now, s.at), lead: lead, starts: start, wall: env.Wall, by: by, cmd: cmd}
}

// emit adds an event and folds it.
func (t *turn) emit(b event.Body) {
	e := event.Event{At: t.now, By: t.by, Cmd: t.cmd, Body: b}
	if !event.Transient(b) {
		e.Seq = t.seq + 1
	}
	t.fold(e)
	t.out = append(t.out, e)
}

// Apply does what a member asks. An error is a *event.Problem, and then nothing has changed. A command id that was
// applied before is not applied again and is no error.
func (s *State) Apply(env Env, from string, cmd event.Command, id string) ([]event.Event, error) {
	if s.seen.has(from, id) {
		return nil, nil
	}
	if s.Ended() {
		return nil, errEnded()
	}
	m, ok := s.view.Member(from)
	switch {
	case !ok || s.removed[from]:
		return nil, refuse("forbidden", "You are not a member of this session.")
	case m.Presence != event.Here:
		return nil, refuse("conflict", "You are not in the session any more. Come in again.")
	case !validID(id):
		return nil, errNoID()
	}
	t := s.turn(env, from, id)
	err := t.apply(m, cmd)
	return t.out, err
}

func (t *turn) apply(m event.Member, cmd event.Command) error {
	switch c := cmd.(type) {
	case event.PlaybackPlay, event.PlaybackStop, event.PlaybackSeek, event.PlaybackStep, event.PlaybackRate:
		return t.drive(c)
	case event.PlaybackReady:
		return t.ready(c)
	case event.ControlsGive:
		return t.giveControls(m, c)
	case event.PausePut:
		return t.putPause(m, c)
	case event.PauseRemove:
		return t.removePause(c)
	case event.PauseCall:
		return t.callPause(m, c)
	case event.HoldConfirm:
		return t.confirm(c)
	case event.HoldAnswer:
		return t.answer(c)
	case event.HoldReveal:
		return t.reveal(c)
	case event.HoldContinue:
		return t.resume(c)
	case event.NoteAdd:
		return t.addNote(c)
	case event.NoteEdit:
		return t.editNote(c)
	case event.NoteRemove:
		return t.removeNote(c)
	case event.NoteReply:
		return t.replyToNote(m, c)
	case event.ReplyRemove:
		return t.removeReply(m, c)
	case event.DrawingAdd:
		return t.addDrawing(m, c)
	case event.DrawingRemove:
		return t.removeDrawings(c)
	default:
		return t.applyToMembers(m, cmd)
	}
}

func (t *turn) applyToMembers(m event.Member, cmd event.Command) error {
	switch c := cmd.(type) {
	case event.MemberDevices:
		return t.setDevices(m, c)
	case event.MemberHand:
		return t.raiseHand(m, c)
	case event.MemberWatch:
		return t.watch(m, c)
	case event.MemberType:
		return t.typing(c)
	case event.MemberConsent:
		return t.consent(m, c)
	case event.MemberRole:
		return t.changeRole(c)
	case event.MemberRemove:
		return t.removeMember(c)
	case event.MemberLeave:
		t.leave(m)
		return nil
	case event.RecordingStart:
		return t.startRecording(m)
	case event.RecordingStop:
		return t.stopRecording()
	case event.SessionEnd:
		return t.end()
	}
	return refuse("invalid", "This session does not understand that message.")
}

// may reports whether whoever asked may do a.
func (t *turn) may(a event.Action) bool { return slices.Contains(t.view.May(t.by), a) }

// end ends the session for everybody.
func (t *turn) end() error {
	if !t.may(event.EndSession) {
		return refuse("forbidden", "Only the focal teacher or a facilitator can end the session. You can leave it.")
	}
	if t.view.Recording.State != event.NotRecording {
		t.setRecording(event.NotRecording, "The session has ended.")
	}
	if h := t.view.Hold; h != nil {
		t.endHold(*h)
	}
	if t.view.Playback.Mode != event.Stopped {
		t.stopNow()
	}
	ended := t.view.Session
	ended.Ended, ended.EndedBy = t.now, t.by
	t.emit(event.SessionEnded{Session: ended})
	return nil
}

// Due says at which session time Tick must be called at latest.
func (s *State) Due() (int64, bool) {
	at, fire := s.next()
	return at, fire != nil
}

// Tick does what is due by env.Now.
func (s *State) Tick(env Env) []event.Event {
	t := s.turn(env, "", "")
	for {
		at, fire := s.next()
		if fire == nil || at > t.now {
			return t.out
		}
		fire(t)
	}
}

// next gives the earliest deadline and what happens then. Each of them, once fired, is no deadline any more.
func (s *State) next() (at int64, fire func(*turn)) {
	if s.Ended() {
		return 0, nil
	}
	consider := func(due int64, f func(*turn)) {
		if fire == nil || due < at {
			at, fire = due, f
		}
	}
	s.playbackDue(consider)
	if h := s.view.Hold; h != nil && h.Phase == event.Thinking {
		consider(h.PhaseSince+h.Think, (*turn).endThinking)
	}
	if s.empty >= 0 && s.moving() {
		consider(s.empty+awayFor, (*turn).stopNow)
	}
	for _, m := range s.view.Members {
		if since, away := s.lost[m.ID]; away {
			consider(since+awayFor, func(t *turn) { t.leave(m) })
		}
	}
	return at, fire
}

func refuse(code, format string, args ...any) error { return event.Errorf(code, format, args...) }

func errEnded() error {
	return refuse("ended", "This session has ended. You find it among your past sessions.")
}

func errNoID() error {
	return refuse("invalid", "That message has no usable id. Reload the page and try again.")
}

// validID reports whether s is a UUID in its usual form (RFC 9562 §4).
func validID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

// seen knows which commands were applied lately.
type seen struct {
	ids   map[string]bool
	order []seenAt
}

type seenAt struct {
	key string
	at  int64
}

func seenKey(member, id string) string { return member + "/" + id }

func (s *seen) has(member, id string) bool { return s.ids[seenKey(member, id)] }

func (s *seen) add(e event.Event) {
	drop := 0
	for drop < len(s.order) && s.order[drop].at < e.At-remember {
		delete(s.ids, s.order[drop].key)
		drop++
	}
	s.order = s.order[drop:]
	key := seenKey(e.By, e.Cmd)
	if e.Cmd == "" || s.ids[key] {
		return
	}
	s.ids[key] = true
	s.order = append(s.order, seenAt{key, e.At})
}
