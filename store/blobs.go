package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// blobs is where blobs are kept: a folder or a bucket. Keys have been checked.
type blobs interface {
	// put stores a local file under key, complete or not at all, durably. The file is gone then, as far as possible.
	put(ctx context.Context, key, file string) error
	// open opens a blob; fs.ErrNotExist if there is none.
	open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	// list calls each with the key of every blob, in any order.
	list(ctx context.Context, each func(key string) error) error
	// remove removes every blob in a folder and the folders in it.
	remove(ctx context.Context, folder string) error
	// begin removes what a former run left unfinished.
	begin() error
	close() error
}

func openBlobs(ctx context.Context, address, folder string) (blobs, error) {
	if address == "" {
		return openFolder(folder)
	}
	return openBucket(ctx, address)
}

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
	if err := s.blobs.put(ctx, key, file); err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	return nil
}

// OpenBlob implements [clip.Blobs].
func (s *Store) OpenBlob(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	blob, err := s.blobs.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, err)
	}
	return blob, nil
}

// DeleteBlobs implements [clip.Blobs]. The prefix is a folder, with its slash.
func (s *Store) DeleteBlobs(ctx context.Context, prefix string) error {
	folder, ok := strings.CutSuffix(prefix, "/")
	if !ok {
		return fmt.Errorf("%q is not a folder of blobs: %w", prefix, fs.ErrInvalid)
	}
	if err := checkKey(folder); err != nil {
		return err
	}
	if err := s.blobs.remove(ctx, folder); err != nil {
		return fmt.Errorf("delete blobs of %s: %w", folder, err)
	}
	return nil
}
