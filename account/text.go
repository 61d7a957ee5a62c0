package account

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line makes s one line without what could disguise a text, and checks its length in characters. what begins the
// sentence that refuses it: "A title".
func line(s string, limit int, what string) (string, error) {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	return text(s, limit, what)
}

// text strips controls but for line breaks and tabs, overrides of direction (UAX #9) and bytes that are no UTF-8.
func text(s string, limit int, what string) (string, error) {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if disguises(r) {
			return -1
		}
		return r
	}, s))
	if n := utf8.RuneCountInString(s); n > limit {
		return "", invalid("%s may have at most %d characters; this one has %d.", what, limit, n)
	}
	return s, nil
}

func disguises(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return true
	}
	return r == '\u2028' || r == '\u2029' || r == '\ufeff' || r >= '\ufff9' && r <= '\ufffb'
}

const maxName = 80

func personName(s string) (string, error) {
	s, err := line(s, maxName, "A name")
	if err != nil {
		return "", err
	}
	if !strings.ContainsFunc(s, unicode.IsGraphic) {
		return "", invalid("Write your name, so that people know who you are.")
	}
	return s, nil
}

// NormaliseEmail returns the form in which an email is kept and looked up: trimmed and in lower case.
func NormaliseEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > 254 || strings.ContainsFunc(s, unusual) {
		return "", invalid("This does not look like an email address. Write it like name@school.example.")
	}
	return s, nil
}

func unusual(r rune) bool {
	return unicode.IsSpace(r) || disguises(r) || r == '"' || r == utf8.RuneError
}
