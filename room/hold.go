package room

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	maxPauses = 200
	maxPrompt = 500            // runes
	maxAnswer = 4000           // runes
	maxThink  = 10 * 60 * 1000 // ms
	maxTalk   = 60 * 60 * 1000 // ms
)

// putPause adds or changes a prepared pause. A peer proposes; whoever may prepare accepts by putting it again.
func (t *turn) putPause(m event.Member, c event.PausePut) error {
	old, known := t.view.Pause(c.ID)
	switch {
	case !t.may(event.Propose):
		return refuse("forbidden", "You cannot prepare pauses in this session. Tell the others what you noticed in a note.")
	case known && !t.may(event.Prepare) && !t.ownProposal(old):
		return refuse("forbidden", "You can change a pause that you proposed yourself, until it is accepted.")
	case !t.ruler.ok():
		return errNoClip()
	}
	if err := t.checkPause(c, known); err != nil {
		return err
	}
	prompt, err := cleanText(c.Prompt, maxPrompt, "A prompt")
	if err != nil {
		return err
	}
	p := event.Pause{
		ID: c.ID, Frame: c.Frame, Prompt: prompt, Think: c.Think, Talk: c.Talk, By: m.Name,
		Proposed: !t.may(event.Prepare),
	}
	if known {
		p.By, p.Passed = old.By, old.Passed && old.Frame == p.Frame
	}
	if !p.Proposed {
		t.goBy(p.Frame)
	}
	t.emit(event.PauseSet{Pause: p})
	return nil
}

// goBy lets what plays go on beyond a frame that gets a pause now, if somebody may have seen it already: a line stops at the first
// pause after its beginning, so it is begun anew from behind that frame. Members hear of it before they hear of the pause.
func (t *turn) goBy(frame int64) {
	line := t.view.Playback
	if line.Mode != event.Playing || frame <= t.ruler.frame(line.Position) {
		return
	}
	position, at := t.turnover(line)
	if frame > t.ruler.frame(position) {
		return
	}
	next := t.line(event.Playing, position, at)
	next.By = line.By
	t.setLine(next)
}

func (t *turn) ownProposal(p event.Pause) bool { return p.Proposed && t.prepared[p.ID] == t.by }

func (t *turn) checkPause(c event.PausePut, known bool) error {
	switch {
	case !validID(c.ID):
		return refuse("invalid", "That pause has no usable id. Reload the page and try again.")
	case c.Frame < t.ruler.first || c.Frame > t.ruler.last:
		return refuse("invalid", "That frame is outside the chosen part of the clip. Choose a place inside it.")
	case !known && len(t.view.Pauses) >= maxPauses:
		return refuse("too_many", "A session can have %d prepared pauses. Remove one first.", maxPauses)
	case slices.ContainsFunc(t.view.Pauses, func(p event.Pause) bool { return p.Frame == c.Frame && p.ID != c.ID }):
		return refuse("conflict", "There is a pause on that frame already. Change that one, or choose another frame.")
	}
	return checkTimes(c.Think, c.Talk)
}

func checkTimes(think, talk int64) error {
	if think < 0 || think > maxThink {
		return refuse("invalid", "Time to think can be up to 10 minutes.")
	}
	if talk < 0 || talk > maxTalk {
		return refuse("invalid", "Time to talk can be up to 60 minutes.")
	}
	return nil
}

func (t *turn) removePause(c event.PauseRemove) error {
	p, known := t.view.Pause(c.ID)
	switch {
	case !t.may(event.Propose):
		return refuse("forbidden", "You cannot change the pauses of this session.")
	case !known:
		return refuse("not_found", "That pause is not there any more.")
	case !t.may(event.Prepare) && !t.ownProposal(p):
		return refuse("forbidden", "You can remove a pause that you proposed yourself, until it is accepted.")
	}
	t.emit(event.PauseRemoved(c))
	return nil
}

// callPause begins a spontaneous pause.
func (t *turn) callPause(m event.Member, c event.PauseCall) error {
	switch {
	case !t.may(event.CallPause):
		return refuse("forbidden", "You cannot call a pause in this session. Raise your hand instead.")
	case !t.ruler.ok():
		return errNoClip()
	case t.view.Hold != nil:
		return refuse("conflict", "You are at a pause already.")
	}
	if err := checkTimes(c.Think, 0); err != nil {
		return err
	}
	prompt, err := cleanText(c.Prompt, maxPrompt, "A prompt")
	if err != nil {
		return err
	}
	frame, at := t.agreed()
	t.hold(event.Hold{Frame: frame, Prompt: prompt, By: m.Name, Think: c.Think}, at)
	return nil
}

