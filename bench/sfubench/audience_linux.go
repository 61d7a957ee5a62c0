package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/bench/load"
	"github.com/pausepoint/pausepoint/bench/machine"
	"github.com/pausepoint/pausepoint/load/stats"
)

// The servers of a lesson that is watched from elsewhere.
const (
	owner    = "owner"    // runs it
	observed = "observed" // is watched from
)

// crowd is how many servers a lesson is watched from, and by how many people from each. Without servers they watch from the owner.
type crowd struct{ nodes, observers int }

func crowds(o options) (all []crowd) {
	for _, n := range o.observers {
		all = append(all, crowd{1, n})
	}
	switch {
	case all != nil:
		return all
	case o.short:
		return []crowd{{1, 10}, {2, 10}}
	}
	return []crowd{{0, 50}, {0, 100}, {1, 50}, {1, 100}, {2, 25}, {2, 50}}
}

// takeObservers reads numbers that are separated by commas.
func (o *options) takeObservers(text string) error {
	for number := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of observers", number)
		}
		o.observers = append(o.observers, n)
	}
	return nil
}

// audienceSample is one run: what fractions of a core the servers took.
type audienceSample struct {
	Nodes      int     `json:"nodes"`
	Observers  int     `json:"observers"` // of each node
	Round      int     `json:"round"`
	Owner      float64 `json:"owner_core"`
	Node       float64 `json:"node_core"` // the busiest
	Generator  float64 `json:"generator_core"`
	Delivered  uint64  `json:"delivered"`
	Loss       float64 `json:"loss"`
	LatencyP50 float64 `json:"latency_p50_ms"`
	LatencyP99 float64 `json:"latency_p99_ms"`
	FirstP95   float64 `json:"first_video_p95_ms"`
}

func (s audienceSample) String() string {
	return fmt.Sprintf("%2d nodes, %3d observers each: owner %5.2f %% of a core, node %5.2f %%, generator %2.0f %%, loss %5.2f %%, p50 %5.2f p99 %6.2f ms, first video %4.0f ms",
		s.Nodes, s.Observers, 100*s.Owner, 100*s.Node, 100*s.Generator, 100*s.Loss, s.LatencyP50, s.LatencyP99, s.FirstP95)
}

func measureAudience(ctx context.Context, o options, out io.Writer) error {
	report := struct {
		Machine machine.Machine  `json:"machine"`
		Samples []audienceSample `json:"samples"`
	}{Machine: machine.Describe()}
	for round := range max(o.rounds, 1) {
		for _, c := range crowds(o) {
			s, err := watchLesson(ctx, c, o)
			if err != nil {
				return err
			}
			s.Round = round
			report.Samples = append(report.Samples, *s)
			fmt.Fprintln(out, s)
		}
	}
	report.Machine.LoadAfter = machine.LoadAverage()
	if o.out == "" {
		return nil
	}
	b, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, append(b, '\n'), 0o644) //nolint:gosec // not secret
}

// watchLesson plays one talker and a crowd.
func watchLesson(ctx context.Context, c crowd, o options) (*audienceSample, error) {
	runs, err := startChild(owner, o.profile)
	if err != nil {
		return nil, err
	}
	servers := []*child{runs}
	addrs := make([]string, 0, c.nodes)
	for range c.nodes {
		n, err := startChild(observed, o.profile, "-owner", runs.fetch)
		if err != nil {
			return nil, errors.Join(err, stopAll(servers))
		}
		servers, addrs = append(servers, n), append(addrs, n.addr)
	}
	l, err := load.New(runs.addr, false)
	if err != nil {
		return nil, errors.Join(err, stopAll(servers))
	}
	l.Observe(addrs...)
	clocks := newClocks(servers)
	res, err := l.Run(ctx, load.Scenario{Name: "audience", Rooms: 1, Members: 1 + max(c.nodes, 1)*c.observers, Talkers: 1}, load.Timing{
		Stagger: 10 * time.Millisecond, Warm: 1500 * time.Millisecond, Measure: 5 * time.Second,
		Drain: 300 * time.Millisecond, Patience: time.Minute,
	}, clocks)
	if err = errors.Join(err, stopAll(servers), clocks.err); err != nil {
		return nil, err
	}
	return &audienceSample{
		Nodes: c.nodes, Observers: c.observers, Owner: clocks.share(1), Node: clocks.busiest(), Generator: clocks.share(0),
		Delivered: res.Delivered, Loss: stats.Loss(res.Delivered, res.Expected),
		LatencyP50: ms(res.Latency.Percentile(0.5)), LatencyP99: ms(res.Latency.Percentile(0.99)),
		FirstP95: percentile(res.FirstVideo, 0.95),
	}, nil
}

// stopAll stops the last first: it leaves the owner.
func stopAll(servers []*child) error {
	var errs []error
	for i := len(servers) - 1; i >= 0; i-- {
		if err := servers[i].stop(); err != nil {
			errs = append(errs, fmt.Errorf("a server ended badly: %w: %s", err, servers[i].stderr))
		}
	}
	return errors.Join(errs...)
}

// clocks reads how long processes have run: the generator, the owner, and the others.
type clocks struct {
	pids  []int
	began time.Time
	took  time.Duration
	from  []time.Duration
	used  []time.Duration
	err   error
}

func newClocks(servers []*child) *clocks {
	c := &clocks{pids: []int{os.Getpid()}}
	for _, s := range servers {
		c.pids = append(c.pids, s.cmd.Process.Pid)
	}
	return c
}

// Before implements load.Probe.
func (c *clocks) Before() {}

// Begin implements load.Probe.
func (c *clocks) Begin() { c.began, c.from = time.Now(), c.read() }

// End implements load.Probe.
func (c *clocks) End() {
	c.took, c.used = time.Since(c.began), c.read()
	for i := range c.used {
		c.used[i] -= c.from[i]
	}
}

func (c *clocks) read() []time.Duration {
	all := make([]time.Duration, len(c.pids))
	for i, pid := range c.pids {
		d, err := machine.CPUTime(pid)
		c.err = errors.Join(c.err, err)
		all[i] = d
	}
	return all
}

// share is which fraction of a core a process took.
func (c *clocks) share(i int) float64 { return c.used[i].Seconds() / c.took.Seconds() }

func (c *clocks) busiest() (most float64) {
	for i := 2; i < len(c.used); i++ {
		most = max(most, c.share(i))
	}
	return most
}
