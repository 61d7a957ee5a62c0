package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// scene is a recorded conversation of eight seconds: each source flashes or beeps for 0.1 s in the middle of each second of session
// time, as does the clip, which runs from 2 s on, stands from 4.5 s to 6 s, and then runs on. From 4 s to 5 s it is off the record.
type scene struct {
	dir      string
	film     Film
	segments []recorder.Segment
}

func makeScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{dir: t.TempDir()}
	s.add(t, "ana", "audio", 1200, 8000, 1000, "")
	s.add(t, "ana", "camera", 1100, 3900, 0, "320x180")
	s.add(t, "bo", "audio", 1700, 3300, 3000, "")
	s.add(t, "ana", "camera", 5100, 8000, 0, "160x90")
	s.add(t, "bo", "audio", 6250, 8000, 3000, "")
	clip := filepath.Join(s.dir, "clip.mp4")
	ffmpegRuns(t, "-f", "lavfi", "-i", flashes("640x360", 25, 0), "-f", "lavfi", "-i", beeps(7000, 0), "-t", "6", "-c:v", "libx264",
		"-preset", "ultrafast", "-bf", "0", "-g", "25", "-c:a", "aac", "-video_track_timescale", "25000", clip)
	s.film = Film{
		Events: journal(), Segments: s.segments, Cards: true,
		Captions: []recorder.ExportNote{
			{Author: "Ana", Text: "She waits.", SessionTime: 2500}, {Author: "Bo", Text: "Off the record.", SessionTime: 4500},
		},
		OpenSegment: s.open,
		OpenClip:    func(context.Context) (io.ReadCloser, error) { return os.Open(clip) },
	}
	return s
}

func (s *scene) open(_ context.Context, g recorder.Segment) (io.ReadCloser, error) {
	return os.Open(filepath.Join(s.dir, g.ID))
}

// add makes a segment: sound of a pitch, or a picture of a size.
func (s *scene) add(t *testing.T, member, source string, from, to, hertz int, size string) {
	t.Helper()
	seg := recorder.Segment{
		ID: fmt.Sprintf("%s-%s-%d", member, source, from), Session: "s", Member: member, Source: source, Mime: recorder.MimeVP8,
		Start: int64(from), End: int64(to), Finished: true,
	}
	path := filepath.Join(s.dir, seg.ID)
	length := strconv.FormatFloat(float64(to-from)/1000, 'f', 3, 64)
	if size == "" {
		seg.Mime = recorder.MimeOpus
		ffmpegRuns(t, "-f", "lavfi", "-i", beeps(hertz, from), "-t", length, "-c:a", "libopus", "-f", "webm", path)
	} else {
		ffmpegRuns(t, "-f", "lavfi", "-i", flashes(size, 30, from), "-t", length, "-c:v", "libvpx", "-deadline", "realtime",
			"-auto-alt-ref", "0", "-f", "webm", path)
	}
	s.segments = append(s.segments, seg)
}

// flashes and beeps are lavfi sources whose time 0 lies at a session time in ms.
func flashes(size string, fps, from int) string {
	return fmt.Sprintf("color=black:size=%s:rate=%d,drawbox=color=white:t=fill:enable='between(mod(t+%f,1),0.49,0.59)'", size, fps, float64(from)/1000)
}

func beeps(hertz, from int) string {
	return fmt.Sprintf("aevalsrc='if(between(mod(t+%f,1),0.5,0.6),0.5*sin(2*PI*%d*t),0)':s=48000", float64(from)/1000, hertz)
}

func record(state event.RecordingState) event.Body {
	return event.RecordingChanged{Recording: event.Recording{State: state}}
}

func member(id, name string) event.Body {
	return event.MemberJoined{Member: event.Member{ID: id, Name: name, Role: event.Peer, Presence: event.Here}}
}

func numbered(events []event.Event) []event.Event {
	for i := range events {
		events[i].Seq = int64(i + 1)
	}
	return events
}

