package room

import (
	"math"
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestStartWaitsUntilAllAreReady(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.now = 1000
	m.do(focal, event.PlaybackPlay{})
	m.expect(event.Waiting, middle(250), 7000)
	m.now = 1500
	m.ready(peer)
	m.expect(event.Waiting, middle(250), 7000)
	wantNames(t, m.do(focal, event.PlaybackReady{Seq: m.line().Seq}), "playback.readied", "playback.changed")
	m.expect(event.Playing, middle(250), 1600)
	if p := m.line(); p.By != focal || !slices.Equal(p.Ready, []string{focal, peer}) {
		t.Fatalf("got line %+v", p)
	}
}

func TestStartGoesOnWithoutTheSlow(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(focal, event.PlaybackPlay{})
	m.ready(focal)
	m.pass(5999)
	m.expect(event.Waiting, middle(250), 6000)
	m.pass(1)
	m.expect(event.Playing, middle(250), 6100)
	m.checkJournal()
}

func TestStartIsAtOnceIfAllWereReadyAlready(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.ready(focal, peer)
	m.now = 2000
	m.do(focal, event.PlaybackPlay{})
	m.expect(event.Playing, middle(250), 2100)
}

func TestStartDoesNotWaitForWhoIsLost(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(focal, event.PlaybackPlay{})
	m.ready(focal)
	m.now = 300
	wantNames(t, m.lose(peer), "member.lost", "playback.changed")
	m.expect(event.Playing, middle(250), 400)
}

func TestReadyForAnOlderLineIsNotForThisOne(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	old := m.line().Seq
	m.do(focal, event.PlaybackSeek{Position: 20_000_000})
	if events := m.do(focal, event.PlaybackReady{Seq: old}); len(events) > 0 {
		t.Fatalf("got %v", names(events))
	}
	m.refused("conflict", focal, event.PlaybackReady{Seq: old + 2})
}

// playing is a session that plays from frame 250 since session time 100.
func playing(t *testing.T, pauses ...event.Pause) *sim {
	m := newSim(t, testPlan(pauses...))
	m.join(focal, peer)
	m.ready(focal, peer)
	m.do(focal, event.PlaybackPlay{})
	m.expect(event.Playing, middle(250), 100)
	return m
}

func TestStopIsOnAFrameAhead(t *testing.T) {
	m := playing(t)
	m.pass(1000)
	m.do(focal, event.PlaybackStop{})
	m.expect(event.Stopped, middle(275), 1100) // 1 s after 250
	m.do(focal, event.PlaybackStop{})
	if m.line().Seq != 3 {
		t.Fatalf("stopping twice changed the line: %+v", m.line())
	}
	for at, want := range map[int64]int64{100: middle(250), 600: middle(250) + 500_000, 1050: middle(250) + 950_000, 1100: middle(275), 1900: middle(275)} {
		if got := m.s.positionAt(at); got != want {
			t.Errorf("shown at %d: got %d, want %d", at, got, want)
		}
	}
	m.ready(focal, peer)
	m.do(focal, event.PlaybackPlay{}) // at 1000, before everybody has stopped
	m.expect(event.Playing, middle(275), 1100)
}

func TestStopBeforeThePlayerHasBegun(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	m.do(focal, event.PlaybackPlay{})
	m.now = 2000
	m.do(focal, event.PlaybackStop{})
	m.expect(event.Stopped, middle(250), 2000)
}

func TestSeek(t *testing.T) {
	for _, c := range []struct {
		name           string
		to, want       int64
		playing, still bool
	}{
		{name: "stopped", to: 20_000_001, want: middle(500)},
		{name: "stopped, before the range", to: -5, want: middle(250)},
		{name: "stopped, after the range", to: 59_999_999, want: middle(1249)},
		{name: "stopped, beyond all", to: math.MaxInt64, want: middle(1249)},
		{name: "stopped, far below", to: math.MinInt64, want: middle(250), still: true},
		{name: "playing", to: 20_000_001, want: middle(500), playing: true},
		{name: "playing, to where it began", to: middle(250), want: middle(250), playing: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newSim(t, testPlan())
			m.join(focal)
			m.ready(focal)
			if c.playing {
				m.do(focal, event.PlaybackPlay{})
			}
			m.pass(700)
			m.do(focal, event.PlaybackSeek{Position: c.to})
			if !c.playing {
				m.expect(event.Stopped, c.want, map[bool]int64{true: 700}[c.want != middle(250)])
				return
			}
			m.expect(event.Waiting, c.want, 6700)
			m.ready(focal)
			m.expect(event.Playing, c.want, 800)
		})
	}
}

