package clip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event/text"
)

// Bounds of uploads.
const (
	MaxUpload     = 4 << 30            // bytes of one file; people read "4 GB"
	UploadExpiry  = 7 * 24 * time.Hour // after the last byte came
	maxUnfinished = 20                 // uploads that one account may have open
	syncEvery     = 8 << 20            // bytes between two fsyncs
	keepFree      = 512 << 20          // bytes of the disk that uploads leave free
	sweepEvery    = time.Hour
	maxEnded      = 1000 // uploads that are remembered after they are gone
)

// uploads keeps the files that are being uploaded: dir/<clip id>, whose size is the offset. Whatever
// a client was told to be there has been synced before.
type uploads struct {
	lib    *Library
	dir    string
	root   *os.Root // of dir: no name or symbolic link leads out of it
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	writers map[string]*writer
	closed  bool
	ended   []endedUpload // the latest ones
}

// endedUpload is whose an upload was that is gone.
type endedUpload struct{ id, owner string }

// writer is one request that may append to an upload.
type writer struct {
	stop func()        // makes it end soon; any goroutine may call it, more than once
	done chan struct{} // closed once it has ended
}

// openUploads starts the janitor, the goroutine that removes uploads which nobody finished.
func openUploads(l *Library, dir string) (*uploads, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder of uploads: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	u := &uploads{lib: l, dir: dir, root: root, cancel: cancel, writers: map[string]*writer{}}
	u.done.Go(func() { u.janitor(ctx) })
	return u, nil
}

func (u *uploads) path(id string) string { return filepath.Join(u.dir, id) }

// close refuses new writers, stops those that write, and waits for them.
func (u *uploads) close() {
	u.cancel()
	u.mu.Lock()
	u.closed = true
	for _, w := range u.writers {
		w.stop()
	}
	u.mu.Unlock()
	u.done.Wait()
	_ = u.root.Close()
}

// acquire makes the caller the only writer of an upload, until it calls release. A former one is told to stop, because a client
// that lost its connection comes back before the server has noticed; should it not end, the answer is "busy".
func (u *uploads) acquire(ctx context.Context, id string, stop func()) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	mine := &writer{stop: stop, done: make(chan struct{})}
	for {
		u.mu.Lock()
		if u.closed {
			u.mu.Unlock()
			return nil, because("closing", "The server is restarting. The upload goes on in a moment.", nil)
		}
		other := u.writers[id]
		if other == nil {
			u.writers[id] = mine
			u.done.Add(1)
			u.mu.Unlock()
			return func() { u.release(id, mine) }, nil
		}
		u.mu.Unlock()
		other.stop()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, because("busy", "This upload is being written by another connection. Try again in a moment.", ctx.Err())
		}
	}
}

func (u *uploads) release(id string, w *writer) {
	u.mu.Lock()
	delete(u.writers, id)
	u.mu.Unlock()
	close(w.done)
	u.done.Done()
}

// end remembers whose an upload was that is gone, and ends its writer if there is one.
func (u *uploads) end(c Clip) {
	u.mu.Lock()
	w := u.writers[c.ID]
	u.ended = append(u.ended, endedUpload{c.ID, c.Owner})
	if len(u.ended) > maxEnded {
		u.ended = slices.Delete(u.ended, 0, len(u.ended)-maxEnded)
	}
	u.mu.Unlock()
	if w != nil {
		w.stop()
		<-w.done
	}
}

// endedOf reports whether an upload that is gone was the account's, as long as that is remembered.
func (u *uploads) endedOf(account, id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return account != "" && slices.Contains(u.ended, endedUpload{id, account})
}

