package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// errUnwell says that doctor found something; what, it has printed.
var errUnwell = errors.New("something is missing; see above for what to do")

// advice is an error that keeps nobody from starting, but should be known.
type advice struct{ text string }

func (a advice) Error() string { return a.text }

// errInside says what nobody sees who looks from the server itself.
var errInside = advice{"What was sent to public addresses came from this machine, so a firewall or a router in front of it was passed in part or not at all: once the server runs, make a session, and give the link of an invitation for peers to pausepoint doctor --from on a machine in another network"}

// check looks at one thing. What it returns says what is wrong and what to do; ok is what is so otherwise.
type check struct {
	ok   string
	look func(ctx context.Context) error
}

// doctor looks at what the server needs and prints a sentence about each.
func doctor(ctx context.Context, f flags, out io.Writer) error {
	if f.Doctor.From != "" {
		return doctorFrom(ctx, f.Doctor.From, out)
	}
	return report(ctx, checks(f), out)
}

// report looks at one thing after another, and prints a sentence about each.
func report(ctx context.Context, list []check, out io.Writer) error {
	var bad error
	for _, c := range list {
		err := c.look(ctx)
		var known advice
		switch {
		case err == nil:
			_, _ = fmt.Fprintf(out, "ok       %s\n", c.ok)
		case errors.As(err, &known):
			_, _ = fmt.Fprintf(out, "note     %v.\n", err)
		default:
			bad = errUnwell
			_, _ = fmt.Fprintf(out, "missing  %v.\n", err)
		}
	}
	return bad
}

// checks is what there is to look at, in the order in which it is said.
func checks(f flags) []check {
	return slices.Concat(machineChecks(f), keptChecks(f), outsideChecks(f.Doctor))
}

func machineChecks(f flags) []check {
	d, data := f.Doctor, f.Common.Data
	list := []check{
		{"Clips can be prepared with ffmpeg.", func(ctx context.Context) error { return checkFFmpeg(ctx, f.Common.FFmpeg) }},
		{"The data folder can be written to.", func(context.Context) error { return checkData(data) }},
		{"The disk of the data folder has room.", func(context.Context) error { return checkRoom(data, freeBytes) }},
		{"The clock is right.", func(ctx context.Context) error { return checkClock(ctx, d.TimeServer, clockKept) }},
	}
	for _, p := range d.ports() {
		list = append(list, check{p.what + " is free.", func(context.Context) error { return checkPort(p.network, p.flag, p.addr) }})
	}
	return append(list, check{"Browsers give camera and microphone to pages over HTTPS.", func(context.Context) error { return checkCertificate(d) }})
}

// keptChecks look at what is kept elsewhere than in the data folder.
func keptChecks(f flags) (list []check) {
	if address := f.Common.Database; address != "" {
		list = append(list,
			check{"The database can be reached.", func(ctx context.Context) error { return checkDatabase(ctx, address) }},
			check{"The database's clock and this machine's agree.", func(ctx context.Context) error { return checkDatabaseClock(ctx, address) }})
	}
	if address := f.Common.Blobs; address != "" {
		list = append(list, check{"The bucket can be read and written to.", func(ctx context.Context) error { return checkBucket(ctx, address) }})
	}
	if address := f.Doctor.Redis; address != "" {
		list = append(list,
			check{"Redis carries what servers tell each other.", func(ctx context.Context) error { return checkRedis(ctx, address) }},
			check{"Each server finds the clips and recordings of the others.", func(context.Context) error { return checkShared(f.Common) }})
	}
	return list
}

func outsideChecks(d doctorFlags) (list []check) {
	if d.STUNServer != "" {
		list = append(list, check{
			"Browsers are told the address at which this machine is seen from outside.",
			func(ctx context.Context) error { return checkSeen(ctx, d) },
		})
	}
	if host := d.publicHost(); host != "" {
		list = append(list, check{
			"The name that people open has an address.",
			func(ctx context.Context) error { return checkName(ctx, host) },
		})
	}
	for _, w := range d.waysIn() {
		list = append(list, check{
			fmt.Sprintf("The port for %s is reached at the public address (%s).", w.what, w.protocols()),
			func(ctx context.Context) error { return checkReached(ctx, d, w) },
		})
	}
	if host := d.turnFlags.host(d.listen, d.clusterFlags); host != "" && d.served(d.listen) {
		list = append(list,
			check{"The name by which browsers reach TURN leads to this server.", func(ctx context.Context) error { return checkTURNName(ctx, host, d) }},
			check{"Media passes through TURN, by every way that browsers are told.", func(ctx context.Context) error { return checkTURN(ctx, host, d) }})
	}
	if len(list) > 0 {
		list = append(list, check{"", func(context.Context) error { return errInside }})
	}
	return list
}