func TestStep(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	m.do(focal, event.PlaybackStep{Frames: 3})
	m.expect(event.Stopped, middle(253), 0)
	m.do(focal, event.PlaybackStep{Frames: -100})
	m.expect(event.Stopped, middle(250), 0)
	for _, n := range []int64{0, 101, -101, math.MaxInt64, math.MinInt64} {
		m.refused("invalid", focal, event.PlaybackStep{Frames: n})
	}
	m = playing(t)
	m.pass(1100)
	m.do(focal, event.PlaybackStep{Frames: -1})
	m.expect(event.Stopped, middle(274), 1100)
}

func TestRate(t *testing.T) {
	m := playing(t)
	m.pass(1000)
	m.do(focal, event.PlaybackRate{Rate: 0.5})
	m.expect(event.Playing, middle(275), 1100)
	for at, want := range map[int64]int64{1000: middle(250) + 900_000, 1050: middle(250) + 950_000, 1100: middle(275), 1300: middle(275) + 100_000} {
		if got := m.s.positionAt(at); got != want {
			t.Errorf("shown at %d: got %d, want %d", at, got, want)
		}
	}
	for _, r := range []float64{0, -1, 0.24, 2.01, math.NaN(), math.Inf(1)} {
		m.refused("invalid", focal, event.PlaybackRate{Rate: r})
	}
	seq := m.line().Seq
	if m.do(focal, event.PlaybackRate{Rate: 0.5}); m.line().Seq != seq {
		t.Fatal("the same rate made a new line")
	}
}

func TestRateKeepsThePauseAhead(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(7), Frame: 260, Prompt: "Here"}) // due at 500
	m.pass(470)
	m.do(focal, event.PlaybackRate{Rate: 2})
	if p := m.line(); p.Position >= middle(260) || m.s.ruler.frame(p.Position) >= 260 {
		t.Fatalf("the new line begins behind the pause: %+v", p)
	}
	m.pass(1000)
	if h := m.s.view.Hold; h == nil || h.Frame != 260 {
		t.Fatalf("got hold %+v", h)
	}
}

func TestPreparedPauseStopsOnItsFrame(t *testing.T) {
	m := playing(t,
		event.Pause{ID: testID(7), Frame: 275, Prompt: "What do you notice?", Think: 2000, Talk: 5000, By: "Ada"},
		event.Pause{ID: testID(8), Frame: 262, Prompt: "A proposal", Proposed: true},
		event.Pause{ID: testID(9), Frame: 250, Prompt: "Where it begins"},
	)
	wantNames(t, m.pass(1099))
	wantNames(t, m.pass(1), "hold.began")
	m.expect(event.Holding, middle(275), 1100)
	h := m.s.view.Hold
	if h.Pause != testID(7) || h.Position != middle(275) || h.Seq != m.line().Seq || h.Phase != event.Thinking || h.Began != 1100 {
		t.Fatalf("got hold %+v", h)
	}
	if p, _ := m.s.view.Pause(testID(7)); !p.Passed {
		t.Fatal("the pause is not marked as passed")
	}
	m.refused("conflict", focal, event.PlaybackPlay{})
	m.refused("conflict", focal, event.PlaybackStop{})
	m.refused("conflict", focal, event.PlaybackSeek{})
	m.refused("conflict", focal, event.PauseCall{})
	wantNames(t, m.pass(1999))
	wantNames(t, m.pass(1), "hold.phase")
	if h = m.s.view.Hold; h.Phase != event.Talking || h.PhaseSince != 3100 {
		t.Fatalf("got hold %+v", h)
	}
	m.checkJournal()
}

