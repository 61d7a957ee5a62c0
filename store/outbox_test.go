package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/recorder"
)

// line is the way to a server, which can be cut.
type line struct {
	net.Listener
	to  string
	cut atomic.Bool
}

func (l *line) carry() {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if l.cut.Load() || err != nil {
			_ = near.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			go func() {
				_, _ = io.Copy(cuttable{l, pair[0]}, pair[1])
				_ = near.Close()
				_ = far.Close()
			}()
		}
	}
}

// cuttable is one end of a connection over a line.
type cuttable struct {
	line *line
	net.Conn
}

func (c cuttable) Write(b []byte) (int, error) {
	if c.line.cut.Load() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// byLine lets a place's bucket be reached over a line; nil if its blobs are in a folder.
func byLine(t *testing.T, at *place) *line {
	t.Helper()
	if at.config.Blobs == "" {
		return nil
	}
	address, err := url.Parse(at.config.Blobs)
	if err != nil {
		t.Fatal(err)
	}
	q := address.Query()
	server, err := url.Parse(q.Get("endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	l := &line{Listener: ln, to: server.Host}
	go l.carry()
	q.Set("endpoint", "http://"+ln.Addr().String())
	address.RawQuery = q.Encode()
	at.config.Blobs = address.String()
	return l
}

// What is recorded comes to the store, is read from there in parts, and goes from there. A bucket that is away when it is recorded has it
// later.
func TestRecordingsAreSent(t *testing.T) { everywhere(t, testRecordingsAreSent) }

func testRecordingsAreSent(t *testing.T, at place) {
	way := byLine(t, &at)
	w := newWorld(t, at)
	dir := t.TempDir()
	session := uuid.Must(uuid.NewV7()).String()
	media := bytes.Repeat([]byte("what was said "), 100_000)
	sum := sha256.Sum256(media)
	var ids []string
	for range 3 {
		id := uuid.Must(uuid.NewV7()).String()
		ids = append(ids, id)
		w.must(w.store.InsertSegment(w.ctx, recorder.Segment{ID: id, Session: session, Member: "m", Source: "audio", Mime: recorder.MimeOpus}))
		w.must(os.MkdirAll(filepath.Join(dir, session), 0o700))
		w.must(os.WriteFile(filepath.Join(dir, session, id+".webm"), media, 0o600))
		w.must(w.store.FinishSegment(w.ctx, id, 60, int64(len(media)), hex.EncodeToString(sum[:])))
	}
	if way != nil {
		way.cut.Store(true)
	}
	r, err := recorder.New(recorder.Config{Dir: dir, Segments: w.store, Vault: w.store, Outgoing: w.store, Log: quiet()})
	w.must(err)
	t.Cleanup(func() { w.must(r.Close()) })
	if way != nil {
		if _, f, err := r.Open(w.ctx, session, ids[0]); err != nil || f.Close() != nil {
			t.Errorf("while the bucket is away, it is here: %v", err)
		}
		way.cut.Store(false)
	}
	soon(t, "the segments are in the store", func() bool {
		open, err := w.store.ListUnstoredSegments(w.ctx)
		left, gone := filepath.Glob(filepath.Join(dir, session, "*"))
		return errors.Join(err, gone) == nil && len(open) == 0 && len(left) == 0
	})
	_, f, err := r.Open(w.ctx, session, ids[1])
	w.must(err)
	_, err = f.Seek(700_000, io.SeekStart)
	w.must(err)
	rest, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || !bytes.Equal(rest, media[700_000:]) {
		t.Errorf("a part of %d bytes: %v", len(rest), err)
	}
	w.must(r.Delete(w.ctx, session))
	for _, id := range ids {
		_, err := w.store.OpenBlob(w.ctx, fmt.Sprintf("recordings/%s/%s/media.webm", session, id))
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("deleted, and opens with %v", err)
		}
	}
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(4 * time.Minute); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain it is waited until %s", what)
		}
	}
}
