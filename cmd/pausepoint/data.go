package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/store"
)

// reserve is what of the disk is kept for the database: what happens in calls, and notes, for as long as it takes to make room.
const reserve = 64 << 20

// store is where everything is kept. With a node's name, other servers use the database too.
func (c common) store(log *slog.Logger, node string) store.Config {
	return store.Config{Folder: c.Data, Database: c.Database, Blobs: c.Blobs, Node: node, Alone: node == "", Reserve: reserve, Log: log}
}

// checkStore refuses addresses that cannot be right. It does not repeat them: there may be a password in them.
func (c common) checkStore() error {
	if err := store.CheckDatabase(c.Database); c.Database != "" && err != nil {
		return fmt.Errorf("--database is not possible: %w (or set %s)", err, envName("database"))
	}
	if err := store.CheckBlobs(c.Blobs); c.Blobs != "" && err != nil {
		return fmt.Errorf("--blobs is not possible: %w (or set %s)", err, envName("blobs"))
	}
	return nil
}

func checkDatabase(ctx context.Context, address string) error {
	if err := store.ReachDatabase(ctx, address); err != nil {
		return fmt.Errorf("the database cannot be used: look that it is there, and that its name, user and password are right, in --database (or %s): %w", envName("database"), err)
	}
	return nil
}

// checkDatabaseClock compares the clocks: what both machines log is read side by side.
func checkDatabaseClock(ctx context.Context, address string) error {
	off, err := store.DatabaseClock(ctx, address)
	if err != nil {
		return advice{"The database's clock could not be compared with this machine's"}
	}
	return clockAgrees(off)
}

func clockAgrees(off time.Duration) error {
	if off.Abs() > clockTolerance {
		return fmt.Errorf("the clock of the database's machine and this one's are %s apart: start a time service on both (on Debian: apt install systemd-timesyncd)", off.Abs().Round(time.Second))
	}
	return nil
}

func checkBucket(ctx context.Context, address string) error {
	if err := store.ReachBlobs(ctx, address); err != nil {
		return fmt.Errorf("the bucket cannot be used: look that it is there, in --blobs (or %s), and that the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are right and may read, write and remove: %w", envName("blobs"), err)
	}
	return nil
}

// checkShared looks whether what one server of several keeps is there for all.
func checkShared(c common) error {
	if c.Blobs == "" {
		return advice{fmt.Sprintf("Without --blobs (or %s) each server keeps clips and recordings in its own data folder, where the others do not find them; and what several servers have recorded of a call is never removed altogether, though people ask for it: name a bucket that all of them use", envName("blobs"))}
	}
	return nil
}

// openData makes the data folder, sees that it can be written, and takes its lock, so that two servers never write to
// one folder. The caller releases it.
func openData(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--data %s cannot be made: choose a folder that this user may write to, with --data (or %s): %w", dir, envName("data"), err)
	}
	if err := checkWritable(dir); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--data %s cannot be locked: %w", dir, err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("--data %s is in use by another Pausepoint: stop that one, or choose another folder with --data (or %s)", dir, envName("data")), f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks it; the file stays
}

func checkWritable(dir string) error {
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("--data %s cannot be written to: choose a folder that this user may write to, with --data (or %s): %w", dir, envName("data"), err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("--data %s cannot be written to: %w", dir, err)
	}
	return nil
}

// ffprobeBeside is the ffprobe that belongs to an ffmpeg.
func ffprobeBeside(ffmpeg string) string {
	if dir, name := filepath.Split(ffmpeg); dir != "" {
		return dir + strings.Replace(name, "ffmpeg", "ffprobe", 1)
	}
	return "ffprobe"
}
