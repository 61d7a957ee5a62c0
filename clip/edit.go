package clip

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pausepoint/pausepoint/room/event/text"
)

// Limits of what an owner writes, in Unicode code points.
const (
	MaxTitle = 200
	MaxText  = 10_000 // context card
	MaxLine  = 1_000  // focus question
)

// Edit is what an owner changes of a clip; nil leaves a field as it is.
type Edit struct {
	Title         *string
	FocusQuestion *string
	Context       *string
	From          *int64 // µs
	To            *int64 // µs
	PupilConsent  *bool
}

// Apply checks e and changes c. With an error, which is always an [*Error], c is as it was.
func (e Edit) Apply(c *Clip, now time.Time) error {
	next := *c
	if err := e.applyTexts(&next); err != nil {
		return err
	}
	if err := e.applyRange(&next); err != nil {
		return err
	}
	if e.PupilConsent != nil && *e.PupilConsent != c.PupilConsent {
		next.PupilConsent = *e.PupilConsent
		next.PupilConsentAt = time.Time{}
		if next.PupilConsent {
			next.PupilConsentAt = now.UTC()
		}
	}
	*c = next
	return nil
}

func (e Edit) applyTexts(c *Clip) error {
	for _, f := range []struct {
		name  string
		from  *string
		to    *string
		limit int
		clean func(string) string
	}{
		{"title", e.Title, &c.Title, MaxTitle, text.Line},
		{"focus question", e.FocusQuestion, &c.FocusQuestion, MaxLine, text.Block},
		{"context card", e.Context, &c.Context, MaxText, text.Block},
	} {
		if f.from == nil {
			continue
		}
		cleaned := f.clean(*f.from)
		if n := utf8.RuneCountInString(cleaned); n > f.limit {
			return because("too_long", fmt.Sprintf("The %s has %d characters. It may have at most %d.", f.name, n, f.limit), nil)
		}
		*f.to = cleaned
	}
	if c.Title == "" {
		return because("no_title", "A clip needs a title. Write a few words that people recognise it by.", nil)
	}
	return nil
}

// applyRange accepts any range inside a prepared clip that holds at least one frame.
func (e Edit) applyRange(c *Clip) error {
	if e.From == nil && e.To == nil {
		return nil
	}
	if c.State != Ready {
		return because("not_ready", "The range can be chosen once the clip is ready.", nil)
	}
	if e.From != nil {
		c.From = *e.From
	}
	if e.To != nil {
		c.To = *e.To
	}
	if c.From < 0 || c.To > c.Duration || c.From >= c.To {
		return because("bad_range", "The range must lie inside the clip and begin before it ends.", nil)
	}
	if (c.To-c.From+1)*c.FPSNum < c.FPSDen*1_000_000 { // µs are rounded
		return because("bad_range", "The range is shorter than one frame. Choose a longer one.", nil)
	}
	return nil
}

// titleFor makes a first title of a file's name: "lesson_3.MP4" gives "lesson 3".
func titleFor(filename string) string {
	name := text.Line(filename)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name = strings.TrimSpace(strings.ReplaceAll(name, "_", " "))
	if name == "" {
		return "Untitled clip"
	}
	return text.Cut(name, MaxTitle)
}
