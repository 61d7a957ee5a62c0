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
	"strings"

	"github.com/pausepoint/pausepoint/ctxio"
)

// writer writes a backup. One goroutine uses it.
type writer struct {
	root  *os.Root
	sums  strings.Builder
	files int
	bytes int64
}

// create makes the folder, or takes one that is empty.
func create(dir string) (*writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", dir, err)
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look into the folder %s: %w", dir, err)
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("there is something in %s already, and nothing is overwritten: name a folder that does not exist yet", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder %s: %w", dir, err)
	}
	return &writer{root: root}, nil
}

// add writes a file and remembers its sum. The file is on the disk when add returns; its name is when finish does.
func (w *writer) add(ctx context.Context, name string, from io.Reader) error {
	return w.addBy(name, func(to io.Writer) error {
		_, err := io.Copy(to, ctxio.Reader(ctx, from))
		return err
	})
}

func (w *writer) addBy(name string, write func(to io.Writer) error) error {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\n\r\\") {
		return fmt.Errorf("%q cannot be the name of a file in a backup", name)
	}
	if err := w.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make a folder for %s: %w", name, err)
	}
	file, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	sum := sha256.New()
	err = write(io.MultiWriter(file, sum))
	size, sized := file.Seek(0, io.SeekEnd)
	if err := errors.Join(err, sized, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	w.files++
	w.bytes += size
	fmt.Fprintf(&w.sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
	return nil
}

func (w *writer) addTables(ctx context.Context, t Tables, rows map[string]int64) error {
	names, err := t.Names(ctx)
	if err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	for _, table := range names {
		if err := w.addBy(tableFolder+"/"+table+tableEnding, func(to io.Writer) (err error) {
			rows[table], err = t.Dump(ctx, table, to)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// addFolder adds the files in a folder that leave does not name. What is deleted meanwhile is left out.
func (w *writer) addFolder(ctx context.Context, dir string, leave func(path string) bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("look into the data folder: %w", err)
		case name != "." && leave(name):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		return w.addFile(ctx, root, name)
	})
}

func (w *writer) addFile(ctx context.Context, root *os.Root, name string) error {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open a file of the data folder: %w", err)
	}
	defer func() { _ = file.Close() }()
	return w.add(ctx, dataFolder+"/"+name, file)
}

// finish writes the manifest and the sums.
func (w *writer) finish(m Manifest) (Manifest, error) {
	m.Files, m.Bytes = w.files, w.bytes
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("write the manifest: %w", err)
	}
	put := func(name, text string) error {
		return w.addBy(name, func(to io.Writer) error { _, err := io.WriteString(to, text); return err })
	}
	if err := put(manifestName, string(text)+"\n"); err != nil {
		return m, err
	}
	if err := w.sync(); err != nil {
		return m, err
	}
	if err := put(sumsName, w.sums.String()); err != nil {
		return m, err
	}
	return m, w.syncFolder(".")
}

// sync makes the names of all files durable.
func (w *writer) sync() error {
	return fs.WalkDir(w.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return w.syncFolder(name)
	})
}

func (w *writer) syncFolder(name string) error {
	dir, err := w.root.Open(name)
	if err != nil {
		return fmt.Errorf("sync a folder of the backup: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
