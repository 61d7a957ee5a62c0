package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/ctxio"
)

// tempFolder holds blobs that are being written; begin empties it. No key can name it.
const tempFolder = ".unfinished"

// diskFolder is a folder of blobs.
type diskFolder struct {
	root *os.Root
	name string // absolute
}

func openFolder(name string) (*diskFolder, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of blobs: %w", err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open the folder of blobs: %w", err)
	}
	return &diskFolder{root: root, name: name}, nil
}

func (d *diskFolder) begin() error {
	if err := d.root.RemoveAll(tempFolder); err != nil {
		return fmt.Errorf("clear unfinished blobs: %w", err)
	}
	return nil
}

// put moves the file if it is on the same disk, and copies it if it is not. Its content is on the disk
// before its name is, and the names of its folders are before put returns.
func (d *diskFolder) put(ctx context.Context, key, file string) error {
	if err := syncFile(file); err != nil {
		return err
	}
	if err := d.makeFolder(path.Dir(key)); err != nil {
		return err
	}
	if err := os.Rename(file, filepath.Join(d.name, filepath.FromSlash(key))); err != nil {
		if err := d.copyFile(ctx, key, file); err != nil {
			return err
		}
		_ = os.Remove(file) // it is the caller's no more; whatever is left of it is in the caller's folder
	}
	return d.syncFolder(path.Dir(key))
}

func (d *diskFolder) copyFile(ctx context.Context, key, file string) (err error) {
	src, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	if err := d.root.Mkdir(tempFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	temp := tempFolder + "/" + uuid.NewString()
	dst, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, ctxio.Reader(ctx, src))
	if err = errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return errors.Join(err, d.root.Remove(temp))
	}
	return d.root.Rename(temp, key)
}

func (d *diskFolder) open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	info, err := d.root.Lstat(key)
	if err == nil && !info.Mode().IsRegular() { // a folder or a symbolic link
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return d.root.Open(key)
}

func (d *diskFolder) list(ctx context.Context, each func(key string) error) error {
	return fs.WalkDir(d.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
			return nil
		case err != nil:
			return err
		case name == tempFolder:
			return fs.SkipDir
		case !entry.Type().IsRegular() || checkKey(name) != nil:
			return ctx.Err()
		}
		return each(name)
	})
}

func (d *diskFolder) remove(_ context.Context, folder string) error {
	if err := d.root.RemoveAll(folder); err != nil {
		return err
	}
	if err := d.syncFolder(path.Dir(folder)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *diskFolder) close() error { return d.root.Close() }

// makeFolder makes a folder and those above it; each is on the disk in the one above it.
func (d *diskFolder) makeFolder(folder string) error {
	if folder == "." {
		return nil
	}
	err := d.root.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.makeFolder(path.Dir(folder)); err != nil {
			return err
		}
		err = d.root.Mkdir(folder, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.syncFolder(path.Dir(folder))
}

func (d *diskFolder) syncFolder(folder string) error {
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