// begin makes the clip and its empty file.
func (u *uploads) begin(ctx context.Context, account string, length int64, meta map[string]string) (Clip, error) {
	if err := u.admit(ctx, account, length); err != nil {
		return Clip{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Clip{}, fmt.Errorf("new id: %w", err)
	}
	c := Clip{
		ID: id.String(), Owner: account, Purpose: DefaultPurpose, State: Uploading, Bytes: length, Node: u.lib.node,
		Created: u.lib.now().UTC(), Filename: text.Cut(text.Line(meta["filename"]), MaxTitle),
	}
	c.Title = titleFor(c.Filename)
	if title := text.Cut(text.Line(meta["title"]), MaxTitle); title != "" {
		c.Title = title
	}
	f, err := u.root.OpenFile(c.ID, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Clip{}, diskError(err)
	}
	if err := errors.Join(f.Sync(), f.Close(), u.syncDir()); err != nil {
		return Clip{}, diskError(err)
	}
	if err := u.lib.catalog.InsertClip(ctx, c); err != nil {
		return Clip{}, errors.Join(fmt.Errorf("insert clip: %w", err), u.removeFile(c.ID))
	}
	return c, nil
}

// admit refuses what could not be finished anyway.
func (u *uploads) admit(ctx context.Context, account string, length int64) error {
	if length > MaxUpload {
		return because("too_large", "This file is larger than 4 GB. Cut it or export it smaller.", nil)
	}
	if length <= 0 {
		return because("empty", "This file is empty. Choose another one.", nil)
	}
	open, err := u.lib.catalog.ListClips(ctx, Filter{Owner: account, States: []State{Uploading}})
	if err != nil {
		return fmt.Errorf("list uploads: %w", err)
	}
	if len(open) >= maxUnfinished {
		return because("too_many", "You have many unfinished uploads. Finish or cancel one of them first.", nil)
	}
	free, err := freeBytes(u.dir)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	if free-keepFree < length {
		return because("disk_full", "The server has no room for this file at the moment. Tell the person who runs it.", nil)
	}
	return nil
}

// syncDir makes a new file's name durable.
func (u *uploads) syncDir() error {
	d, err := u.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// offset returns how many bytes of c are there. A source that was removed after its preparation was complete.
func (u *uploads) offset(c Clip) (int64, error) {
	if c.State != Uploading {
		return c.Bytes, nil
	}
	if !u.lib.mine(c) {
		return 0, errAnother
	}
	info, err := u.root.Lstat(c.ID)
	if err != nil {
		if ignoreMissing(err) == nil {
			return 0, errGone
		}
		return 0, fmt.Errorf("look at upload: %w", err)
	}
	return info.Size(), nil
}

// has reports whether the file of an upload is here.
func (u *uploads) has(id string) bool {
	_, err := u.root.Lstat(id)
	return err == nil
}

// append writes what body holds to the end of the upload of c, whose writer the caller is, and returns the new offset, which is durable
// also when there is an error. Bytes beyond the announced length are refused. check is called now and then and can end it.
func (u *uploads) append(c Clip, body io.Reader, check func() error) (int64, error) {
	f, err := u.root.OpenFile(c.ID, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, fmt.Errorf("open upload: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("look at upload: %w", err)
	}
	offset, err := copySynced(f, info.Size(), c.Bytes, body, check)
	if syncErr := f.Sync(); syncErr != nil {
		return 0, diskError(syncErr)
	}
	return offset, err
}

func copySynced(f *os.File, offset, length int64, body io.Reader, check func() error) (int64, error) {
	buf := make([]byte, 256<<10)
	synced := offset
	for {
		if err := check(); err != nil {
			return offset, err
		}
		n, readErr := body.Read(buf)
		if err := check(); err != nil { // the read may have taken long
			return offset, err
		}
		if int64(n) > length-offset {
			return offset, because("too_large", "More bytes came than were announced. Start the upload again.", nil)
		}
		if n > 0 {
			written, err := f.Write(buf[:n])
			offset += int64(written)
			if err != nil {
				return offset, diskError(err)
			}
		}
		if offset-synced >= syncEvery {
			if err := f.Sync(); err != nil {
				return synced, diskError(err)
			}
			synced = offset
		}
		if errors.Is(readErr, io.EOF) {
			return offset, nil
		}
		if readErr != nil {
			return offset, because("interrupted", "The connection was interrupted. The upload goes on from where it stopped.", readErr)
		}
	}
}

func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return because("disk_full", "The server has no room left. What is there is kept; try again later.", err)
	}
	return fmt.Errorf("write upload: %w", err)
}

// complete hands a finished upload to preparation. It may be called twice.
func (u *uploads) complete(ctx context.Context, id string) error {
	_, err := u.lib.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		if c.State == Uploading {
			c.State = Waiting
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("complete upload: %w", err)
	}
	if u.lib.preparer != nil { // nil while Open recovers; the preparer looks by itself when it starts
		u.lib.preparer.wake()
	}
	return nil
}

// unfinished lists the uploads to this server.
func (u *uploads) unfinished(ctx context.Context) ([]Clip, error) {
	open, err := u.lib.catalog.ListClips(ctx, Filter{States: []State{Uploading}})
	if err != nil {
		return nil, fmt.Errorf("list uploads: %w", err)
	}
	return slices.DeleteFunc(open, func(c Clip) bool { return !u.lib.mine(c) }), nil
}

// recover completes uploads whose last byte came just before the server stopped, and expires old ones.
func (u *uploads) recover(ctx context.Context) error {
	open, err := u.unfinished(ctx)
	if err != nil {
		return err
	}
	for _, c := range open {
		if n, err := u.offset(c); err == nil && n == c.Bytes {
			if err := u.complete(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	return u.sweep(ctx)
}

func (u *uploads) janitor(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := u.sweep(ctx); err != nil && ctx.Err() == nil {
				u.lib.log.Error("old uploads cannot be removed", slog.Any("err", err))
			}
		}
	}
}

// sweep removes uploads that got no byte for [UploadExpiry], clips that were taken back, and files that no clip needs.
func (u *uploads) sweep(ctx context.Context) error {
	open, err := u.unfinished(ctx)
	if err != nil {
		return err
	}
	for _, c := range open {
		if u.lib.now().Before(u.expires(c)) {
			continue
		}
		if err := u.lib.remove(ctx, c); err != nil {
			return err
		}
		u.lib.log.Info("unfinished upload has expired", slog.String("clip", c.ID))
	}
	return errors.Join(u.lib.forgetMine(ctx), u.sweepStrays(ctx))
}

// expires returns when the upload of c is given up.
func (u *uploads) expires(c Clip) time.Time {
	last := c.Created
	if info, err := u.root.Lstat(c.ID); err == nil && info.ModTime().After(last) {
		last = info.ModTime()
	}
	return last.Add(UploadExpiry)
}

// sweepStrays removes files whose clip is gone, or settled: the server may have stopped just before it would have removed them.
func (u *uploads) sweepStrays(ctx context.Context) error {
	entries, err := os.ReadDir(u.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if stray, err := u.stray(ctx, e); err != nil {
			return err
		} else if stray {
			if err := u.removeFile(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// stray reports whether no clip needs the file. A young one without a clip is left: its row may be just about to be written.
func (u *uploads) stray(ctx context.Context, file fs.DirEntry) (bool, error) {
	if !validID(file.Name()) {
		return false, nil
	}
	c, err := u.lib.catalog.GetClip(ctx, file.Name())
	if errors.Is(err, ErrNotFound) {
		info, err := file.Info()
		return err == nil && u.lib.now().Sub(info.ModTime()) >= UploadExpiry, nil
	}
	return err == nil && (c.State == Ready || c.State == Refused), err
}

func (u *uploads) removeFile(id string) error {
	if err := ignoreMissing(u.root.Remove(id)); err != nil {
		return fmt.Errorf("remove upload: %w", err)
	}
	return nil
}

// validID reports whether id is a UUID in its one usual spelling.
func validID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}
