package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// filmed is what a member is told of their film.
type filmed struct {
	State    string
	Progress float64
	Problem  string
	Bytes    int
}

// filmBecomes waits until a film is in a state.
func (b *browser) filmBecomes(path, state string) (f filmed) {
	b.t.Helper()
	b.poll(path+"/film", func(_ int, text []byte) bool { return bytes.Contains(text, []byte(`"state":"`+state+`"`)) })
	b.must(200, "GET", path+"/film", nil, &f)
	return f
}

// A recorded conversation becomes an MP4 and a file for each source, for its members; what consent is taken back for is in neither.
func TestFilm(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	path := "/api/sessions/" + id
	ask := map[string]any{"cards": true, "captions": true}
	a := amara.connect(id, agreed)
	amaraID := a.welcome.You
	a.speak("amara-is-heard")
	amara.must(409, "POST", path+"/film", ask, nil)
	a.do(event.RecordingStart{})
	comesToDisk(t, s, "amara-is-heard", true)
	amara.must(409, "POST", path+"/film", ask, nil)
	a.do(event.NoteAdd{ID: newID(t), Type: event.Wondering, Visibility: event.Shared, Text: "What was that?"})
	a.hangUp()
	a.do(event.SessionEnd{})

	stranger := newBrowser(t, s)
	for _, what := range []string{"/film", "/film.mp4", "/tracks/" + amaraID + "/audio"} {
		stranger.must(403, "GET", path+what, nil, nil)
	}
	stranger.must(403, "POST", path+"/film", ask, nil)
	stranger.must(403, "DELETE", path+"/film", nil, nil)

	amara.must(404, "GET", path+"/film.mp4", nil, nil)
	amara.must(202, "POST", path+"/film", ask, nil)
	if f := amara.filmBecomes(path, "ready"); f.Progress != 1 || f.Bytes == 0 {
		t.Errorf("told %+v", f)
	}
	_, film := amara.request("GET", path+"/film.mp4", nil, nil)
	if got := streamsOf(t, film); got != "h264,aac,mov_text" {
		t.Errorf("the film has %s", got)
	}
	res, part := amara.request("GET", path+"/film.mp4", nil, map[string]string{"Range": "bytes=4-7"})
	if res.StatusCode != 206 || string(part) != "ftyp" {
		t.Errorf("a part of it: %d, %q", res.StatusCode, part)
	}
	res, track := amara.request("GET", path+"/tracks/"+amaraID+"/audio", nil, nil)
	begin, err := strconv.Atoi(res.Header.Get("Pausepoint-Start"))
	if err != nil || begin <= 0 || !strings.Contains(res.Header.Get("Content-Disposition"), "audio-begins-at-0h") {
		t.Errorf("the track begins at %q, %q", res.Header.Get("Pausepoint-Start"), res.Header.Get("Content-Disposition"))
	}
	if got := streamsOf(t, track); got != "opus" || !bytes.Contains(track, []byte("amara-is-heard")) {
		t.Errorf("the track has %s", got)
	}
	amara.must(404, "GET", path+"/tracks/"+amaraID+"/camera", nil, nil)

	endsFilm := amara.takesSlowly(path+"/film.mp4", filepath.Join(s.data, "blobs", "films", "*", "*", "*", "*"))
	endsSound := amara.takesSlowly(path+"/segments/"+amara.segmentsOf(path, amaraID)[0], filepath.Join(s.data, "recordings", id, "*.webm"))
	amara.must(204, "POST", path+"/withdrawal", map[string]any{"removeNotes": false}, nil)
	endsFilm("the film")
	endsSound("the sound")
	amara.poll(path+"/replay", func(_ int, text []byte) bool { return bytes.Contains(text, []byte("recording.erased")) })
	for _, e := range amara.journal(path) {
		if b, ok := e.Body.(event.RecordingErased); ok && (b.Films != 1 || len(b.Files) != 1) {
			t.Errorf("proved to be gone: %+v", b)
		}
	}
	if f := amara.filmBecomes(path, "failed"); !strings.Contains(f.Problem, "Nothing of this conversation is recorded") {
		t.Errorf("without her, there is %+v", f)
	}
	amara.must(404, "GET", path+"/film.mp4", nil, nil)
	amara.must(404, "GET", path+"/tracks/"+amaraID+"/audio", nil, nil)
	if left, err := filepath.Glob(filepath.Join(s.data, "blobs", "films", "*", "*", "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
	amara.must(204, "DELETE", path+"/film", nil, nil)
	var f filmed
	if amara.must(200, "GET", path+"/film", nil, &f); f.State != "none" {
		t.Errorf("removed, and told %+v", f)
	}
}

// takesSlowly makes a file long and begins to load it; breaksOff goes on, slowly, until the server ends it before its end.
func (b *browser) takesSlowly(path, file string) (breaksOff func(what string)) {
	b.t.Helper()
	found, err := filepath.Glob(file)
	if err != nil || len(found) != 1 {
		b.t.Fatalf("%s: %v, %v", file, found, err)
	}
	if err := os.Truncate(found[0], 1<<30); err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil || res.StatusCode != http.StatusOK || res.ContentLength != 1<<30 {
		b.t.Fatalf("GET %s: %v, %v", path, res, err)
	}
	b.t.Cleanup(func() { _ = res.Body.Close() })
	return func(what string) {
		b.t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			<-tick.C
			_, err = io.CopyN(io.Discard, res.Body, 1<<20)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			b.t.Errorf("%s goes on until its end: %v", what, err)
		}
	}
}

// streamsOf asks ffprobe what is in a file.
func streamsOf(t *testing.T, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_name", path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	return strings.Join(strings.Fields(string(out)), ",")
}
