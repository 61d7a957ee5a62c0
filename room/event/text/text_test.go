package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTexts(t *testing.T) {
	for in, want := range map[string][2]string{ // as a block, as a line
		"":                              {"", ""},
		"  plain ":                      {"plain", "plain"},
		"a\r\nb\rc\u2028d\u0085e":       {"a\nb\nc\nd\ne", "a b c d e"},
		"tab\tkept":                     {"tab\tkept", "tab kept"},
		"nul\x00 bell\a del\x7f":        {"nul bell del", "nul bell del"},
		"\u202egnp.exe\u2066 \u200fx":   {"gnp.exe x", "gnp.exe x"},
		"\ufeffmark \ufff9x":            {"mark x", "mark x"},
		"bro\xffken":                    {"broken", "broken"},
		"👩‍🏫 zwj stays \u200dhere":      {"👩‍🏫 zwj stays \u200dhere", "👩‍🏫 zwj stays \u200dhere"},
		"<b>markup</b> javascript:x(1)": {"<b>markup</b> javascript:x(1)", "<b>markup</b> javascript:x(1)"},
		"two  spaces\n\n\nthree lines":  {"two  spaces\n\n\nthree lines", "two spaces three lines"},
	} {
		if got := [2]string{Block(in), Line(in)}; got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	if got := Cut("é é é", 4); got != "é é" {
		t.Errorf("cut: %q", got)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "a\r\r\n\n", "\u202e\xff", "\r\x00\n", "\u2029 x"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, s string, most int) {
		block, line := Block(s), Line(s)
		if !utf8.ValidString(block) || strings.ContainsFunc(block, Disguises) || Block(block) != block || Line(block) != line {
			t.Errorf("block %q", block)
		}
		if strings.ContainsAny(line, "\n\t") || Line(line) != line {
			t.Errorf("line %q", line)
		}
		if most = max(most, 0); utf8.RuneCountInString(Cut(block, most)) > most || !strings.HasPrefix(block, Cut(block, most)) {
			t.Errorf("cut to %d: %q", most, Cut(block, most))
		}
	})
}
