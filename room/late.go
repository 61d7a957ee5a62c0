package room

import (
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// patience is how long people wait for the journal. A journal that has not answered for so long may be away for long: the call goes on,
// and nobody waits any more until it answers again.
const patience = 16 * time.Second

// What people are told meanwhile. What waits for the journal may still become durable; what is asked for later is not done.
var (
	errLate = event.Errorf("unavailable",
		"We could not save that yet: nothing can be stored right now. It may still be saved by itself, so look before you do it again.")
	errNotNow    = event.Errorf("unavailable", "Nothing can be saved right now, so that was not done. Try again in a moment.")
	errNobodyNew = event.Errorf("unavailable", "Nothing can be saved right now, so nobody new can come in. Try again in a moment.")
)

// untilLate is how long the journal may still take.
func (r *Room) untilLate() time.Duration { return patience - time.Since(r.queue[0].since) }

// lookLate sees whether the journal keeps people waiting for too long. Those who wait then are told so.
func (r *Room) lookLate() {
	was := r.late
	r.late = len(r.queue) > 0 && r.untilLate() <= 0
	if !r.late || was {
		return
	}
	r.log.Warn("nothing can be saved; the call goes on", "session", r.id, "batches", len(r.queue))
	waiting := r.queue
	r.queue = nil
	for _, b := range waiting {
		switch {
		case !b.durable:
			r.queue = append(r.queue, b)
			b.tooLate()
		case b.then == nil:
			r.send(b) // of the moment, and only behind what is to be stored
		default:
			b.tooLate()
		}
	}
	r.deliver() // what that did to connections
}

// tooLate tells whoever waits for a batch that it is not durable yet.
func (b *batch) tooLate() {
	if b.late != nil {
		b.late()
		b.late = nil
	}
}

// tellMoment tells what is of the moment only, which is in its order with what is to be stored as long as people wait for that.
func (r *Room) tellMoment(body event.Body) {
	events := []event.Event{{At: r.env().Now, Body: body}}
	if r.late {
		r.send(&batch{events: events})
		return
	}
	r.submit(events, nil)
}

// welcomeBack lets in, without the journal, who is inside as far as everybody knows.
func (r *Room) welcomeBack(l *link) {
	if m, ok := r.toldInside(l.member); ok {
		l.role = m.Role
		r.welcome(l)
	}
}

// toldInside is a member who is here, or away for a moment, as members were told.
func (r *Room) toldInside(member string) (event.Member, bool) {
	m, ok := r.told.Member(member)
	return m, ok && m.Presence != event.Left
}

// takesOff reports whether a command takes people off the record. That is done also while nothing can be saved, as nothing of it has
// to be saved for what is said to be off the record; and it is nothing new for the journal unless they were on it.
func takesOff(cmd event.Command) bool {
	switch c := cmd.(type) {
	case event.RecordingStop:
		return true
	case event.MemberConsent:
		return !c.Agree
	}
	return false
}

// once makes an answer that is given once: whoever was told that it is late is not told more.
func once(answer func(error)) func(error) {
	given := false
	return func(err error) {
		if !given {
			given = true
			answer(err)
		}
	}
}
