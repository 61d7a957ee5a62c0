package load

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event"
)

// pace is how often somebody does something. It is livelier than people are.
type pace struct{ drive, note time.Duration }

// paceFor lets everything happen in a short test too.
func paceFor(d time.Duration) pace {
	return pace{drive: min(2*time.Second, d/6), note: min(20*time.Second, d/3)}
}

// script is what a member knows of the session, to do what comes next.
type script struct {
	can    []event.Action
	player bool   // there is a clip
	hold   string // the pause that happens
	turn   int    // of the drive
}

func (s *script) learn(w event.Welcome) {
	s.can, s.player = w.May, w.View.Clip != nil
	if w.View.Hold != nil {
		s.hold = w.View.Hold.ID
	}
}

func (s *script) may(a event.Action) bool { return slices.Contains(s.can, a) }

// seekTo is where each round of a drive begins, in µs of the clip.
const seekTo = 1_000_000

// next is the next command of somebody who drives: play, stop at a pause, go on, seek, stop.
func (s *script) next() event.Command {
	s.turn++
	switch s.turn % 5 {
	case 1:
		return event.PlaybackPlay{}
	case 2:
		return event.PauseCall{Prompt: "What do you notice?"}
	case 3:
		return event.HoldContinue{Hold: s.hold}
	case 4:
		return event.PlaybackSeek{Position: seekTo}
	}
	return event.PlaybackStop{}
}

func (m *member) drive() error {
	if !m.drives || !m.script.player || !m.script.may(event.Drive) {
		return nil
	}
	return m.do(driving, m.script.next())
}

// record begins the recording, of whoever drives.
func (m *member) record() error {
	if !m.test.config.Record || !m.drives || !m.script.may(event.Record) {
		return nil
	}
	return m.do(driving, event.RecordingStart{})
}

func (m *member) note() error {
	id, err := newID()
	if err != nil {
		return err
	}
	visibility := event.Private
	if m.script.may(event.WriteShared) {
		visibility = event.Shared
	}
	return m.do(noting, event.NoteAdd{
		ID: id, Type: event.Observation, Visibility: visibility, Text: "She waits three seconds before she asks again.",
	})
}

// follow says that playback can go on from a new line, as a browser does that has buffered enough.
func (m *member) follow(c event.PlaybackChanged) error {
	return m.do(following, event.PlaybackReady{Seq: c.Playback.Seq})
}

// stop confirms the frame of a pause.
func (m *member) stop(h event.HoldBegan) error {
	m.script.hold = h.Hold.ID
	return m.do(following, event.HoldConfirm{Hold: h.Hold.ID, Frame: h.Hold.Frame, Seq: h.Hold.Seq})
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}
