package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// What is saved in the middle of a recorded call is all there on another machine: accounts, clips, journal, notes, recordings.
func TestBackupIntoAnEmptyMachine(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	a := amara.connect(id, agreed)
	a.do(event.RecordingStart{})
	a.speak("amara-on-the-record")
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "saved in time"})
	comesToDisk(t, s, "amara-on-the-record", true)

	folder := filepath.Join(t.TempDir(), "backup")
	said := mustRun(t, "backup", folder, "--data", s.data)
	if !strings.Contains(said, "Saved in "+folder) || !strings.Contains(said, "pausepoint restore "+folder) {
		t.Errorf("backup says: %s", said)
	}
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "too late"})
	s.stop(t)
	if err := os.RemoveAll(s.data); err != nil {
		t.Fatal(err)
	}

	data := filepath.Join(t.TempDir(), "elsewhere")
	if said := mustRun(t, "restore", folder, "--data", data); !strings.Contains(said, "Every file is as it was saved.") {
		t.Errorf("restore says: %s", said)
	}
	restored := start(t, data)
	amara.server = restored
	amara.moveCookies(s.url, restored.url) // she is signed in still: accounts are there, and so is what her cookie stands for
	c := amara.connect(id, agreed)
	if n := c.view.Notes; len(n) != 1 || n[0].Text != "saved in time" {
		t.Errorf("the notes are %+v", n)
	}
	if state, refusal := amara.prepared(clip.PracticeID); state != "ready" {
		t.Errorf("the practice clip is %s: %s", state, refusal)
	}
	if res, video := amara.request("GET", "/api/clips/"+clip.PracticeID+"/media/720p.mp4", nil, nil); res.StatusCode != 200 || len(video) < 1000 {
		t.Errorf("the clip is not played: %d, %d bytes", res.StatusCode, len(video))
	}
	path := "/api/sessions/" + id
	for _, segment := range amara.segmentsOf(path, a.welcome.You) {
		res, sound := amara.request("GET", path+"/segments/"+segment, nil, nil)
		if res.StatusCode == 200 && bytes.Contains(sound, []byte("amara-on-the-record")) {
			return
		}
	}
	t.Error("what was said is not in the recording")
}

// mustRun runs to the end and returns what was printed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := runWith(t, nil, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr)
	}
	return stdout
}

// Nothing that is there is overwritten, and what cannot be done is said in a sentence that names what to change.
func TestBackupIsRefused(t *testing.T) {
	data, used, none := filledData(t), t.TempDir(), filepath.Join(t.TempDir(), "none")
	if err := os.WriteFile(filepath.Join(used, "letter"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(t.TempDir(), "saved")
	mustRun(t, "backup", saved, "--data", data)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"backup", used, "--data", data}, "nothing is overwritten"},
		{[]string{"backup", saved, "--data", data}, "nothing is overwritten"},
		{[]string{"backup", filepath.Join(data, "backup"), "--data", data}, "in the data folder"},
		{[]string{"backup", filepath.Join(used, "backup"), "--data", none}, "--data"},
		{[]string{"backup", none, "--data", used}, "no database to save"},
		{[]string{"restore", saved, "--data", used}, "nothing is overwritten"},
		{[]string{"restore", saved, "--data", data}, "nothing is overwritten"},
		{[]string{"restore", used, "--data", none}, "no whole backup"},
		{[]string{"backup"}, "folder"},
	} {
		if _, stderr, err := runWith(t, nil, c.args...); err == nil || !strings.Contains(stderr, c.says) {
			t.Errorf("%v: %v\n%s\nwant %s", c.args, err, stderr, c.says)
		}
	}
}
