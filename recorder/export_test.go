package recorder

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pausepoint/pausepoint/room/event"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

// everything is what the focal teacher may take out.
func everything() Scope {
	s, _ := ScopeOf("m-ana", []event.Action{event.ExportAll})
	return s
}

func TestExportsAreGolden(t *testing.T) {
	x := NewExport(journal(), everything())
	for name, write := range map[string]func(io.Writer) error{
		"notes.json":        func(w io.Writer) error { return WriteJSON(w, x) },
		"notes.csv":         func(w io.Writer) error { return WriteCSV(w, x) },
		"notes.clip.vtt":    func(w io.Writer) error { return WriteVTT(w, x, ClipClock) },
		"notes.session.vtt": func(w io.Writer) error { return WriteVTT(w, x, SessionClock) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}

func TestScopeOfAnExport(t *testing.T) {
	for _, c := range []struct {
		member  string
		may     []event.Action
		notes   []string
		answers int
	}{
		{"m-ana", []event.Action{event.ExportAll, event.ExportOwn}, []string{"n0", "n1", "n2", "n3"}, 1},
		{"m-bo", []event.Action{event.ExportShared, event.ExportOwn}, []string{"n1", "n2", "n3"}, 1},
		{"m-ana", []event.Action{event.Publish, event.ExportOwn}, []string{"n0", "n2"}, 0},
		{"m-who", []event.Action{event.ExportOwn}, []string{}, 0},
	} {
		scope, ok := ScopeOf(c.member, c.may)
		x := NewExport(journal(), scope)
		ids := []string{}
		for _, n := range x.Notes {
			ids = append(ids, n.ID)
		}
		answers := 0
		for _, p := range x.Pauses {
			answers += len(p.Answers)
		}
		if !ok || !slices.Equal(ids, c.notes) || answers != c.answers {
			t.Errorf("%s who may %v exports %v and %d answers", c.member, c.may, ids, answers)
		}
	}
	if _, ok := ScopeOf("m-ana", []event.Action{event.Publish}); ok {
		t.Error("who may not export has a scope")
	}
}

// player is text with what is special somewhere.
func player() *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "'", "\"", ",", "\n", "\r\n", "\r", "\\", ":", ": ", "\\n", ";", "<", "&", "-->", "\u202e", "é", "\x00", "\xff", "＝"}),
		rapid.String(),
	), 0, 6), func(parts []string) string { return strings.Join(parts, "") })
}

// anyExport makes an export from a journal of any notes and replies.
func anyExport(t *rapid.T) Export {
	events := journal()[:3]
	clip := rapid.Bool().Draw(t, "clip")
	text := player()
	for i := range rapid.IntRange(0, 4).Draw(t, "notes") {
		n := event.Note{
			ID: "note-" + string(rune('a'+i)), Author: rapid.SampledFrom([]string{"m-ana", "m-bo", "m-gone"}).Draw(t, "author"),
			Type: rapid.SampledFrom([]event.NoteType{event.Observation, event.NextStep}).Draw(t, "type"), Visibility: event.Shared,
			Text: text.Draw(t, "text"), At: rapid.Int64Range(0, 1e8).Draw(t, "at"), OnClip: clip,
			From: rapid.Int64Range(0, 1e11).Draw(t, "from"), To: rapid.Int64Range(0, 1e11).Draw(t, "to"),
		}
		for k := range rapid.IntRange(0, 3).Draw(t, "replies") {
			n.Replies = append(n.Replies, event.Reply{ID: string(rune('a' + k)), Author: "m-bo", Text: text.Draw(t, "reply"), At: int64(k)})
		}
		events = append(events, event.Event{Seq: 9, At: 300, Body: event.NoteAdded{Note: n}})
	}
	bo, _ := events[2].Body.(event.MemberJoined)
	bo.Member.Name = text.Draw(t, "name")
	events[2].Body = bo
	return NewExport(events, everything())
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := anyExport(t)
		var b bytes.Buffer
		if err := WriteJSON(&b, x); err != nil {
			t.Fatal(err)
		}
		got, err := readJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// What has a column comes back exactly, and no field is one that a spreadsheet computes.
func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := anyExport(t)
		var b bytes.Buffer
		if err := WriteCSV(&b, x); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), nil), []byte("\r")) {
			t.Fatal("a line does not end in CR LF")
		}
		got, err := readCSV(&b)
		if err != nil {
			t.Fatal(err)
		}
		want := []ExportNote{}
		for _, n := range x.Notes {
			n.ID, n.Member, n.Mark, n.Written, n.Edited = "", "", false, 0, 0
			for i := range n.Replies {
				n.Replies[i].ID, n.Replies[i].Member, n.Replies[i].SessionTime = "", "", 0
			}
			want = append(want, n)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestNoFieldIsAFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := player().Draw(t, "s")
		g := guard(s)
		if g != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(g)[0]) {
			t.Fatalf("%q becomes %q", s, g)
		}
		if unguard(g) != s {
			t.Fatalf("%q becomes %q and then %q", s, g, unguard(g))
		}
	})
}

