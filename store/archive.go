package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pausepoint/pausepoint/backup"
)

var (
	_ backup.Source = Archive{}
	_ backup.Target = Archive{}
)

// Archive saves and fills what a [Store] keeps, from outside of the store: what it reads, a server may be using.
type Archive struct{ config Config }

// NewArchive is the archive of where a store is kept.
func NewArchive(c Config) Archive { return Archive{c} }

func (a Archive) file() string { return filepath.Join(a.config.Folder, "pausepoint.db") }

// Snapshot implements [backup.Source].
func (a Archive) Snapshot(ctx context.Context, read func(backup.Tables) error) error {
	if a.config.Database == "" {
		if _, err := os.Stat(a.file()); err != nil {
			return fmt.Errorf("there is no database to save: %w", err)
		}
	}
	return a.withDatabase(func(db *database) error {
		return transact(ctx, db.reader, db.moment, func(tx *sql.Tx) error {
			s := snapshot{tx, db.dialect, 0}
			const version = `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`
			if err := tx.QueryRowContext(ctx, version).Scan(&s.schema); err != nil {
				return fmt.Errorf("nothing of a Pausepoint is in the database: %w", err)
			}
			return read(s)
		})
	})
}

// Blobs implements [backup.Source].
func (a Archive) Blobs(ctx context.Context, each func(key string, blob io.Reader) error) error {
	return a.withBlobs(ctx, func(b blobs) error {
		return b.list(ctx, func(key string) error {
			blob, err := b.open(ctx, key)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("open blob %s: %w", key, err)
			}
			return errors.Join(each(key, blob), blob.Close())
		})
	})
}

// CheckEmpty implements [backup.Target].
func (a Archive) CheckEmpty(ctx context.Context) error {
	if err := a.checkNoTables(ctx); err != nil {
		return err
	}
	some := errors.New("there are blobs already, and nothing is overwritten: name an empty bucket, another prefix in it, or an empty folder")
	return a.withBlobs(ctx, func(b blobs) error { return b.list(ctx, func(string) error { return some }) })
}

func (a Archive) checkNoTables(ctx context.Context) error {
	if _, err := os.Stat(a.file()); err == nil {
		return fmt.Errorf("there is a database already, and nothing is overwritten: %s", a.file())
	}
	if a.config.Database == "" {
		return nil
	}
	return a.withDatabase(func(db *database) error {
		names, err := tableNames(ctx, db.reader, db.dialect)
		if err == nil && len(names) > 0 {
			err = errors.New("the database has tables already, and nothing is overwritten: make an empty one, and name that")
		}
		return err
	})
}

// PutBlobs implements [backup.Target].
func (a Archive) PutBlobs(ctx context.Context, all func(put func(key, file string) error) error) error {
	return a.withBlobs(ctx, func(b blobs) error {
		return all(func(key, file string) error {
			if err := checkKey(key); err != nil {
				return err
			}
			return b.put(ctx, key, file)
		})
	})
}

// Fill implements [backup.Target].
func (a Archive) Fill(ctx context.Context, schema int64, fill func(backup.Filler) error) error {
	return a.withDatabase(func(db *database) error {
		if err := db.migrateTo(ctx, schema); err != nil {
			return err
		}
		if err := transact(ctx, db.writer, db.alone, func(tx *sql.Tx) error { return fillAll(ctx, tx, db.dialect, fill) }); err != nil {
			return err
		}
		return db.migrate(ctx)
	})
}

func (a Archive) withDatabase(use func(*database) error) error {
	db, err := connect(a.config, a.file())
	if err != nil {
		return err
	}
	return errors.Join(use(db), db.close())
}

func (a Archive) withBlobs(ctx context.Context, use func(blobs) error) error {
	b, err := openBlobs(ctx, a.config.Blobs, filepath.Join(a.config.Folder, "blobs"))
	if err != nil {
		return err
	}
	return errors.Join(use(b), b.close())
}
