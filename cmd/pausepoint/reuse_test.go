package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/room/event"
)

// reused is what somebody is told of the clip that a recording may become.
type reused struct {
	State, Clip, By, Problem string
	Mine, May, Asked, Agreed bool
	Waiting                  []string
}

func (b *browser) reuse(path string) (r reused) {
	b.t.Helper()
	b.must(200, "GET", path+"/reuse", nil, &r)
	return r
}

func answerTo(clip string, agree bool) map[string]any {
	return map[string]any{"clip": clip, "agree": agree}
}

// clipFiles are the files of a clip, prepared or not.
func (s *server) clipFiles(t *testing.T, clip string) []string {
	t.Helper()
	prepared, err := filepath.Glob(filepath.Join(s.data, "blobs", "clips", clip, "*"))
	uploaded, err2 := filepath.Glob(filepath.Join(s.data, "clips", "uploads", clip))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return append(prepared, uploaded...)
}

// A recorded conversation becomes a clip once all who are in it have agreed, and for as long as they do.
func TestAConversationBecomesAClip(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	path := "/api/sessions/" + id
	ben, _ := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	rob, robID := s.guest(t, id, amara.link(id, event.Coach), "Rob")
	olga, _ := s.guest(t, id, amara.link(id, event.Observer), "Olga")
	a, b, r, o := amara.connect(id, agreed), ben.connect(id, agreed), rob.connect(id, agreed), olga.connect(id, agreed)
	a.do(event.RecordingStart{})
	for name, c := range map[string]*connection{"amara": a, "ben": b, "rob": r} {
		c.speak(name + "-is-heard")
		comesToDisk(t, s, name+"-is-heard", true)
	}
	a.do(event.MemberRemove{Member: robID}) // who stays in the recording
	amara.must(409, "POST", path+"/reuse", map[string]any{}, nil)
	for _, c := range []*connection{a, b, o} {
		c.hangUp()
	}
	a.do(event.SessionEnd{})

	stranger := newBrowser(t, s)
	for who, b := range map[string]*browser{"a stranger": stranger, "an observer": olga, "a peer": ben, "who was removed": rob} {
		if res, text := b.do("POST", path+"/reuse", map[string]any{}); res.StatusCode != 403 {
			t.Errorf("asked by %s: %d, %s", who, res.StatusCode, text)
		}
	}
	var asked reused
	amara.must(202, "POST", path+"/reuse", map[string]any{}, &asked)
	if asked.State != "asked" || !asked.Mine || !asked.Agreed || !slices.Equal(asked.Waiting, []string{"Ben", "Rob"}) {
		t.Errorf("asked is %+v", asked)
	}
	amara.must(409, "POST", path+"/reuse", map[string]any{}, nil)
	if got := ben.reuse(path); got.State != "asked" || !got.Asked || got.Agreed || got.Mine || got.By != adminName || got.Clip != asked.Clip || len(got.Waiting) > 0 {
		t.Errorf("Ben is told %+v", got)
	}
	if got := olga.reuse(path); got.State != "none" || got.Clip != "" || got.May {
		t.Errorf("an observer is told %+v", got)
	}
	stranger.must(403, "GET", path+"/reuse", nil, nil)
	for who, b := range map[string]*browser{"a stranger": stranger, "an observer": olga} {
		if res, text := b.do("POST", path+"/reuse/answer", answerTo(asked.Clip, true)); res.StatusCode != 403 {
			t.Errorf("answered by %s: %d, %s", who, res.StatusCode, text)
		}
	}
	ben.must(403, "POST", path+"/reuse/answer", answerTo(newID(t), true), nil)
	ben.must(422, "POST", path+"/reuse/answer", map[string]any{"clip": asked.Clip}, nil)

	ben.must(200, "POST", path+"/reuse/answer", answerTo(asked.Clip, false), nil)
	if got := amara.reuse(path); got.State != "declined" || !got.May || len(got.Waiting) > 0 {
		t.Errorf("declined is %+v", got)
	}
	ben.must(409, "POST", path+"/reuse/answer", answerTo(asked.Clip, true), nil)
	old := asked.Clip
	amara.must(202, "POST", path+"/reuse", map[string]any{}, &asked)
	ben.must(403, "POST", path+"/reuse/answer", answerTo(old, true), nil)
	ben.must(200, "POST", path+"/reuse/answer", answerTo(asked.Clip, true), nil)
	ben.must(200, "POST", path+"/reuse/answer", answerTo(asked.Clip, true), nil) // nothing new
	if got := amara.reuse(path); got.State != "asked" || !slices.Equal(got.Waiting, []string{"Rob"}) {
		t.Errorf("with one answer it is %+v", got)
	}
	amara.must(404, "GET", "/api/clips/"+asked.Clip, nil, nil)
	rob.must(200, "POST", path+"/reuse/answer", answerTo(asked.Clip, true), nil)
	amara.poll(path+"/reuse", func(_ int, text []byte) bool { return bytes.Contains(text, []byte(`"state":"ready"`)) })
	amara.must(409, "POST", path+"/reuse", map[string]any{}, nil)
	if got := ben.reuse(path); got.State != "granted" || !got.Agreed {
		t.Errorf("Ben is told %+v", got)
	}
	clip := "/api/clips/" + asked.Clip
	var made struct {
		Title, State, Session, Purpose string
		Mine                           bool
	}
	amara.must(200, "GET", clip, nil, &made)
	if made.State != "ready" || made.Title != "Conversation: Practice conversation" || made.Session != id || !made.Mine {
		t.Errorf("the clip is %+v", made)
	}
	_, film := amara.request("GET", clip+"/media/720p.mp4", nil, nil)
	if got := streamsOf(t, film); got != "h264,aac" {
		t.Errorf("the clip has %s", got)
	}
	ben.must(404, "GET", clip, nil, nil) // it is for those to whom its owner shows it
	ben.must(409, "POST", path+"/reuse/answer", answerTo(asked.Clip, false), nil)
	if amara.must(200, "GET", path+"/film", nil, &made); made.State != "none" {
		t.Errorf("the film to take along is %q", made.State)
	}

	rob.must(204, "POST", path+"/withdrawal", map[string]any{"removeNotes": false}, nil)
	amara.must(404, "GET", clip+"/media/720p.mp4", nil, nil)
	amara.poll(path+"/replay", func(_ int, text []byte) bool { return bytes.Contains(text, []byte("recording.erased")) })
	for _, e := range amara.journal(path) {
		if b, ok := e.Body.(event.RecordingErased); ok && b.Clips != 1 {
			t.Errorf("proved to be gone: %+v", b)
		}
	}
	if left := s.clipFiles(t, asked.Clip); len(left) != 0 {
		t.Errorf("left on disk: %v", left)
	}
	var gone struct{ State, Refusal string }
	if amara.must(200, "GET", clip, nil, &gone); gone.State != "refused" || !strings.Contains(gone.Refusal, "took back their consent") {
		t.Errorf("its owner reads %+v", gone)
	}
	rob.must(409, "POST", path+"/reuse/answer", answerTo(asked.Clip, true), nil)
	if got := amara.reuse(path); got.State != "taken-back" || !got.May {
		t.Errorf("taken back is %+v", got)
	}
	amara.must(204, "DELETE", clip, nil, nil)
	amara.must(202, "POST", path+"/reuse", map[string]any{}, &asked)
	if !slices.Equal(asked.Waiting, []string{"Ben"}) {
		t.Errorf("without Rob, asked are %v", asked.Waiting)
	}
}

