package room

import (
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestSpeechIsKeptOnTheRecordAlone(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	spoke := func(who string, from, to int64) []event.Event {
		return m.keep(m.s.Spoke(m.env(), event.Speech{Member: who, From: from, To: to}))
	}
	kept := func(events []event.Event, from, to int64) {
		t.Helper()
		want := event.MemberSpoke{Speech: event.Speech{Member: peer, From: from, To: to}}
		if len(events) != 1 || events[0].Body != want {
			t.Fatalf("got %+v, not %+v", events, want)
		}
	}
	m.now = 3000
	wantNames(t, spoke(peer, 0, 3000))
	m.do(peer, event.MemberConsent{Agree: true})
	wantNames(t, spoke(peer, 0, 3000))
	m.do(focal, event.RecordingStart{})
	m.now = 8000
	kept(spoke(peer, -5, 9999), 3000, 8000)
	wantNames(t, spoke(coach, 5000, 6000)) // is not there
	wantNames(t, spoke(peer, 6000, 6000))
	wantNames(t, spoke(peer, 8000, 9000))

	m.do(peer, event.RecordingStop{})
	m.now = 12_000
	wantNames(t, spoke(peer, 9000, 12_000))
	s, err := New(m.journal) // after a restart, too
	if err != nil {
		t.Fatal(err)
	}
	m.s = s
	kept(spoke(peer, 7000, 12_000), 7000, 8000)
	m.do(focal, event.RecordingStart{})
	m.now = 15_000
	kept(spoke(peer, 11_000, 14_000), 12_000, 14_000)

	m.do(peer, event.MemberConsent{})
	wantNames(t, spoke(peer, 13_000, 14_500))
	m.checkJournal()
}
