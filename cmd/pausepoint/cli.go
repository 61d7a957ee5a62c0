package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/pausepoint/pausepoint/traces"
)

// lookupEnv is os.LookupEnv, or a test's own environment.
type lookupEnv func(name string) (string, bool)

// errDone says that there is nothing more to do: help was printed.
var errDone = errors.New("done")

// flags is the command line.
type flags struct {
	Common   common        `embed:""`
	Serve    serveFlags    `cmd:"" default:"withargs" help:"Serve (also without a command). Stop it with Ctrl-C or SIGTERM."`
	Backup   backupFlags   `cmd:"" help:"Save everything in a new folder, while the server runs or not."`
	Restore  restoreFlags  `cmd:"" help:"Put what backup saved into an empty data folder, and an empty database and bucket if they are named."`
	Doctor   doctorFlags   `cmd:"" help:"Check that this machine has what the server needs, and say what to do about what is missing."`
	Forget   forgetFlags   `cmd:"" name:"forget-node" help:"Say that one of several servers is gone for good, and its disk with it, so that nothing waits for what only it had."`
	Loadtest loadtestFlags `cmd:"" help:"Play members towards a running deployment, with made-up sound and pictures, and report what they see. Ctrl-C ends it and cleans up."`
}

// common is what every command takes.
type common struct {
	Data      string `default:"./data" placeholder:"FOLDER" help:"Folder for the database, clips and recordings. It is made if missing."`
	Database  string `placeholder:"URL" help:"PostgreSQL database to keep everything in but files, instead of SQLite in the data folder: postgres://user@host/pausepoint. The password may be in PGPASSWORD. One Pausepoint uses a database at a time, or several with --redis."`
	Blobs     string `placeholder:"URL" help:"Bucket of an S3 server to keep clips, recordings and films in, instead of the data folder: s3://bucket/prefix?endpoint=https://s3.example.org. Keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Uploads under way, and recordings until the bucket has them, are in the data folder."`
	FFmpeg    string `name:"ffmpeg" default:"ffmpeg" placeholder:"PROGRAM" help:"The ffmpeg program, which prepares clips; ffprobe is looked for beside it."`
	LogLevel  string `default:"info" placeholder:"LEVEL" help:"How much to log on standard error: debug, info, warn or error."`
	LogFormat string `default:"text" placeholder:"FORMAT" help:"How to log: text or json."`
}

type serveFlags struct {
	listen

	AllowPrivateCandidates bool `default:"true" negatable:"" help:"Take part in calls with browsers in private networks, as schools have. --no-allow-private-candidates is for servers on the public internet only."`

	turnFlags

	clusterFlags

	OTLP        string `name:"otlp" standard:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"Where to send traces to (OpenTelemetry: OTLP over HTTP), such as http://127.0.0.1:4318; OTEL_EXPORTER_OTLP_ENDPOINT says so, too. Without it there are none."`
	MetricsAddr string `name:"metrics-addr" placeholder:"HOST:PORT" help:"Where to serve figures for Prometheus, at /metrics: an address that the public cannot reach, such as 127.0.0.1:9090. Without it there are none."`

	TrustProxy               bool `help:"Believe X-Forwarded-For and X-Forwarded-Proto of a reverse proxy on this machine or in a private network. Only where people cannot get around it."`
	MaxConnections           int  `default:"2000" placeholder:"N" help:"How many people may be in calls on this server at once."`
	MaxConnectionsPerAddress int  `default:"200" placeholder:"N" help:"How many of them may come from one address; a school often has one for all."`
}

type doctorFlags struct {
	From string `placeholder:"LINK" help:"Look from this machine at a deployment that runs elsewhere, and at nothing here: come into a session by an invitation for peers (https://…/s/…#…), and try each way that media may go."`

	listen
	turnFlags
	clusterFlags

	STUNServer string `name:"stun-server" placeholder:"HOST:PORT" help:"Ask this STUN server as which address the media port is seen from outside. Nobody is asked without it."`
	TimeServer string `placeholder:"HOST" help:"Compare the clock with this time server's (NTP), such as pool.ntp.org. Nobody is asked without it."`
}

