package room

import (
	"unicode/utf8"

	"github.com/pausepoint/pausepoint/room/event/text"
)

// cleanText cleans what a member writes. It refuses what is not UTF-8 or has more runes than most.
func cleanText(s string, most int, what string) (string, error) {
	if !utf8.ValidString(s) {
		return "", refuse("invalid", "%s can hold only text. Type it again.", what)
	}
	s = text.Block(s)
	if utf8.RuneCountInString(s) > most {
		return "", refuse("too_large", "%s can have up to %d characters. Shorten it or split it.", what, most)
	}
	return s, nil
}

// cleanCut cleans what was written elsewhere, and cuts it where it is too long.
func cleanCut(s string, most int) string { return text.Cut(text.Block(s), most) }

// cleanLine does that for a name or title, on one line.
func cleanLine(s string, most int) string { return text.Cut(text.Line(s), most) }
