package recorder

import (
	"reflect"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// A conversation of three: on the record from 10 to 100 s, off it from 40 to 50; Cyd agrees at 60 s.
func measured() []event.Event {
	person := func(id string, c event.Consent) event.Member {
		return event.Member{ID: id, Role: event.Peer, Presence: event.Here, Consent: c}
	}
	record := func(s event.RecordingState) event.Body {
		return event.RecordingChanged{Recording: event.Recording{State: s}}
	}
	spoke := func(who string, from, to int64) event.Body {
		return event.MemberSpoke{Speech: event.Speech{Member: who, From: from * 1000, To: to * 1000}}
	}
	hold := func(id string, at int64) event.Body {
		return event.HoldBegan{Hold: event.Hold{ID: id, Began: at * 1000}}
	}
	var out []event.Event
	for _, x := range []struct {
		at   int64
		body event.Body
	}{
		{0, event.SessionOpened{}},
		{1, event.MemberJoined{Member: person("ada", event.Agreed)}},
		{2, event.MemberJoined{Member: person("ben", event.Agreed)}},
		{3, event.MemberJoined{Member: person("cyd", event.Unasked)}},
		{4, event.MemberJoined{Member: event.Member{ID: "dan", Role: event.Observer, Presence: event.Here}}},
		{9, spoke("ada", 5, 9)}, // before
		{10, record(event.RecordingOn)},
		{15, spoke("ben", 8, 15)}, // 5 s of it
		{20, hold("one", 20)},
		{26, spoke("cyd", 21, 26)}, // has not agreed
		{28, spoke("ada", 23, 28)},
		{30, event.HoldEnded{Hold: "one"}},
		{40, record(event.OffTheRecord)},
		{44, hold("off", 44)},
		{46, spoke("ada", 45, 46)},
		{47, event.HoldEnded{Hold: "off"}},
		{50, record(event.RecordingOn)},
		{60, event.MemberChanged{Member: person("cyd", event.Agreed)}},
		{61, hold("two", 61)},
		{71, event.HoldPhaseChanged{Hold: "two", Phase: event.Talking, Since: 71_000}},
		{76, spoke("cyd", 75, 76)},
		{77, spoke("cyd", 76, 77)}, // one turn with the one before
		{80, event.HoldEnded{Hold: "two"}},
		{85, hold("three", 85)},
		{90, event.HoldEnded{Hold: "three"}},
		{100, event.SessionEnded{Session: event.Session{Ended: 100_000}}},
	} {
		out = append(out, event.Event{Seq: int64(len(out) + 1), At: x.at * 1000, Body: x.body})
	}
	return out
}

func TestMeasures(t *testing.T) {
	got := NewMeasures(measured())
	want := Measures{
		Recorded: 80_000,
		People: []MeasuredPerson{
			{Member: "ada", Talk: 5000, Turns: 1}, {Member: "ben", Talk: 5000, Turns: 1}, {Member: "cyd", Talk: 2000, Turns: 1},
		},
		Pauses: []MeasuredPause{
			{Hold: "one", Began: 20_000, Spoken: true, Member: "ada", After: 3000},
			{Hold: "two", Began: 61_000, Spoken: true, Member: "cyd", After: 4000},
			{Hold: "three", Began: 85_000},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Everybody sees their own part first; others see it once they have.
func TestMeasuresAreShownToTheMeasuredFirst(t *testing.T) {
	events := append(measured(), event.Event{Seq: 100, At: 100_000, Body: event.MeasuresSeen{Member: "cyd"}})
	got := NewMeasures(events).For("ben")
	want := []MeasuredPerson{{Member: "ada"}, {Member: "ben", Shown: true, Talk: 5000, Turns: 1}, {Member: "cyd", Shown: true, Talk: 2000, Turns: 1}}
	if !reflect.DeepEqual(got.People, want) {
		t.Errorf("got  %+v\nwant %+v", got.People, want)
	}
	if got.Pauses[0].Member != "" || got.Pauses[0].After != 3000 || got.Pauses[1].Member != "cyd" {
		t.Errorf("pauses: %+v", got.Pauses)
	}
}

// Whoever takes their consent back is measured no more.
func TestMeasuresWithoutConsent(t *testing.T) {
	withdrew := event.MemberWithdrew{Member: event.Member{ID: "ada", Role: event.Peer, Consent: event.Withdrawn}}
	got := NewMeasures(append(measured(), event.Event{Seq: 100, At: 100_000, Body: withdrew}))
	for _, p := range got.People {
		if p.Member == "ada" && (p.Talk > 0 || p.Turns > 0) {
			t.Errorf("got %+v", p)
		}
	}
	if got.Pauses[0].Spoken {
		t.Errorf("pauses: %+v", got.Pauses)
	}
	if empty := NewMeasures(nil); empty.Recorded != 0 || empty.People == nil || empty.Pauses == nil {
		t.Errorf("of nothing: %+v", empty)
	}
}

func TestAReplayShowsNoTalkOffTheRecord(t *testing.T) {
	var got []event.Speech
	for _, e := range NewReplay("ada", nil, measured(), nil).Events {
		if b, ok := e.Body.(event.MemberSpoke); ok {
			got = append(got, b.Speech)
		}
	}
	want := []event.Speech{
		{Member: "ben", From: 10_000, To: 15_000},
		{Member: "ada", From: 23_000, To: 28_000},
		{Member: "cyd", From: 75_000, To: 76_000},
		{Member: "cyd", From: 76_000, To: 77_000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}
