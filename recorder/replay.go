package recorder

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pausepoint/pausepoint/room/event"
)

// Replay is what a browser needs to play a session back beside its clip.
type Replay struct {
	You      string          `json:"you"` // member
	May      []event.Action  `json:"may"`
	Duration int64           `json:"duration"` // ms of session time
	View     event.View      `json:"view"`     // at the end
	Events   []event.Event   `json:"events"`   // journalled ones
	Segments []ReplaySegment `json:"segments"` // by start, then id
}

// ReplaySegment is one recorded file in a Replay. Times are session time in milliseconds.
type ReplaySegment struct {
	ID     string `json:"id"`
	Member string `json:"member"`
	Source string `json:"source"`
	Mime   string `json:"mime"`
	Start  int64  `json:"start"` // of media time 0 in the file
	End    int64  `json:"end"`
	Bytes  int64  `json:"bytes"`
}

// interval is the session time [From, To), in milliseconds.
type interval struct {
	From, To int64
}

// NewReplay makes the replay of a session for one member. The events are those of the journal that the member may see, in order;
// nothing is filtered here but transient events. Of the segments, the finished ones that overlap an interval on the record
// are listed.
func NewReplay(you string, may []event.Action, events []event.Event, segments []Segment) Replay {
	r := Replay{You: you, May: append([]event.Action{}, may...), Events: []event.Event{}, Segments: []ReplaySegment{}}
	for _, e := range events {
		if event.Transient(e.Body) {
			continue
		}
		r.Events = append(r.Events, e)
		r.View.Fold(e)
	}
	r.Segments = recorded(agreedTo(segments, r.Events), onRecord(r.Events))
	r.Duration = r.View.Session.Ended
	if n := len(r.Events); n > 0 {
		r.Duration = max(r.Duration, r.Events[n-1].At)
	}
	return r
}

// onRecord returns the intervals in which the session was recorded. One that goes on ends with the last event.
func onRecord(events []event.Event) []interval {
	var out []interval
	var from, last int64
	on := false
	for _, e := range events {
		last = max(last, e.At)
		was := on
		switch b := e.Body.(type) {
		case event.RecordingChanged:
			on = b.Recording.State == event.RecordingOn
		case event.SessionEnded:
			on = false
		default:
			continue
		}
		switch {
		case on && !was:
			from = e.At
		case was && !on:
			out = append(out, interval{from, e.At})
		}
	}
	if on {
		out = append(out, interval{from, max(last, from+1)})
	}
	return out
}

// agreedTo leaves out what members took their consent back for, which may not have been removed yet.
func agreedTo(segments []Segment, events []event.Event) []Segment {
	segments = slices.Clone(segments)
	for _, e := range events {
		if erasure, ok := ErasureOf("", e); ok {
			segments = slices.DeleteFunc(segments, erasure.of)
		}
	}
	return segments
}

func recorded(segments []Segment, intervals []interval) []ReplaySegment {
	out := []ReplaySegment{}
	for _, s := range segments {
		if s.Finished && overlapsAny(s, intervals) {
			out = append(out, ReplaySegment{
				ID: s.ID, Member: s.Member, Source: s.Source, Mime: s.Mime, Start: s.Start, End: s.End, Bytes: s.Bytes,
			})
		}
	}
	slices.SortFunc(out, func(a, b ReplaySegment) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.ID, b.ID))
	})
	return out
}

func overlapsAny(s Segment, intervals []interval) bool {
	return slices.ContainsFunc(intervals, func(i interval) bool { return s.Start < i.To && i.From < s.End })
}
