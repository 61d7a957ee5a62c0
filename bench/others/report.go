package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pausepoint/pausepoint/load/stats"
)

// ours is the server that others are compared with.
const ours = "pausepoint"

// overloaded is the fraction of packets that may be missing before a server counts as overloaded: what it costs to forward is not
// known then, since it spends its time on what nobody gets.
const overloaded = 0.1

// whatever is a fraction that is never missing.
const whatever = 2

// sample is one measurement.
type sample struct {
	Scenario string  `json:"scenario"`
	Server   string  `json:"server"`
	Round    int     `json:"round"`
	Error    string  `json:"error,omitempty"` // then the figures are missing
	Figures  figures `json:"figures"`
}

// figures are what is measured.
type figures struct {
	Members    int     `json:"members"`
	Packets    uint64  `json:"packets"` // delivered
	CPU        float64 `json:"cpu_us_per_packet"`
	Core       float64 `json:"server_core"`    // fraction of a core
	Generator  float64 `json:"generator_core"` // fraction of a core
	LatencyP50 float64 `json:"latency_p50_ms"`
	LatencyP99 float64 `json:"latency_p99_ms"`
	Loss       float64 `json:"loss"`
	FirstP50   float64 `json:"first_video_p50_ms"` // of those who came when there was video; 0 if nobody did
	FirstP95   float64 `json:"first_video_p95_ms"`
	Memory     float64 `json:"memory_mib_per_member"`
	Profile    string  `json:"srtp"`
}

func (s sample) String() string {
	head := fmt.Sprintf("%2d %-7s %-11s", s.Round+1, s.Scenario, s.Server)
	if s.Error != "" {
		return head + " " + s.Error
	}
	f := s.Figures
	return head + fmt.Sprintf(" %6.2f µs, p50 %6.2f p99 %7.2f ms, loss %5.2f %%, first video %4.0f / %4.0f ms, %5.2f MiB, %6d packets, generator %3.0f %%, %s",
		f.CPU, f.LatencyP50, f.LatencyP99, 100*f.Loss, f.FirstP50, f.FirstP95, f.Memory, f.Packets, 100*f.Generator, f.Profile)
}

// columns are the figures that are compared, with how they are printed.
func columns() []column {
	return []column{
		{"CPU µs/packet", "%.2f", func(f figures) float64 { return f.CPU }},
		{"latency p50 ms", "%.2f", func(f figures) float64 { return f.LatencyP50 }},
		{"p99 ms", "%.2f", func(f figures) float64 { return f.LatencyP99 }},
		{"first packet of video p50 ms", "%.0f", func(f figures) float64 { return f.FirstP50 }},
		{"p95 ms", "%.0f", func(f figures) float64 { return f.FirstP95 }},
		{"MiB each", "%.2f", func(f figures) float64 { return f.Memory }},
	}
}

type column struct {
	name, format string
	of           func(figures) float64
}

// row is what a scenario came to with a server.
type row struct {
	Scenario string             `json:"scenario"`
	Server   string             `json:"server"`
	Rounds   int                `json:"rounds"` // that could be measured
	Medians  map[string]float64 `json:"medians"`
	Ratios   map[string]float64 `json:"ratios,omitempty"` // to ours: medians of the ratio within a round, where neither was overloaded
	Loss     float64            `json:"loss"`             // median
	Profile  string             `json:"srtp"`
	Core     float64            `json:"server_core"`    // median
	Load     float64            `json:"generator_core"` // median
	Error    string             `json:"error,omitempty"`
}

// summarize makes a row for each scenario and server, in the order in which they were measured.
func summarize(samples []sample) (rows []row) {
	for _, s := range samples {
		if slices.ContainsFunc(rows, func(r row) bool { return r.Scenario == s.Scenario && r.Server == s.Server }) {
			continue
		}
		rows = append(rows, summary(samples, s.Scenario, s.Server))
	}
	return rows
}

func summary(samples []sample, scenario, server string) row {
	r := row{Scenario: scenario, Server: server, Medians: make(map[string]float64), Ratios: make(map[string]float64)}
	for _, s := range of(samples, scenario, server) {
		if s.Error != "" {
			r.Error = s.Error
			continue
		}
		r.Rounds++
		r.Profile = s.Figures.Profile
	}
	values := func(server string, missing float64, get func(figures) float64) []float64 {
		return series(of(samples, scenario, server), missing, get)
	}
	for _, c := range columns() {
		if v := median(values(server, whatever, c.of)); !math.IsNaN(v) {
			r.Medians[c.name] = v
		}
		if v := stats.PairedRatio(values(server, overloaded, c.of), values(ours, overloaded, c.of)); server != ours && !math.IsNaN(v) {
			r.Ratios[c.name] = v
		}
	}
	if r.Rounds > 0 {
		r.Loss = median(values(server, whatever, func(f figures) float64 { return f.Loss }))
		r.Core = median(values(server, whatever, func(f figures) float64 { return f.Core }))
		r.Load = median(values(server, whatever, func(f figures) float64 { return f.Generator }))
	}
	return r
}

func of(samples []sample, scenario, server string) []sample {
	return slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.Scenario != scenario || s.Server != server })
}

// series is a figure by round, NaN where there is none, or where that fraction of the packets or more is missing.
func series(samples []sample, missing float64, get func(figures) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = math.NaN()
		if s.Error == "" && s.Figures.Loss < missing {
			values[i] = get(s.Figures)
		}
	}
	return values
}

func median(values []float64) float64 {
	return stats.Median(slices.DeleteFunc(slices.Clone(values), math.IsNaN))
}

// table is what people read. A ratio stands behind each figure of another server's: how many times ours it is.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| scenario | server |")
	for _, c := range columns() {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString(" loss % | server, generator % of a core | SRTP |\n|" + strings.Repeat("---|", len(columns())+5) + "\n")
	for _, r := range rows {
		b.WriteString(r.String())
	}
	return b.String()
}

func (r row) String() string {
	if r.Rounds == 0 {
		why, _, _ := strings.Cut(r.Error, "\n")
		return fmt.Sprintf("| %s | %s | not measured: %s |\n", r.Scenario, r.Server, why)
	}
	var b strings.Builder
	name := r.Server
	if r.Loss >= overloaded {
		name += " (overloaded)"
	}
	fmt.Fprintf(&b, "| %s | %s |", r.Scenario, name)
	for _, c := range columns() {
		b.WriteString(" " + r.cell(c) + " |")
	}
	fmt.Fprintf(&b, " %.2f | %.0f, %.0f | %s |\n", 100*r.Loss, 100*r.Core, 100*r.Load, r.Profile)
	return b.String()
}

func (r row) cell(c column) string {
	v := r.Medians[c.name]
	if v == 0 {
		return "–"
	}
	text := fmt.Sprintf(c.format, v)
	if q, ok := r.Ratios[c.name]; ok {
		text += fmt.Sprintf(" (× %.2f)", q)
	}
	return text
}
