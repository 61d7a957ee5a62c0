package keeping

import (
	"time"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// The shape of a receipt: its name, and its version, which grows when a field changes its meaning.
const (
	receiptFormat  = "pausepoint-receipt"
	receiptVersion = 1
)

// Rule is why a session was deleted.
type Rule string

// The rules.
const (
	ByHand Rule = "by-hand"       // somebody did
	Due    Rule = "time-was-over" // it was to be kept for so many days
)

// Receipt is the proof that a session was deleted. It has no text that people wrote, and no names. Lists are never null.
type Receipt struct {
	Format   string     `json:"format"` // "pausepoint-receipt"
	Version  int        `json:"version"`
	Session  string     `json:"session"`
	Opened   *time.Time `json:"opened"`   // UTC; null if it never was
	Duration int64      `json:"duration"` // ms
	Rule     Rule       `json:"rule"`
	Days     int        `json:"days"`    // for which it was to be kept; 0 is for ever
	By       string     `json:"by"`      // member who deleted it; empty if its time was over
	Begun    time.Time  `json:"begun"`   // from then on nobody saw anything of it
	Done     *time.Time `json:"done"`    // from then on nothing of it was stored; null before
	Events   int64      `json:"events"`  // in the journal
	Journal  string     `json:"journal"` // SHA-256 of the journal: each event's JSON and a line feed, in order
	Files    []File     `json:"files"`   // those removed before first, then by session time
	Listed   bool       `json:"listed"`  // Files is complete
	Clips    []Clip     `json:"clips"`   // made of its recording, which went with it, the oldest first
}

// Clip is a clip that was made of the recording.
type Clip struct {
	ID       string    `json:"id"`
	Made     time.Time `json:"made"`     // UTC; when all had agreed
	Duration int64     `json:"duration"` // ms; 0 if it was not ready
}

// File is one file that was deleted. Times are session time in milliseconds.
type File struct {
	ID     string `json:"id"`
	Member string `json:"member"` // whose media it had
	Source string `json:"source"` // audio, camera, screen or screen-audio
	Start  int64  `json:"start"`
	End    int64  `json:"end"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Removed is when it was removed because consent was taken back; null if it was there until the session was deleted.
	Removed *time.Time `json:"removed"`
}

// Contents is what the database has of a session when it is deleted.
type Contents struct {
	Opened   time.Time // zero if it never was
	Duration int64     // ms
	Inside   int       // members in the call
	Days     int       // for which it is kept; 0 is for ever
	Held     time.Time // since when a legal hold keeps it; zero without one
	Events   int64
	Journal  string                  // see Receipt
	Erased   []event.RecordingErased // in the journal: what was removed before
	Clips    []Clip                  // made of its recording, and not taken back before
}

// due reports whether its time is over.
func (c Contents) due(now time.Time) bool {
	return c.Days > 0 && !c.Opened.IsZero() && !c.Opened.Add(time.Duration(c.Duration)*time.Millisecond).AddDate(0, 0, c.Days).After(now)
}

func (c Contents) receipt(session string, rule Rule, by string, now time.Time) Receipt {
	r := Receipt{
		Format: receiptFormat, Version: receiptVersion, Session: session, Duration: c.Duration, Rule: rule, Days: c.Days, By: by,
		Begun: now.UTC(), Events: c.Events, Journal: c.Journal, Files: erasedFiles(c.Erased),
		Clips: append([]Clip{}, c.Clips...),
	}
	if !c.Opened.IsZero() {
		opened := c.Opened.UTC()
		r.Opened = &opened
	}
	return r
}

// erasedFiles is what was removed before, because consent was taken back.
func erasedFiles(erased []event.RecordingErased) []File {
	files := []File{}
	for _, e := range erased {
		when := time.UnixMilli(e.When).UTC()
		for _, f := range e.Files {
			files = append(files, File{
				ID: f.ID, Member: e.Member, Source: f.Source, Start: f.Start, End: f.End, Bytes: f.Bytes, SHA256: f.SHA256, Removed: &when,
			})
		}
	}
	return files
}

// listing is the receipt with the files that are there now, too.
func (r Receipt) listing(segments []recorder.Segment) Receipt {
	r.Listed = true
	for _, s := range segments {
		r.Files = append(r.Files, File{
			ID: s.ID, Member: s.Member, Source: s.Source, Start: s.Start, End: s.End, Bytes: s.Bytes, SHA256: s.SHA256,
		})
	}
	return r
}

// finished is the receipt of what is deleted entirely.
func (r Receipt) finished(now time.Time) Receipt {
	done := now.UTC()
	r.Done = &done
	return r
}
