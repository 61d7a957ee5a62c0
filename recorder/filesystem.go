package recorder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// fileSystem is all that recording does to files, apart from reading them: what is durable after a crash follows from the order of
// these calls. A name is durable when the folder that it is in was synced, bytes when their file was.
type fileSystem interface {
	MakeFolder(path string) error // durably; no error if it is there
	Create(path string) (file, error)
	Cut(path string, size int64) error // shortens a file to size, durably
	Remove(path string) error
	RemoveAll(path string) error // no error if it is not there
	SyncFolder(path string) error
}

// file is a new file that is written from its begin to its end.
type file interface {
	io.WriteSeeker
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// system is the system's files.
type system struct{}

func (system) MakeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) { // nor is the one that holds it
		err = os.MkdirAll(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return errors.Join(err, system{}.SyncFolder(filepath.Dir(path)))
}

func (system) Create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (system) Cut(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

func (system) Remove(path string) error    { return os.Remove(path) }
func (system) RemoveAll(path string) error { return os.RemoveAll(path) }

func (system) SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
