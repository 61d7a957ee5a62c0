package render

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// Names in the work's folder.
const (
	textFile    = "text.ass"  // what is written in the picture
	captionFile = "notes.vtt" // what goes along as subtitles
)

// writeTexts writes names, cards and captions.
func (w *work) writeTexts(context.Context) error {
	if err := w.create(textFile, w.writeASS); err != nil {
		return err
	}
	if len(w.Captions) == 0 {
		return nil
	}
	return w.create(captionFile, func(f io.Writer) error { return recorder.WriteCaptions(f, w.notesOnFilm()) })
}

// notesOnFilm are the captions at their places in the film; without those that were begun off the record.
func (w *work) notesOnFilm() (out []recorder.ExportNote) {
	for _, n := range w.Captions {
		for _, at := range w.onFilm(float64(n.SessionTime), float64(n.SessionTime)+1) {
			n.SessionTime = int64(at.from)
			out = append(out, n)
		}
	}
	return out
}

// assHeader is for libass, which finds a font for every script: the names' small style, and the cards' that covers a part of the stage.
const assHeader = `[Script Info]
ScriptType: v4.00+
PlayResX: %d
PlayResY: %d
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Name,sans-serif,18,&H00FFFFFF,&H00FFFFFF,&H00202020,&H00202020,0,0,0,0,100,100,0,0,1,2,0,1,0,0,0,1
Style: Card,sans-serif,30,&H00FFFFFF,&H00FFFFFF,&H30201E1C,&H30201E1C,0,0,0,0,100,100,0,0,3,14,0,8,%d,%d,%d,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
`

// writeASS writes what is to be read in the picture.
func (w *work) writeASS(f io.Writer) error {
	area := w.layout.stage
	if area.w == 0 {
		area = box{0, 0, width, height}
	}
	var s strings.Builder
	fmt.Fprintf(&s, assHeader, width, height, area.x+60, width-area.x-area.w+60, 40)
	all := span{0, float64(w.length())}
	for _, t := range w.layout.tiles {
		writeLine(&s, all, "Name", fmt.Sprintf(`{\pos(%d,%d)\q2}%s`, t.x+8, t.y+t.h-6, assText(t.name)))
	}
	if w.Cards {
		for _, c := range w.cards() {
			writeLine(&s, c.span, "Card", c.text)
		}
	}
	_, err := io.WriteString(f, s.String())
	return err
}

func writeLine(s *strings.Builder, at span, style, text string) {
	fmt.Fprintf(s, "Dialogue: 0,%s,%s,%s,,0,0,0,,%s\n", assTime(at.from), assTime(at.to), style, text)
}

// card is a pivotal pause, as it is shown.
type card struct {
	span
	text string
}

// cards are the pauses in the film, each from its begin to its end.
func (w *work) cards() (out []card) {
	var open *event.Hold
	number := 0
	end := func(at int64) {
		if open == nil {
			return
		}
		text := fmt.Sprintf("Pause %d", number)
		if open.Prompt != "" {
			text += `\N` + assText(open.Prompt)
		}
		for _, i := range w.onFilm(float64(open.Began), float64(at)) {
			out = append(out, card{i, text})
		}
		open = nil
	}
	for _, e := range w.Events {
		switch b := e.Body.(type) {
		case event.HoldBegan:
			end(e.At)
			number++
			open = &b.Hold
		case event.HoldEnded, event.SessionEnded:
			end(e.At)
		}
	}
	end(w.place[len(w.place)-1].To)
	return out
}

func assTime(ms float64) string {
	cs := int64(ms / 10)
	return fmt.Sprintf("%d:%02d:%02d.%02d", cs/360_000, cs/6000%60, cs/100%60, cs%100)
}

// assText is text without commands: those begin with a backslash or are in braces. An invisible character after a backslash, and
// before a brace, makes them characters like others.
func assText(s string) string {
	s = strings.ReplaceAll(s, `\`, "\\\u2060")
	s = strings.NewReplacer("{", `\{`, "}", `\}`).Replace(s)
	return strings.ReplaceAll(strings.Join(strings.Split(s, "\n"), `\N`), "\r", "")
}
