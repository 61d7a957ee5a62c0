package event

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/fold.json anew")

// step is one entry of testdata/fold.json, which the browser's fold is tested with too.
type step struct {
	Event Event `json:"event"`
	View  View  `json:"view"` // after the event
}

const (
	ada = "01890000-0000-7000-8000-00000000000a"
	ben = "01890000-0000-7000-8000-00000000000b"
	cyd = "01890000-0000-7000-8000-00000000000c"
)

func id(n byte) string {
	return "01890000-0000-7000-9000-0000000000" + string([]byte{'0' + n/10, '0' + n%10})
}

func member(who, name string, role Role, joined int64) Member {
	return Member{ID: who, Name: name, Role: role, Presence: Here, Joined: joined, Consent: Agreed, Mic: true}
}

func with(m Member, change func(*Member)) Member {
	change(&m)
	return m
}

// story is a session in which everything happens once, and what is delicate too.
func story() []Body {
	adaHere := member(ada, "Ada", Focal, 10)
	benHere := member(ben, "Ben", Facilitator, 20)
	cydHere := member(cyd, "Cyd", Observer, 30)
	gone := func(m *Member) { m.Presence, m.Mic = Left, false }
	session := Session{ID: id(1), Kind: Inquiry, Title: "Fractions", Focus: "Who talks?", Purpose: "For us.", Opened: 1_750_000_000_000}
	clip := &Clip{ID: id(2), Title: "Lesson", Duration: 60_000_000, Frames: 1500, FPSNum: 25, FPSDen: 1, From: 2_000_000, To: 58_000_000, Width: 1280, Height: 720}
	pause := Pause{ID: id(3), Frame: 250, Prompt: "What do you notice?", Think: 60_000, Talk: 300_000, By: "Ben"}
	early := Pause{ID: id(4), Frame: 100, Prompt: "And here?", By: "Cyd", Proposed: true}
	before := Note{ID: id(10), Author: ada, Type: Wondering, Visibility: Private, Text: "beforehand", OnClip: true, From: 3_000_000, To: 4_000_000}
	first := Note{ID: id(11), Author: ada, Type: Observation, Visibility: Shared, Text: "first", At: 700, Written: 710, Replies: []Reply{}}
	sooner := Note{ID: id(12), Author: ben, Type: Question, Visibility: Coaches, Mark: true, At: 600, Written: 720, Replies: []Reply{}}
	edited := first
	edited.Text, edited.Edited, edited.Visibility = "first, put better", 760, Private
	line := func(mode Mode, position, at, seq int64, ready ...string) Playback {
		return Playback{Mode: mode, Position: position, Rate: 1, At: at, Seq: seq, Ready: some(ready), By: ada}
	}
	hold := Hold{
		ID: id(5), Pause: pause.ID, Frame: 250, Position: 10_020_000, Prompt: pause.Prompt, By: "Ben", Seq: 4, Began: 500, Think: 60_000,
		Talk: 300_000, Phase: Thinking, PhaseSince: 500, Confirmed: []string{}, Answered: []string{}, Answers: []Answer{},
	}
	answer := func(who, text string, at int64) HoldAnswered {
		return HoldAnswered{Hold: hold.ID, Answer: Answer{Member: who, Text: text, At: at}}
	}
	stroke := func(n byte, by string) DrawingAdded {
		return DrawingAdded{Drawing{ID: id(n), Author: by, Position: 10_420_000, Points: []float64{0, 0.25, 1, 0.5}}}
	}
	called := Hold{ID: id(6), Frame: 260, Position: 10_420_000, By: "Ada", Seq: 7, Began: 900, Phase: Talking, PhaseSince: 900}
	return []Body{
		SessionOpened{Session: session, Clip: clip, Pauses: []Pause{pause, early}, Notes: []Note{before}, Keeping: Keeping{Days: 30}},
		PlaybackChanged{line(Stopped, 2_020_000, 0, 1)},
		MemberJoined{adaHere},
		MemberJoined{cydHere},
		MemberJoined{benHere},
		PlaybackReadied{Seq: 1, Member: ben},
		PlaybackReadied{Seq: 1, Member: ada},
		PlaybackReadied{Seq: 1, Member: ada},
		PlaybackReadied{Seq: 0, Member: cyd},
		PlaybackChanged{line(Waiting, 2_020_000, 6000, 2, ada, ben)},
		MemberLost{with(benHere, func(m *Member) { m.Presence = Away })},
		MemberJoined{with(benHere, func(m *Member) { m.Joined = 40 })},
		PlaybackReadied{Seq: 2, Member: ben},
		PlaybackReadied{Seq: 2, Member: cyd},
		PlaybackChanged{line(Playing, 2_020_000, 200, 3, ada, ben, cyd)},
		MemberTyping{Member: ada, What: "note"},
		MemberSpeaking{Members: []string{ada}},
		MemberQuality{Member: ben, Quality: "poor"},
		YouChanged{May: []Action{Publish}},
		HoldBegan{Hold: hold, Playback: line(Holding, 10_020_000, 500, 4)},
		HoldConfirmed{Hold: hold.ID, Member: cyd, Frame: 250},
		HoldConfirmed{Hold: hold.ID, Member: ada, Frame: 250},
		HoldConfirmed{Hold: id(99), Member: ben, Frame: 250},
		answer(ben, "more", 510), answer(ada, "I wait", 520), answer(cyd, "", 530), answer(ada, "I wait longer", 540),
		answer(ben, "", 0), answer(ben, "more, and why", 560),
		MemberLost{with(cydHere, func(m *Member) { m.Presence = Away })},
		HoldRevealed{Hold: hold.ID, Answers: []Answer{{Member: ada, Text: "I wait longer", At: 540}, {Member: ben, Text: "more, and why", At: 560}}},
		HoldPhaseChanged{Hold: hold.ID, Phase: Talking, Since: 570},
		PauseSet{early.accepted()},
		PauseSet{Pause{ID: pause.ID, Frame: 50, Prompt: "Sooner", By: "Ben", Passed: true}},
		HoldEnded{Hold: id(99)},
		HoldEnded{Hold: hold.ID},
		answer(ada, "too late", 580),
		HoldConfirmed{Hold: hold.ID, Member: ben, Frame: 250},
		PlaybackChanged{line(Playing, 10_020_000, 600, 5, ada, ben)},
		PauseRemoved{early.ID},
		PauseRemoved{id(99)},
		NoteAdded{first},
		NoteAdded{sooner},
		NoteReplied{Note: first.ID, Reply: Reply{ID: id(21), Author: ben, Text: "second", At: 740}},
		NoteReplied{Note: first.ID, Reply: Reply{ID: id(20), Author: cyd, Text: "same time", At: 740}},
		NoteReplied{Note: id(99), Reply: Reply{ID: id(22), Author: cyd, Text: "to nothing", At: 740}},
		ReplyRemoved{Note: first.ID, ID: id(21)},
		ReplyRemoved{Note: id(99), ID: id(20)},
		NoteEdited{edited},
		NoteRemoved{sooner.ID},
		NoteRemoved{id(99)},
		ControlsChanged{Controls{Holder: cyd}},
		PlaybackChanged{line(Stopped, 10_420_000, 790, 6)},
		stroke(40, ada), stroke(41, ben), stroke(42, ada), stroke(43, ben),
		DrawingRemoved{IDs: []string{id(40), id(43), id(99)}},
		RecordingChanged{Recording{State: RecordingOn, Since: 800, By: ben}},
		NoteAdded{Note{ID: id(30), Author: ben, Type: Wondering, Visibility: Shared, Text: "mine", At: 805, Written: 805}},
		NoteReplied{Note: first.ID, Reply: Reply{ID: id(31), Author: ben, Text: "mine, too", At: 806}},
		MemberWithdrew{Member: with(benHere, func(m *Member) { m.Consent = Withdrawn }), When: 1_700_000_000_800},
		MemberWithdrew{Member: with(benHere, func(m *Member) { m.Consent = Withdrawn }), Notes: true, When: 1_700_000_000_807},
		RecordingErased{Member: ben, Until: 807, When: 1_700_000_000_900, Films: 1, Clips: 1, Files: []ErasedFile{
			{ID: id(32), Source: "audio", Start: 800, End: 806, Bytes: 4711, SHA256: "ab01"},
		}},
		KeepingChanged{Keeping: Keeping{Days: 90, Held: 1_700_000_000_940, Reason: "A complaint is looked into."}, When: 1_700_000_000_940},
		ReuseChanged{Reuse: Reuse{State: ReuseAsked, Clip: id(33), By: ada, Of: []string{ada, ben}, Agreed: []string{ada}}, When: 1_700_000_000_945},
		MeasuresSeen{Member: ada, When: 1_700_000_000_950},
		MemberSpoke{Speech{Member: ada, From: 300, To: 480}},
		MemberChanged{with(adaHere, func(m *Member) { m.Hand, m.Screen = 810, true })},
		HoldBegan{Hold: called, Playback: line(Holding, 10_420_000, 900, 7)},
		HoldEnded{Hold: called.ID},
		PlaybackChanged{line(Waiting, 10_420_000, 6900, 8)},
		PlaybackChanged{line(Stopped, 10_420_000, 910, 9)},
		stroke(44, ada),
		PlaybackChanged{line(Stopped, 10_460_000, 915, 10)},
		RecordingChanged{Recording{State: OffTheRecord, Since: 920, Reason: "Somebody here does not agree to being recorded."}},
		MemberLeft{with(cydHere, gone)},
		ControlsChanged{},
		MemberRemoved{with(benHere, gone)},
		SessionEnded{func() Session { s := session; s.Ended, s.EndedBy = 990, ada; return s }()},
	}
}

