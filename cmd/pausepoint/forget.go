package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/store"
)

type forgetFlags struct {
	Name string `arg:"" help:"The server's --node, or what it logged as node when it started."`

	Redis      string `placeholder:"URL" help:"Redis by which the servers find each other: it is asked whether that server is there."`
	DiskIsGone bool   `help:"Do it. Without it, what would be given up is counted and nothing is changed."`
}

func (f forgetFlags) check(kept common) error {
	if kept.Database == "" || f.Redis == "" {
		return errors.New("forget-node is for several servers: give the --database and the --redis that they have in common")
	}
	if !plainName.MatchString(f.Name) {
		return fmt.Errorf("%q is no server's name: they have letters, digits, dots, hyphens and underscores, up to a hundred", f.Name)
	}
	return clusterFlags{Redis: f.Redis}.check(kept)
}

// forgetNode is the command forget-node.
func forgetNode(ctx context.Context, f flags, log *slog.Logger, out io.Writer) error {
	name := f.Forget.Name
	there, err := cluster.IsThere(ctx, f.Forget.Redis, name)
	if err != nil {
		return fmt.Errorf("it is not known whether the server %s is there, so nothing is done: look that --redis (or %s) is right: %w", name, envName("redis"), err)
	}
	if there {
		return fmt.Errorf("the server %s is there, or was a few seconds ago, and what it has recorded is not lost: leave it running, or stop it and try again in a few seconds", name)
	}
	at := f.Common.store(log, "")
	had, err := store.UnsentOf(ctx, at, name)
	switch {
	case err != nil:
		return explainStore(f.Common, err)
	case had.Segments == 0:
		_, err = fmt.Fprintf(out, "Nothing waits for a server %s: all that it recorded is in the bucket, or there is no such server.\n", name)
		return err
	}
	what := fmt.Sprintf("%s of %s", amountOf(had.Segments, "recorded file"), amountOf(had.Sessions, "session"))
	if !f.Forget.DiskIsGone {
		_, err = fmt.Fprintf(out, `Only the server %s has %s.

If its disk is lost or wiped, nobody can bring them any more: run this again with --disk-is-gone. They are then missing in replays for
ever, and count as gone where somebody took their consent back or a session is deleted. Should that server start again with its old
disk, it removes them if it has a bucket (--blobs). Nothing has been changed.
`, name, what)
		return err
	}
	if err := store.ForgetNode(ctx, at, name); err != nil {
		return explainStore(f.Common, err)
	}
	_, err = fmt.Fprintf(out, "Given up: %s, which only the server %s had. What waited for them goes on by itself.\n", what, name)
	return err
}

// amountOf is "1 file" or "2 files".
func amountOf(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
