package recorder

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pausepoint/pausepoint/room/event"
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

// ReadCSV reads what WriteCSV wrote: the notes, with the fields that have a column.
func ReadCSV(r io.Reader) ([]ExportNote, error) {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = b.Discard(len(byteOrderMark))
	}
	c := csv.NewReader(b)
	c.FieldsPerRecord = len(csvColumns())
	head, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	if !slices.Equal(head, csvColumns()) {
		return nil, errors.New("read notes: the columns are not those of exported notes")
	}
	notes := []ExportNote{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return notes, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read notes: %w", err)
		}
		n, err := readRow(row)
		if err != nil {
			return nil, fmt.Errorf("read notes: %w", err)
		}
		notes = append(notes, n)
	}
}

func readRow(row []string) (ExportNote, error) {
	for i := range row {
		row[i] = unguard(row[i])
	}
	from, err1 := readClipClock(row[0])
	to, err2 := readClipClock(row[1])
	at, err3 := readClock(row[2])
	replies, err4 := splitReplies(row[8])
	return ExportNote{
		ClipFrom: from, ClipTo: to, SessionTime: at / 1000, Author: row[3], Role: event.Role(row[4]), Type: event.NoteType(row[5]),
		Visibility: event.Visibility(row[6]), Text: row[7], Replies: replies,
	}, errors.Join(err1, err2, err3, err4)
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

func unguard(s string) string {
	if strings.HasPrefix(s, "'") && formula(s) {
		return s[1:]
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

func readClock(s string) (us int64, err error) {
	whole, fraction, _ := strings.Cut(s, ".")
	parts := strings.Split(whole, ":")
	if len(parts) != 3 || len(fraction) != 3 && len(fraction) != 6 {
		return 0, fmt.Errorf("%q is not a time", s)
	}
	for i, p := range append(parts, (fraction + "000")[:6]) {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return 0, fmt.Errorf("%q is not a time", s)
		}
		us = us*[]int64{1, 60, 60, 1_000_000}[i] + int64(n)
	}
	return us, nil
}

func readClipClock(s string) (*int64, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // no time is a value here
	}
	us, err := readClock(s)
	return &us, err
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

func splitReplies(s string) ([]ExportReply, error) {
	replies := []ExportReply{}
	if s == "" {
		return replies, nil
	}
	for _, line := range strings.Split(s, "\n") {
		end := nameEnd(line)
		if end < 0 || !strings.HasPrefix(line[end:], ": ") {
			return nil, fmt.Errorf("%q is not a reply", line)
		}
		replies = append(replies, ExportReply{Author: unescape(line[:end]), Text: unescape(line[end+2:])})
	}
	return replies, nil
}

// nameEnd is the index of the first colon without a backslash before it; -1 if there is none.
func nameEnd(line string) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ':':
			return i
		}
	}
	return -1
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case s[i+1] == 'n':
			b.WriteByte('\n')
			i++
		default:
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