func (p Pause) accepted() Pause {
	p.Proposed = false
	return p
}

func TestFoldGolden(t *testing.T) {
	var v View
	var steps []step
	seq := int64(0)
	for i, b := range story() {
		e := Event{At: int64(10 * i), By: ada, Body: b}
		if !Transient(b) {
			seq++
			e.Seq = seq
		}
		v.Fold(e)
		steps = append(steps, step{e, v.Clone()})
	}
	got, err := json.MarshalIndent(steps, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("testdata/fold.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/fold.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the fold gives other views than testdata/fold.json; if they are right, run go test ./room/event -update")
	}
}

// What is read back from JSON folds to the same views: the golden file is enough to test another fold with.
func TestFoldOfGoldenFile(t *testing.T) {
	b, err := os.ReadFile("testdata/fold.json")
	if err != nil {
		t.Fatal(err)
	}
	var steps []struct {
		Event Event           `json:"event"`
		View  json.RawMessage `json:"view"`
	}
	if err := json.Unmarshal(b, &steps); err != nil {
		t.Fatal(err)
	}
	var v View
	seen := map[string]bool{}
	for i, s := range steps {
		v.Fold(s.Event)
		seen[Name(s.Event.Body)] = true
		got, _ := json.Marshal(v)
		var want bytes.Buffer
		if err := json.Compact(&want, s.View); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("step %d, %s:\n got %s\nwant %s", i, Name(s.Event.Body), got, want.Bytes())
		}
	}
	for _, b := range Bodies() {
		if !seen[Name(b)] {
			t.Errorf("the golden file has no %s", Name(b))
		}
	}
}

