package room

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// commits collects what the journal's goroutine reports, without making it wait.
type commits struct {
	wake chan struct{} // holds one token while there is something to take

	mu      sync.Mutex
	results []error
}

func (c *commits) report(err error) {
	c.mu.Lock()
	c.results = append(c.results, err)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *commits) take() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.results
	c.results = nil
	return taken
}

// batch is what goes out together, when it is durable and after what is queued before it.
type batch struct {
	events  []event.Event
	durable bool
	since   time.Time // when it was queued
	then    func()    // replies and the like; may be nil
	late    func()    // what waiting for too long comes to, once; may be nil
}

// submit appends events to the journal, and queues them for the members.
func (r *Room) submit(events []event.Event, then func()) *batch {
	b := &batch{events: events, then: then, since: time.Now()}
	if len(events) == 0 && then == nil {
		return b
	}
	r.queue = append(r.queue, b)
	stored := journalled(events)
	if len(stored) == 0 {
		b.durable = true
		return b
	}
	r.pending++
	r.noteRecord(stored)
	r.before(r.id, stored)
	r.journal.Append(r.id, r.epoch, stored, r.commits.report)
	return b
}

// OnRecord reports whether the session has been on the record since an event, without a break. What is not durable yet, or never will
// be, breaks it, too.
func (r *Room) OnRecord(seq int64) bool {
	since := r.onRecord.Load()
	return since != 0 && since <= seq
}

// noteRecord keeps since when the session is on the record, for OnRecord.
func (r *Room) noteRecord(events []event.Event) {
	for _, e := range events {
		switch b := e.Body.(type) {
		case event.RecordingChanged:
			if b.Recording.State != event.RecordingOn {
				r.onRecord.Store(0)
			} else if r.onRecord.Load() == 0 {
				r.onRecord.Store(e.Seq)
			}
		case event.SessionEnded:
			r.onRecord.Store(0)
		}
	}
}

func journalled(events []event.Event) []event.Event {
	transient := func(e event.Event) bool { return e.Seq == 0 }
	if !slices.ContainsFunc(events, transient) {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), transient)
}

// settleCommits marks what the journal has stored: appends return in order.
func (r *Room) settleCommits() {
	for _, err := range r.commits.take() {
		r.pending--
		if err != nil {
			r.fail(err)
		}
		if i := slices.IndexFunc(r.queue, func(b *batch) bool { return !b.durable }); i >= 0 && !r.failed {
			r.queue[i].durable = true
		}
	}
}

// fail ends the room without telling anybody what is not durable. The state is ahead of the journal: whoever comes back
// finds the session as the journal has it.
func (r *Room) fail(err error) {
	if r.failed {
		return
	}
	r.failed = true
	if errors.Is(err, ErrNotOwner) {
		r.log.Warn("the session goes on with another owner", "session", r.id, "epoch", r.epoch)
		r.bye = &event.Bye{Reason: "restarting", Message: "The call goes on in another place. You are brought back in a moment."}
		return
	}
	r.log.Error("cannot append to the journal", "session", r.id, "error", err)
	r.bye = &event.Bye{Reason: "unavailable", Message: "We could not save that. You are brought back to the last that is saved."}
}

// deliver sends out what is durable, in order.
func (r *Room) deliver() {
	for !r.failed {
		if len(r.queue) > 0 && r.queue[0].durable {
			b := r.queue[0]
			r.queue = r.queue[1:]
			r.send(b)
			continue
		}
		if len(r.dropped) == 0 {
			return
		}
		r.loseDropped()
	}
}

// send tells the observer first: when members read that they are on the record, they are. That they are not is told before it is durable.
func (r *Room) send(b *batch) {
	people := false
	for _, e := range b.events {
		r.fan(e)
		r.told.Fold(e)
		r.seq = max(r.seq, e.Seq)
		people = r.noteRole(e) || people
	}
	if people {
		r.tellInside()
	}
	if stored := journalled(b.events); len(stored) > 0 {
		r.observe(r.id, stored)
	}
	for _, o := range r.outgoing {
		r.transmit(o.to, o.frame)
	}
	clear(r.outgoing)
	r.outgoing = r.outgoing[:0]
	if people {
		r.tellMay()
	}
	if b.then != nil {
		b.then()
	}
}

// outgoing is a frame on its way to a member.
type outgoing struct {
	to    *link
	frame []byte
}