func TestPauseReachedLateIsWhereItWasDue(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(7), Frame: 275, Think: 2000})
	m.now = 5000 // the room was held up
	wantNames(t, m.tick(), "hold.began", "hold.phase")
	m.expect(event.Holding, middle(275), 1100)
	for at, want := range map[int64]int64{1099: middle(250) + 999_000, 1100: middle(275), 4000: middle(275)} {
		if got := m.s.positionAt(at); got != want {
			t.Errorf("shown at %d: got %d, want %d", at, got, want)
		}
	}
}

func TestContinueFromThePause(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(7), Frame: 275})
	m.join(lead)
	m.pass(2000)
	h := m.s.view.Hold
	for _, id := range []string{focal, peer} {
		m.do(id, event.HoldConfirm{Hold: h.ID, Frame: 275, Seq: h.Seq})
	}
	m.refused("forbidden", focal, event.HoldContinue{Hold: h.ID})
	m.refused("conflict", lead, event.HoldContinue{Hold: testID(99)})
	wantNames(t, m.do(lead, event.HoldContinue{Hold: h.ID}), "hold.ended", "playback.changed")
	m.expect(event.Waiting, middle(275), 8000) // the facilitator has not confirmed
	m.now = 2500
	m.ready(lead)
	m.expect(event.Playing, middle(275), 2100+turnFor)
	m.pass(10_000) // not the same pause again
	if m.s.view.Hold != nil || m.line().Mode != event.Playing {
		t.Fatalf("got %+v", m.line())
	}
}

func TestContinueAtOnceIfAllAreOnTheFrame(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(7), Frame: 275})
	m.pass(2000)
	h := m.s.view.Hold
	for _, id := range []string{focal, peer} {
		m.do(id, event.HoldConfirm{Hold: h.ID, Frame: 275, Seq: h.Seq})
	}
	m.refused("forbidden", peer, event.HoldContinue{Hold: h.ID})
	m.do(focal, event.HoldContinue{Hold: h.ID}) // no facilitator is here
	m.expect(event.Playing, middle(275), 2100+turnFor)
	m.refused("conflict", focal, event.HoldContinue{Hold: h.ID})
}

func TestPagesTurnBackAlsoWhereTheStartWaits(t *testing.T) {
	for _, row := range []struct{ readyAfter, begins int64 }{{200, turnFor + 100}, {turnFor, turnFor + 100}, {2500, 2500 + 100}} {
		m := playing(t, event.Pause{ID: testID(7), Frame: 275})
		m.pass(2000)
		h := m.s.view.Hold
		m.do(focal, event.HoldConfirm{Hold: h.ID, Frame: 275, Seq: h.Seq})
		m.do(focal, event.HoldContinue{Hold: h.ID})
		m.expect(event.Waiting, middle(275), 8000)
		m.pass(row.readyAfter)
		m.ready(peer)
		m.expect(event.Playing, middle(275), 2000+row.begins)
	}
}

func TestConfirmNeedsTheFrame(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(7), Frame: 275})
	m.pass(2000)
	h := m.s.view.Hold
	m.refused("conflict", peer, event.HoldConfirm{Hold: h.ID, Frame: 274, Seq: h.Seq})
	m.refused("conflict", peer, event.HoldConfirm{Hold: h.ID, Frame: 275, Seq: h.Seq - 1})
	m.refused("conflict", peer, event.HoldConfirm{Hold: testID(99), Frame: 275, Seq: h.Seq})
	m.do(peer, event.HoldConfirm{Hold: h.ID, Frame: 275, Seq: h.Seq})
	if events := m.do(peer, event.HoldConfirm{Hold: h.ID, Frame: 275, Seq: h.Seq}); len(events) > 0 {
		t.Fatalf("confirming twice gave %v", names(events))
	}
	m.lose(peer)
	if got := m.s.view.Hold.Confirmed; len(got) > 0 {
		t.Fatalf("who is away is on the frame: %v", got)
	}
}

