package recorder

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
)

// WriteCaptions writes notes as WebVTT for players that show no voices: who wrote it is a part of the text. Times are the notes'
// SessionTime.
func WriteCaptions(w io.Writer, notes []ExportNote) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "WEBVTT\n")
	for _, c := range cues(notes, SessionClock) {
		fmt.Fprintf(b, "\n%s --> %s\n%s: %s\n", cueTime(c.from), cueTime(c.to), voice(c.note.Author),
			payload(cmp.Or(c.note.Text, "(marked)")))
	}
	return b.Flush()
}