func journal() []event.Event {
	clip := &event.Clip{ID: "c", Duration: 6_000_000, Frames: 150, FPSNum: 25, FPSDen: 1, To: 6_000_000, Width: 640, Height: 360}
	play := func(mode event.Mode, position, at, seq int64) event.Body {
		return event.PlaybackChanged{Playback: event.Playback{Mode: mode, Position: position, At: at, Rate: 1, Seq: seq}}
	}
	hold := event.HoldBegan{
		Hold:     event.Hold{ID: "h", Frame: 62, Position: 2_500_000, Prompt: `What do {you} see \N?`, Began: 4500},
		Playback: event.Playback{Mode: event.Holding, Position: 2_500_000, At: 4500, Rate: 1, Seq: 2},
	}
	return numbered([]event.Event{
		{At: 0, Body: event.SessionOpened{Session: event.Session{ID: "s"}, Clip: clip}},
		{At: 10, Body: member("ana", "Ana")},
		{At: 20, Body: member("bo", "Bo")},
		{At: 1000, Body: record(event.RecordingOn)},
		{At: 1900, Body: play(event.Playing, 0, 2000, 1)},
		{At: 4000, Body: record(event.OffTheRecord)},
		{At: 4500, Body: hold},
		{At: 5000, Body: record(event.RecordingOn)},
		{At: 5950, Body: event.HoldEnded{Hold: "h"}},
		{At: 5950, Body: play(event.Playing, 2_500_000, 6000, 3)},
		{At: 8000, Body: record(event.NotRecording)},
	})
}

// One film of two people and a clip: as long as what was on the record, with everything where it was, and captions.
func TestAFilmIsInStep(t *testing.T) {
	s := makeScene(t)
	told := []float64{0}
	r := Renderer{FFmpeg: "ffmpeg", Threads: 2}
	path, err := r.Render(t.Context(), s.film, t.TempDir(), func(p float64) { told = append(told, p) })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(told) || told[len(told)-1] != 1 {
		t.Errorf("progress went %v", told)
	}
	if got := probe(t, path, "stream=codec_name"); got != "h264,aac,mov_text" {
		t.Errorf("streams %s", got)
	}
	if d := number(t, probe(t, path, "format=duration")); math.Abs(d-6) > 0.05 {
		t.Errorf("it lasts %.3f s, not 6", d)
	}
	if got := captions(t, path); !strings.Contains(got, "00:00:01,500 --> ") || !strings.Contains(got, "Ana: She waits.") || strings.Contains(got, "Off") {
		t.Errorf("captions: %s", got)
	}
	// On film, the first three seconds are those from 1 s on, the others those from 5 s on.
	rail := "crop=iw/8:ih/8:%d:%d,"
	inStep(t, "Ana's sound", heard(t, path, 1000), 500, 1500, 2500, 3500, 4500, 5500)
	inStep(t, "Bo's sound", heard(t, path, 3000), 1500, 4500, 5500) // his second second begins in the middle of a beep
	inStep(t, "Ana's picture", seen(t, path, fmt.Sprintf(rail, 1050, 230)), 500, 1500, 2500, 3500, 4500, 5500)
	inStep(t, "the clip's sound", heard(t, path, 7000), 1500, 2500, 4000, 5000)
	inStep(t, "the clip", seen(t, path, fmt.Sprintf(rail, 400, 320)), 1520, 2520, 4020, 5020)
}

// A film that nobody wants any more ends at once, and one of nothing is none.
func TestAFilmCanBeCancelled(t *testing.T) {
	s := makeScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	open := s.film.OpenClip
	s.film.OpenClip = func(ctx context.Context) (io.ReadCloser, error) { cancel(); return open(ctx) }
	r := Renderer{FFmpeg: "ffmpeg", Threads: 1}
	if _, err := r.Render(ctx, s.film, t.TempDir(), func(float64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled film: %v", err)
	}
	s.film.Segments = nil
	if _, err := r.Render(t.Context(), s.film, t.TempDir(), func(float64) {}); !errors.Is(err, ErrNothing) {
		t.Errorf("a film of nothing: %v", err)
	}
}
