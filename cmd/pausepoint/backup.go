package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/backup"
	"github.com/pausepoint/pausepoint/store"
)

// save is the command backup.
func save(ctx context.Context, f flags, log *slog.Logger, out io.Writer) error {
	to, data := f.Backup.Folder, f.Common.Data
	if within(to, data) {
		return fmt.Errorf("the backup %s would be in the data folder that it is of: name a folder elsewhere, best on another disk", to)
	}
	if _, err := os.Stat(data); err != nil {
		return fmt.Errorf("there is no data folder %s to save: name it with --data (or %s)", data, envName("data"))
	}
	m, err := backup.Save(ctx, to, store.NewArchive(f.Common.store(log, "")), data, remade)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `Saved in %s: %s,
as they were on %s.

Everything private is in it: keep it where only you can read it, and not on this disk alone.
To check it:              (cd %s && sha256sum --check --quiet SHA256SUMS)
To put it on a machine:   pausepoint restore %s --data FOLDER
`, to, amount(m), m.Created.Format("2 January 2006 at 15:04:05 UTC"), to, to)
	return err
}

// restore is the command restore.
func restore(ctx context.Context, f flags, log *slog.Logger, out io.Writer) error {
	data := f.Common.Data
	release, err := openData(data)
	if err != nil {
		return err
	}
	defer release()
	if err := checkVacant(data); err != nil {
		return err
	}
	began := time.Now()
	m, err := backup.Restore(ctx, f.Restore.Folder, store.NewArchive(f.Common.store(log, "")), data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `Put back in %s: %s,
as they were on %s. Every file is as it was saved.

Start the server with the same --data, --database and --blobs as this command had. People sign in with the passwords that
they had then; whatever happened since is not there.
`, time.Since(began).Round(time.Second/10), amount(m), m.Created.Format("2 January 2006 at 15:04:05 UTC"))
	return err
}

func amount(m backup.Manifest) string {
	return fmt.Sprintf("%d tables with %d rows, and %d files of clips and recordings, %.1f MB in all",
		len(m.Rows), m.TotalRows(), m.Files-len(m.Rows), float64(m.Bytes)/1e6)
}

// remade tells what of a data folder is saved by the store, or made anew by a server: its name among several (node), too, which
// no other may have.
func remade(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first == "lock" || first == "node" || first == "blobs" || first == "films" || strings.HasPrefix(first, "pausepoint.db") || strings.HasPrefix(path.Base(name), ".") ||
		name == "clips/work"
}

// checkVacant wants nothing in a data folder but its lock.
func checkVacant(data string) error {
	found, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("--data %s cannot be looked into: %w", data, err)
	}
	for _, entry := range found {
		if entry.Name() != "lock" {
			return fmt.Errorf("--data %s has something in it already, and nothing is overwritten: choose an empty folder with --data (or %s)", data, envName("data"))
		}
	}
	return nil
}

// within tells whether a path is a folder, or somewhere in it.
func within(name, folder string) bool {
	a, err := filepath.Abs(name)
	b, alsoErr := filepath.Abs(folder)
	if errors.Join(err, alsoErr) != nil {
		return false
	}
	rel, err := filepath.Rel(b, a)
	return err == nil && filepath.IsLocal(rel)
}
