package room

import (
	"cmp"
	"errors"

	"github.com/pausepoint/pausepoint/room/event"
)

// take does what the room is asked to do.
func (r *Room) take(in input) {
	switch in := in.(type) {
	case connectInput:
		in.answer <- r.letIn(in)
	case disconnectInput:
		if l := r.links[in.member]; l != nil && l.conn == in.conn {
			delete(r.links, in.member)
			r.submit(r.state.Disconnect(r.env(), in.member), nil)
		}
	case commandInput:
		r.command(in)
	case changeInput:
		r.change(in)
	case rttInput:
		if l := r.links[in.member]; l != nil && l.conn == in.conn && in.ms >= 0 {
			l.rtt = min(in.ms, maxRTT)
		}
	case spokeInput:
		if !r.late { // what is only measured fills no memory while it cannot be stored
			r.submit(r.state.Spoke(r.env(), in.speech), nil)
		}
	case noticeInput:
		r.submit(r.state.RecordingNotice(r.env(), in.reason, in.from, in.to), nil)
	case transientInput:
		r.tellMoment(in.body)
	}
}

func (r *Room) letIn(in connectInput) error {
	if r.bye != nil {
		return errStopped
	}
	if !r.entries.allow(in.who.ID) {
		return refuse("too_many", "You came in many times just now. Wait a moment, then try again.")
	}
	if len(in.hello.Page) > maxPage {
		return refuse("invalid", "Your page says more about itself than this server takes. Reload it.")
	}
	old := r.links[in.who.ID]
	if old != nil && old.isAfter(in.hello) {
		return refuse("conflict", "Your page has come in by a later connection.")
	}
	if _, inside := r.toldInside(in.who.ID); r.late && !inside {
		return errNobodyNew
	}
	events, err := r.state.Connect(r.env(), in.who, in.hello)
	if err != nil {
		return err
	}
	if old != nil {
		old.conn.Close(event.Bye{Reason: "replaced", Message: "You came in again from another window or device."})
	}
	l := &link{member: in.who.ID, conn: in.conn, page: in.hello.Page, attempt: in.hello.Attempt}
	r.links[l.member] = l
	b := r.submit(events, func() { r.welcome(l) })
	b.late = func() { r.welcomeBack(l) }
	if r.late {
		b.tooLate()
	}
	return nil
}

// change applies what is asked for from outside the call; the answer follows once it is durable.
func (r *Room) change(in changeInput) {
	if r.bye != nil {
		in.answer <- errStopped
		return
	}
	if r.late && !in.off {
		in.answer <- errNotNow
		return
	}
	events, err := in.apply(r.state, r.env())
	if err != nil {
		in.answer <- err
		return
	}
	answer := once(func(err error) { in.answer <- err })
	b := r.submit(events, func() { answer(nil) })
	b.late = func() { answer(errLate) }
	if r.late {
		b.tooLate()
	}
}

// command applies a member's command, once.
func (r *Room) command(in commandInput) {
	l := r.links[in.member]
	if l == nil || l.conn != in.conn {
		return
	}
	if r.late && !takesOff(in.cmd) {
		r.reply(l, in.id, errNotNow)
		return
	}
	events, after, err := r.applyOnce(l, in)
	answer := once(func(err error) { r.reply(l, in.id, problemOf(err)) })
	if r.late && len(events) == 0 {
		answer(cmp.Or(err, error(errLate)))
		return
	}
	b := r.submit(events, func() { // though nothing came of it: what is queued keeps its order
		answer(err)
		after()
	})
	b.late = func() { answer(cmp.Or(err, error(errLate))) }
	if r.late {
		b.tooLate()
	}
}

// applyOnce does what a member asks for, if that is for the first time, and otherwise answers as then. What else is to be done follows the
// answer.
func (r *Room) applyOnce(l *link, in commandInput) (events []event.Event, after func(), err error) {
	after = func() {}
	if !validID(in.id) {
		return nil, after, errNoID()
	}
	key := seenKey(in.member, in.id)
	if first, ok := r.answers.get(key); ok {
		return nil, after, first
	}
	events, err = r.apply(in)
	r.answers.put(key, err)
	if err == nil {
		after = r.afterwards(l, in.cmd)
	}
	return events, after, err
}

// apply does what a member asks for, unless they switch something on more often than anybody would.
func (r *Room) apply(in commandInput) ([]event.Event, error) {
	if switchesOn(in.cmd) && !r.toggles.allow(in.member) {
		return nil, refuse("too_many", "You switched that on and off many times. Wait a moment, then try again.")
	}
	return r.state.Apply(r.env(), in.member, in.cmd, in.id)
}

// afterwards is what else follows a command that was applied, after its reply.
func (r *Room) afterwards(l *link, cmd event.Command) func() {
	switch c := cmd.(type) {
	case event.MemberLeave:
		return func() { r.close(l, event.Bye{Reason: "left", Message: "You have left the session."}) }
	case event.MemberRemove:
		if sent := r.links[c.Member]; sent != nil {
			return func() { r.close(sent, event.Bye{Reason: "removed", Message: "You were removed from this session."}) }
		}
	case event.SessionEnd:
		return func() { r.end(event.Bye{Reason: "ended", Message: "The session has ended."}) }
	}
	return func() {}
}

// close lets go of a connection whose member is not here any more.
func (r *Room) close(l *link, bye event.Bye) {
	if r.links[l.member] == l {
		delete(r.links, l.member)
		l.conn.Close(bye)
	}
}

func problemOf(err error) *event.Problem {
	var p *event.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	}
	return event.Errorf("internal", "Something went wrong here. Try again.")
}
