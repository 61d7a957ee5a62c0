package main

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

// voice is a microphone: what is said into it is a word, which is in every packet, and so in every file that it is stored in.
type voice struct{ word atomic.Pointer[string] }

func (v *voice) say(word string) { v.word.Store(&word) }

// speak publishes a microphone that says a word until the test ends, or another one is said.
func (c *connection) speak(word string) *voice {
	c.t.Helper()
	v := &voice{}
	v.say(word)
	pc, mic := c.offerMicrophone()
	c.answered(pc)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-c.t.Context().Done():
				return
			case <-tick.C:
				_ = mic.WriteSample(media.Sample{Data: append([]byte{0xf8}, *v.word.Load()...), Duration: 20 * time.Millisecond})
			}
		}
	}()
	return v
}

// hears returns once a word comes over a track.
func hears(t *testing.T, track *webrtc.TrackRemote, word string) {
	t.Helper()
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			t.Fatalf("%q is not heard: %v", word, err)
		}
		if bytes.Contains(p.Payload, []byte(word)) {
			return
		}
	}
}

// holds reports whether a word is in any file below a folder.
func holds(t *testing.T, dir, word string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreGone(err)
		}
		b, err := os.ReadFile(path)
		found = found || bytes.Contains(b, []byte(word))
		return ignoreGone(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// comesToDisk waits until a word is, or is not, in what is recorded.
func comesToDisk(t *testing.T, s *server, word string, want bool) {
	t.Helper()
	deadline := time.After(patience)
	for holds(t, filepath.Join(s.data, "recordings"), word) != want {
		select {
		case <-deadline:
			t.Fatalf("%q on disk: %v, want %v", word, !want, want)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Who comes late is heard, and is on disk only from their consent on; what is said off the record is on no disk; what consent is
// taken back for is gone from it, with proof.
func TestConsent(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	a := amara.connect(id, agreed)
	a.do(event.RecordingStart{})
	first := a.speak("amara-on-the-record")
	comesToDisk(t, s, "amara-on-the-record", true)

	b := ben.connect(id, event.Hello{})
	if b.welcome.View.Recording.State != event.RecordingOn {
		t.Fatalf("a late joiner is told %+v", b.welcome.View.Recording)
	}
	_, heard := b.subscribe()
	fromAmara := <-heard
	second := b.speak("ben-not-asked-yet")
	_, heard = a.subscribe()
	fromBen := <-heard
	hears(t, fromBen, "ben-not-asked-yet")
	second.say("ben-still-not-asked")
	hears(t, fromBen, "ben-still-not-asked")
	first.say("amara-goes-on")
	comesToDisk(t, s, "amara-goes-on", true) // what came to the recorder before is on disk, or never will be
	second.say("ben-agrees")                 // before it, and for a moment after it
	hears(t, fromBen, "ben-agrees")
	b.do(event.MemberConsent{Agree: true})
	second.say("ben-on-the-record")
	comesToDisk(t, s, "ben-on-the-record", true)

	b.do(event.RecordingStop{})
	first.say("amara-off-the-record")
	second.say("ben-off-the-record")
	hears(t, fromBen, "ben-off-the-record")
	hears(t, fromAmara, "amara-off-the-record")
	b.do(event.NoteAdd{ID: newID(t), Type: event.Wondering, Visibility: event.Shared, Text: "ben-writes"})
	first.say("amara-pauses")
	second.say("ben-pauses")
	hears(t, fromBen, "ben-pauses")
	hears(t, fromAmara, "amara-pauses")
	b.do(event.RecordingStart{}) // whoever took it off puts it back
	first.say("amara-is-back")
	second.say("ben-is-back")
	comesToDisk(t, s, "amara-is-back", true)
	comesToDisk(t, s, "ben-is-back", true)
	for _, word := range []string{"ben-not-asked-yet", "ben-still-not-asked", "ben-off-the-record", "amara-off-the-record"} {
		if holds(t, s.data, word) {
			t.Errorf("%q is on disk", word)
		}
	}

	a.hangUp()
	b.hangUp()
	path := "/api/sessions/" + id
	amara.must(409, "POST", path+"/measures", map[string]any{}, nil)
	a.do(event.SessionEnd{})
	newBrowser(t, s).must(403, "POST", path+"/measures", map[string]any{}, nil)
	if n := amara.measuresShown(path); n != 1 {
		t.Errorf("the first to look sees the measures of %d people", n)
	}
	if n := ben.measuresShown(path); n != 2 {
		t.Errorf("the second to look sees the measures of %d people", n)
	}
	before := ben.segmentsOf(path, benID)
	if per := ben.perStretch(path, benID); len(per) != 2 || per[0] == 0 || per[1] == 0 || per[0]+per[1] != len(before) {
		t.Fatalf("%v segments of Ben in each stretch on the record, and %d in all; want some in both, and none in more than one", per, len(before))
	}
	newBrowser(t, s).must(403, "POST", path+"/withdrawal", map[string]any{}, nil)
	ben.must(204, "POST", path+"/withdrawal", map[string]any{"removeNotes": true}, nil)
	if left := amara.segmentsOf(path, benID); len(left) != 0 {
		t.Errorf("still listed: %v", left)
	}
	for _, word := range []string{"ben-on-the-record", "ben-is-back"} {
		comesToDisk(t, s, word, false)
	}
	if !holds(t, s.data, "amara-on-the-record") {
		t.Error("what others said is gone, too")
	}
	amara.poll(path+"/replay", func(_ int, text []byte) bool { return bytes.Contains(text, []byte("recording.erased")) })
	var proof []string
	for _, e := range amara.journal(path) {
		if b, ok := e.Body.(event.RecordingErased); ok && b.Member == benID {
			for _, f := range b.Files {
				proof = append(proof, f.ID)
				if len(f.SHA256) != 64 || f.Bytes == 0 || f.End <= f.Start {
					t.Errorf("a file that says too little: %+v", f)
				}
			}
		}
	}
	if slices.Sort(proof); !slices.Equal(proof, before) {
		t.Errorf("proved to be gone: %v, want %v", proof, before)
	}
	for _, what := range []string{"/replay", "/notes.json", "/notes.csv"} {
		if _, text := amara.request("GET", path+what, nil, nil); strings.Contains(string(text), "ben-writes") {
			t.Errorf("%s still has the note: %s", what, text)
		}
	}
	for _, segment := range before {
		amara.must(404, "GET", path+"/segments/"+segment, nil, nil)
	}
}

// Who was removed from a session sees nothing of it any more, but takes back what was recorded of them.
func TestWhoWasRemovedWithdraws(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	path := "/api/sessions/" + id
	rob, robID := s.guest(t, id, amara.link(id, event.Peer), "Rob")
	a, r := amara.connect(id, agreed), rob.connect(id, agreed)
	a.do(event.RecordingStart{})
	a.speak("amara-on-the-record")
	r.speak("rob-on-the-record")
	comesToDisk(t, s, "amara-on-the-record", true)
	comesToDisk(t, s, "rob-on-the-record", true)
	a.do(event.MemberRemove{Member: robID})
	if reason, _ := r.bye(); reason != "removed" {
		t.Fatalf("bye %q", reason)
	}
	rob.must(403, "GET", path+"/replay", nil, nil)
	type withdrawal struct {
		Consent event.Consent
		Removed bool
		Files   int
	}
	var of withdrawal
	rob.must(200, "GET", path+"/withdrawal", nil, &of)
	if of.Consent != event.Agreed || !of.Removed || of.Files == 0 {
		t.Errorf("told of what was recorded: %+v", of)
	}
	newBrowser(t, s).must(403, "GET", path+"/withdrawal", nil, nil)
	rob.must(204, "POST", path+"/withdrawal", map[string]any{"removeNotes": true}, nil)
	comesToDisk(t, s, "rob-on-the-record", false)
	rob.poll(path+"/withdrawal", func(_ int, text []byte) bool { return bytes.Contains(text, []byte(`"files":0`)) })
	rob.must(200, "GET", path+"/withdrawal", nil, &of)
	if of.Consent != event.Withdrawn {
		t.Errorf("consent is %q", of.Consent)
	}
	if !holds(t, s.data, "amara-on-the-record") {
		t.Error("what others said is gone, too")
	}
}

// measuresShown looks at the measures, and counts of how many people they are told.
func (b *browser) measuresShown(path string) (shown int) {
	b.t.Helper()
	var m struct{ People []struct{ Shown bool } }
	b.must(200, "POST", path+"/measures", map[string]any{}, &m)
	for _, p := range m.People {
		if p.Shown {
			shown++
		}
	}
	return shown
}

// replay is a session as the browser may see it afterwards.
func (b *browser) replay(path string) (r recorder.Replay) {
	b.t.Helper()
	b.must(200, "GET", path+"/replay", nil, &r)
	return r
}

// segmentsOf lists a member's segments in a replay, sorted.
func (b *browser) segmentsOf(path, member string) []string {
	b.t.Helper()
	out := []string{}
	for _, s := range b.replay(path).Segments {
		if s.Member == member {
			out = append(out, s.ID)
		}
	}
	slices.Sort(out)
	return out
}

// perStretch counts a member's segments in each stretch on the record: more than one where packets were late, or a file was full.
func (b *browser) perStretch(path, member string) (n []int) {
	b.t.Helper()
	r := b.replay(path)
	for _, on := range recorder.OnRecord(r.Events) {
		n = append(n, 0)
		for _, s := range r.Segments {
			if s.Member == member && s.Start < on.To && on.From < s.End {
				n[len(n)-1]++
			}
		}
	}
	return n
}

// journal is a session's events as the browser may see them.
func (b *browser) journal(path string) []event.Event {
	b.t.Helper()
	return b.replay(path).Events
}

// What is in the journal as taken back, and still on disk, when the server starts, is removed then.
func TestErasuresOutliveTheServer(t *testing.T) {
	data := filledData(t)
	s := start(t, data)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	a := amara.connect(id, agreed)
	a.do(event.RecordingStart{})
	a.speak("amara-on-the-record")
	comesToDisk(t, s, "amara-on-the-record", true)
	s.stop(t)
	withdrawn(t, data, id, a.welcome.You)
	s = start(t, data)
	comesToDisk(t, s, "amara-on-the-record", false)
	again := signedIn(t, s)
	again.poll("/api/sessions/"+id+"/replay", func(_ int, text []byte) bool { return bytes.Contains(text, []byte("recording.erased")) })
}

// withdrawn adds to a session's journal, of a server that does not run, that a member took their consent back.
func withdrawn(t *testing.T, data, session, member string) {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{Folder: data, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	epoch, err := st.Own(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	events, err := st.Load(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	state, err := room.New(events)
	if err != nil {
		t.Fatal(err)
	}
	next, err := state.Withdraw(room.Env{Now: state.At() + 60_000}, member, false)
	if err != nil {
		t.Fatal(err)
	}
	stored := make(chan error, 1)
	st.Append(session, epoch, next, func(err error) { stored <- err })
	if err := errors.Join(<-stored, st.Close()); err != nil {
		t.Fatal(err)
	}
}
