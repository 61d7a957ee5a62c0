package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
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
	if !good(c.view.Recording.Reason) { // or it was told while something else was awaited
		c.awaitThat(what, func(frame) bool { return good(c.view.Recording.Reason) })
	}
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

// The disk with everything on it is filled by others in a call. Everybody is told, the call goes on, and what people do is saved in the
// room that was kept for that. When that is used up, too, what people do is refused as not saved; once there is room, all is as before,
// without a restart.
func TestACallGoesOnOnAFullDisk(t *testing.T) {
	storetest.OnSmallDisk(t, 800<<20, func(dir string) {
		data := filepath.Join(dir, "data")
		must(t, os.CopyFS(data, os.DirFS(filledData(t))))
		s := start(t, data)
		amara := signedIn(t, s)
		id := amara.practiceSession()
		ben, _ := s.guest(t, id, amara.link(id, event.Peer), "Ben")
		a, b := amara.connect(id, agreed), ben.connect(id, agreed)
		a.do(event.RecordingStart{})
		a.answered(a.publish())
		_, received := b.subscribe()
		heard := listens(<-received)

		filled := time.Now()
		first := storetest.Fill(t, dir)
		a.toldOfRecording("Amara is told that the disk is full", saysFull)
		b.toldOfRecording("Ben is told that the disk is full", saysFull)
		t.Logf("both know after %v", time.Since(filled).Round(time.Millisecond))
		kept := filepath.Join(data, "pausepoint.db.reserve")
		notes := 0
		for ; fileSize(t, kept) == reserve; notes++ {
			a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: strings.Repeat("full ", 300)})
		}
		t.Logf("note %d found the disk full", notes)
		for range 20 {
			a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "kept"})
			notes++
		}

		must(t, os.Truncate(kept, 0)) // as if all of that were used
		last := storetest.Fill(t, dir)
		for {
			asked := time.Now()
			p := a.writes(strings.Repeat("none ", 300))
			if p == nil {
				notes++ // there was some place within the files of the database
				continue
			}
			if took := time.Since(asked); p.Code != "unavailable" || took > refusedAfter+laden {
				t.Fatalf("refused with %v after %v", p, took)
			}
			break
		}
		a.isRefused("asked for", laden)
		if silence := <-heard.longest; silence > laden {
			t.Errorf("nothing was heard for %v", silence)
		}
		back := ben.connect(id, agreed) // whose connection broke
		_, received = back.subscribe()
		if _, _, err := (<-received).ReadRTP(); err != nil {
			t.Error(err)
		}

		first()
		last()
		a.isTaken("after")
		back.sees("after")
		a.toldOfRecording("Amara is told nothing any more", saysNothing)
		back.toldOfRecording("Ben is told nothing any more", saysNothing)
		amara.poll("/readyz", func(status int, _ []byte) bool { return status == http.StatusOK && fileSize(t, kept) == reserve })
		s.stop(t)
		again := signedIn(t, start(t, data)).connect(id, agreed)
		if n := len(again.view.Notes); n < notes+1 {
			t.Errorf("%d notes are there, %d were acknowledged", n, notes+1)
		}
	})
}

func fileSize(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	must(t, err)
	return info.Size()
}
