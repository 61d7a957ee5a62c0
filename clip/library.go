package clip

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// Config is what a Library needs. Catalog, Blobs and Dir must be set.
type Config struct {
	Catalog Catalog
	Blobs   Blobs
	Node    string // name of this server among several on one catalog; empty for the only one
	Dir     string // for uploads and work in progress; made if missing, private to the server
	Log     *slog.Logger
	FFmpeg  string           // program; "ffmpeg" if empty
	FFprobe string           // program; "ffprobe" if empty
	Now     func() time.Time // time.Now if nil
}

// Library is the clips of one server. Its methods may be called from any goroutine.
type Library struct {
	catalog  Catalog
	blobs    Blobs
	log      *slog.Logger
	now      func() time.Time
	node     string
	uploads  *uploads
	preparer *preparer
	stats    counters
}

// Open opens the clips and goes on with what a former run left: uploads can be resumed, and
// preparations begin again. Close ends it. Only one Library may use a Dir.
func Open(ctx context.Context, cfg Config) (*Library, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	tools, err := findTools(cfg)
	if err != nil {
		return nil, err
	}
	l := &Library{catalog: cfg.Catalog, blobs: cfg.Blobs, log: cfg.Log, now: cfg.Now, node: cfg.Node}
	if l.uploads, err = openUploads(l, filepath.Join(cfg.Dir, "uploads")); err != nil {
		return nil, err
	}
	if err := l.uploads.recover(ctx); err != nil {
		l.uploads.close()
		return nil, fmt.Errorf("uploads of a former run: %w", err)
	}
	if l.preparer, err = startPreparer(l, tools, filepath.Join(cfg.Dir, "work")); err != nil {
		l.uploads.close()
		return nil, err
	}
	return l, nil
}

// Close stops uploads and the preparation that is going on, which the next Open goes on with, and waits for them.
func (l *Library) Close() {
	l.preparer.close() // first: it still removes files of uploads
	l.uploads.close()
}

func findTools(cfg Config) (tools, error) {
	t := tools{ffmpeg: cfg.FFmpeg, ffprobe: cfg.FFprobe, threads: min(4, runtime.NumCPU())}
	for _, p := range []struct {
		path *string
		name string
	}{{&t.ffmpeg, "ffmpeg"}, {&t.ffprobe, "ffprobe"}} {
		if *p.path == "" {
			*p.path = p.name
		}
		found, err := exec.LookPath(*p.path)
		if err == nil {
			found, err = filepath.Abs(found)
		}
		if err != nil {
			return tools{}, because("no_ffmpeg", "The program "+*p.path+" is missing. Install ffmpeg (on Debian: apt install ffmpeg).", err)
		}
		*p.path = found
	}
	return t, nil
}

// FFmpeg is the path of the program that prepares clips.
func (l *Library) FFmpeg() string { return l.preparer.tools.ffmpeg }

// Get returns a clip, whoever may see it; [ErrNotFound] if there is none.
func (l *Library) Get(ctx context.Context, id string) (Clip, error) {
	if !validID(id) {
		return Clip{}, ErrNotFound
	}
	return l.catalog.GetClip(ctx, id)
}

// List returns the account's clips and the practice clip, oldest first.
func (l *Library) List(ctx context.Context, account string) ([]Clip, error) {
	if account == "" {
		return nil, ErrNotFound
	}
	return l.catalog.ListClips(ctx, Filter{Owner: account})
}

// Edit changes the account's own clip. To anybody else it does not exist.
func (l *Library) Edit(ctx context.Context, account, id string, e Edit) (Clip, error) {
	if !validID(id) {
		return Clip{}, ErrNotFound
	}
	return l.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		if !c.OwnedBy(account) {
			return ErrNotFound
		}
		return e.Apply(c, l.now())
	})
}

// OwnedBy reports whether the account owns the clip. Nobody owns the practice clip.
func (c Clip) OwnedBy(account string) bool { return account != "" && c.Owner == account }

// Delete removes the account's own clip with all that was made of it. To anybody else it does not exist. It cannot be undone.
func (l *Library) Delete(ctx context.Context, account, id string) error {
	c, err := l.Get(ctx, id)
	if err != nil {
		return err
	}
	if !c.OwnedBy(account) {
		return ErrNotFound
	}
	return l.remove(ctx, c)
}

// remove deletes the row first: from then on nobody is served, and a preparation that is going on finds out.
func (l *Library) remove(ctx context.Context, c Clip) error {
	if err := l.catalog.DeleteClip(ctx, c.ID); err != nil {
		return fmt.Errorf("delete clip: %w", err)
	}
	l.uploads.end(c)
	return l.removeFiles(ctx, c)
}

func (l *Library) removeFiles(ctx context.Context, c Clip) error {
	if err := l.uploads.removeFile(c.ID); err != nil {
		return err
	}
	if err := l.blobs.DeleteBlobs(ctx, blobPrefix(c.ID)); err != nil {
		return fmt.Errorf("delete files of clip: %w", err)
	}
	return nil
}

// makeDir makes a folder that only the server may look into.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
