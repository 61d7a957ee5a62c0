package room

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanText takes out of what people write what could disturb how it is shown: control characters but for tabs and
// line ends, and controls of writing direction (Unicode UAX #9 §2). It refuses what is not UTF-8 or has more runes
// than most.
func cleanText(s string, most int, what string) (string, error) {
	if !utf8.ValidString(s) {
		return "", refuse("invalid", "%s can hold only text. Type it again.", what)
	}
	s = strings.TrimSpace(strings.Map(cleanRune, strings.ReplaceAll(s, "\r\n", "\n")))
	if utf8.RuneCountInString(s) > most {
		return "", refuse("too_large", "%s can have up to %d characters. Shorten it or split it.", what, most)
	}
	return s, nil
}

// cleanCut does the same for text that was written elsewhere, and cuts it where it is too long.
func cleanCut(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return cut(strings.TrimSpace(strings.Map(cleanRune, s)), most)
}

// cleanLine does that for a name or title, on one line.
func cleanLine(s string, most int) string {
	s = strings.Map(cleanRune, strings.ToValidUTF8(s, ""))
	return cut(strings.Join(strings.Fields(s), " "), most)
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) > most {
		s = strings.TrimSpace(string([]rune(s)[:most]))
	}
	return s
}

func cleanRune(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085': // other line ends
		return '\n'
	case unicode.IsControl(r), isBidiControl(r), r == '\ufeff':
		return -1
	}
	return r
}

func isBidiControl(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u206f' ||
		r == '\u200e' || r == '\u200f' || r == '\u061c'
}
