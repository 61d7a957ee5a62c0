package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Vault is where finished segments are kept for good, as clip.Blobs says. Methods may be called from any goroutine.
type Vault interface {
	PutFile(ctx context.Context, key, path string) error
	OpenBlob(ctx context.Context, key string) (io.ReadSeekCloser, error)
	DeleteBlobs(ctx context.Context, prefix string) error
}

// vaultFolder begins the keys of a session's segments, or of one of them.
func vaultFolder(session, segment string) string {
	if segment == "" {
		return "recordings/" + session + "/"
	}
	return "recordings/" + session + "/" + segment + "/"
}

func vaultKey(s Segment) string { return vaultFolder(s.Session, s.ID) + "media.webm" }

// How long until the next look after a failure, and without one.
const (
	sendAgain     = time.Second // doubled with each failure in a row
	sendAgainMost = time.Minute
	sendLook      = 15 * time.Second
)

// failuresInARow are taken for the vault's, not the segments': the round ends.
const failuresInARow = 3

// waitingFolder is in the folder of recordings; no session is called so.
const waitingFolder = ".sending"

// outbox brings finished segments to the vault, one after the other, reads each back, and removes the local file when it is there as
// it was recorded. What is to be sent are the rows of the Index and their files, so that a restart loses nothing. The goroutine of run
// does the work; recording never waits for it.
type outbox struct {
	dir   string
	index Index
	files files
	vault Vault
	log   *slog.Logger

	wake    chan struct{} // capacity 1
	stop    context.CancelFunc
	done    chan struct{}
	waiting atomic.Int64
	oldest  atomic.Int64 // Unix ms; 0 if none waits
	failed  string       // the segment that could not be sent last: the next round begins behind it. It is run's

	mu      sync.Mutex
	current *parcel
}

// parcel is a segment that is on its way.
type parcel struct {
	segment Segment
	cancel  context.CancelFunc
	done    chan struct{}
}

func newOutbox(cfg Config, f files) *outbox {
	ctx, stop := context.WithCancel(context.Background())
	o := &outbox{
		dir: cfg.Dir, index: cfg.Segments, files: f, vault: cfg.Vault, log: cfg.Log,
		wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
	}
	go o.run(ctx)
	return o
}

// nudge says that a segment may wait.
func (o *outbox) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) close() {
	o.stop()
	<-o.done
}

