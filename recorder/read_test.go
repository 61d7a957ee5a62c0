package recorder

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pausepoint/pausepoint/room/event"
)

// readCSV reads what WriteCSV wrote: the notes, with the fields that have a column.
func readCSV(r io.Reader) ([]ExportNote, error) {
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

func unguard(s string) string {
	if strings.HasPrefix(s, "'") && formula(s) {
		return s[1:]
	}
	return s
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
		return nil, nil // no time
	}
	us, err := readClock(s)
	return &us, err
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

// readJSON reads what WriteJSON wrote.
func readJSON(r io.Reader) (Export, error) {
	var x Export
	if err := json.NewDecoder(r).Decode(&x); err != nil {
		return Export{}, fmt.Errorf("read exported notes: %w", err)
	}
	if x.Format != exportFormat || x.Version != exportVersion {
		return Export{}, fmt.Errorf("read exported notes: format %q version %d is not known", x.Format, x.Version)
	}
	return x, nil
}
