package recorder

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/at-wat/ebml-go/webm"
)

// indexTimeout bounds a call to the Index, so that a database that hangs costs media but no goroutine.
const indexTimeout = 10 * time.Second

// files knows where segments are on disk.
type files struct {
	dir string
	sys fileSystem
}

// path is <dir>/<session>/<segment>.webm; false if an id is not fit for a path.
func (f files) path(session, segment string) (string, bool) {
	if !plain(session) || !plain(segment) {
		return "", false
	}
	return filepath.Join(f.dir, session, segment+".webm"), true
}

// has reports whether a segment's file is here.
func (f files) has(s Segment) bool {
	path, ok := f.path(s.Session, s.ID)
	if !ok {
		return false
	}
	_, err := os.Lstat(path)
	return err == nil
}

// open opens a segment for reading. A symbolic link is no segment, and none leads out of the folder of recordings.
func (f files) open(session, segment string) (*os.File, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	name := filepath.Join(session, segment+".webm")
	info, err := root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return root.Open(name)
}

// plain reports whether an id is made of letters, digits and hyphens alone.
func plain(id string) bool {
	for i := range len(id) {
		c := id[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// segmentFile is one segment that is being written. It belongs to its track's goroutine. Its file is made with the first cluster, so
// that there is none without media.
type segmentFile struct {
	seg     Segment
	sys     fileSystem
	path    string
	header  []byte  // what comes before the first cluster
	file    file    // nil before that
	syncer  *syncer // of file
	whole   mark    // what is written
	pending cluster
	since   float64 // session time at which the oldest pending frame arrived
	newest  float64 // the same of the newest frame
	last    int64   // of the newest block, ms from the start
}

// createSegment makes the row of a segment, before its file: a file without a row would be nobody's.
func (f files) createSegment(index Index, seg Segment, track webm.TrackEntry) (*segmentFile, error) {
	path, ok := f.path(seg.Session, seg.ID)
	if !ok {
		return nil, fmt.Errorf("segment %q of session %q: not a plain id", seg.ID, seg.Session)
	}
	header, err := webmHeader(track, 0)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), indexTimeout)
	defer cancel()
	if err := index.InsertSegment(ctx, seg); err != nil {
		return nil, fmt.Errorf("insert segment: %w", err)
	}
	return &segmentFile{seg: seg, sys: f.sys, path: path, header: header, last: -1}, nil
}

// open makes the file, whose name is durable with its first sync.
func (s *segmentFile) open() error {
	if s.file != nil {
		return nil
	}
	folder := filepath.Dir(s.path)
	if err := s.sys.MakeFolder(folder); err != nil {
		return fmt.Errorf("make the session's folder: %w", err)
	}
	file, err := s.sys.Create(s.path)
	if err != nil {
		return fmt.Errorf("create segment file: %w", err)
	}
	s.file, s.syncer = file, startSyncer(file, func() error { return s.sys.SyncFolder(folder) })
	return nil
}

// write appends a cluster that ends at a time, and has it made durable. What was written in part is taken back.
func (s *segmentFile) write(b []byte, end int64) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.whole.size == 0 {
		b = slices.Concat(s.header, b)
	}
	if _, err := s.file.Write(b); err != nil {
		_, seek := s.file.Seek(s.whole.size, io.SeekStart)
		return errors.Join(fmt.Errorf("write segment: %w", err), s.file.Truncate(s.whole.size), seek)
	}
	next, err := s.whole.with(b, end)
	if err != nil {
		return err
	}
	s.whole = next
	return s.syncer.wrote(next)
}

// add puts a frame in at a session time in ms; a full cluster before it is written.
func (s *segmentFile) add(at float64, f frame) error {
	rel := max(int64(math.Round(at))-s.seg.Start, s.last+1)
	if !s.pending.fits(rel) {
		s.until(at)
		if err := s.flush(); err != nil {
			return err
		}
	}
	if len(s.pending.blocks) == 0 {
		s.since = f.arrival
	}
	s.pending.add(rel, f)
	s.last, s.newest = rel, f.arrival
	return nil
}

// until says that the newest frame, if it is a picture, is shown until a session time in ms.
func (s *segmentFile) until(at float64) {
	if s.seg.Mime == MimeVP8 {
		s.pending.until(int64(math.Round(at)) - s.seg.Start)
	}
}

// flushAt writes the pending cluster at a session time at which it has waited for long enough. The last picture waits on for the next
// one, which says how long it is shown; by itself, it is shown for as long as none has come, or so long that a player takes the next one of a segment for no gap.
func (s *segmentFile) flushAt(now float64) error {
	if s.seg.Mime != MimeVP8 || len(s.pending.blocks) < 2 {
		s.until(float64(s.seg.Start+s.last) + max(now-s.newest, stillLimit/2))
		return s.flush()
	}
	tail := s.pending.split()
	err := s.flush()
	s.pending, s.since = tail, s.newest
	return err
}

// flush writes the pending cluster.
func (s *segmentFile) flush() error {
	if len(s.pending.blocks) == 0 {
		return nil
	}
	if s.pending.shown == 0 { // nothing is known to come: its estimate
		s.until(float64(s.seg.Start + s.pending.end))
	}
	c := s.pending
	s.pending = cluster{}
	b, err := c.marshal()
	if err != nil {
		return err
	}
	return s.write(b, c.end)
}

// age is how far into the segment a session time lies, in ms.
func (s *segmentFile) age(at float64) float64 { return at - float64(s.seg.Start) }

// waited is for how long the oldest frame that is not written has waited, in ms; 0 if there is none.
func (s *segmentFile) waited(now float64) float64 {
	if len(s.pending.blocks) == 0 {
		return 0
	}
	return now - s.since
}

// close writes what is left. Nothing is to be added after it; settle is due.
func (s *segmentFile) close() error {
	err := s.flush()
	if s.syncer != nil {
		close(s.syncer.wake)
	}
	return err
}

// settle waits after close until the file is durable, and returns the segment as finished. Its error does not make the segment void:
// what was durable before stays. It may be called from another goroutine than the track's.
func (s *segmentFile) settle() (Segment, error) {
	seg := s.seg
	seg.End, seg.Finished = seg.Start, true
	if s.syncer == nil {
		return seg, nil
	}
	durable, err := s.syncer.wait()
	if durable.size > 0 {
		seg.End, seg.Bytes, seg.SHA256 = seg.Start+durable.end, durable.size, hex.EncodeToString(durable.sum.Sum(nil))
	}
	return seg, err
}

// remove deletes a segment's file for good, before its row goes; no error if there is none.
func (f files) remove(session, segment string) error {
	path, ok := f.path(session, segment)
	if !ok {
		return nil
	}
	err := f.sys.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = f.sys.SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("remove segment file: %w", err)
	}
	return nil
}

// removeSession deletes the files of a session, whose id is plain, for good; no error if there are none.
func (f files) removeSession(session string) error {
	if err := errors.Join(f.sys.RemoveAll(filepath.Join(f.dir, session)), f.sys.SyncFolder(f.dir)); err != nil {
		return fmt.Errorf("delete recording: %w", err)
	}
	return nil
}