type backupFlags struct {
	Folder string `arg:"" help:"The folder to make. It is private: everybody's notes are in it, and how their passwords are checked."`
}

type restoreFlags struct {
	Folder string `arg:"" help:"The folder that backup made."`
}

// listen is where the server is reached.
type listen struct {
	Addr    string `default:":8080" placeholder:"HOST:PORT" help:"Where to serve the pages. :8080 is every address of this machine; 127.0.0.1:8080 is this machine alone."`
	TLSCert string `name:"tls-cert" placeholder:"FILE" help:"Certificate (PEM, with its chain) to serve HTTPS directly. Browsers give camera and microphone to secure pages only, or on the same computer."`
	TLSKey  string `name:"tls-key" placeholder:"FILE" help:"Key (PEM) of the certificate."`

	ACMEDomain    []string `name:"acme-domain" placeholder:"NAME" help:"Name that people open, such as calls.example.org, for which a certificate is got and renewed by itself (ACME). Port 443 of that name must reach --addr. Give it again for a second name. You accept the authority's terms with it."`
	ACMEEmail     string   `name:"acme-email" placeholder:"ADDRESS" help:"Where the certificate authority may write to, should something be wrong."`
	ACMEDirectory string   `name:"acme-directory" default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL" help:"Another certificate authority than Let's Encrypt, such as one of your own."`

	MediaAddr string `default:":7882" placeholder:"HOST:PORT" help:"Where media arrives: one UDP port, and the same number over TCP for networks that block UDP. Open both in the firewall. It can be the port of --addr, such as :443 for both."`

	PublicURL string   `name:"public-url" placeholder:"URL" help:"Address that people open, if it is another one than this machine's: https://calls.example.org behind a proxy. It is printed at the start and stands in calendar files."`
	PublicIP  []string `name:"public-ip" placeholder:"IP" help:"Address that media is sent to, where this machine's own is behind a 1-to-1 NAT (cloud servers). Give it again for a second one, such as IPv6."`
}

const envPrefix = "PAUSEPOINT_"

// envName is the environment variable that stands for a flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// application is a parsed command line.
type application struct {
	flags   flags
	command string
}

// parse reads args and env; errDone when they asked for help, which is printed then.
func parse(args []string, env lookupEnv, stdout, stderr io.Writer) (*application, error) {
	app := &application{}
	helped := false
	parser, err := kong.New(
		&app.flags,
		kong.Name("pausepoint"),
		kong.Description("Coaching calls in which people watch a lesson clip together, stop on the same frame, take notes, and replay it all afterwards.\n\nEvery flag can be given by the environment variable that is named with it."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}),
		kong.Help(printHelp),
		kong.ValueFormatter(describe),
		kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			if value, ok := env(envName(flag.Name)); ok && flag.Name != "help" {
				return value, nil
			}
			if value, ok := env(flag.Tag.Get("standard")); ok {
				return value, nil
			}
			return nil, nil
		})),
	)
	if err != nil {
		return nil, fmt.Errorf("command line: %w", err)
	}
	ctx, err := parser.Parse(args)
	if helped {
		return nil, errDone
	}
	if err != nil {
		return nil, fmt.Errorf("%w. pausepoint --help explains every flag", err)
	}
	app.command = ctx.Selected().Name
	return app, app.check()
}

// describe adds the environment variable to a flag's help.
func describe(value *kong.Value) string {
	if value.Flag == nil || value.Name == "help" {
		return value.Help
	}
	text := value.Help
	if value.HasDefault {
		text += " Default: " + value.Default + "."
	}
	return text + " ($" + envName(value.Name) + ")"
}

// printHelp explains the flags of serve too where no command is given: it is what runs then.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() != nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	brief := options
	brief.NoExpandSubcommands = true
	if err := kong.DefaultHelpPrinter(brief, ctx); err != nil {
		return err
	}
	serve, err := kong.Trace(ctx.Kong, []string{"serve"})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(ctx.Stdout)
	return kong.DefaultHelpPrinter(options, serve)
}