// A WebVTT file has exactly one cue a note, whatever is written in it: ffmpeg reads as many.
func TestVTTHasACueForEachNote(t *testing.T) {
	x := NewExport(journal(), everything())
	x.Notes[1].Text = "\n\n00:00:00.000 --> 00:00:09.000\nfaked\n\nNOTE x\n<b>&lt;"
	x.Notes[1].Author = "A\n\n--> <i>"
	x.Session.Title = "T\n\n00:00:01.000 --> 00:00:09.000\nfaked"
	path := filepath.Join(t.TempDir(), "notes.vtt")
	var b bytes.Buffer
	if err := WriteVTT(&b, x, SessionClock); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "packet=pts_time,duration_time", "-of", "default=nw=1:nk=1", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := "0.000000 2.000000 11.500000 2.000000 13.000000 2.000000 39.000000 2.000000"
	if got := strings.Join(strings.Fields(string(out)), " "); got != want {
		t.Errorf("ffprobe finds the cues\n%s\nin\n%s", got, b.String())
	}
	if n := strings.Count(b.String(), "-->"); n != 4 {
		t.Errorf("%d arrows", n)
	}
}

func TestReadersRefuseWhatTheyDoNotKnow(t *testing.T) {
	for _, s := range []string{"", "{", `{"format":"other","version":1}`, `{"format":"pausepoint-notes","version":2}`} {
		if _, err := readJSON(strings.NewReader(s)); err == nil {
			t.Errorf("%q is read as JSON", s)
		}
	}
	head := strings.Join(csvColumns(), ",") + "\n"
	for _, s := range []string{"", "a,b\n", head + "x", head + ",,1:2,a,b,c,d,e,\n", head + ",,0:00:01.000,a,b,c,d,e,no reply\n", head + "-1:00:00.000,,0:00:01.000,a,b,c,d,e,\n"} {
		if _, err := readCSV(strings.NewReader(s)); err == nil {
			t.Errorf("%q is read as CSV", s)
		}
	}
}

func TestReplay(t *testing.T) {
	segment := func(id string, start, end int64) Segment {
		return Segment{ID: id, Session: "s1", Member: "m-bo", Source: "audio", Mime: MimeOpus, Start: start, End: end, Bytes: 9, Finished: true}
	}
	open := segment("open", 2000, 0)
	open.Finished = false
	segments := []Segment{
		segment("b", 51_000, 60_000), segment("before", 0, 1000), segment("across", 900, 1100), segment("a", 1000, 30_000),
		segment("off", 30_000, 50_000), open,
	}
	r := NewReplay("m-ana", []event.Action{event.ExportAll}, journal(), segments)
	var ids []string
	for _, s := range r.Segments {
		ids = append(ids, s.ID)
	}
	if !slices.Equal(ids, []string{"across", "a", "b"}) {
		t.Errorf("the segments are %v", ids)
	}
	if r.Duration != 60_000 || r.You != "m-ana" || len(r.Events) != len(journal())-1 || r.View.Session.Ended != 60_000 || len(r.View.Notes) != 4 {
		t.Errorf("the replay is %+v", r)
	}
	want := []Interval{{1000, 30_000}, {50_000, 60_000}}
	if got := OnRecord(journal()); !reflect.DeepEqual(got, want) {
		t.Errorf("on the record: %v", got)
	}
	if got := OnRecord(journal()[:10]); !reflect.DeepEqual(got, []Interval{{1000, 13_500}}) {
		t.Errorf("while it goes on, on the record: %v", got)
	}
}

func TestClock(t *testing.T) {
	for us, want := range map[int64]string{
		0: "0:00:00.000", 1: "0:00:00.000001", 999_000: "0:00:00.999", int64(36*time.Hour/time.Microsecond) + 61_500_000: "36:01:01.500",
	} {
		if got := clock(us); got != want {
			t.Errorf("clock(%d) = %s", us, got)
		}
		if got, err := readClock(want); got != us || err != nil {
			t.Errorf("readClock(%s) = %d, %v", want, got, err)
		}
	}
}
