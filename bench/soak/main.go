package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == serveFlag {
		exit(serve(ctx))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == burnFlag {
		burn()
		return
	}
	exit(run(ctx, os.Args[1:], os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// plan is how much of each scenario there is.
type plan struct {
	churn      churnPlan
	reconnects reconnectPlan
	crowd      crowdPlan
	instants   instantPlan
}

// long is what the command does.
func long() plan {
	return plan{
		churn:      churnPlan{Warm: 2000, Lives: 20_000, AtOnce: 16, Growth: 0.02},
		reconnects: reconnectPlan{Times: 2000, Rooms: 4, Busy: 4, Patience: 30 * time.Second},
		crowd:      crowdPlan{Members: 12, For: time.Minute, Patience: 60 * time.Second},
		instants:   instantPlan{Times: 200, Members: 6, Patience: 30 * time.Second},
	}
}

// row is a line of the table.
type row struct {
	scenario string
	took     time.Duration
	figures  []string
	wrong    []string // what is not as it must be
}

func (r *row) figure(format string, args ...any) {
	r.figures = append(r.figures, fmt.Sprintf(format, args...))
}

func (r *row) fail(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func run(ctx context.Context, args []string, out io.Writer) error {
	p := long()
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	only := flags.String("only", "churn,reconnect,crowd,instant", "which scenarios, with commas")
	n := flags.Int("n", 0, "how often, instead of the usual number")
	seed := flags.Uint64("seed", rand.Uint64(), "of what is random")
	verbose := flags.Bool("v", false, "tell each reconnect")
	profiles := flags.String("profiles", "", "a folder for heap profiles of the server before, between and after churn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *n > 0 {
		p.churn.Lives, p.reconnects.Times, p.instants.Times = *n, *n, *n
	}
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o750); err != nil {
			return fmt.Errorf("make the folder for profiles: %w", err)
		}
	}
	p.churn.Profiles = *profiles
	p.reconnects.Tell = func(attempt) {}
	if *verbose {
		p.reconnects.Tell = func(a attempt) { fmt.Fprintln(out, " ", a.way, a.took.Round(time.Millisecond), a.miss) }
	}
	fmt.Fprintf(out, "seed %d, %d processors, load %s\n", *seed, runtime.GOMAXPROCS(0), machineLoad())
	failed := 0
	for name := range strings.SplitSeq(*only, ",") {
		dice := rand.New(rand.NewPCG(*seed, 1)) //nolint:gosec // a test's
		began := time.Now()
		r, err := p.scenario(ctx, name, dice)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.took = time.Since(began).Round(100 * time.Millisecond)
		failed += len(r.wrong)
		r.print(out)
	}
	if failed > 0 {
		return fmt.Errorf("%d figures are not as they must be", failed)
	}
	return nil
}

func (p plan) scenario(ctx context.Context, name string, dice *rand.Rand) (*row, error) {
	switch name {
	case "churn":
		return p.churn.run(ctx, dice)
	case "reconnect":
		return p.reconnects.run(ctx, dice)
	case "crowd":
		return p.crowd.run(ctx)
	case "instant":
		return p.instants.run(ctx)
	}
	return nil, fmt.Errorf("there is no scenario %q", name)
}

func (r *row) print(out io.Writer) {
	verdict := "ok"
	if len(r.wrong) > 0 {
		verdict = "WRONG"
	}
	fmt.Fprintf(out, "%-10s %-6s %8v\n", r.scenario, verdict, r.took)
	for _, f := range r.figures {
		fmt.Fprintf(out, "  %s\n", f)
	}
	for _, w := range r.wrong {
		fmt.Fprintf(out, "  WRONG: %s\n", w)
	}
}

func machineLoad() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
