// Package text makes what people write safe to keep, to show and to export. It is part of the vocabulary: a text means the same
// wherever it came in. It disarms no markup: that is up to whoever shows a text.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Block cleans what may have several lines: it is valid UTF-8 with "\n" for every end of a line, without controls but for tabs,
// without marks and overrides of writing direction (UAX #9), without invisible separators, and without space around it.
func Block(s string) string { return strings.TrimSpace(Clean(s)) }

// Line cleans a name or a title: like Block, on one line, with single spaces.
func Line(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// Clean is Block that keeps the space around a text.
func Clean(s string) string {
	return strings.Map(clean, strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n"))
}

// Cut cuts a text to a length in code points.
func Cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most]))
}

// Disguises reports whether a code point has no place in a clean text.
func Disguises(r rune) bool { return clean(r) != r }

func clean(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085': // other ends of lines
		return '\n'
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r >= '\u206a' && r <= '\u206f',
		r == '\ufeff', r >= '\ufff9' && r <= '\ufffb':
		return -1
	}
	return r
}
