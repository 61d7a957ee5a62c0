package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pausepoint/pausepoint/ctxio"
)

// reader reads a backup.
type reader struct {
	Manifest

	root  *os.Root
	names []string          // of all files but SHA256SUMS
	sums  map[string]string // hexadecimal, by name
}

// open reads what should be there. The caller closes the root.
func open(dir string) (*reader, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the backup %s: %w", dir, err)
	}
	r := &reader{root: root, sums: map[string]string{}}
	if err := errors.Join(r.readSums(), r.readManifest()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is no whole backup: %w", dir, err), root.Close())
	}
	return r, nil
}

func (r *reader) readSums() error {
	text, err := r.root.ReadFile(sumsName)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || !fs.ValidPath(name) || r.sums[name] != "" {
			return fmt.Errorf("%s has a line that cannot be: %q", sumsName, line)
		}
		r.sums[name] = sum
		r.names = append(r.names, name)
	}
	return nil
}

func (r *reader) readManifest() error {
	text, err := r.root.ReadFile(manifestName)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &r.Manifest); err != nil {
		return fmt.Errorf("%s cannot be read: %w", manifestName, err)
	}
	if r.Format != format {
		return fmt.Errorf("it is of format %d, and this program reads format %d: use the program that made it", r.Format, format)
	}
	if len(r.names) != r.Files+1 {
		return fmt.Errorf("%s names %d files, and there should be %d", sumsName, len(r.names), r.Files+1)
	}
	for table := range r.Rows {
		if r.sums[tableFolder+"/"+table+tableEnding] == "" {
			return fmt.Errorf("the table %s is missing", table)
		}
	}
	return nil
}

// check compares every file with its sum.
func (r *reader) check(ctx context.Context) error {
	for _, name := range r.names {
		if err := r.copy(ctx, name, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// copy copies a file, and compares its sum.
func (r *reader) copy(ctx context.Context, name string, to io.Writer) error {
	file, err := r.root.Open(name)
	if err != nil {
		return fmt.Errorf("the backup is damaged, use another one: %w", err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, sum), ctxio.Reader(ctx, file)); err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != r.sums[name] {
		return fmt.Errorf("the backup is damaged, use another one: %s is not what was saved", name)
	}
	return nil
}

// putFiles puts the files of the data folder back.
func (r *reader) putFiles(ctx context.Context, data string) error {
	return r.each(dataFolder, func(name, key string) error {
		file := filepath.Join(data, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fmt.Errorf("make a folder for %s: %w", key, err)
		}
		return r.copyTo(ctx, name, file)
	})
}

func (r *reader) putBlobs(ctx context.Context, to Target, data string) error {
	work, err := os.MkdirTemp(data, ".restoring-*")
	if err != nil {
		return fmt.Errorf("make a folder for blobs: %w", err)
	}
	err = to.PutBlobs(ctx, func(put func(key, file string) error) error {
		return r.each(blobFolder, func(name, key string) error {
			file := filepath.Join(work, path.Base(key))
			if err := r.copyTo(ctx, name, file); err != nil {
				return err
			}
			return put(key, file)
		})
	})
	return errors.Join(err, os.RemoveAll(work))
}

// each calls do with the name of each file in a folder of the backup, and with its name in there.
func (r *reader) each(folder string, do func(name, key string) error) error {
	for _, name := range r.names {
		if key, ok := strings.CutPrefix(name, folder+"/"); ok {
			if err := do(name, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyTo makes a new file, which is on the disk when it returns.
func (r *reader) copyTo(ctx context.Context, name, file string) error {
	to, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make %s: %w", file, err)
	}
	return errors.Join(r.copy(ctx, name, to), to.Sync(), to.Close())
}