func (o *outbox) run(ctx context.Context) {
	defer close(o.done)
	if err := os.RemoveAll(filepath.Join(o.dir, waitingFolder)); err != nil { // of a former run
		o.log.Error("half-sent segments of a former run are not removed", slog.Any("err", err))
	}
	wait, failed := time.Duration(0), false
	for {
		wake := o.wake
		if failed { // patience is not shortened by what is recorded meanwhile
			wake = nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
		err := o.sendAll(ctx)
		switch {
		case err == nil:
			wait, failed = sendLook, false
		case failed:
			wait = min(2*wait, sendAgainMost)
		case ctx.Err() == nil:
			o.log.Error("recorded segments wait for the store", slog.Any("err", err))
			wait, failed = sendAgain, true
		}
	}
}

// sendAll sends what waits, the oldest first. A segment that cannot be sent holds up none of the others.
func (o *outbox) sendAll(ctx context.Context) error {
	all, err := o.index.ListUnstoredSegments(ctx)
	if err != nil {
		return fmt.Errorf("list what is to be sent: %w", err)
	}
	here, err := o.tidy(ctx, all)
	errs := []error{err}
	sent, oldest, waiting := make([]bool, len(here)), 0, len(here)
	o.count(here, waiting)
	begin, inARow := o.begin(here), 0
	for n := range here {
		i := (begin + n) % len(here)
		if err := o.send(ctx, here[i]); err != nil {
			errs, o.failed = append(errs, fmt.Errorf("send segment %s: %w", here[i].ID, err)), here[i].ID
			if inARow++; inARow == failuresInARow || ctx.Err() != nil {
				break
			}
			continue
		}
		inARow = 0
		sent[i] = true
		waiting--
		for oldest < len(here) && sent[oldest] {
			oldest++
		}
		o.count(here[oldest:], waiting)
	}
	return errors.Join(errs...)
}

// begin is where a round begins in what is to be sent, which is sorted: behind the segment that failed last.
func (o *outbox) begin(here []Segment) int {
	return max(0, slices.IndexFunc(here, func(s Segment) bool { return s.ID > o.failed }))
}

// tidy returns which of what is to be sent is here, and not on another server, or lost. It removes files that are not to be here any
// more: a crash came between, or another server deleted their rows.
func (o *outbox) tidy(ctx context.Context, unstored []Segment) (here []Segment, err error) {
	paths, err := filepath.Glob(filepath.Join(o.dir, "*", "*.webm"))
	others := make(map[string]string, len(paths)) // the sessions of files, by id
	for _, path := range paths {
		if folder := filepath.Base(filepath.Dir(path)); folder != waitingFolder {
			others[strings.TrimSuffix(filepath.Base(path), ".webm")] = folder
		}
	}
	for _, s := range unstored {
		if _, ok := others[s.ID]; ok {
			here = append(here, s)
			delete(others, s.ID)
		}
	}
	for id, session := range others { // few: what is being written, and what is left over
		s, failed := o.index.GetSegment(ctx, id)
		if errors.Is(failed, ErrNotFound) || failed == nil && s.Stored {
			failed = o.files.remove(session, id)
		}
		err = errors.Join(err, failed)
	}
	return here, err
}

// count says how many segments wait, and since when the first of them does; the age of a segment is in its id.
func (o *outbox) count(here []Segment, waiting int) {
	o.waiting.Store(int64(waiting))
	oldest := int64(0)
	if len(here) > 0 {
		if id, err := uuid.Parse(here[0].ID); err == nil {
			seconds, ns := id.Time().UnixTime()
			oldest = time.Unix(seconds, ns).UnixMilli()
		}
	}
	o.oldest.Store(oldest)
}

// send brings one segment to the vault. It is in both places until it is known to be there.
func (o *outbox) send(ctx context.Context, s Segment) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	now := &parcel{segment: s, cancel: cancel, done: make(chan struct{})}
	o.setCurrent(now)
	defer close(now.done)
	defer o.setCurrent(nil)
	if err := o.put(ctx, s); err != nil {
		return o.unlessGone(s, err)
	}
	if err := o.verify(ctx, s); err != nil {
		return err
	}
	err := o.index.SetSegmentStored(ctx, s.ID)
	if errors.Is(err, ErrNotFound) { // it was deleted meanwhile
		return o.vault.DeleteBlobs(ctx, vaultFolder(s.Session, s.ID))
	}
	if err != nil {
		return err
	}
	return o.files.remove(s.Session, s.ID)
}

func (o *outbox) setCurrent(s *parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.current = s
}

// unlessGone forgives an error about a file that was removed meanwhile.
func (o *outbox) unlessGone(s Segment, err error) error {
	if !o.files.has(s) {
		return nil
	}
	return err
}

// put gives a second name of the file to the vault, which may move it away.
func (o *outbox) put(ctx context.Context, s Segment) error {
	path, _ := o.files.path(s.Session, s.ID)
	folder := filepath.Join(o.dir, waitingFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	second := filepath.Join(folder, s.ID+".webm")
	if err := errors.Join(ignoreMissing(os.Remove(second)), secondName(path, second)); err != nil {
		return err
	}
	return errors.Join(o.vault.PutFile(ctx, vaultKey(s), second), ignoreMissing(os.Remove(second)))
}

// secondName links a file, or copies it where the file system has no links.
func secondName(path, second string) error {
	if os.Link(path, second) == nil {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(second, b, 0o600)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// verify reads a segment back and compares it with what its row says.
func (o *outbox) verify(ctx context.Context, s Segment) error {
	blob, err := o.vault.OpenBlob(ctx, vaultKey(s))
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, blob)
	if err := errors.Join(err, blob.Close()); err != nil {
		return err
	}
	if n != s.Bytes || hex.EncodeToString(sum.Sum(nil)) != s.SHA256 {
		return errors.New("what is in the store is not what was recorded")
	}
	return nil
}

// forget removes a session's segments from the vault: one, or all if it is empty. The local files are gone already, so that
// none of them is sent again.
func (o *outbox) forget(ctx context.Context, session, segment string) error {
	o.mu.Lock()
	now := o.current
	o.mu.Unlock()
	if now != nil && now.segment.Session == session && (segment == "" || segment == now.segment.ID) {
		now.cancel()
		select {
		case <-now.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := o.vault.DeleteBlobs(ctx, vaultFolder(session, segment)); err != nil {
		return fmt.Errorf("remove from the store: %w", err)
	}
	return nil
}

// age is for how long the oldest segment waits.
func (o *outbox) age(now time.Time) time.Duration {
	if ms := o.oldest.Load(); ms != 0 {
		return max(0, now.Sub(time.UnixMilli(ms)))
	}
	return 0
}
