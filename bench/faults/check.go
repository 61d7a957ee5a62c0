package faults

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	clockSlack = 250    // ms between clocks that are the same machine's, and read at different moments
	lineSlack  = 50_000 // µs: a little more than a frame, on which lines stop
)

// Check says what is wrong with the history of a session that has this journal now; nothing, if all is well. Nobody may be
// sending any more.
func (h *History) Check(journal []event.Event) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checkOrder(journal)
	h.checkTold(journal)
	placed := h.checkCommands(journal)
	h.checkViews(journal)
	h.checkLine(journal)
	h.checkClock(journal)
	if result := h.linearizable(placed); result != porcupine.Ok {
		h.fault("what members were told has no order in which one owner could have said it: %s", result)
	}
	return h.faults
}

// checkOrder looks for holes, forks, and time that goes back.
func (h *History) checkOrder(journal []event.Event) {
	at := int64(0)
	for i, e := range journal {
		if e.Seq != int64(i)+1 {
			h.fault("event %d of the journal has seq %d", i+1, e.Seq)
		}
		if e.At < at {
			h.fault("session time goes back from %d to %d at %d", at, e.At, e.Seq)
		}
		at = e.At
	}
}

// checkTold: what anybody saw is in the journal, as they saw it.
func (h *History) checkTold(journal []event.Event) {
	for seq, t := range h.told {
		switch {
		case seq > int64(len(journal)):
			h.fault("lost: members were told %s", t.text)
		case encode(journal[seq-1]) != t.text:
			h.fault("members were told %s, the journal has %s", t.text, encode(journal[seq-1]))
		}
	}
}

// checkCommands: what was acknowledged is there, once. It returns the seq of each command's first event.
func (h *History) checkCommands(journal []event.Event) map[string]int64 {
	placed, done := map[string]int64{}, map[string]bool{}
	for _, e := range journal {
		if e.Cmd == "" {
			continue
		}
		if _, known := placed[e.Cmd]; !known {
			placed[e.Cmd] = e.Seq
		}
		if key := e.Cmd + event.Name(e.Body); done[key] {
			h.fault("done twice: %s", encode(e))
		} else {
			done[key] = true
		}
	}
	for _, c := range h.commands {
		_, there := placed[c.id]
		switch {
		case c.acked > 0 && !there && c.kind == Writes:
			h.fault("lost: the command %s of %v was acknowledged at %v", c.id, c.sent, c.acked)
		case c.refused != nil && there:
			h.fault("the command %s was refused and done: %v", c.id, c.refused)
		}
	}
	return placed
}

// checkViews: everybody who came in was told what the journal folds to, and folded the same when they went.
func (h *History) checkViews(journal []event.Event) {
	bySeq := map[int64][]reading{}
	for _, r := range slices.Concat(h.readings, h.folded) {
		if bySeq[r.seq] = append(bySeq[r.seq], r); r.seq > int64(len(journal)) {
			h.fault("lost: %s has a state up to %d, the journal has %d events", r.member, r.seq, len(journal))
		}
	}
	var view event.View
	for _, e := range journal {
		view.Fold(e)
		if len(bySeq[e.Seq]) == 0 {
			continue
		}
		want := digest(encode(view))
		for _, r := range bySeq[e.Seq] {
			if r.view != want {
				h.fault("%s has another state at %d than the journal folds to", r.member, e.Seq)
			}
		}
	}
}

// checkLine: the clip goes on from where it was, whoever ran the room: a line that nobody sought begins where the one before is
// by then.
func (h *History) checkLine(journal []event.Event) {
	var view event.View
	for _, e := range journal {
		before := view.Playback
		view.Fold(e)
		if c := h.commands[e.Cmd]; view.Playback.Seq == before.Seq || c != nil && c.kind == Seeks {
			continue
		}
		now := view.Playback
		if view.Clip == nil {
			h.fault("a clip goes on at %d where there is none: %s", e.Seq, encode(now))
			continue
		}
		want := along(before, now.At, view.Clip)
		again := want > view.Clip.To-lineSlack // playing from the end is from the begin
		if !again && math.Abs(float64(now.Position-want)) > lineSlack {
			h.fault("the clip jumps at %d: %s was at %d by then, and goes on with %s", e.Seq, encode(before), want, encode(now))
		}
	}
}

// along is the position of a line at a session time.
func along(p event.Playback, at int64, clip *event.Clip) int64 {
	if p.Mode != event.Playing || at <= p.At {
		return p.Position
	}
	return min(p.Position+int64(float64(at-p.At)*1000*p.Rate), max(p.Position, clip.To))
}

// checkClock: session time is the same through all faults. Nothing is done before it was asked for, and nobody is told of what is
// still to come.
func (h *History) checkClock(journal []event.Event) {
	if len(journal) == 0 {
		h.fault("the journal is empty")
		return
	}
	opened, is := journal[0].Body.(event.SessionOpened)
	if !is {
		h.fault("the journal begins with %s", encode(journal[0]))
		return
	}
	at := func(d time.Duration) int64 { return h.began.Add(d).UnixMilli() - opened.Session.Opened }
	for _, e := range journal {
		if c := h.commands[e.Cmd]; c != nil && e.At < at(c.sent)-clockSlack {
			h.fault("done at %d, asked for at %d: %s", e.At, at(c.sent), encode(e))
		}
		if t := h.told[e.Seq]; t != nil && e.At > at(t.first)+clockSlack {
			h.fault("told at %d, still to come: %s", at(t.first), encode(e))
		}
	}
}

// String tells how much there is in a history.
func (h *History) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("%d commands, %d events told, %d readings", len(h.commands), len(h.told), len(h.readings))
}