func TestCalledPause(t *testing.T) {
	m := playing(t)
	m.pass(1000)
	m.do(peer, event.PauseCall{Prompt: " Why?\u202e ", Think: 1000})
	m.expect(event.Holding, middle(275), 1100)
	h := m.s.view.Hold
	if h.Prompt != "Why?" || h.Pause != "" || h.Began != 1100 || h.PhaseSince != 1100 || !validID(h.ID) {
		t.Fatalf("got hold %+v", h)
	}
	wantNames(t, m.pass(1099))
	wantNames(t, m.pass(1), "hold.phase")

	m = newSim(t, testPlan())
	m.join(peer, observer)
	m.now = 50
	m.refused("forbidden", observer, event.PauseCall{})
	m.refused("invalid", peer, event.PauseCall{Think: -1})
	m.do(peer, event.PauseCall{})
	m.expect(event.Holding, middle(250), 50)
}

// A prepared pause that is due within the lead is not lost to a stop or a called pause.
func TestStopJustBeforeAPreparedPause(t *testing.T) {
	for _, cmd := range []event.Command{event.PlaybackStop{}, event.PauseCall{}} {
		m := playing(t, event.Pause{ID: testID(7), Frame: 275}) // due at 1100
		m.pass(1050)
		m.do(focal, cmd)
		if p := m.line(); p.Position != middle(274) || p.At != 1060 {
			t.Fatalf("%s: got %+v", event.Name(cmd), p)
		}
		if h := m.s.view.Hold; h != nil {
			m.do(focal, event.HoldContinue{Hold: h.ID})
		} else {
			m.do(focal, event.PlaybackPlay{})
		}
		m.pass(10_000)
		if h := m.s.view.Hold; h == nil || h.Pause != testID(7) {
			t.Fatalf("%s: the prepared pause was lost: %+v", event.Name(cmd), m.line())
		}
	}
}

func TestEndOfTheRange(t *testing.T) {
	m := playing(t)
	m.do(focal, event.PlaybackSeek{Position: 49_000_000})
	m.ready(focal, peer)
	at := m.line().At + (middle(1249)-m.line().Position)/1000
	m.pass(20_000)
	m.expect(event.Stopped, middle(1249), at)
	m.now = 30_000
	m.do(focal, event.PlaybackPlay{}) // from the beginning again
	m.expect(event.Waiting, middle(250), 36_000)

	m = newSim(t, testPlan(event.Pause{ID: testID(7), Frame: 1249}))
	m.join(focal)
	m.do(focal, event.PlaybackSeek{Position: 49_000_000})
	m.do(focal, event.PlaybackPlay{})
	m.pass(20_000)
	m.do(focal, event.HoldContinue{Hold: m.s.view.Hold.ID})
	m.expect(event.Stopped, middle(1249), 20_000)
}

func TestNobodyHereStops(t *testing.T) {
	m := playing(t)
	m.pass(1000)
	m.lose(focal)
	m.pass(100)
	m.lose(peer)
	wantNames(t, m.pass(awayFor-101))
	wantNames(t, m.pass(1), "member.left")
	wantNames(t, m.pass(100), "playback.changed", "member.left")
	m.expect(event.Stopped, middle(250+(1000+awayFor)/40), 1100+awayFor)
	m.checkJournal()
}

func TestControls(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer, peer2, observer)
	m.refused("forbidden", peer, event.PlaybackPlay{})
	m.refused("forbidden", peer, event.ControlsGive{To: peer})
	m.refused("conflict", focal, event.ControlsGive{To: observer})
	m.refused("not_found", focal, event.ControlsGive{To: coach})
	m.do(focal, event.ControlsGive{To: peer})
	m.do(peer, event.PlaybackSeek{Position: 20_000_000})
	m.refused("forbidden", peer, event.ControlsGive{To: peer2})
	m.do(peer, event.ControlsGive{})
	m.refused("forbidden", peer, event.PlaybackPlay{})
	m.do(focal, event.ControlsGive{To: peer})
	m.do(peer, event.MemberLeave{})
	if c := m.s.view.Controls; c.Holder != "" {
		t.Fatalf("who left has the controls: %+v", c)
	}
}

