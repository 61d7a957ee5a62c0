package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pausepoint/pausepoint/bench/machine"
	"github.com/pausepoint/pausepoint/load/stats"
)

// report is what the JSON file holds.
type report struct {
	Machine machine.Machine `json:"machine"`
	Summary []summary       `json:"summary"`
	Ratios  []ratio         `json:"ratios"`
	Samples []sample        `json:"samples"`
}

// summary is the medians over rounds of a scenario with a server.
type summary struct {
	Scenario string  `json:"scenario"`
	Server   string  `json:"server"`
	Rounds   int     `json:"rounds"` // that could be measured
	Error    string  `json:"error,omitempty"`
	Figures  figures `json:"medians"`
}

// ratio compares a figure of Pausepoint with another server's: the median over rounds of the ratio within a round.
type ratio struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Must  float64 `json:"must,omitempty"` // at most, 0 for what has no limit
	Aim   float64 `json:"aim,omitempty"`
}

// bounds are what is wanted of Pausepoint.
type bound struct {
	name, scenario, against string
	figure                  func(figures) float64
	must, aim               float64
}

func bounds() []bound {
	cpu := func(f figures) float64 { return f.CPU }
	p99 := func(f figures) float64 { return f.LatencyP99 }
	first := func(f figures) float64 { return f.FirstP95 }
	alone := func(f figures) float64 { return f.AloneP95 }
	memory := func(f figures) float64 { return f.Memory }
	return []bound{
		{"lesson, CPU against pion", "lesson", "pion", cpu, 0.55, 0.42},
		{"lesson, CPU against the floor (GSO)", "lesson", "floor-gso", cpu, 2.6, 2.0},
		{"call, CPU against pion", "call", "pion", cpu, 0.65, 0.5},
		{"rooms, CPU against pion", "rooms", "pion", cpu, 0.6, 0.45},
		{"lesson, latency p99 against pion", "lesson", "pion", p99, 0.6, 0.3},
		{"lesson, MiB per participant", "lesson", "", memory, 0.6, 0.3},
		{"lesson, first video p95 in a crowd against pion", "lesson", "pion", first, 1.5, 1},
		{"lesson, first video p95 alone against pion", "lesson", "pion", alone, 1.5, 1},
		{"lesson of 300, CPU against pion", "lesson300", "pion", cpu, 0, 0},
		{"lesson of 300, CPU against the floor (GSO)", "lesson300", "floor-gso", cpu, 0, 0},
		{"lesson with simulcast, CPU against pion", "lesson-simulcast", "pion", cpu, 0, 0},
		{"call with simulcast, CPU against pion", "call-simulcast", "pion", cpu, 0, 0},
		{"rooms with simulcast, CPU against pion", "rooms-simulcast", "pion", cpu, 0, 0},
		{"lesson with 2 % loss, CPU against pion", "lesson-loss", "pion", cpu, 0, 0},
		{"call with 2 % loss, CPU against pion", "call-loss", "pion", cpu, 0, 0},
		{"rooms with 2 % loss, CPU against pion", "rooms-loss", "pion", cpu, 0, 0},
	}
}

func (r *report) summarize() {
	seen := make(map[string]bool)
	for _, s := range r.Samples {
		key := s.Scenario + " " + s.Server
		if !seen[key] {
			seen[key] = true
			r.Summary = append(r.Summary, r.median(s.Scenario, s.Server))
		}
	}
	for _, b := range bounds() {
		v := r.ratio(b)
		if !math.IsNaN(v) {
			r.Ratios = append(r.Ratios, ratio{Name: b.name, Value: math.Round(v*1000) / 1000, Must: b.must, Aim: b.aim})
		}
	}
}

func (r *report) of(scenario, server string) []sample {
	return slices.DeleteFunc(slices.Clone(r.Samples), func(s sample) bool { return s.Scenario != scenario || s.Server != server })
}

