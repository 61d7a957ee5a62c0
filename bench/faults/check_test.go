package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// story is a session with two notes and a clip that plays, and its history as members were told it.
type story struct {
	*History
	journal []event.Event
}

func tell(t *testing.T) *story {
	t.Helper()
	s := &story{History: NewHistory()}
	clip := event.Clip{ID: "clip", Frames: 1000, FPSNum: 25, FPSDen: 1, To: 40_000_000}
	s.journal = []event.Event{{Seq: 1, Body: event.SessionOpened{Session: event.Session{Opened: s.began.UnixMilli()}, Clip: &clip}}}
	s.does("play", 0, event.PlaybackChanged{Playback: event.Playback{Mode: event.Playing, Rate: 1, At: 0, Seq: 1}})
	s.writes("a", "one")
	s.comes("ben")
	s.writes("b", "two")
	s.does("stop", 0, event.PlaybackChanged{Playback: event.Playback{Mode: event.Stopped, Rate: 1, Position: 40_000, At: 40, Seq: 2}})
	s.comes("ana")
	return s
}

func (s *story) writes(id, text string) {
	s.does(id, DigestNote(id, text), event.NoteAdded{Note: event.Note{ID: id, Text: text}})
}

// does is a command that one member sends, and another is told of.
func (s *story) does(id string, adds uint64, body event.Body) {
	kind := Writes
	if adds == 0 {
		kind = Plays
	}
	s.Sent(id, adds, kind)
	e := event.Event{Seq: int64(len(s.journal)) + 1, Cmd: id, Body: body}
	s.journal = append(s.journal, e)
	s.Told("ana", e)
	s.Answered(id, nil)
}

func (s *story) comes(member string) { s.reads(member, s.Now(), s.journal) }

func (s *story) reads(member string, asked time.Duration, journal []event.Event) {
	var view event.View
	for _, e := range journal {
		view.Fold(e)
	}
	s.Welcomed(member, asked, event.Welcome{Seq: int64(len(journal)), View: view})
}

func TestAGoodHistory(t *testing.T) {
	s := tell(t)
	if found := s.Check(s.journal); len(found) > 0 {
		t.Errorf("found: %q", found)
	}
	if n := s.Acknowledged(); n != 4 {
		t.Errorf("%d are acknowledged", n)
	}
}

// Each fault is found, and said in words.
func TestEveryFaultIsFound(t *testing.T) {
	for _, fault := range []struct {
		says string
		make func(s *story)
	}{
		{"lost: the command", func(s *story) {
			s.Sent("c", DigestNote("c", "x"), Writes)
			s.Answered("c", nil)
		}},
		{"lost: members were told", func(s *story) { s.journal = s.journal[:len(s.journal)-1] }},
		{"a fork", func(s *story) { s.Told("ben", event.Event{Seq: 3, Body: event.NoteRemoved{ID: "a"}}) }},
		{"the journal has", func(s *story) { s.journal[2].By = "eve" }},
		{"done twice", func(s *story) {
			again := s.journal[2]
			again.Seq = int64(len(s.journal)) + 1
			s.journal = append(s.journal, again)
		}},
		{"has seq", func(s *story) { s.journal[3].Seq = 9 }},
		{"goes back", func(s *story) { s.journal[1].At = 5 }},
		{"was refused and done", func(s *story) {
			s.Sent("c", 0, Plays)
			s.Answered("c", &event.Problem{Code: "forbidden"})
			s.journal = append(s.journal, event.Event{Seq: int64(len(s.journal)) + 1, Cmd: "c", Body: event.NoteRemoved{}})
		}},
		{"refused after it was acknowledged", func(s *story) { s.Answered("a", &event.Problem{Code: "conflict"}) }},
		{"that nobody sent", func(s *story) { s.Answered("z", nil) }},
		{"another state", func(s *story) {
			s.Welcomed("eve", s.Now(), event.Welcome{Seq: 5, View: event.View{Notes: s.notes()}})
		}},
		{"another state", func(s *story) { s.Folded("eve", 2, event.View{}) }},
		{"no order", func(s *story) { s.reads("eve", s.Now(), s.journal[:3]) }}, // an owner that does not know of its successor
		{"the clip jumps", func(s *story) {
			stop := event.Playback{Mode: event.Playing, Rate: 1, Position: 9_000_000, At: 40}
			s.journal = append(s.journal, event.Event{Seq: int64(len(s.journal)) + 1, Body: event.PlaybackChanged{Playback: stop}})
		}},
		{"where there is none", func(s *story) {
			s.journal[0].Body = event.SessionOpened{Session: event.Session{Opened: s.began.UnixMilli()}}
		}},
		{"still to come", func(s *story) {
			s.journal = append(s.journal, event.Event{Seq: int64(len(s.journal)) + 1, At: 600_000, Body: event.NoteRemoved{}})
			s.Told("ana", s.journal[len(s.journal)-1])
		}},
	} {
		s := tell(t)
		fault.make(s)
		if found := strings.Join(s.Check(s.journal), "\n"); !strings.Contains(found, fault.says) {
			t.Errorf("%q is not found, but %q", fault.says, found)
		}
	}
}

// notes are those of the whole story.
func (s *story) notes() []event.Note {
	return []event.Note{{ID: "a", Text: "one"}, {ID: "b", Text: "two"}}
}

func TestLiveAgain(t *testing.T) {
	h := NewHistory()
	h.Sent("early", 0, Plays)
	since := h.Now()
	live := make(chan error)
	go func() {
		_, err := h.AwaitLive(t.Context(), since)
		live <- err
	}()
	h.Answered("early", nil) // it was sent before
	h.Sent("late", 0, Plays)
	select {
	case <-live:
		t.Fatal("live before anything that was sent afterwards is answered")
	default:
	}
	h.Answered("late", nil)
	if err := <-live; err != nil {
		t.Error(err)
	}
}
