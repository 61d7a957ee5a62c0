package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	reservePiece  = 4 << 20         // bytes that are given up at once
	reserveEvery  = 5 * time.Second // how often it is seen whether there is room again
	reserveBeside = 2               // so many times the reserve is room enough to take it
)

// reserve is a file that does nothing but take room on the disk. When the database finds none, because others have filled the disk, it gets
// this, piece by piece: they may still be filling it. A nil one has nothing to give.
type reserve struct {
	path string
	size int64
	log  *slog.Logger

	mu   sync.Mutex // guards below
	left int64      // bytes that the file takes
}

// newReserve takes the room, if there is enough. A size of 0 is none.
func newReserve(path string, size int64, log *slog.Logger) *reserve {
	if size <= 0 {
		return nil
	}
	r := &reserve{path: path, size: size, log: log}
	if err := r.take(); err != nil {
		log.Warn("no room is kept for when the disk is full", slog.Any("err", err))
	}
	return r
}

var errNoReserve = errors.New("there is little room on the disk")

// take makes the file as large as it should be.
func (r *reserve) take() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("keep room on the disk: %w", err)
	}
	free, err := roomOf(f)
	if err == nil && free < uint64(reserveBeside*r.size) {
		err = errNoReserve
	}
	if err == nil {
		err = allocate(f, r.size)
	}
	if err == nil {
		r.left = r.size
	}
	return errors.Join(err, f.Close())
}

// giveUp makes room for the database, and reports whether there was any left to make.
func (r *reserve) giveUp() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 {
		return false
	}
	left := max(0, r.left-reservePiece)
	if err := os.Truncate(r.path, left); err != nil {
		r.log.Error("the room that was kept cannot be given up", slog.Any("err", err))
		left = 0
		r.left = left
		return false
	}
	r.log.Error("the disk is full: the database gets room that was kept for it", slog.Int64("bytes", r.left-left), slog.Int64("left", left))
	r.left = left
	return true
}

// keep takes the room again once there is some, until ctx ends.
func (r *reserve) keep(ctx context.Context) {
	if r == nil {
		return
	}
	tick := time.NewTicker(reserveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if r.whole() {
			continue
		}
		if err := r.take(); err == nil {
			r.log.Info("there is room on the disk again: some is kept for when it is full")
		}
	}
}

func (r *reserve) whole() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left == r.size
}

// close removes the file.
func (r *reserve) close() error {
	if r == nil {
		return nil
	}
	if err := os.Remove(r.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
