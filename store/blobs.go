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
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// tempFolder holds blobs that are being written; Open empties it. No key can name it.
const tempFolder = ".unfinished"

// blobKey is all that a key can be: two to eight short names of small letters, digits, dots and hyphens.
var blobKey = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,99}(/[a-z0-9][a-z0-9.-]{0,99}){1,7}$`)

func checkKey(key string) error {
	if !blobKey.MatchString(key) {
		return fmt.Errorf("%q is not a blob's key: %w", key, fs.ErrInvalid)
	}
	return nil
}

// PutFile implements [clip.Blobs].
func (s *Store) PutFile(ctx context.Context, key, file string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := s.putFile(ctx, key, file); err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	return nil
}

// putFile moves the file if it is on the same disk, and copies it if it is not. Its content is on the disk
// before its name is, and the names of its folders are before PutFile returns.
func (s *Store) putFile(ctx context.Context, key, file string) error {
	if err := syncFile(file); err != nil {
		return err
	}
	if err := s.makeFolder(path.Dir(key)); err != nil {
		return err
	}
	if err := os.Rename(file, filepath.Join(s.folder, filepath.FromSlash(key))); err != nil {
		if err := s.copyFile(ctx, key, file); err != nil {
			return err
		}
		_ = os.Remove(file) // it is the caller's no more; whatever is left of it is in the caller's folder
	}
	return s.syncFolder(path.Dir(key))
}

func (s *Store) copyFile(ctx context.Context, key, file string) (err error) {
	src, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	if err := s.blobs.Mkdir(tempFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	temp := tempFolder + "/" + uuid.NewString()
	dst, err := s.blobs.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, stoppable{ctx, src})
	if err = errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return errors.Join(err, s.blobs.Remove(temp))
	}
	return s.blobs.Rename(temp, key)
}

// stoppable ends a long copy once its context is cancelled.
type stoppable struct {
	ctx context.Context
	io.Reader
}

func (r stoppable) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// OpenBlob implements [clip.Blobs].
func (s *Store) OpenBlob(_ context.Context, key string) (io.ReadSeekCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	info, err := s.blobs.Lstat(key)
	if err == nil && !info.Mode().IsRegular() { // a folder or a symbolic link
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("look at blob %s: %w", key, err)
	}
	f, err := s.blobs.Open(key)
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return f, nil
}

// DeleteBlobs implements [clip.Blobs]. The prefix is a folder, with its slash.
func (s *Store) DeleteBlobs(_ context.Context, prefix string) error {
	folder, ok := strings.CutSuffix(prefix, "/")
	if !ok {
		return fmt.Errorf("%q is not a folder of blobs: %w", prefix, fs.ErrInvalid)
	}
	if err := checkKey(folder); err != nil {
		return err
	}
	if err := s.blobs.RemoveAll(folder); err != nil {
		return fmt.Errorf("delete blobs: %w", err)
	}
	if err := s.syncFolder(path.Dir(folder)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete blobs: %w", err)
	}
	return nil
}

// makeFolder makes a folder and those above it; each is on the disk in the one above it.
func (s *Store) makeFolder(folder string) error {
	if folder == "." {
		return nil
	}
	err := s.blobs.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.makeFolder(path.Dir(folder)); err != nil {
			return err
		}
		err = s.blobs.Mkdir(folder, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.syncFolder(path.Dir(folder))
}

func (s *Store) syncFolder(folder string) error {
	f, err := s.blobs.Open(folder)
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
