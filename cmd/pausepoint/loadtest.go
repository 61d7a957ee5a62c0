package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/pausepoint/pausepoint/load"
	"github.com/pausepoint/pausepoint/load/visit"
)

type loadtestFlags struct {
	URL string `arg:"" help:"Address of the deployment, such as https://calls.example.org."`

	Email      string `placeholder:"ADDRESS" help:"Email address of an account. The test makes its sessions with it, and deletes them."`
	Password   string `placeholder:"PASSWORD" help:"Password of the account; better given by its environment variable."`
	SignUp     string `placeholder:"LINK" help:"Make the account first, with this invitation (a link with /join# or /setup#). It stays."`
	Invitation string `placeholder:"LINK" help:"Come into one session that there is, by its link (/s/…#…), instead of making sessions with an account."`

	Sessions   int           `default:"1" placeholder:"N" help:"How many sessions at once."`
	Members    int           `default:"6" placeholder:"N" help:"How many members in each session."`
	Publishers float64       `default:"0.5" placeholder:"SHARE" help:"Which share of them publish a microphone and a camera (1.2 Mbit/s), 0 to 1. The rest watch."`
	Record     bool          `help:"Record every session. The recordings are deleted with the sessions."`
	Ramp       time.Duration `default:"10s" placeholder:"TIME" help:"Let everybody come in within this time."`
	Duration   time.Duration `default:"30s" placeholder:"TIME" help:"How long to measure, once they are in."`

	ServerMetrics string `placeholder:"HOST:PORT" help:"Read what the server uses from here, its --metrics-addr."`
	ServerPID     int    `name:"server-pid" placeholder:"PID" help:"Read what the server uses from this process of this machine instead."`
	JSON          bool   `name:"json" help:"Print the report as JSON."`
}

// config is what the flags ask for.
func (f loadtestFlags) config() (load.Config, error) {
	server, err := url.Parse(f.URL)
	if err != nil {
		return load.Config{}, wrong("url", f.URL, "give an address such as https://calls.example.org")
	}
	c := load.Config{
		Server: server, Account: visit.Account{Email: f.Email, Password: f.Password, SignUp: f.SignUp}, Invitation: f.Invitation,
		Sessions: f.Sessions, Members: f.Members, Publishers: f.Publishers, Record: f.Record, Ramp: f.Ramp, Duration: f.Duration,
	}
	switch {
	case f.ServerMetrics != "" && f.ServerPID != 0:
		return c, errors.New("give either --server-metrics or --server-pid, not both")
	case f.ServerMetrics != "":
		c.Usage = load.FromMetrics(f.ServerMetrics)
	case f.ServerPID != 0:
		c.Usage = load.FromProcess(f.ServerPID)
	}
	return c, c.Check()
}

// loadtest plays members towards a deployment and prints what they saw; how far it is goes to stderr.
func loadtest(ctx context.Context, f loadtestFlags, stdout, stderr io.Writer) error {
	c, err := f.config()
	if err != nil {
		return err
	}
	c.Progress = func(p load.Progress) {
		_, _ = fmt.Fprintf(stderr, "\r\x1b[K%s: %d of %d in, %d gone, %d with a picture, %d commands, %v left",
			p.Phase, p.Inside, p.Members, p.Failed, p.Seeing, p.Acknowledged, p.Left)
	}
	report, err := load.Run(ctx, c)
	_, _ = fmt.Fprintln(stderr)
	if report != nil {
		err = errors.Join(printReport(stdout, report, f.JSON), err)
	}
	return err
}

func printReport(w io.Writer, r *load.Report, asJSON bool) error {
	if !asJSON {
		return r.WriteTable(w)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
