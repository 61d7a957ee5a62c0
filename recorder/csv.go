package recorder

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// byteOrderMark tells spreadsheets that a file is UTF-8.
const byteOrderMark = "\uFEFF"

func csvColumns() []string {
	return []string{"clip_from", "clip_to", "session_time", "author", "role", "type", "visibility", "text", "replies"}
}

// WriteCSV writes the notes as comma-separated values (RFC 4180) with a header line, in UTF-8 with a byte order mark. Times are
// h:mm:ss.mmm, with six digits where a clip time needs them; clip times are empty for a note that is not on the clip. Replies are lines
// "author: text" in one field; a new line, a backslash, and a colon in a name have a backslash before them. A field that a spreadsheet
// would take for a formula has an apostrophe before it.
func WriteCSV(w io.Writer, x Export) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if err := c.Write(csvColumns()); err != nil {
		return err
	}
	for _, n := range x.Notes {
		row := []string{
			clipClock(n.ClipFrom), clipClock(n.ClipTo), clock(n.SessionTime * 1000), n.Author, string(n.Role), string(n.Type),
			string(n.Visibility), n.Text, joinReplies(n.Replies),
		}
		for i := range row {
			row[i] = guard(row[i])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// formula reports whether a spreadsheet could compute s (OWASP, CSV injection), apart from apostrophes before it.
func formula(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.ContainsRune("=+-@\t\n\r＝＋－＠", []rune(s)[0])
}

func guard(s string) string {
	if formula(s) {
		return "'" + s
	}
	return s
}

// clock writes µs as h:mm:ss.mmm, or with six digits if they are needed.
func clock(us int64) string {
	us = max(us, 0)
	s := us / 1_000_000
	head := fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	if us%1000 == 0 {
		return fmt.Sprintf("%s.%03d", head, us/1000%1000)
	}
	return fmt.Sprintf("%s.%06d", head, us%1_000_000)
}

func clipClock(us *int64) string {
	if us == nil {
		return ""
	}
	return clock(*us)
}

var (
	escapeText = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	escapeName = strings.NewReplacer(`\`, `\\`, "\n", `\n`, ":", `\:`)
)

func joinReplies(replies []ExportReply) string {
	lines := make([]string, len(replies))
	for i, r := range replies {
		lines[i] = escapeName.Replace(r.Author) + ": " + escapeText.Replace(r.Text)
	}
	return strings.Join(lines, "\n")
}
