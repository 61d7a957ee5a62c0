package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/pausepoint/pausepoint/load/stats"
)

// Report is what members saw. Times are in milliseconds.
type Report struct {
	Sessions   int     `json:"sessions"`
	Members    int     `json:"members"`
	Publishers int     `json:"publishers"`
	Seconds    float64 `json:"seconds"` // measured
	Recorded   bool    `json:"recorded"`

	Inside  int `json:"inside"`  // members who came in
	Stayed  int `json:"stayed"`  // of them, until the end
	Sighted int `json:"sighted"` // members who saw a picture
	Renewed int `json:"renewed"` // media connections that the server gave up, and members made anew
	Refused int `json:"refused"` // commands

	Join       Times `json:"join"`       // until the session is there
	FirstVideo Times `json:"firstVideo"` // until a picture is there, of those who came when somebody published
	Media      Times `json:"media"`      // of packets, from member to member
	Commands   Times `json:"commands"`   // of play, stop, seek and pauses, until they are acknowledged
	Notes      Times `json:"notes"`      // until they are acknowledged
	Followed   Times `json:"followed"`   // being ready, and on a pause's frame, until it is acknowledged
	RoundTrip  Times `json:"roundTrip"`  // of pings over signaling

	Expected  uint64  `json:"expected"`  // packets published, times those who should get them
	Delivered uint64  `json:"delivered"` // packets
	Loss      float64 `json:"loss"`      // fraction of them

	Server *Cost `json:"server,omitempty"` // of the process that was looked at
}

// Times are percentiles in milliseconds.
type Times struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
}

// Cost is what a server uses.
type Cost struct {
	CPU             float64 `json:"cpu"`             // cores
	CPUPerMember    float64 `json:"cpuPerMember"`    // cores
	Memory          float64 `json:"memory"`          // bytes that are resident at the end
	MemoryPerMember float64 `json:"memoryPerMember"` // bytes more than before anybody came
}

func timesOf(h *stats.Histogram) Times {
	ms := func(p float64) float64 { return float64(h.Percentile(p)) / float64(time.Millisecond) }
	return Times{Count: h.Count(), P50: ms(0.5), P95: ms(0.95), P99: ms(0.99)}
}

// report adds up, once everybody has left. uses is what the server had used before anybody came, and at the begin and the end of
// what was measured.
func (t *test) report(uses [3]Usage) *Report {
	c := t.config
	r := &Report{
		Sessions: c.Sessions, Members: len(t.members), Publishers: c.Sessions * c.publishers(), Seconds: c.Duration.Seconds(), Recorded: c.Record,
		Commands: t.board.of(driving), Notes: t.board.of(noting), Followed: t.board.of(following), RoundTrip: t.board.of(pinging),
	}
	var join, first, latency stats.Histogram
	for _, m := range t.members {
		r.count(m)
		got := m.peer.Received()
		latency.Merge(&got.Latency)
		r.Delivered += got.Audio + got.Video
		r.Expected += t.expected(m)
		if m.joined != 0 {
			join.Add(m.joined)
		}
		if video := m.peer.FirstVideo(); video != 0 && !m.drives {
			first.Add(video)
		}
	}
	r.Join, r.FirstVideo, r.Media = timesOf(&join), timesOf(&first), timesOf(&latency)
	r.Loss = stats.Loss(r.Delivered, r.Expected)
	if c.Usage != nil && r.Inside > 0 {
		r.Server = costOf(uses, c.Duration, r.Inside)
	}
	return r
}

func (r *Report) count(m *member) {
	r.Refused += len(m.refused)
	r.Renewed += m.renewed
	if m.joined != 0 {
		r.Inside++
	}
	if m.err == nil {
		r.Stayed++
	}
	if m.peer.FirstVideo() != 0 {
		r.Sighted++
	}
}

// expected is how many packets a member should have got.
func (t *test) expected(m *member) (n uint64) {
	if m.joined == 0 {
		return 0
	}
	for _, o := range t.members {
		if o != m && o.session == m.session {
			sent := o.peer.Sent()
			n += sent.Audio + sent.Video
		}
	}
	return n
}

func costOf(uses [3]Usage, d time.Duration, members int) *Cost {
	cpu := (uses[2].CPU - uses[1].CPU).Seconds() / d.Seconds()
	return &Cost{
		CPU: cpu, CPUPerMember: cpu / float64(members),
		Memory: uses[2].Memory, MemoryPerMember: (uses[2].Memory - uses[0].Memory) / float64(members),
	}
}

// troubles is a sentence about each thing that did not go well, with the first reason there was.
func (t *test) troubles() error {
	var gone, refused, blind trouble
	for _, m := range t.members {
		if m.err != nil {
			gone.add(m.err)
		} else if m.hears && m.peer.FirstVideo() == 0 {
			blind.add(m.peer.Err())
		}
		for _, err := range m.refused {
			refused.add(err)
		}
	}
	return errors.Join(
		gone.sentence("members who did not get in, or did not stay"), blind.sentence("members who saw nobody"),
		refused.sentence("commands that were refused"),
	)
}

// trouble counts what goes wrong in one way.
type trouble struct {
	n     int
	first error // nil if nobody knows
}

func (t *trouble) add(err error) {
	if t.n++; t.first == nil {
		t.first = err
	}
}

func (t *trouble) sentence(what string) error {
	switch {
	case t.n == 0:
		return nil
	case t.first == nil:
		return fmt.Errorf("%s: %d", what, t.n)
	}
	return fmt.Errorf("%s: %d; the first because: %w", what, t.n, t.first)
}
