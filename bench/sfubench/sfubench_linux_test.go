package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/bench/load"
)

// TestMain lets this binary be the server under test, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-serve" {
		if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func tiny() step {
	return step{
		scenario: load.Scenario{Name: "lesson", Rooms: 1, Members: 3, Talkers: 1}, rounds: 2,
		servers: []string{"pion", "floor-gso"},
		timing: load.Timing{
			Stagger: time.Millisecond, Warm: 50 * time.Millisecond, Measure: 400 * time.Millisecond, Drain: 500 * time.Millisecond,
			Patience: 30 * time.Second,
		},
	}
}

func TestServersAreMeasuredInProcessesOfTheirOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.json")
	var out bytes.Buffer
	if err := measure(t.Context(), plan{tiny()}, options{out: file}, &out); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err = json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range r.Samples {
		order = append(order, s.Server)
		f := s.Figures
		if s.Error != "" || f.Delivered == 0 || f.CPU <= 0 || f.ServerCore <= 0 || f.Memory == 0 || f.LatencyP99 < f.LatencyP50 {
			t.Errorf("%+v", s)
		}
	}
	if got := strings.Join(order, " "); got != "pion floor-gso pion floor-gso" {
		t.Errorf("the order is %s", got)
	}
	if len(r.Summary) != 2 || r.Summary[0].Rounds != 2 || r.Machine.Cores == 0 || r.Machine.Kernel == "" {
		t.Errorf("%+v %+v", r.Machine, r.Summary)
	}
	if !strings.Contains(out.String(), "| lesson | pion ") { // on a busy machine it says that it was overloaded
		t.Error(out.String())
	}
}

func TestAServerThatDoesNotStartIsReported(t *testing.T) {
	s := takeSample(t.Context(), "nothing", tiny(), 0, "")
	if !strings.Contains(s.Error, "nothing") {
		t.Errorf("the error is %q", s.Error)
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	r := &report{}
	// The machine is twice as slow in the second round, and the third one fails for pion.
	for round, us := range []float64{10, 20, 10} {
		for server, factor := range map[string]float64{"pausepoint": 1, "pion": 2, "floor-gso": 0.5} {
			s := sample{Server: server, Scenario: "lesson", Round: round, Figures: figures{CPU: us * factor, LatencyP99: 1, Memory: us}}
			if server == "pion" && round == 2 {
				s = sample{Server: server, Scenario: "lesson", Round: round, Error: "it fell over\nbadly"}
			}
			r.Samples = append(r.Samples, s)
		}
	}
	for _, server := range []string{"pausepoint", "pion"} {
		f := figures{CPU: 10}
		if server == "pion" {
			f.Loss = 0.6
		}
		r.Samples = append(r.Samples, sample{Server: server, Scenario: "lesson300", Figures: f})
	}
	r.Samples = append(r.Samples, sample{Server: "pausepoint", Scenario: "call", Error: "refused\nfor a reason"})
	r.summarize()
	got := make(map[string]float64)
	for _, q := range r.Ratios {
		got[q.Name] = q.Value
	}
	for name, want := range map[string]float64{
		"lesson, CPU against pion": 0.5, "lesson, CPU against the floor (GSO)": 2, "lesson, MiB per participant": 10,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, not %v", name, got[name], want)
		}
	}
	if _, ok := got["call, CPU against pion"]; ok {
		t.Error("there is a ratio of what was not measured")
	}
	if v, ok := got["lesson of 300, CPU against pion"]; ok {
		t.Errorf("%v is the ratio to a server that is overloaded", v)
	}
	if text := r.String(); !strings.Contains(text, "| lesson300 | pion (overloaded) |") ||
		!strings.Contains(text, "| call | pausepoint | not measured: refused |") || !strings.Contains(text, "| 0.50 | ≤ 0.55 | ≤ 0.42 |") {
		t.Error(text)
	}
}

// TestThePlansTakeAsLongAsTheySay adds up what is waited for; starting and joining comes on top.
func TestThePlansTakeAsLongAsTheySay(t *testing.T) {
	for name, want := range map[string]struct {
		options options
		limit   time.Duration
	}{
		"whole": {options{}, 14 * time.Minute}, "short": {options{short: true}, 75 * time.Second},
	} {
		p, err := planOf(want.options)
		if err != nil {
			t.Fatal(err)
		}
		var total time.Duration
		for _, s := range p {
			each := time.Duration(s.scenario.Members)*s.timing.Stagger + s.timing.Warm + s.timing.Measure + s.timing.Drain +
				time.Duration(s.scenario.Alone)*450*time.Millisecond
			total += each * time.Duration(s.rounds*len(s.servers))
		}
		if total > want.limit {
			t.Errorf("the %s plan takes %v", name, total)
		}
	}
	for _, o := range []options{{scenarios: "nothing"}, {servers: "pion,nothing"}} {
		if _, err := planOf(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
