package render

import (
	"math"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// near reports whether pieces are the same, to within a millisecond of session time and of clip time.
func near(a, b piece) bool {
	return math.Abs(a.from-b.from) < 1 && math.Abs(a.to-b.to) < 1 && math.Abs(a.a-b.a) < 1000 && math.Abs(a.rate-b.rate) < 0.001
}

// The clip runs and stands as in the replay: a start lies ahead, a prepared pause stops by itself, a line that comes lets the one
// before it run until then, and who waits, waits where the line is.
func TestPiecesAreWhatThePlayerShowed(t *testing.T) {
	clip := &event.Clip{ID: "c", Duration: 60_000_000, Frames: 1500, FPSNum: 25, FPSDen: 1, To: 60_000_000}
	line := func(at int64, p event.Playback) event.Event {
		return event.Event{At: at, Body: event.PlaybackChanged{Playback: p}}
	}
	got := piecesOf([]event.Event{
		{Body: event.SessionOpened{Clip: clip, Pauses: []event.Pause{{ID: "p", Frame: 100}, {ID: "q", Frame: 50, Proposed: true}}}},
		line(1000, event.Playback{Mode: event.Waiting, At: 7000, Rate: 1, Seq: 1}),
		line(2000, event.Playback{Mode: event.Playing, At: 2200, Rate: 1, Seq: 2}), // to the pause at 4.02 s, which is 6.22 s
		line(9000, event.Playback{Mode: event.Playing, Position: 4_020_000, At: 9100, Rate: 2, Seq: 3}),
		line(10_000, event.Playback{Mode: event.Playing, Position: 6_020_000, At: 10_100, Rate: 0.5, Seq: 4}),
		line(12_000, event.Playback{Mode: event.Stopped, Position: 7_000_000, At: 12_060, Rate: 1, Seq: 5}),
	}, 13_000)
	want := []piece{
		{0, 2200, 0, 0},
		{2200, 6220, 0, 1},
		{6220, 9100, 4_020_000, 0},
		{9100, 10_000, 4_020_000, 2},
		{10_000, 10_100, 5_820_000, 2},
		{10_100, 12_000, 6_020_000, 0.5},
		{12_000, 12_060, 6_970_000, 0.5},
		{12_060, 13_000, 7_000_000, 0},
	}
	if len(got) != len(want) {
		t.Fatalf("pieces %+v", got)
	}
	for i := range want {
		if !near(got[i], want[i]) {
			t.Errorf("piece %d is %+v, not %+v", i, got[i], want[i])
		}
	}
	if p := piecesOf([]event.Event{{Body: event.SessionOpened{}}}, 1000); len(p) != 0 {
		t.Errorf("without a clip: %+v", p)
	}
}

// However many pieces there are, their frames are as many as the film has, and each begins where it is on the line.
func TestRoundingsOfPartsDoNotAddUp(t *testing.T) {
	w := work{place: []recorder.Stretch{{From: 100, To: 100_100, At: 0}, {From: 200_000, To: 300_000, At: 100_000}}}
	var pieces []piece
	for at := 0.; at < 400_000; at += 77.7 {
		pieces = append(pieces, piece{from: at, to: at + 77.7, a: at * 1000, rate: 1})
	}
	var frames int64
	for _, p := range w.partsOf(pieces) {
		session := 100 + float64(frames)*1000/rate
		if session >= 100_100 {
			session += 99_900
		}
		if math.Abs(p.a-session*1000) > 1000 {
			t.Fatalf("frame %d shows %.0f us at %.1f ms", frames, p.a, session)
		}
		frames += p.frames
	}
	if frames != 200*rate {
		t.Errorf("the parts have %d frames", frames)
	}
}

func TestFacesFitIn(t *testing.T) {
	for n := 1; n <= 30; n++ {
		area := box{960, 0, 320, 720}
		tiles := grid(area, n)
		if len(tiles) != n {
			t.Fatalf("%d tiles of %d", len(tiles), n)
		}
		for i, b := range tiles {
			if b.x < area.x || b.y < 0 || b.x+b.w > area.x+area.w || b.y+b.h > area.h || b.w < 40 || b.h < 20 {
				t.Errorf("tile %d of %d is %+v", i, n, b)
			}
			for _, o := range tiles[:i] {
				if b.x < o.x+o.w && o.x < b.x+b.w && b.y < o.y+o.h && o.y < b.y+b.h {
					t.Errorf("of %d tiles, %+v lies on %+v", n, b, o)
				}
			}
		}
	}
}

// What people write is text, and no command to who draws it.
func TestTextIsNoCommand(t *testing.T) {
	got := assText("{\\b1}\\N\nover")
	if strings.Contains(got, `\b`) || strings.Count(got, `\N`) != 1 || strings.Contains(strings.ReplaceAll(got, `\{`, ""), "{") {
		t.Errorf("got %q", got)
	}
}
