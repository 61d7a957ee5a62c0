package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pausepoint/pausepoint/bench/machine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "others:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	pausepoint, livekit, galene string // programs
	short                       bool
	scenarios                   string
	viewers, rounds             int
	out                         string
}

func bench(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	host := os.Getenv("MEDIA_HOST")
	if host == "" {
		return errors.New("set MEDIA_HOST to an address of this machine that is not loopback, or run scripts/apart bin/others")
	}
	if err = machine.PinSelf(); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "others")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // temporary
	servers, err := o.servers(ctx, host, folder)
	if err != nil {
		return err
	}
	return o.measure(ctx, servers, out)
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("others", flag.ContinueOnError)
	flags.StringVar(&o.pausepoint, ours, "bin/pausepoint", "Pausepoint's program")
	flags.StringVar(&o.livekit, "livekit", "", "LiveKit's program; without it LiveKit is left out")
	flags.StringVar(&o.galene, "galene", "", "Galène's program; without it Galène is left out")
	flags.BoolVar(&o.short, "short", false, "one short round")
	flags.StringVar(&o.scenarios, "scenarios", "lesson,call,rooms", "only these")
	flags.IntVar(&o.viewers, "viewers", 60, "who watch the lesson")
	flags.IntVar(&o.rounds, "rounds", 0, "how often each is measured (0: 3, or 1 if short)")
	flags.StringVar(&o.out, "out", "", "write the figures as JSON into this file")
	err = flags.Parse(args)
	switch {
	case o.rounds != 0:
	case o.short:
		o.rounds = 1
	default:
		o.rounds = 3
	}
	return o, err
}

// contender is a server with its name.
type contender struct {
	server

	name string
}

// servers are those whose programs are given; ours has its account and its clip in folder afterwards.
func (o options) servers(ctx context.Context, host, folder string) ([]contender, error) {
	programs := []string{o.pausepoint, o.livekit, o.galene}
	for i, p := range programs {
		if p == "" {
			continue
		}
		var err error
		if programs[i], err = filepath.Abs(p); err != nil {
			return nil, err
		}
	}
	p := pausepoint{program: programs[0], mediaHost: host, data: filepath.Join(folder, "data")}
	if err := p.prepare(ctx, folder); err != nil {
		return nil, err
	}
	all := []contender{{p, ours}}
	if o.livekit != "" {
		all = append(all, contender{livekit{program: programs[1], mediaHost: host}, "livekit"})
	}
	if o.galene != "" {
		all = append(all, contender{galene{program: programs[2]}, "galene"})
	}
	return all, nil
}

func (o options) timing() timing {
	t := timing{
		stagger: 20 * time.Millisecond, warm: 1500 * time.Millisecond, measure: 5 * time.Second, drain: 500 * time.Millisecond,
		patience: 20 * time.Second,
	}
	if o.short {
		t.warm, t.measure = time.Second, 3*time.Second
	}
	return t
}

// measure plays each scenario with each server, in each round, prints the table and writes the file. Servers take turns at being the
// first.
func (o options) measure(ctx context.Context, servers []contender, out io.Writer) error {
	m := machine.Describe()
	var samples []sample
	for round := range o.rounds {
		for _, sc := range scenarios(o.viewers) {
			if !slices.Contains(strings.Split(o.scenarios, ","), sc.name) {
				continue
			}
			for i := range servers {
				s := o.sample(ctx, servers[(i+round)%len(servers)], sc, round)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				samples = append(samples, s)
				fmt.Fprintln(out, s)
			}
		}
	}
	m.LoadAfter = machine.LoadAverage()
	rows := summarize(samples)
	fmt.Fprint(out, "\n", m.Conditions(), "\n", table(rows))
	return o.write(report{m, rows, samples})
}

// sample is one measurement of a server.
func (o options) sample(ctx context.Context, c contender, sc scenario, round int) sample {
	s := sample{Scenario: sc.name, Server: c.name, Round: round}
	f, err := measure(ctx, c, sc, o.timing())
	if err != nil {
		s.Error = err.Error()
		return s
	}
	s.Figures = *f
	return s
}

// report is what the JSON file holds.
type report struct {
	Machine machine.Machine `json:"machine"`
	Summary []row           `json:"summary"`
	Samples []sample        `json:"samples"`
}

func (o options) write(r report) error {
	if o.out == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, append(b, '\n'), 0o644) //nolint:gosec // not secret
}
