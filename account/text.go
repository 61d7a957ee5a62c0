package account

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pausepoint/pausepoint/room/event/text"
)

// line cleans what goes on one line, and checks its length in characters. what begins the sentence that refuses it: "A title".
func line(s string, limit int, what string) (string, error) { return within(text.Line(s), limit, what) }

// block does that for what may have several lines.
func block(s string, limit int, what string) (string, error) {
	return within(text.Block(s), limit, what)
}

func within(s string, limit int, what string) (string, error) {
	if n := utf8.RuneCountInString(s); n > limit {
		return "", invalid("%s may have at most %d characters; this one has %d.", what, limit, n)
	}
	return s, nil
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

// normaliseEmail returns the form in which an email is kept and looked up: trimmed and in lower case.
func normaliseEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > 254 || strings.ContainsFunc(s, unusual) {
		return "", invalid("This does not look like an email address. Write it like name@school.example.")
	}
	return s, nil
}

func unusual(r rune) bool {
	return unicode.IsSpace(r) || text.Disguises(r) || r == '"' || r == utf8.RuneError
}
