package faults

import (
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// linearWithin is how long the search for an order may take.
const linearWithin = 5 * time.Minute

// state of the model: what one owner alone would know.
type state struct {
	seq   int64  // of the latest event that anybody was told of
	notes uint64 // digest of all notes
}

// step is what was asked for, or read, as far as it was told: the model's input and output in one.
type step struct {
	reads bool
	seq   int64  // of the command's first event, or of the state that was read; 0 if nobody was told
	notes uint64 // what the command adds, or what was read
}

// model is a log with a sum: a command goes to the end of it, and whoever reads sees all of it.
var model = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(s, in, _ any) (bool, any) {
		now, next := s.(state), in.(step)
		if next.reads {
			return next.seq >= now.seq && next.notes == now.notes, state{max(now.seq, next.seq), now.notes}
		}
		return next.seq == 0 || next.seq > now.seq, state{max(now.seq, next.seq), now.notes + next.notes}
	},
}

// linearizable reports whether all commands that took effect, and all readings, have an order that agrees with time.
func (h *History) linearizable(placed map[string]int64) porcupine.CheckResult {
	var ops []porcupine.Operation
	first := map[string]time.Duration{}
	for _, t := range h.told {
		if at, known := first[t.event.Cmd]; t.event.Cmd != "" && (!known || t.first < at) {
			first[t.event.Cmd] = t.first
		}
	}
	for _, c := range h.commands {
		seq, there := placed[c.id]
		if !there {
			continue // refused, never heard of again, or without an effect
		}
		// It is done as soon as anybody has been told.
		end := int64(math.MaxInt64)
		if c.acked > 0 {
			end = int64(c.acked)
		}
		if at, told := first[c.id]; told {
			end = min(end, int64(at))
		}
		ops = append(ops, porcupine.Operation{Input: step{seq: seq, notes: c.adds}, Call: int64(c.sent), Return: end})
	}
	for _, r := range h.readings {
		in := step{reads: true, seq: r.seq, notes: r.notes}
		ops = append(ops, porcupine.Operation{Input: in, Call: int64(r.asked), Return: int64(r.told)})
	}
	return porcupine.CheckOperationsTimeout(model, ops, linearWithin)
}
