package recorder

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync/atomic"
)

// mark is how far a segment's file is whole: to the end of a cluster.
type mark struct {
	size int64
	end  int64     // where the last frame ends, ms from the start
	sum  hash.Hash // of the bytes up to there; nil of none
}

// with is where the file is whole after b, whose last frame ends at a time.
func (m mark) with(b []byte, end int64) (mark, error) {
	sum := sha256.New()
	if m.sum != nil {
		c, err := m.sum.(hash.Cloner).Clone()
		if err != nil {
			return m, fmt.Errorf("go on with a checksum: %w", err)
		}
		sum = c
	}
	sum.Write(b)
	return mark{m.size + int64(len(b)), max(m.end, end), sum}, nil
}

// syncer makes a file durable while its track goes on writing it: what is written outlives the process, what is synced outlives a
// power failure, and a track that waited for a sync would keep in memory what arrives meanwhile. One sync covers all that was
// written before it. Its goroutine owns what is durable.
type syncer struct {
	file    file
	folder  func() error         // makes the file's name durable
	written atomic.Pointer[mark] // by the track
	failed  atomic.Pointer[error]
	wake    chan struct{} // capacity 1; the track closes it when nothing more will be written

	done    chan struct{} // closed with what follows known
	durable mark
	err     error
}

func startSyncer(f file, folder func() error) *syncer {
	s := &syncer{file: f, folder: folder, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run()
	return s
}

// wrote tells what is to be made durable. It returns the error of a sync before: after that, nothing more becomes durable.
func (s *syncer) wrote(m mark) error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	s.written.Store(&m)
	select {
	case s.wake <- struct{}{}:
	default: // it is due already
	}
	return nil
}

// wait returns, after wake was closed, what is durable: all, or with an error what was before it. The file is closed, and ends there.
func (s *syncer) wait() (mark, error) {
	<-s.done
	return s.durable, s.err
}

func (s *syncer) run() {
	defer close(s.done)
	for range s.wake {
		if s.err == nil { // after a failure, a sync may succeed though what the one before had to store is lost
			s.sync(*s.written.Load())
		}
	}
	if s.err != nil {
		s.err = errors.Join(s.err, s.file.Truncate(s.durable.size))
	}
	s.err = errors.Join(s.err, s.file.Close())
}

func (s *syncer) sync(m mark) {
	err := s.file.Sync()
	if err == nil && s.durable.size == 0 {
		err = s.folder()
	}
	if err != nil {
		err = fmt.Errorf("sync segment: %w", err)
		s.err = err
		s.failed.Store(&err)
		return
	}
	s.durable = m
}