func TestSessionWithoutClip(t *testing.T) {
	plan := testPlan()
	plan.Clip = nil
	m := newSim(t, plan)
	m.join(focal)
	m.refused("conflict", focal, event.PlaybackPlay{})
	m.refused("conflict", focal, event.PauseCall{})
	m.refused("conflict", focal, event.PausePut{ID: testID(5), Frame: 3})
	m.do(focal, event.PlaybackReady{})
	m.do(focal, event.NoteAdd{ID: testID(6), Type: event.Question, Visibility: event.Shared, Text: "?"})
	if n := m.s.view.Notes[0]; n.OnClip {
		t.Fatalf("got note %+v", n)
	}
	m.checkJournal()
}

func TestOpenRefusesAClipThatCannotBePlayed(t *testing.T) {
	for name, spoil := range map[string]func(*event.Clip){
		"no rate":        func(c *event.Clip) { c.FPSNum = 0 },
		"no denominator": func(c *event.Clip) { c.FPSDen = 0 },
		"negative rate":  func(c *event.Clip) { c.FPSNum = -25 },
		"huge rate":      func(c *event.Clip) { c.FPSNum = math.MaxInt64 },
		"no frames":      func(c *event.Clip) { c.Frames = 0 },
		"huge":           func(c *event.Clip) { c.Frames = math.MaxInt64 },
		"endless":        func(c *event.Clip) { c.Duration = math.MaxInt64 },
		"empty range":    func(c *event.Clip) { c.From = c.To },
		"range outside":  func(c *event.Clip) { c.From, c.To = 70_000_000, 80_000_000 },
		"tiny range":     func(c *event.Clip) { c.From, c.To = 1, 2 },
	} {
		plan := testPlan()
		spoil(plan.Clip)
		if _, _, err := Open(plan); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestRuler(t *testing.T) {
	for _, fps := range [][2]int64{{25, 1}, {30_000, 1001}, {24_000, 1001}, {60, 1}, {240_000, 1001}, {1, 1}, {maxFPSNum, 999}} {
		c := &event.Clip{FPSNum: fps[0], FPSDen: fps[1], Frames: maxFrames, Duration: maxDuration, To: maxDuration}
		r := newRuler(c)
		if !r.ok() {
			t.Fatalf("%v: not usable", fps)
		}
		for _, n := range []int64{0, 1, 2, 17, 99, 1000, 123_457, r.last - 1, r.last} {
			if got := r.frame(r.middle(n)); got != n {
				t.Errorf("%v: the middle of frame %d is in frame %d", fps, n, got)
			}
			if got := r.snap(r.middle(n) + 100); got != r.middle(n) {
				t.Errorf("%v: frame %d snaps to %d, not %d", fps, n, got, r.middle(n))
			}
		}
	}
}

func TestAPauseThatIsPutBehindThePlayerPullsNobodyBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		frame  int64
		goesBy bool
	}{
		{name: "seen long ago", frame: 260, goesBy: true},
		{name: "seen just now", frame: 275, goesBy: true},
		{name: "some have seen it before they hear of it", frame: 276, goesBy: true},
		{name: "ahead", frame: 280},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := playing(t)
			m.pass(1050) // frame 274, and 276 once everybody has heard
			events := m.do(focal, event.PausePut{ID: testID(9), Frame: c.frame})
			if c.goesBy {
				wantNames(t, events, "playback.changed", "pause.set")
				m.expect(event.Playing, middle(250)+1_050_000, 1150)
			} else {
				wantNames(t, events, "pause.set")
			}
			m.pass(5000)
			if held := m.line().Mode == event.Holding; held == c.goesBy {
				t.Fatalf("held: %v, %+v", held, m.line())
			}
			m.checkJournal()
		})
	}
}

func TestAPauseThatIsPutBehindThePlayerDoesNotCarryItBeyondTheNext(t *testing.T) {
	m := playing(t, event.Pause{ID: testID(8), Frame: 276})
	m.pass(1050)
	m.do(focal, event.PausePut{ID: testID(9), Frame: 260})
	m.pass(1000)
	if h := m.s.view.Hold; h == nil || h.Frame != 276 {
		t.Fatalf("held at %+v, want the pause on frame 276", h)
	}
}