// A clone stays as it is while the view goes on, and the events that were folded stay as they were.
func TestFoldSharesNothingThatItWrites(t *testing.T) {
	var v View
	var clones []View
	var then [][]byte
	bodies := story()
	pristine, _ := json.Marshal(bodies)
	for i, b := range bodies {
		v.Fold(Event{Seq: int64(i + 1), Body: b})
		c := v.Clone()
		j, _ := json.Marshal(c)
		clones, then = append(clones, c), append(then, j)
	}
	for i := range clones {
		if now, _ := json.Marshal(clones[i]); !bytes.Equal(now, then[i]) {
			t.Fatalf("the clone after %s changed:\n was %s\n now %s", Name(bodies[i]), then[i], now)
		}
	}
	if now, _ := json.Marshal(bodies); !bytes.Equal(now, pristine) {
		t.Fatal("folding changed an event")
	}
}

func TestFoldOfNothingLeavesNoNull(t *testing.T) {
	var v View
	v.Fold(Event{Seq: 1, Body: SessionOpened{}})
	j, _ := json.Marshal(v)
	want := `"clip":null,"members":[],"playback":{"mode":"stopped","position":0,"rate":1,"at":0,"seq":0,"ready":[],"by":""},` +
		`"controls":{"holder":""},"pauses":[],"hold":null,"notes":[]`
	if !bytes.Contains(j, []byte(want)) {
		t.Fatalf("got %s", j)
	}
}