// What all have agreed to is made after the next start, and once; the session takes it along when it is deleted.
func TestAClipIsMadeAfterARestart(t *testing.T) {
	data := filledData(t)
	s := start(t, data)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	path := "/api/sessions/" + id
	a := amara.connect(id, agreed)
	a.do(event.RecordingStart{})
	a.speak("amara-is-heard")
	comesToDisk(t, s, "amara-is-heard", true)
	a.hangUp()
	a.do(event.SessionEnd{})
	var asked reused
	if amara.must(202, "POST", path+"/reuse", map[string]any{}, &asked); asked.State == "none" || asked.State == "asked" {
		t.Errorf("alone in it, she is told %+v", asked)
	}
	s.stop(t)
	s = start(t, data)
	amara = signedIn(t, s)
	amara.poll(path+"/reuse", func(_ int, text []byte) bool { return bytes.Contains(text, []byte(`"state":"ready"`)) })
	var list struct {
		Clips []struct{ ID, Session string }
	}
	amara.must(200, "GET", "/api/clips", nil, &list)
	made := 0
	for _, c := range list.Clips {
		if c.Session == id && c.ID == asked.Clip {
			made++
		}
	}
	if made != 1 || len(list.Clips) != 2 {
		t.Errorf("clips are %+v", list.Clips)
	}
	amara.must(204, "DELETE", path, nil, nil)
	amara.must(404, "GET", "/api/clips/"+asked.Clip+"/media/720p.mp4", nil, nil)
	if left := s.clipFiles(t, asked.Clip); len(left) != 0 {
		t.Errorf("left on disk: %v", left)
	}
	var receipt keeping.Receipt
	amara.must(200, "GET", "/api/receipts/"+id, nil, &receipt)
	if c := receipt.Clips; len(c) != 1 || c[0].ID != asked.Clip || c[0].Made.IsZero() || c[0].Duration == 0 {
		t.Errorf("the receipt lists the clips %+v", c)
	}
}