func (a *application) run(ctx context.Context, stdout, stderr io.Writer) error {
	log, err := newLog(stderr, a.flags.Common)
	if err != nil {
		return err
	}
	switch a.command {
	case "doctor":
		return doctor(ctx, a.flags, stdout)
	case "backup":
		return save(ctx, a.flags, log, stdout)
	case "restore":
		return restore(ctx, a.flags, log, stdout)
	case "forget-node":
		return forgetNode(ctx, a.flags, log, stdout)
	case "loadtest":
		return loadtest(ctx, a.flags.Loadtest, stdout, stderr)
	}
	return serve(ctx, a.flags, log, stdout)
}

// check refuses values that cannot be right, before anything is started.
func (a *application) check() error {
	if err := a.flags.Common.check(); err != nil {
		return err
	}
	switch a.command {
	case "doctor":
		return a.flags.Doctor.check(a.flags.Common)
	case "serve":
		return a.flags.Serve.check(a.flags.Common)
	case "forget-node":
		return a.flags.Forget.check(a.flags.Common)
	case "loadtest":
		_, err := a.flags.Loadtest.config()
		return err
	}
	return nil
}

func (c common) check() error {
	if _, err := newLog(io.Discard, c); err != nil {
		return err
	}
	if c.Data == "" {
		return wrong("data", "", "give the path of a folder")
	}
	return c.checkStore()
}

func (l listen) check() error {
	if err := checkAddr("addr", l.Addr); err != nil {
		return err
	}
	if err := checkAddr("media-addr", l.MediaAddr); err != nil {
		return err
	}
	if _, err := l.publicAddrs(); err != nil {
		return err
	}
	if err := l.checkPublicURL(); err != nil {
		return err
	}
	if err := l.checkACME(); err != nil {
		return err
	}
	return l.checkTLS()
}

func (d doctorFlags) check(c common) error {
	if err := d.listen.check(); err != nil {
		return err
	}
	if err := d.turnFlags.check(d.listen, d.clusterFlags); err != nil {
		return err
	}
	return d.clusterFlags.check(c)
}

func (s serveFlags) check(c common) error {
	if err := s.listen.check(); err != nil {
		return err
	}
	if err := s.turnFlags.check(s.listen, s.clusterFlags); err != nil {
		return err
	}
	if err := s.clusterFlags.check(c); err != nil {
		return err
	}
	if s.MetricsAddr != "" {
		if err := checkAddr("metrics-addr", s.MetricsAddr); err != nil {
			return err
		}
	}
	if err := traces.CheckURL(s.OTLP); s.OTLP != "" && err != nil {
		return fmt.Errorf("--otlp is not possible: %w (or set %s)", err, envName("otlp"))
	}
	if s.MaxConnections < 1 {
		return wrong("max-connections", fmt.Sprint(s.MaxConnections), "give a number from 1 up")
	}
	if s.MaxConnectionsPerAddress < 1 {
		return wrong("max-connections-per-address", fmt.Sprint(s.MaxConnectionsPerAddress), "give a number from 1 up")
	}
	return nil
}

// wrong is a sentence about a flag whose value cannot be right.
func wrong(flag, value, instead string) error {
	return fmt.Errorf("--%s %q is not possible: %s (or set %s)", flag, value, instead, envName(flag))
}

func (l listen) publicAddrs() ([]netip.Addr, error) {
	var out []netip.Addr
	for _, text := range l.PublicIP {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.IsUnspecified() || addr.IsMulticast() || addr.Zone() != "" {
			return nil, wrong("public-ip", text, "give an IP address such as 203.0.113.7")
		}
		out = append(out, addr.Unmap())
	}
	return out, nil
}

// publicBase returns the address that people open, without a slash at its end; empty if none was given.
func (l listen) publicBase() string {
	if l.PublicURL == "" && len(l.ACMEDomain) > 0 {
		return "https://" + l.ACMEDomain[0]
	}
	return strings.TrimSuffix(l.PublicURL, "/")
}

// publicHost is the name in that address; empty if none was given.
func (l listen) publicHost() string {
	u, err := url.Parse(l.publicBase())
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (l listen) checkPublicURL() error {
	if l.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(l.PublicURL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil,
		strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return wrong("public-url", l.PublicURL, "give a scheme and a host, such as https://calls.example.org, without a path")
	}
	return nil
}
