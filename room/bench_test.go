package room

import (
	"fmt"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func BenchmarkAddNoteAmongThousands(b *testing.B) {
	full := newSim(b, testPlan())
	full.join(focal)
	for i := range maxNotes - 1 {
		full.do(focal, note(10_000+i, event.Shared, "A note of the usual length, about what the pupils do."))
	}
	add, remove := note(1, event.Shared, "one more"), event.NoteRemove{ID: testID(1)}
	b.ReportAllocs()
	for b.Loop() {
		for _, cmd := range []event.Command{add, remove} {
			if _, err := full.s.Apply(full.env(), focal, cmd, full.id()); err != nil {
				b.Fatal(err)
			}
		}
		full.now += 60_000 // old command ids are forgotten as in a real session
	}
}

// sink is a connection that takes everything.
type sink struct{ frames int }

func (s *sink) Send([]byte) bool { s.frames++; return true }
func (s *sink) Close(event.Bye)  {}

func BenchmarkFanOutTo300(b *testing.B) {
	h := NewHouse(Config{})
	s, events, err := Open(testPlan())
	if err != nil {
		b.Fatal(err)
	}
	r := h.newRoom(session, 1, s, event.View{})
	for _, e := range events {
		r.told.Fold(e)
	}
	for i := range 300 {
		id := fmt.Sprintf("01890000-0000-7000-8000-%012x", i)
		joined, err := s.Connect(Env{}, Identity{ID: id, Name: "Name", Role: event.Peer}, event.Hello{})
		if err != nil {
			b.Fatal(err)
		}
		r.told.Fold(joined[0])
		r.links[id] = &link{member: id, role: event.Peer, conn: &sink{}, live: true}
	}
	n := event.Note{ID: testID(1), Author: focal, Type: event.Learning, Visibility: event.Shared, Text: "A note.", Replies: []event.Reply{}}
	b.ReportAllocs()
	for b.Loop() {
		r.fan(event.Event{Seq: 1000, At: 5, By: focal, Body: event.NoteAdded{Note: n}})
	}
}

func BenchmarkWelcomeWithThousandsOfNotes(b *testing.B) {
	m := newSim(b, testPlan())
	m.join(focal, peer)
	for i := range maxNotes {
		m.do(focal, note(10_000+i, event.Shared, "A note of the usual length, about what the pupils do."))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Encode("", event.Welcome{View: viewFor(&m.s.view, peer)}); err != nil {
			b.Fatal(err)
		}
	}
}
