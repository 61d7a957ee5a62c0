package recorder

import "github.com/pausepoint/pausepoint/room/event"

const opened = 1_760_000_000_000 // 2025-10-09T08:53:20Z

// journal is a session of three people about a clip of 25 fps, with two pauses on the record and notes of each sort.
func journal() []event.Event {
	focal := event.Member{ID: "m-ana", Name: "Ana Ruiz", Role: event.Focal, Presence: event.Here, Joined: 100}
	coach := event.Member{ID: "m-bo", Name: "Bo <Coach>", Role: event.Coach, Presence: event.Here, Joined: 200}
	left := coach
	left.Presence = event.Left
	hold := event.Hold{
		ID: "h1", Pause: "p1", Frame: 250, Position: 10_020_000, Prompt: "What do you notice?", By: "Ana Ruiz", Seq: 3, Began: 15_020,
		Think: 60_000, Phase: event.Thinking,
	}
	later := hold
	later.ID, later.Pause, later.Frame, later.Position, later.Seq, later.Prompt, later.Began = "h2", "", 500, 20_020_000, 5, "", 30_450
	notes := notes()
	bodies := []struct {
		at   int64
		by   string
		body event.Body
	}{
		{0, "", event.SessionOpened{
			Session: event.Session{ID: "s1", Kind: event.Conversation, Title: "Fractions --> 4b", Focus: "Who talks?", Purpose: "For us two.", Opened: opened, Recorded: true},
			Clip:    &event.Clip{ID: "c1", Title: "Fractions", Focus: "Who talks?", Duration: 60_000_000, Frames: 1500, FPSNum: 25, FPSDen: 1, From: 2_000_000, To: 50_000_000},
			Pauses:  []event.Pause{{ID: "p1", Frame: 250, Prompt: "What do you notice?", Think: 60_000, By: "Ana Ruiz"}},
			Notes:   notes[:1],
		}},
		{100, focal.ID, event.MemberJoined{Member: focal}},
		{200, coach.ID, event.MemberJoined{Member: coach}},
		{1000, "", event.RecordingChanged{Recording: event.Recording{State: event.RecordingOn, Since: 1000}}},
		{5000, focal.ID, event.PlaybackChanged{Playback: event.Playback{Mode: event.Waiting, Position: 2_000_000, Rate: 1, At: 9000, Seq: 1}}},
		{6000, "", event.PlaybackReadied{Seq: 1, Member: focal.ID}},
		{6500, "", event.PlaybackChanged{Playback: event.Playback{Mode: event.Playing, Position: 2_000_000, Rate: 1, At: 7000, Seq: 2}}},
		{12_000, coach.ID, event.NoteAdded{Note: notes[1]}},
		{13_000, focal.ID, event.NoteAdded{Note: notes[2]}},
		{13_500, coach.ID, event.NoteReplied{Note: notes[1].ID, Reply: event.Reply{ID: "r1", Author: focal.ID, Text: "Yes: \\ two\nof them", At: 13_500}}},
		{15_020, "", event.HoldBegan{Hold: hold, Playback: event.Playback{Mode: event.Holding, Position: 10_020_000, Rate: 1, At: 15_020, Seq: 3}}},
		{16_000, coach.ID, event.HoldAnswered{Hold: "h1", Answer: event.Answer{Member: coach.ID, Text: "A pupil explains.", At: 16_000}}},
		{20_000, focal.ID, event.HoldRevealed{Hold: "h1", Answers: []event.Answer{{Member: coach.ID, Text: "A pupil explains.", At: 16_000}}}},
		{25_000, focal.ID, event.HoldEnded{Hold: "h1"}},
		{25_000, focal.ID, event.PlaybackChanged{Playback: event.Playback{Mode: event.Playing, Position: 10_020_000, Rate: 2, At: 25_500, Seq: 4}}},
		{30_000, coach.ID, event.RecordingChanged{Recording: event.Recording{State: event.OffTheRecord, Since: 30_000, By: coach.ID}}},
		{30_450, coach.ID, event.HoldBegan{Hold: later, Playback: event.Playback{Mode: event.Holding, Position: 20_020_000, Rate: 2, At: 30_500, Seq: 5}}},
		{31_000, coach.ID, event.HoldAnswered{Hold: "h2", Answer: event.Answer{Member: coach.ID, Text: "never shown", At: 31_000}}},
		{40_000, coach.ID, event.NoteAdded{Note: notes[3]}},
		{41_000, coach.ID, event.NoteAdded{Note: notes[4]}},
		{42_000, coach.ID, event.NoteRemoved{ID: notes[4].ID}},
		{50_000, "", event.RecordingChanged{Recording: event.Recording{State: event.RecordingOn, Since: 50_000}}},
		{55_000, coach.ID, event.MemberLeft{Member: left}},
		{55_500, "", event.MemberTyping{Member: focal.ID}},
		{60_000, focal.ID, event.SessionEnded{Session: event.Session{
			ID: "s1", Kind: event.Conversation, Title: "Fractions --> 4b", Focus: "Who talks?", Purpose: "For us two.", Opened: opened, Ended: 60_000, EndedBy: focal.ID,
		}}},
	}
	var out []event.Event
	seq := int64(0)
	for _, b := range bodies {
		e := event.Event{At: b.at, By: b.by, Body: b.body}
		if !event.Transient(b.body) {
			seq++
			e.Seq = seq
		}
		out = append(out, e)
	}
	return out
}

func notes() []event.Note {
	return []event.Note{
		{ID: "n0", Author: "m-ana", Type: event.Wondering, Visibility: event.Private, Text: "Why so quiet?", OnClip: true, From: 4_000_000, To: 9_500_000},
		{ID: "n1", Author: "m-bo", Type: event.Observation, Visibility: event.Shared, Text: "Two pupils <share> a book & smile.\n\nThen --> one asks.", At: 11_500, OnClip: true, From: 6_500_333, To: 6_500_333, Written: 12_000},
		{ID: "n2", Author: "m-ana", Type: event.Question, Visibility: event.Shared, Mark: true, At: 13_000, OnClip: true, From: 8_000_000, To: 8_000_000, Written: 13_000},
		{ID: "n3", Author: "m-bo", Type: event.NextStep, Visibility: event.Coaches, Text: "=SUM(A1:A9), \"wait\" longer", At: 39_000, Written: 40_000},
		{ID: "n4", Author: "m-bo", Type: event.Learning, Visibility: event.Shared, Text: "taken back", At: 41_000, Written: 41_000},
	}
}
