// Command pausepoint is the coaching call server: one program, with its data in one folder.
//
// This is the only place where the parts are wired together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		os.Exit(1)
	}
}

// run does what args say until it is done or ctx ends. Errors are written to stderr as a sentence, and returned.
func run(ctx context.Context, args []string, env lookupEnv, stdout, stderr io.Writer) error {
	app, err := parse(args, env, stdout, stderr)
	if errors.Is(err, errDone) {
		return nil
	}
	if err == nil {
		err = app.run(ctx, stdout, stderr)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintf(stderr, "pausepoint: %v\n", err)
		return err
	}
	return nil
}