// fan makes an event ready for everybody who may see it, marshalled once for each way of seeing it.
func (r *Room) fan(e event.Event) {
	f := newFanout(&r.told, e)
	var frames [personal][]byte
	for _, l := range r.links {
		to := Viewer{l.member, l.role}
		how := f.variant(to)
		switch {
		case !l.live || how == hidden:
		case how == personal:
			r.outgoing = append(r.outgoing, outgoing{l, r.marshal(f.as(how, to))})
		default:
			if frames[how] == nil {
				frames[how] = r.marshal(f.as(how, to))
			}
			r.outgoing = append(r.outgoing, outgoing{l, frames[how]})
		}
	}
}

// noteRole keeps links' roles, and reports whether the event can change what somebody may do, or who is inside.
func (r *Room) noteRole(e event.Event) bool {
	var m event.Member
	switch b := e.Body.(type) {
	case event.MemberJoined:
		m = b.Member
	case event.MemberChanged:
		m = b.Member
	case event.MemberWithdrew, event.MemberLost, event.MemberLeft, event.MemberRemoved, event.ControlsChanged, event.SessionEnded:
		return true
	default:
		return false
	}
	if l := r.links[m.ID]; l != nil {
		l.role = m.Role
	}
	return true
}

func (r *Room) tellInside() {
	inside := []event.Member{}
	for _, m := range r.told.Members {
		if m.Presence != event.Left && !ended(&r.told) {
			inside = append(inside, m)
		}
	}
	r.inside.Store(&inside)
}

// tellMay tells members whose rights have changed.
func (r *Room) tellMay() {
	facilitated := r.told.Facilitated()
	for _, l := range r.links {
		may := event.May(l.role, r.told.Session.Kind, facilitated, r.told.Controls.Holder == l.member)
		if l.live && !slices.Equal(may, l.may) {
			l.may = may
			r.transmit(l, r.marshal(event.Event{At: r.env().Now, Body: event.YouChanged{May: may}}))
		}
	}
}

// welcome gives a member the whole state, from which their events go on.
func (r *Room) welcome(l *link) {
	if r.links[l.member] != l || l.live {
		return
	}
	l.live, l.may = true, r.told.May(l.member)
	r.transmitFrame(l, "", event.Welcome{
		You: l.member, May: l.may, Seq: r.seq, Now: r.Now(), View: viewFor(&r.told, l.member),
	})
}

func (r *Room) reply(l *link, id string, problem *event.Problem) {
	if r.links[l.member] == l {
		r.transmitFrame(l, id, event.Answered{Error: problem})
	}
}

func (r *Room) transmitFrame(l *link, id string, f event.Frame) {
	b, err := event.Encode(id, f)
	if err != nil {
		r.log.Error("cannot encode a frame", "session", r.id, "frame", event.Name(f), "error", err)
		return
	}
	r.transmit(l, b)
}

func (r *Room) marshal(e event.Event) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		r.log.Error("cannot encode an event", "session", r.id, "event", event.Name(e.Body), "error", err)
	}
	return b
}

// transmit queues a frame on a connection. One that cannot keep up is dropped: it comes back by itself, to a welcome.
func (r *Room) transmit(l *link, frame []byte) {
	if frame == nil || r.links[l.member] != l || l.conn.Send(frame) {
		return
	}
	delete(r.links, l.member)
	r.dropped = append(r.dropped, l)
	r.log.Info("connection cannot keep up", slog.String("session", r.id), slog.String("member", l.member))
	l.conn.Close(event.Bye{Reason: "too_slow", Message: "Your connection cannot keep up. You are brought back in a moment."})
}

// loseDropped tells that members whose connection was dropped are away.
func (r *Room) loseDropped() {
	dropped := r.dropped
	r.dropped = nil
	for _, l := range dropped {
		if r.links[l.member] == nil {
			r.submit(r.state.Disconnect(r.env(), l.member), nil)
		}
	}
}

// answers remembers how the latest commands were answered, refusals too.
type answers struct {
	byKey map[string]error
	order []string
}

const maxAnswers = 2048

func (a *answers) get(key string) (error, bool) {
	err, ok := a.byKey[key]
	return err, ok
}

func (a *answers) put(key string, err error) {
	if a.byKey == nil {
		a.byKey = map[string]error{}
	}
	if len(a.order) >= maxAnswers {
		delete(a.byKey, a.order[0])
		a.order = a.order[1:]
	}
	a.byKey[key] = err
	a.order = append(a.order, key)
}