// median takes the median of each figure over the rounds that went well.
func (r *report) median(scenario, server string) summary {
	out := summary{Scenario: scenario, Server: server}
	var good []figures
	for _, s := range r.of(scenario, server) {
		if s.Error != "" {
			out.Error = s.Error
			continue
		}
		good = append(good, s.Figures)
	}
	out.Rounds = len(good)
	if len(good) == 0 {
		return out
	}
	of := func(get func(figures) float64) float64 {
		values := make([]float64, len(good))
		for i, f := range good {
			values[i] = get(f)
		}
		return stats.Median(values)
	}
	count := func(get func(figures) uint64) uint64 {
		return uint64(of(func(f figures) float64 { return float64(get(f)) }))
	}
	out.Figures = figures{
		Participants: good[0].Participants, Profile: good[0].Profile,
		Delivered:  count(func(f figures) uint64 { return f.Delivered }),
		CPU:        of(func(f figures) float64 { return f.CPU }),
		ServerCore: of(func(f figures) float64 { return f.ServerCore }),
		Generator:  of(func(f figures) float64 { return f.Generator }),
		LatencyP50: of(func(f figures) float64 { return f.LatencyP50 }),
		LatencyP99: of(func(f figures) float64 { return f.LatencyP99 }),
		Loss:       of(func(f figures) float64 { return f.Loss }),
		Top:        of(func(f figures) float64 { return f.Top }),
		FirstP50:   of(func(f figures) float64 { return f.FirstP50 }),
		FirstP95:   of(func(f figures) float64 { return f.FirstP95 }),
		AloneP50:   of(func(f figures) float64 { return f.AloneP50 }),
		AloneP95:   of(func(f figures) float64 { return f.AloneP95 }),
		Memory:     of(func(f figures) float64 { return f.Memory }),
		Nacks:      count(func(f figures) uint64 { return f.Nacks }),
		PLIs:       count(func(f figures) uint64 { return f.PLIs }),
		Recovered:  count(func(f figures) uint64 { return f.Recovered }),
		Resent:     count(func(f figures) uint64 { return f.Resent }),
		Garbled:    count(func(f figures) uint64 { return f.Garbled }),
		Missing:    int(of(func(f figures) float64 { return float64(f.Missing) })),
	}
	return out
}

// ratio is NaN if it was not measured.
func (r *report) ratio(b bound) float64 {
	ours := r.series(b, "pausepoint")
	if b.against == "" {
		return stats.Median(slices.DeleteFunc(ours, math.IsNaN))
	}
	return stats.PairedRatio(ours, r.series(b, b.against))
}

// overloaded is the fraction of packets that may be missing before a server counts as overloaded: what it costs to forward is not
// known then, since it spends its time on what nobody gets.
const overloaded = 0.1

// series is a figure by round, NaN where it is missing.
func (r *report) series(b bound, server string) (values []float64) {
	for _, s := range r.of(b.scenario, server) {
		v := math.NaN()
		if s.Error == "" && s.Figures.Loss < overloaded {
			v = b.figure(s.Figures)
		}
		values = append(values, v)
	}
	return values
}

// String is the tables.
func (r *report) String() string {
	var b strings.Builder
	b.WriteString("\n" + r.Machine.Conditions())
	b.WriteString("CPU is the server's, user and system, for each packet delivered. Medians over rounds.\n\n")
	b.WriteString("| scenario | server | CPU µs/packet | latency p50 / p99 ms | loss % | first video p50 / p95 ms | alone p50 / p95 ms | MiB each | server, generator % of a core | packets | SRTP |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range r.Summary {
		b.WriteString(s.row())
	}
	b.WriteString("\n| | ratio | must | aim |\n|---|---|---|---|\n")
	for _, q := range r.Ratios {
		fmt.Fprintf(&b, "| %s | %.2f | %s | %s |\n", q.Name, q.Value, limit(q.Must), limit(q.Aim))
	}
	return b.String()
}

func (s summary) row() string {
	f := s.Figures
	if s.Rounds == 0 {
		why, _, _ := strings.Cut(s.Error, "\n")
		return fmt.Sprintf("| %s | %s | not measured: %s |\n", s.Scenario, s.Server, why)
	}
	alone := "–"
	if f.AloneP50 != 0 {
		alone = fmt.Sprintf("%.0f / %.0f", f.AloneP50, f.AloneP95)
	}
	name := s.Server
	if f.Loss >= overloaded {
		name += " (overloaded)"
	}
	return fmt.Sprintf("| %s | %s | %.2f | %.2f / %.2f | %.2f | %.0f / %.0f | %s | %.2f | %.0f, %.0f | %d | %s |\n",
		s.Scenario, name, f.CPU, f.LatencyP50, f.LatencyP99, 100*f.Loss, f.FirstP50, f.FirstP95, alone, f.Memory,
		100*f.ServerCore, 100*f.Generator, f.Delivered, f.Profile)
}

func limit(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("≤ %.2f", v)
}
