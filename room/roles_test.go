package room

import (
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// actors are those of the table, by their letter: h is a peer who was handed the controls.
var actors = map[rune]string{'f': focal, 'c': coach, 'l': lead, 'p': peer, 'h': peer2, 'o': observer}

// stand is a session with one member of each role, in which everybody has agreed to be recorded.
type stand struct {
	*sim
	pause, note, reply, stroke string
}

func newStand(t *testing.T, facilitated, held bool) *stand {
	t.Helper()
	w := &stand{sim: newSim(t, testPlan())}
	for _, id := range []string{focal, coach, peer, peer2, observer} {
		w.enter(id, event.Hello{Consent: event.Agreed})
	}
	if facilitated {
		w.enter(lead, event.Hello{Consent: event.Agreed})
	}
	w.do(focal, event.ControlsGive{To: peer2})
	w.pause, w.note, w.reply, w.stroke = w.id(), w.id(), w.id(), w.id()
	w.do(focal, event.PausePut{ID: w.pause, Frame: 300})
	// By somebody who then has gone, so that it is nobody's own.
	author := testID(77)
	roleOf[author] = event.Peer
	defer delete(roleOf, author)
	w.enter(author, event.Hello{Consent: event.Agreed})
	w.do(author, event.NoteAdd{ID: w.note, Type: event.Question, Visibility: event.Shared, Text: "x"})
	w.do(author, event.NoteReply{Note: w.note, ID: w.reply, Text: "y"})
	w.do(author, w.draws(w.stroke))
	w.do(author, event.MemberLeave{})
	if held {
		w.do(focal, event.PauseCall{Think: 60_000})
	}
	return w
}

// TestWhoMayDoWhat holds the room against the table of roles: for every command, who may give it with a facilitator here, and
// who while there is none. Everybody else, and whoever is not inside, is refused.
func TestWhoMayDoWhat(t *testing.T) {
	const all, parts, leads = "fclpho", "fclph", "fcl"
	note := func(to event.Visibility) func(*stand) event.Command {
		return func(w *stand) event.Command {
			return event.NoteAdd{ID: w.id(), Type: event.Question, Visibility: to, Text: "x"}
		}
	}
	is := func(c event.Command) func(*stand) event.Command { return func(*stand) event.Command { return c } }
	for _, row := range []struct {
		what          string
		command       func(*stand) event.Command
		with, without string
	}{
		{"play", is(event.PlaybackPlay{}), "fclh", "fch"},
		{"stop", is(event.PlaybackStop{}), "fclh", "fch"},
		{"seek", is(event.PlaybackSeek{Position: middle(400)}), "fclh", "fch"},
		{"step", is(event.PlaybackStep{Frames: 1}), "fclh", "fch"},
		{"rate", is(event.PlaybackRate{Rate: 0.5}), "fclh", "fch"},
		{"ready", is(event.PlaybackReady{}), all, all},
		{"hand the controls over", is(event.ControlsGive{To: peer}), leads, leads},
		{"give the controls back", is(event.ControlsGive{}), "fclh", "fch"},
		{"prepare or propose a pause", func(w *stand) event.Command { return event.PausePut{ID: w.id(), Frame: 500} }, parts, parts},
		{"change a prepared pause", func(w *stand) event.Command { return event.PausePut{ID: w.pause, Frame: 301} }, leads, leads},
		{"remove a prepared pause", func(w *stand) event.Command { return event.PauseRemove{ID: w.pause} }, leads, leads},
		{"call a pause", is(event.PauseCall{}), parts, parts},
		{"confirm the frame", func(w *stand) event.Command {
			return event.HoldConfirm{Hold: w.s.view.Hold.ID, Frame: w.s.view.Hold.Frame, Seq: w.s.view.Hold.Seq}
		}, all, all},
		{"answer", func(w *stand) event.Command { return event.HoldAnswer{Hold: w.s.view.Hold.ID, Text: "x"} }, parts, parts},
		{"reveal the answers", func(w *stand) event.Command { return event.HoldReveal{Hold: w.s.view.Hold.ID} }, "l", "fc"},
		{"continue", func(w *stand) event.Command { return event.HoldContinue{Hold: w.s.view.Hold.ID} }, "l", "fc"},
		{"write to all", note(event.Shared), parts, parts},
		{"write to coaches", note(event.Coaches), "cl", "c"},
		{"write for oneself", note(event.Private), all, all},
		{"edit another's note", func(w *stand) event.Command {
			return event.NoteEdit{ID: w.note, Type: event.Question, Visibility: event.Shared, Text: "z"}
		}, "", ""},
		{"remove another's note", func(w *stand) event.Command { return event.NoteRemove{ID: w.note} }, "", ""},
		{"reply", func(w *stand) event.Command { return event.NoteReply{Note: w.note, ID: w.id(), Text: "x"} }, parts, parts},
		{"remove another's reply", func(w *stand) event.Command { return event.ReplyRemove{Note: w.note, ID: w.reply} }, "", ""},
		{"draw on the frame", func(w *stand) event.Command { return w.draws(w.id()) }, parts, parts},
		{"clear what another drew", func(w *stand) event.Command { return event.DrawingRemove{IDs: []string{w.stroke}} }, "fclh", "fch"},
		{"speak and be seen", is(event.MemberDevices{Mic: true, Camera: true}), parts, parts},
		{"show a screen", is(event.MemberDevices{Screen: true}), parts, parts},
		{"be silent", is(event.MemberDevices{}), all, all},
		{"raise a hand", is(event.MemberHand{Up: true}), all, all},
		{"look around", is(event.MemberWatch{Watching: event.Own}), all, all},
		{"type", is(event.MemberType{What: "note"}), all, all},
		{"withdraw consent", is(event.MemberConsent{}), all, all},
		{"make a peer of an observer", is(event.MemberRole{Member: observer, Role: event.Peer}), "l", "f"},
		{"make an observer of a peer", is(event.MemberRole{Member: peer, Role: event.Observer}), "l", "f"},
		{"remove a member", is(event.MemberRemove{Member: peer}), "fl", "f"},
		{"leave", is(event.MemberLeave{}), all, all},
		{"start the recording", is(event.RecordingStart{}), leads, leads},
		{"go off the record", is(event.RecordingStop{}), all, all},
		{"end the session", is(event.SessionEnd{}), "fl", "f"},
	} {
		for _, facilitated := range []bool{true, false} {
			may := row.without
			if facilitated {
				may = row.with
			}
			for letter, member := range actors {
				if letter == 'l' && !facilitated {
					continue
				}
				w, cmd := standFor(t, facilitated, row.command)
				_, err := w.try(member, cmd)
				want := ""
				if !strings.ContainsRune(may, letter) {
					want = "forbidden"
				}
				if got := codeOf(err); got != want {
					t.Errorf("%s, by %s, facilitated %v: %q (%v), want %q", row.what, roleOf[member], facilitated, got, err, want)
				}
			}
		}
		outside(t, row.what, row.command)
	}
}

// standFor makes a session in which a command has a meaning: those of a pause, while there is one.
func standFor(t *testing.T, facilitated bool, command func(*stand) event.Command) (*stand, event.Command) {
	t.Helper()
	held := newStand(t, facilitated, true)
	switch cmd := command(held); cmd.(type) {
	case event.HoldConfirm, event.HoldAnswer, event.HoldReveal, event.HoldContinue:
		return held, cmd
	}
	w := newStand(t, facilitated, false)
	return w, command(w)
}

// outside checks that who has left, who was removed and who never came may do nothing.
func outside(t *testing.T, what string, command func(*stand) event.Command) {
	t.Helper()
	w, cmd := standFor(t, true, command)
	w.do(coach, event.MemberLeave{})
	w.do(focal, event.MemberRemove{Member: peer2})
	for member, want := range map[string]string{coach: "conflict", peer2: "forbidden", testID(99): "forbidden"} {
		if _, err := w.try(member, cmd); codeOf(err) != want {
			t.Errorf("%s, from outside: %v, want %s", what, err, want)
		}
	}
}

// In a live lesson there is no player, and observers write to all.
func TestWhoMayDoWhatInALiveLesson(t *testing.T) {
	for letter, member := range actors {
		plan := testPlan()
		plan.Session.Kind, plan.Clip = event.LiveLesson, nil
		w := newSim(t, plan)
		w.join(focal, coach, lead, peer, peer2, observer)
		for _, cmd := range []event.Command{event.PlaybackPlay{}, event.PauseCall{}, event.ControlsGive{To: peer}, event.PausePut{ID: w.id(), Frame: 1}, w.draws(w.id())} {
			w.refused("forbidden", member, cmd)
		}
		w.do(member, event.NoteAdd{ID: w.id(), Type: event.Question, Visibility: event.Shared, Text: "x"})
		_, err := w.try(member, event.MemberDevices{Mic: true})
		if heard := err == nil; heard == (letter == 'o') {
			t.Errorf("%s is heard: %v", roleOf[member], heard)
		}
	}
}
