package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// recordings is the folder of a server's recordings that can lie on another disk from one moment to the next.
type recordings struct {
	t    *testing.T
	link string
	real *server // what it really is, for comesToDisk
}

func movable(t *testing.T, data string) recordings {
	t.Helper()
	r := recordings{t, filepath.Join(data, "recordings"), &server{data: t.TempDir()}}
	if err := os.RemoveAll(r.link); err != nil {
		t.Fatal(err)
	}
	r.lieOn(r.disk())
	return r
}

// disk is one with room.
func (r recordings) disk() string {
	dir := filepath.Join(r.real.data, "recordings")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		r.t.Fatal(err)
	}
	return dir
}

func (r recordings) lieOn(dir string) {
	r.t.Helper()
	next := r.link + ".next"
	if err := os.Symlink(dir, next); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(next, r.link); err != nil {
		r.t.Fatal(err)
	}
}

// toldOfRecording waits until what is said of the recording is good, and checks that it goes on.
func (c *connection) toldOfRecording(what string, good func(reason string) bool) {
	c.t.Helper()
	c.awaitThat(what, func(frame) bool { return good(c.view.Recording.Reason) })
	if c.view.Recording.State != event.RecordingOn {
		c.t.Fatalf("the recording is %+v", c.view.Recording)
	}
}

func saysFull(reason string) bool    { return strings.Contains(reason, "disk is full") }
func saysNothing(reason string) bool { return reason == "" }

// While the disk of the recordings is full, everybody in the room is told, and the call goes on. When there is room again, they are told
// that, and are recorded.
func TestEverybodyIsToldThatTheDiskIsFull(t *testing.T) {
	data := filledData(t)
	folder := movable(t, data)
	s := start(t, data)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, _ := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.do(event.RecordingStart{})
	b.await("recording.changed")
	voice := a.speak("amara-with-room")
	_, heard := b.subscribe()
	fromAmara := <-heard
	comesToDisk(t, folder.real, "amara-with-room", true)

	filled := time.Now()
	folder.lieOn("/proc") // which has no room at all
	a.toldOfRecording("Amara is told that the disk is full", saysFull)
	b.toldOfRecording("Ben is told that the disk is full", saysFull)
	t.Logf("both know after %v", time.Since(filled).Round(time.Millisecond))
	voice.say("amara-without-room")
	hears(t, fromAmara, "amara-without-room")

	voice.say("amara-with-room-again")
	emptied := time.Now()
	folder.lieOn(folder.disk())
	a.toldOfRecording("Amara is told nothing any more", saysNothing)
	b.toldOfRecording("Ben is told nothing any more", saysNothing)
	t.Logf("that there is room again both know after %v", time.Since(emptied).Round(time.Millisecond))
	comesToDisk(t, folder.real, "amara-with-room-again", true)
}
