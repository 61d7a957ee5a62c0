package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pausepoint/pausepoint/bench/load"
	"github.com/pausepoint/pausepoint/bench/machine"
	"github.com/pausepoint/pausepoint/bench/server"
	"github.com/pausepoint/pausepoint/load/stats"
)

// sample is one run of a scenario with a server.
type sample struct {
	Server   string  `json:"server"`
	Scenario string  `json:"scenario"`
	Round    int     `json:"round"`
	Error    string  `json:"error,omitempty"` // then the figures are missing
	Figures  figures `json:"figures"`
}

// figures are what is measured. Times to first video are of subscribers who join in a crowd, and alone.
type figures struct {
	Participants int     `json:"participants"`
	Delivered    uint64  `json:"delivered"`
	CPU          float64 `json:"cpu_us_per_packet"`
	ServerCore   float64 `json:"server_core"`    // fraction of a core
	Generator    float64 `json:"generator_core"` // fraction of a core
	LatencyP50   float64 `json:"latency_p50_ms"`
	LatencyP99   float64 `json:"latency_p99_ms"`
	Loss         float64 `json:"loss"`
	Top          float64 `json:"top_layer"` // fraction of the video that was of the best layer
	FirstP50     float64 `json:"first_video_p50_ms"`
	FirstP95     float64 `json:"first_video_p95_ms"`
	AloneP50     float64 `json:"first_video_alone_p50_ms,omitempty"`
	AloneP95     float64 `json:"first_video_alone_p95_ms,omitempty"`
	Memory       float64 `json:"memory_mib_per_participant"`
	Nacks        uint64  `json:"nacks"`
	PLIs         uint64  `json:"plis"`
	Recovered    uint64  `json:"recovered"` // packets that came after a NACK
	Resent       uint64  `json:"resent_by_publishers"`
	Missing      int     `json:"without_video"`
	Garbled      uint64  `json:"garbled"`
	Profile      string  `json:"srtp"`
}

func (s sample) String() string {
	f := s.Figures
	head := fmt.Sprintf("%2d %-18s %-15s", s.Round+1, s.Scenario, s.Server)
	if s.Error != "" {
		return head + " " + s.Error
	}
	return head + fmt.Sprintf(" %6.2f µs, p50 %6.2f p99 %7.2f ms, loss %5.2f %%, first video %4.0f / %4.0f ms, %5.2f MiB, %7d packets, generator %2.0f %%",
		f.CPU, f.LatencyP50, f.LatencyP99, 100*f.Loss, f.FirstP50, f.FirstP95, f.Memory, f.Delivered, 100*f.Generator)
}

// gauges reads the clocks and the memory of the two processes.
type gauges struct {
	pid                    int
	memory                 int64
	began                  time.Time
	server, generator      time.Duration
	length                 time.Duration
	serverCPU, generateCPU time.Duration
	err                    error
}

func (g *gauges) Before() { g.memory = g.resident() }

func (g *gauges) Begin() {
	g.server, g.generator, g.began = g.cpu(g.pid), g.cpu(os.Getpid()), time.Now()
}

func (g *gauges) End() {
	g.serverCPU, g.generateCPU = g.cpu(g.pid)-g.server, g.cpu(os.Getpid())-g.generator
	g.length = time.Since(g.began)
	g.memory = g.resident() - g.memory
}

func (g *gauges) cpu(pid int) time.Duration {
	d, err := machine.CPUTime(pid)
	if err != nil {
		g.err = err
	}
	return d
}

func (g *gauges) resident() int64 {
	n, err := machine.Resident(g.pid)
	if err != nil {
		g.err = err
	}
	return n
}

// takeSample starts a server, lets the scenario play, and stops it.
func takeSample(ctx context.Context, kind string, st step, round int, profile string) sample {
	s := sample{Server: kind, Scenario: st.scenario.Name, Round: round}
	f, err := play(ctx, kind, st, profile)
	if err != nil {
		s.Error = err.Error()
		return s
	}
	s.Figures = *f
	return s
}

func play(ctx context.Context, kind string, st step, profile string) (*figures, error) {
	c, err := startChild(kind, profile)
	if err != nil {
		return nil, err
	}
	g := &gauges{pid: c.cmd.Process.Pid}
	l, err := load.New(c.addr, server.Plain(kind))
	if err != nil {
		return nil, err
	}
	res, err := l.Run(ctx, st.scenario, st.timing, g)
	stopped := c.stop()
	switch {
	case err != nil && c.stderr.Len() > 0:
		return nil, fmt.Errorf("%w; the server says: %s", err, c.stderr)
	case err != nil:
		return nil, err
	case stopped != nil:
		return nil, fmt.Errorf("the server ended badly: %w: %s", stopped, c.stderr)
	case g.err != nil:
		return nil, g.err
	}
	return figuresOf(res, g), nil
}

func figuresOf(r *load.Result, g *gauges) *figures {
	return &figures{
		Participants: r.Participants, Delivered: r.Delivered,
		CPU:        float64(g.serverCPU.Nanoseconds()) / 1000 / float64(max(r.Delivered, 1)),
		ServerCore: g.serverCPU.Seconds() / g.length.Seconds(), Generator: g.generateCPU.Seconds() / g.length.Seconds(),
		LatencyP50: ms(r.Latency.Percentile(0.5)), LatencyP99: ms(r.Latency.Percentile(0.99)),
		Loss: stats.Loss(r.Delivered, r.Expected), Top: r.Top,
		FirstP50: percentile(r.FirstVideo, 0.5), FirstP95: percentile(r.FirstVideo, 0.95),
		AloneP50: percentile(r.AloneVideo, 0.5), AloneP95: percentile(r.AloneVideo, 0.95),
		Memory: float64(g.memory) / (1 << 20) / float64(max(r.Participants, 1)),
		Nacks:  r.Nacks, PLIs: r.PLIs, Recovered: r.Recovered, Resent: r.Resent, Missing: r.Missing, Garbled: r.Garbled, Profile: r.Profile,
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile is in ms; 0 if there is nothing.
func percentile(durations []time.Duration, p float64) float64 {
	if len(durations) == 0 {
		return 0
	}
	values := make([]float64, len(durations))
	for i, d := range durations {
		values[i] = ms(d)
	}
	return stats.Percentile(values, p)
}
