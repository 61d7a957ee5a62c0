//go:build image

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// lessons are files as people have them: each needs something of ffmpeg that one can be built without.
var lessons = map[string][]string{
	"AV1":               {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-c:v", "libsvtav1", "-preset", "12", "a.mp4"},
	"H.264":             {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-c:a", "aac", "a.mov"},
	"HEVC with HDR":     {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc", "a.mov"},
	"Motion JPEG":       {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le", "a.avi"},
	"MPEG-2":            {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg2video", "-c:a", "ac3", "a.ts"},
	"PNG in QuickTime":  {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-c:v", "png", "a.mov"},
	"VP8 and Vorbis":    {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libvpx", "-c:a", "libvorbis", "a.mkv"},
	"VP9 and Opus":      {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libvpx-vp9", "-c:a", "libopus", "a.webm"},
	"MPEG-4 and MP3":    {"-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "libmp3lame", "a.avi"},
	"interlaced MPEG-2": {"-f", "lavfi", "-i", "testsrc2=d=1:s=352x288", "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "a.ts"},
}

// The server that scripts/check-image has started of the image makes clips of all that people upload, and films of what they recorded. What
// is uploaded is made, and what comes of it is judged, by the ffmpeg of this machine.
func TestImage(t *testing.T) {
	printed, err := os.ReadFile(os.Getenv("PAUSEPOINT_TEST_IMAGE_PRINTED"))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{data: os.Getenv("PAUSEPOINT_TEST_IMAGE_DATA"), stdout: newOutput(), stderr: newOutput()}
	_, _ = s.stdout.Write(printed)
	s.url = s.printed(t, announced)[1]
	amara := founded(t, s)
	if state, refusal := amara.prepared(clip.PracticeID); state != "ready" {
		t.Fatalf("the practice clip is %s: %s", state, refusal)
	}
	for name, args := range lessons {
		t.Run(name, func(t *testing.T) {
			if state, refusal := amara.prepared(amara.send(encode(t, args...))); state != "ready" {
				t.Errorf("%s: %s", state, refusal)
			}
		})
	}
	amara.films(amara.practiceSession(), 2, (*connection).appear)

	// Where nobody has a camera, there is nothing bright but names.
	film := amara.films(amara.plainSession(), 1, func(c *connection) { c.speak("she is heard") })
	if b := brightest(t, film); b < 160 {
		t.Errorf("names are not to be read: the brightest point has a luminance of %d", b)
	}
}

// films records somebody alone, until there are so many files, and returns the film of it.
func (b *browser) films(session string, files int, comesIn func(*connection)) []byte {
	b.t.Helper()
	path := "/api/sessions/" + session
	c := b.connect(session, agreed)
	c.do(event.RecordingStart{})
	comesIn(c)
	filled(b.t, b.server, session, files)
	c.do(event.NoteAdd{ID: newID(b.t), Type: event.Wondering, Visibility: event.Shared, Text: "What was that?"})
	c.hangUp()
	c.do(event.SessionEnd{})
	b.must(202, "POST", path+"/film", map[string]any{"cards": true, "captions": true}, nil)
	b.filmBecomes(path, "ready")
	_, film := b.request("GET", path+"/film.mp4", nil, nil)
	if got := streamsOf(b.t, film); got != "h264,aac,mov_text" {
		b.t.Errorf("the film has %s", got)
	}
	return film
}

// brightest is the luminance of the brightest point of a film's first picture.
func brightest(t *testing.T, film []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	if err := os.WriteFile(path, film, 0o600); err != nil {
		t.Fatal(err)
	}
	const key = "lavfi.signalstats.YMAX"
	out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-i", path, "-frames:v", "1",
		"-vf", "signalstats,metadata=print:key="+key+":file=-", "-f", "null", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, value, _ := strings.Cut(string(out), key+"=")
	value, _, _ = strings.Cut(value, "\n") // ffmpeg may look at one more
	y, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return y
}