// The table of who may do what, as the product's description has it.
func TestMay(t *testing.T) {
	type who struct {
		role                Role
		kind                Kind
		facilitated, holder bool
	}
	focal, coach, lead := who{role: Focal}, who{role: Coach}, who{role: Facilitator}
	peer, observer := who{role: Peer}, who{role: Observer}
	holder := who{role: Peer, holder: true}
	liveObserver, liveCoach := who{role: Observer, kind: LiveLesson}, who{role: Coach, kind: LiveLesson}
	ledFocal, ledCoach := who{role: Focal, facilitated: true}, who{role: Coach, facilitated: true}
	nobody := who{role: "guest"}
	all := []who{focal, coach, lead, peer, observer, holder, liveObserver, liveCoach, ledFocal, ledCoach, nobody}
	table := map[Action][]who{
		Publish:      {focal, coach, lead, peer, holder, liveCoach, ledFocal, ledCoach},
		Drive:        {focal, coach, lead, holder, ledFocal, ledCoach},
		HandOver:     {focal, coach, lead, holder, ledFocal, ledCoach},
		Prepare:      {focal, coach, lead, ledFocal, ledCoach},
		Propose:      {focal, coach, lead, peer, holder, ledFocal, ledCoach},
		CallPause:    {focal, coach, lead, peer, holder, ledFocal, ledCoach},
		Continue:     {focal, coach, lead},
		WriteShared:  {focal, coach, lead, peer, holder, liveObserver, liveCoach, ledFocal, ledCoach},
		WriteCoaches: {coach, lead, liveCoach, ledCoach},
		WritePrivate: all[:10],
		Draw:         {focal, coach, lead, peer, holder, ledFocal, ledCoach},
		Record:       {focal, coach, lead, liveCoach, ledFocal, ledCoach},
		GoOffRecord:  all[:10],
		RaiseHand:    all[:10],
		ChangeRole:   {focal, lead},
		RemoveMember: {focal, lead, ledFocal},
		EndSession:   {focal, lead, ledFocal},
		ExportAll:    {focal, ledFocal},
		ExportShared: {focal, coach, lead, liveCoach, ledFocal, ledCoach},
		ExportOwn:    all[:10],
	}
	for action, may := range table {
		for _, w := range all {
			got := slices.Contains(May(w.role, w.kind, w.facilitated, w.holder), action)
			if want := slices.Contains(may, w); got != want {
				t.Errorf("%s by %+v: got %v, want %v", action, w, got, want)
			}
		}
	}
	if len(table) != len(actions) {
		t.Errorf("the table has %d actions of %d", len(table), len(actions))
	}
}
