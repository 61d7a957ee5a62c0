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

// Interval is the session time [From, To), in milliseconds.
type Interval struct {
	From, To int64
}

// NewReplay makes the replay of a session for one member. The events are those of the journal that the member may see, in order;
// nothing is filtered here but transient events. Of the segments, the finished ones that overlap an interval on the record
// are listed.
func NewReplay(you string, may []event.Action, events []event.Event, segments []Segment) Replay {
	r := Replay{You: you, May: append([]event.Action{}, may...), Events: []event.Event{}, Segments: []ReplaySegment{}}
	for _, e := range talkOnRecord(events) {
		if event.Transient(e.Body) {
			continue
		}
		r.Events = append(r.Events, e)
		r.View.Fold(e)
	}
	for _, s := range Kept(segments, r.Events) {
		r.Segments = append(r.Segments, ReplaySegment{
			ID: s.ID, Member: s.Member, Source: s.Source, Mime: s.Mime, Start: s.Start, End: s.End, Bytes: s.Bytes,
		})
	}
	r.Duration = r.View.Session.Ended
	if n := len(r.Events); n > 0 {
		r.Duration = max(r.Duration, r.Events[n-1].At)
	}
	return r
}

// talkOnRecord leaves out who spoke when, as far as that was off the record, or they had not agreed or took that back.
func talkOnRecord(events []event.Event) []event.Event {
	on, agreed := OnRecord(events), agreements(events)
	out := make([]event.Event, 0, len(events))
	for _, e := range events {
		if b, ok := e.Body.(event.MemberSpoke); ok {
			all := overlap(overlap([]Interval{{b.Speech.From, b.Speech.To}}, on), agreed[b.Speech.Member])
			if len(all) == 0 {
				continue
			}
			b.Speech.From, b.Speech.To = all[0].From, all[0].To
			e.Body = b
		}
		out = append(out, e)
	}
	return out
}

// OnRecord returns the intervals in which the session was recorded. One that goes on ends with the last event.
func OnRecord(events []event.Event) []Interval {
	var out []Interval
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
			out = append(out, Interval{from, e.At})
		}
	}
	if on {
		out = append(out, Interval{from, max(last, from+1)})
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

// Kept lists what there is to play of a session, by start, then id: the finished segments that overlap what is on the record, without
// what members took their consent back for.
func Kept(segments []Segment, events []event.Event) []Segment {
	on := OnRecord(events)
	out := slices.DeleteFunc(agreedTo(segments, events), func(s Segment) bool { return !s.Finished || !overlapsAny(s, on) })
	slices.SortFunc(out, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.ID, b.ID))
	})
	return out
}

func overlapsAny(s Segment, intervals []Interval) bool {
	return slices.ContainsFunc(intervals, func(i Interval) bool { return s.Start < i.To && i.From < s.End })
}
