package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/pausepoint/pausepoint/bench/machine"
	"github.com/pausepoint/pausepoint/bench/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sfubench:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	serve     string
	profile   string
	short     bool
	scenarios string
	servers   string
	rounds    int
	out       string
	audience  bool
	observers []int
	owner     string
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("sfubench", flag.ContinueOnError)
	flags.StringVar(&o.serve, "serve", "", "be this server under test, for the load generator")
	flags.StringVar(&o.profile, "profile", "", "write CPU profiles of servers and generator into this folder (costs a few per cent)")
	flags.BoolVar(&o.short, "short", false, "about 80 seconds instead of 15 minutes")
	flags.StringVar(&o.scenarios, "scenarios", "", "only these, separated by commas: "+strings.Join(scenarioNames(), ","))
	flags.StringVar(&o.servers, "servers", "", "only these, separated by commas: "+strings.Join(server.Kinds(), ","))
	flags.IntVar(&o.rounds, "rounds", 0, "how often each is measured (0: as the plan says)")
	flags.StringVar(&o.out, "out", "", "write the figures as JSON into this file")
	flags.BoolVar(&o.audience, "audience", false, "measure a lesson that is watched from other servers than its own, instead (about 2 minutes)")
	flags.Func("observers", "with -audience: so many at one other server, and nothing else; several numbers are separated by commas", o.takeObservers)
	flags.StringVar(&o.owner, "owner", "", "as a server that is watched from: where the lesson is fetched")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.serve != "" {
		return serve(ctx, o, out)
	}
	p, err := planOf(o)
	if err != nil {
		return err
	}
	if err = machine.PinSelf(); err != nil {
		return err
	}
	return profiled(o.profile, "generator", func() error {
		if o.audience {
			return measureAudience(ctx, o, out)
		}
		return measure(ctx, p, o, out)
	})
}

// profiled runs f and, if there is a folder, writes a CPU profile of it there.
func profiled(folder, name string, f func() error) error {
	if folder == "" {
		return f()
	}
	file, err := os.CreateTemp(folder, name+"-*.pprof")
	if err != nil {
		return err
	}
	if err = pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}

// serve is the child process: it prints the address of its signaling, and that where others fetch from it, and ends with its standard
// input.
func serve(ctx context.Context, o options, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fetch, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, l.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if _, err = fmt.Fprintln(out, l.Addr(), fetch.Addr()); err != nil {
		return err
	}
	return profiled(o.profile, o.serve, func() error {
		switch o.serve {
		case owner:
			return server.ServeOwner(ctx, l, fetch)
		case observed:
			return errors.Join(server.ServeObservers(ctx, o.owner, l), fetch.Close())
		}
		return errors.Join(server.Serve(ctx, o.serve, l), fetch.Close())
	})
}

// measure carries the plan out, prints the tables and writes the file.
func measure(ctx context.Context, p plan, o options, out io.Writer) error {
	report := &report{Machine: machine.Describe()}
	for round := range p.rounds() {
		for _, step := range p {
			if round >= step.rounds {
				continue
			}
			for _, kind := range step.servers {
				s := takeSample(ctx, kind, step, round, o.profile)
				report.Samples = append(report.Samples, s)
				fmt.Fprintln(out, s)
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
	}
	report.Machine.LoadAfter = machine.LoadAverage()
	report.summarize()
	fmt.Fprint(out, report)
	if o.out == "" {
		return nil
	}
	b, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, append(b, '\n'), 0o644) //nolint:gosec // not secret
}

// list splits a flag, and refuses what is not known.
func list(flag string, known []string) ([]string, error) {
	if flag == "" {
		return known, nil
	}
	names := strings.Split(flag, ",")
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("there is no %q; there are %s", n, strings.Join(known, ", "))
		}
	}
	return names, nil
}
