package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// History is what the members of one session asked for and were told, in the order of one clock. Its methods may be called from
// any goroutine.
type History struct {
	began time.Time

	mu       sync.Mutex // guards below
	commands map[string]*command
	told     map[int64]*told
	readings []reading
	folded   []reading // what members made of events, and nobody told them
	faults   []string
	latest   time.Duration // when the latest of the commands was sent that are acknowledged
	moved    chan struct{} // closed and made anew when latest grows
}

// Kind is what a command may do.
type Kind int

// The kinds.
const (
	Writes Kind = iota // always something, and nothing to the player
	Seeks              // moves the player to another place, unless it is there
	Plays              // starts or stops the player where it is, or nothing
)

// command is what a member asked for.
type command struct {
	id      string
	adds    uint64 // to the digest of all notes
	kind    Kind
	sent    time.Duration // for the first time
	acked   time.Duration // 0 while nobody knows
	refused *event.Problem
}

// told is an event that somebody was told.
type told struct {
	event event.Event
	text  string
	first time.Duration
}

// reading is the whole state as a member was told it.
type reading struct {
	member      string
	asked, told time.Duration
	seq         int64
	view        uint64 // digest of all
	notes       uint64 // digest of the notes
}

// NewHistory begins a history.
func NewHistory() *History {
	return &History{began: time.Now(), commands: map[string]*command{}, told: map[int64]*told{}, moved: make(chan struct{})}
}

// Now is the history's clock, which never stands still between two calls.
func (h *History) Now() time.Duration { return time.Since(h.began) + 1 }

// Sent keeps that a member asks for something, which adds to the digest of the notes (see [DigestNotes]); again under the same
// id after a loss.
func (h *History) Sent(id string, adds uint64, kind Kind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.commands[id] == nil {
		h.commands[id] = &command{id: id, adds: adds, kind: kind, sent: h.Now()}
	}
}

// Answered keeps how a command was answered: nil says that what it did is durable.
func (h *History) Answered(id string, problem *event.Problem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.commands[id]
	switch {
	case c == nil:
		h.fault("an answer to a command that nobody sent: %s", id)
	case problem != nil && c.acked > 0:
		h.fault("the command %s is refused after it was acknowledged: %v", id, problem)
	case problem != nil:
		c.refused = problem
	case c.acked == 0:
		c.acked, c.refused = h.Now(), nil
		if c.sent > h.latest {
			h.latest = c.sent
			close(h.moved)
			h.moved = make(chan struct{})
		}
	}
}

// Told keeps an event that a member is told.
func (h *History) Told(member string, e event.Event) {
	text := encode(e)
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.told[e.Seq]
	switch {
	case known == nil:
		h.told[e.Seq] = &told{event: e, text: text, first: h.Now()}
	case known.text != text:
		h.fault("a fork: %s is told %s, somebody else %s", member, text, known.text)
	}
}

// Welcomed keeps the state that a member was told who asked to come in at a time of [History.Now].
func (h *History) Welcomed(member string, asked time.Duration, w event.Welcome) {
	r := read(member, w.Seq, w.View)
	h.mu.Lock()
	defer h.mu.Unlock()
	r.asked, r.told = asked, h.Now()
	h.readings = append(h.readings, r)
}

// Folded keeps the state that a member has folded up to an event.
func (h *History) Folded(member string, seq int64, view event.View) {
	r := read(member, seq, view)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.folded = append(h.folded, r)
}

func read(member string, seq int64, view event.View) reading {
	return reading{member: member, seq: seq, view: digest(encode(view)), notes: DigestNotes(view.Notes)}
}

// Fault keeps what went wrong beyond doubt.
func (h *History) Fault(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault(format, args...)
}

func (h *History) fault(format string, args ...any) {
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}

// AwaitLive waits until a command is acknowledged that was sent after a time, and returns how long after that time this is.
func (h *History) AwaitLive(ctx context.Context, since time.Duration) (time.Duration, error) {
	for {
		h.mu.Lock()
		latest, moved := h.latest, h.moved
		h.mu.Unlock()
		if latest > since {
			return h.Now() - since, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return h.Now() - since, ctx.Err()
		}
	}
}

// Acknowledged counts commands whose effect is durable, as members were told.
func (h *History) Acknowledged() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, c := range h.commands {
		if c.acked > 0 {
			n++
		}
	}
	return n
}

// DigestNotes is a number for a set of notes. It is the sum of those of its parts: what a command adds can be told beforehand.
func DigestNotes(notes []event.Note) uint64 {
	sum := uint64(0)
	for _, n := range notes {
		sum += DigestNote(n.ID, n.Text)
	}
	return sum
}

// DigestNote is what one note adds to [DigestNotes].
func DigestNote(id, text string) uint64 { return digest(id + " " + text) }

func digest(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// encode writes what came over the wire, or from the journal, in the same way.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("not to be written: %v", err)
	}
	return string(b)
}