// hold begins a pivotal pause at a session time.
func (t *turn) hold(h event.Hold, at int64) {
	line := t.line(event.Holding, t.ruler.middle(h.Frame), at)
	h.ID, h.Seq, h.Position = t.holdID(), line.Seq, line.Position
	h.Began, h.PhaseSince, h.Phase = at, at, event.Talking
	if h.Think > 0 {
		h.Phase = event.Thinking
	}
	h.Confirmed, h.Answered, h.Answers = []string{}, []string{}, []event.Answer{}
	t.emit(event.HoldBegan{Hold: h, Playback: line})
}

// holdID names a pause that happens by the session and the event that begins it (a UUIDv5), so that the same journal
// always gives the same id.
func (t *turn) holdID() string {
	name := fmt.Appendf(nil, "%s/hold/%d", t.view.Session.ID, t.seq+1)
	return uuid.NewSHA1(uuid.NameSpaceURL, name).String()
}

// held gives the pause that is happening, if it is the one that is meant.
func (t *turn) held(id string) (event.Hold, error) {
	if h := t.view.Hold; h != nil && h.ID == id {
		return *h, nil
	}
	return event.Hold{}, refuse("conflict", "That pause is over.")
}

func (t *turn) confirm(c event.HoldConfirm) error {
	h, err := t.held(c.Hold)
	if err != nil {
		return err
	}
	if c.Frame != h.Frame || c.Seq != h.Seq {
		return refuse("conflict", "You see another frame than the others. Your player goes to the right one by itself.")
	}
	if _, told := slices.BinarySearch(h.Confirmed, t.by); !told {
		t.emit(event.HoldConfirmed{Hold: h.ID, Member: t.by, Frame: h.Frame})
		t.caughtUp()
	}
	return nil
}

func (t *turn) answer(c event.HoldAnswer) error {
	if !t.may(event.WriteShared) {
		return refuse("forbidden", "You watch this session. You can write a private note instead.")
	}
	h, err := t.held(c.Hold)
	if err != nil {
		return err
	}
	text, err := cleanText(c.Text, maxAnswer, "An answer")
	if err != nil {
		return err
	}
	_, answered := slices.BinarySearch(h.Answered, t.by)
	switch {
	case text != "":
		// An answer at session time 0 would read as one taken back.
		t.emit(event.HoldAnswered{Hold: h.ID, Answer: event.Answer{Member: t.by, Text: text, At: max(t.now, 1)}})
	case answered:
		t.emit(event.HoldAnswered{Hold: h.ID, Answer: event.Answer{Member: t.by}})
	}
	return nil
}

func (t *turn) reveal(c event.HoldReveal) error {
	if !t.may(event.Continue) {
		return errNotLeading()
	}
	h, err := t.held(c.Hold)
	if err != nil {
		return err
	}
	if !h.Revealed {
		t.emit(event.HoldRevealed{Hold: h.ID, Answers: h.Answers})
	}
	if h.Phase == event.Thinking {
		t.endThinking()
	}
	return nil
}

// endThinking moves on to talking.
func (t *turn) endThinking() {
	t.emit(event.HoldPhaseChanged{Hold: t.view.Hold.ID, Phase: event.Talking, Since: t.now})
}

// resume ends the pause; playback goes on, once pages have turned back to the clip: drawing that keeps small machines from starting in
// time. Who confirmed the frame can play from it.
func (t *turn) resume(c event.HoldContinue) error {
	if !t.may(event.Continue) {
		return errNotLeading()
	}
	h, err := t.held(c.Hold)
	if err != nil {
		return err
	}
	t.endHold(h)
	if h.Frame >= t.ruler.last {
		t.setLine(t.line(event.Stopped, h.Position, max(t.now, t.view.Playback.At)))
		return nil
	}
	line := t.line(event.Waiting, h.Position, t.now+readyFor)
	line.Ready = union(line.Ready, h.Confirmed)
	t.start(line)
	return nil
}

// endHold ends a pause, and keeps how long people thought and talked.
func (t *turn) endHold(h event.Hold) {
	ended := event.HoldEnded{Hold: h.ID}
	now := max(t.now, h.PhaseSince) // a pause begins a moment after it was called
	if h.Phase == event.Thinking {
		ended.Thought = now - h.Began
	} else {
		ended.Thought, ended.Talked = h.PhaseSince-h.Began, now-h.PhaseSince
	}
	t.emit(ended)
}

func errNotLeading() error {
	return refuse("forbidden", "The facilitator does that. Raise your hand if you want to go on.")
}

// union merges two sorted sets into a new one.
func union(a, b []string) []string {
	all := append(append([]string{}, a...), b...)
	slices.Sort(all)
	return slices.Compact(all)
}
