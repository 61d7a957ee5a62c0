package recorder

import (
	"cmp"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// breath is how far apart two stretches of one voice may be that are one turn, ms.
const breath = 300

// Measures is how a conversation went, from the journal's stretches of talk: what was said on the record, by those who agreed to
// that and still do. Times are milliseconds of session time.
type Measures struct {
	Recorded int64            `json:"recorded"` // on the record
	People   []MeasuredPerson `json:"people"`   // who took part, in the order in which they came
	Pauses   []MeasuredPause  `json:"pauses"`   // on the record, in order
}

// MeasuredPerson is one member's part.
type MeasuredPerson struct {
	Member string `json:"member"`
	Shown  bool   `json:"shown"` // false until they have looked at it themselves: then nothing of it is told to others
	Talk   int64  `json:"talk"`
	Turns  int    `json:"turns"`
}

// MeasuredPause is who spoke first at a pivotal pause. After counts from the pause's begin, or from the end of think time; it is 0
// for who spoke before that.
type MeasuredPause struct {
	Hold   string `json:"hold"`
	Began  int64  `json:"began"`
	Spoken bool   `json:"spoken"` // somebody spoke
	Member string `json:"member"` // empty where it is not told yet
	After  int64  `json:"after"`
}

// NewMeasures measures a session from the events of its journal, in order.
func NewMeasures(events []event.Event) Measures {
	m := Measures{People: []MeasuredPerson{}, Pauses: []MeasuredPause{}}
	on := OnRecord(events)
	for _, i := range on {
		m.Recorded += i.To - i.From
	}
	var end event.View
	seen := map[string]bool{}
	for _, e := range events {
		end.Fold(e)
		if b, ok := e.Body.(event.MeasuresSeen); ok {
			seen[b.Member] = true
		}
	}
	talk := talkOf(events, on)
	for _, p := range end.Members {
		if p.Role == event.Observer && len(talk[p.ID]) == 0 {
			continue
		}
		person := MeasuredPerson{Member: p.ID, Shown: seen[p.ID], Turns: len(talk[p.ID])}
		for _, t := range talk[p.ID] {
			person.Talk += t.To - t.From
		}
		m.People = append(m.People, person)
	}
	for _, h := range holdsOf(events) {
		if slices.ContainsFunc(on, func(i Interval) bool { return i.From <= h.began && h.began < i.To }) {
			m.Pauses = append(m.Pauses, firstWord(h, talk))
		}
	}
	return m
}

// For is what a member may see: their own part, and that of those who have looked at theirs.
func (m Measures) For(member string) Measures {
	shown := map[string]bool{member: true}
	people := slices.Clone(m.People)
	for i := range people {
		p := &people[i]
		if p.Shown = p.Shown || p.Member == member; p.Shown {
			shown[p.Member] = true
		} else {
			p.Talk, p.Turns = 0, 0
		}
	}
	pauses := slices.Clone(m.Pauses)
	for i := range pauses {
		if !shown[pauses[i].Member] {
			pauses[i].Member = ""
		}
	}
	return Measures{Recorded: m.Recorded, People: people, Pauses: pauses}
}

// talkOf gives each member's turns on the record, in order, as far as they had agreed and did not take that back later.
func talkOf(events []event.Event, on []Interval) map[string][]Interval {
	turns := map[string][]Interval{}
	for _, e := range events {
		if b, ok := e.Body.(event.MemberSpoke); ok {
			turns[b.Speech.Member] = append(turns[b.Speech.Member], Interval{b.Speech.From, b.Speech.To})
		}
	}
	agreed := agreements(events)
	for member, all := range turns {
		turns[member] = overlap(overlap(joined(all), on), agreed[member])
	}
	return turns
}

// agreements gives when each member agreed to being recorded; what was taken back counts as never given.
func agreements(events []event.Event) map[string][]Interval {
	out := map[string][]Interval{}
	since := map[string]int64{}
	set := func(m event.Member, at int64) {
		from, on := since[m.ID]
		switch is := m.Consent == event.Agreed; {
		case is && !on:
			since[m.ID] = at
		case !is && on:
			out[m.ID] = append(out[m.ID], Interval{from, at})
			delete(since, m.ID)
		}
	}
	var last int64
	for _, e := range events {
		last = max(last, e.At)
		switch b := e.Body.(type) {
		case event.MemberJoined:
			set(b.Member, e.At)
		case event.MemberChanged:
			set(b.Member, e.At)
		case event.MemberWithdrew:
			delete(out, b.Member.ID)
			delete(since, b.Member.ID)
		}
	}
	for member, from := range since {
		out[member] = append(out[member], Interval{from, last + 1})
	}
	return out
}

// joined puts intervals in order, and those together between which there is no more than a breath.
func joined(all []Interval) []Interval {
	slices.SortFunc(all, func(a, b Interval) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	var out []Interval
	for _, i := range all {
		if n := len(out); n > 0 && i.From-out[n-1].To <= breath {
			out[n-1].To = max(out[n-1].To, i.To)
			continue
		}
		out = append(out, i)
	}
	return out
}

// overlap gives what is in both of two lists of intervals, each in order and apart.
func overlap(a, b []Interval) []Interval {
	var out []Interval
	for len(a) > 0 && len(b) > 0 {
		if from, to := max(a[0].From, b[0].From), min(a[0].To, b[0].To); from < to {
			out = append(out, Interval{from, to})
		}
		if a[0].To < b[0].To {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// measuredHold is a pivotal pause: its begin, from when people were to talk, and its end.
type measuredHold struct {
	id                  string
	began, talks, ended int64
}

func holdsOf(events []event.Event) []measuredHold {
	var out []measuredHold
	var last int64
	open := false
	for _, e := range events {
		last = max(last, e.At)
		n := len(out) - 1
		switch b := e.Body.(type) {
		case event.HoldBegan:
			out = append(out, measuredHold{b.Hold.ID, b.Hold.Began, b.Hold.Began, 0})
			open = true
		case event.HoldPhaseChanged:
			if open && b.Phase == event.Talking {
				out[n].talks = b.Since
			}
		case event.HoldEnded:
			if open {
				out[n].ended, open = e.At, false
			}
		}
	}
	if open {
		out[len(out)-1].ended = last + 1
	}
	return out
}

// firstWord tells who began to speak first within a pause.
func firstWord(h measuredHold, talk map[string][]Interval) MeasuredPause {
	p := MeasuredPause{Hold: h.id, Began: h.began}
	first := h.ended
	for member, turns := range talk {
		for _, t := range turns {
			earlier := t.From < first || t.From == first && member < p.Member
			if t.From >= h.began && t.From < h.ended && earlier {
				first, p.Spoken, p.Member, p.After = t.From, true, member, max(0, t.From-h.talks)
			}
		}
	}
	return p
}
