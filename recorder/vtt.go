package recorder

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pausepoint/pausepoint/room/event"
)

// minCue is how long a cue is shown at least, ms.
const minCue = 2000

// CueClock is the clock that a WebVTT file runs on.
type CueClock string

// The clocks.
const (
	ClipClock    CueClock = "clip"    // beside the prepared clip; only notes that are on it
	SessionClock CueClock = "session" // beside the replay; all notes
)

type cue struct {
	from, to int64 // ms
	note     ExportNote
}

// WriteVTT writes the notes as WebVTT cues (W3C WebVTT 1): one for each note, in the order of time, at least two seconds long. The voice is the
// author; the text begins with the note's type, and replies follow on lines of their own.
func WriteVTT(w io.Writer, x Export, clock CueClock) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "WEBVTT\n\nNOTE\nNotes by Pausepoint\n")
	fmt.Fprintf(b, "Session: %s\n", comment(x.Session.Title))
	if x.Clip != nil {
		fmt.Fprintf(b, "Clip: %s\n", comment(x.Clip.Title))
	}
	fmt.Fprintf(b, "Times: %s time\n", clock)
	for _, c := range cues(x.Notes, clock) {
		fmt.Fprint(b, "\n")
		if plain(c.note.ID) {
			fmt.Fprintf(b, "%s\n", c.note.ID)
		}
		fmt.Fprintf(b, "%s --> %s\n%s\n", cueTime(c.from), cueTime(c.to), cueText(c.note))
	}
	return b.Flush()
}

func cues(notes []ExportNote, clock CueClock) []cue {
	var out []cue
	for _, n := range notes {
		c := cue{from: max(n.SessionTime, 0), note: n}
		switch {
		case clock == SessionClock:
			c.to = c.from
		case n.ClipFrom == nil:
			continue
		default:
			c.from, c.to = max(*n.ClipFrom, 0)/1000, max(*n.ClipTo, 0)/1000
		}
		c.to = max(c.to, c.from+minCue)
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b cue) int { return cmp.Compare(a.from, b.from) })
	return out
}

func cueTime(ms int64) string {
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

func cueText(n ExportNote) string {
	text := n.Text
	if text == "" {
		text = "(marked)"
	}
	out := []string{fmt.Sprintf("<v %s>%s: %s", voice(n.Author), typeName(n.Type), payload(text))}
	for _, r := range n.Replies {
		out = append(out, fmt.Sprintf("<v %s>– %s: %s", voice(r.Author), payload(r.Author), payload(r.Text)))
	}
	return strings.Join(out, "\n")
}

func typeName(t event.NoteType) string {
	switch t {
	case event.Observation:
		return "Observation"
	case event.Wondering:
		return "Wondering"
	case event.Learning:
		return "Learning"
	case event.Question:
		return "Question"
	case event.Appreciation:
		return "Appreciation"
	case event.NextStep:
		return "Next step"
	}
	return "Note"
}

var escapeCue = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// payload is cue text without markup. An empty line would end the cue.
func payload(s string) string {
	var lines []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, escapeCue.Replace(l))
		}
	}
	return strings.Join(lines, "\n")
}

// voice is the annotation of a voice tag: one line, not empty.
func voice(name string) string {
	name = escapeCue.Replace(oneLine(name))
	return cmp.Or(name, "Someone")
}

// comment is text for a NOTE block, which an arrow or an empty line would end.
func comment(s string) string { return strings.ReplaceAll(oneLine(s), "-->", "→") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
