// Package backup saves all that a Pausepoint has in a folder, and puts it back into an empty place.
//
// The folder holds
//
//	manifest.json       what it is: see [Manifest]
//	database/T.jsonl    a table: a line with the names of its columns, then a line for each row, all JSON arrays
//	blobs/KEY           a blob
//	data/PATH           a file of the data folder
//	SHA256SUMS          of all of these, as "sha256sum --check" reads it; written last: without it a backup is not whole
//
// A table's values are null, strings, numbers and booleans, so what was saved from one kind of database goes into another.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Source is where everything is kept, which a server may be using meanwhile.
type Source interface {
	// Snapshot shows the tables as they are at one moment, until read returns.
	Snapshot(ctx context.Context, read func(Tables) error) error
	// Blobs shows each blob, but for those that are deleted meanwhile.
	Blobs(ctx context.Context, each func(key string, blob io.Reader) error) error
}

// Tables is what a database has.
type Tables interface {
	// Schema is the version of the tables.
	Schema() int64
	Names(ctx context.Context) ([]string, error)
	// Dump writes a table as it is in a backup.
	Dump(ctx context.Context, table string, to io.Writer) (rows int64, err error)
}

// Target is where nothing is kept yet.
type Target interface {
	// CheckEmpty returns an error that says what is there already.
	CheckEmpty(ctx context.Context) error
	// PutBlobs lets all make files blobs by put. A file is gone then.
	PutBlobs(ctx context.Context, all func(put func(key, file string) error) error) error
	// Fill makes the tables of a version, and brings them up to date once fill has filled them: all of it, or nothing that counts.
	Fill(ctx context.Context, schema int64, fill func(Filler) error) error
}

// Filler fills the tables of a database.
type Filler interface {
	// Fill inserts what Dump wrote.
	Fill(ctx context.Context, table string, from io.Reader) (rows int64, err error)
}

// Manifest says what is in a backup.
type Manifest struct {
	Format  int              `json:"format"` // of the folder; 1
	Created time.Time        `json:"created"`
	Schema  int64            `json:"schema"` // of the tables
	Rows    map[string]int64 `json:"rows"`   // of each table
	Files   int              `json:"files"`  // all but SHA256SUMS and the manifest
	Bytes   int64            `json:"bytes"`  // of these
}

// TotalRows is how many rows all tables have.
func (m Manifest) TotalRows() (n int64) {
	for _, rows := range m.Rows {
		n += rows
	}
	return n
}

const (
	format       = 1
	manifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
	tableFolder  = "database"
	tableEnding  = ".jsonl"
	blobFolder   = "blobs"
	dataFolder   = "data"
)

// Save saves a source and the files of its data folder, but for those that leave names, in a new folder. The tables are of one
// moment, the files of that moment or later: a server adds files before it has rows of them, and only lengthens what is unfinished.
// What becomes a blob meanwhile may be in the backup twice.
func Save(ctx context.Context, to string, from Source, data string, leave func(path string) bool) (Manifest, error) {
	w, err := create(to)
	if err != nil {
		return Manifest{}, err
	}
	m := Manifest{Format: format, Rows: map[string]int64{}}
	err = from.Snapshot(ctx, func(t Tables) error {
		m.Created, m.Schema = time.Now().UTC(), t.Schema()
		return w.addTables(ctx, t, m.Rows)
	})
	if err == nil {
		err = w.addFolder(ctx, data, leave)
	}
	if err == nil { // after the folder: a recording that is sent to the bucket meanwhile is in one of both
		err = from.Blobs(ctx, func(key string, blob io.Reader) error { return w.add(ctx, blobFolder+"/"+key, blob) })
	}
	if err == nil {
		m, err = w.finish(m)
	}
	if err = errors.Join(err, w.root.Close()); err != nil {
		return m, fmt.Errorf("the backup is not whole; remove %s before you try again: %w", to, err)
	}
	return m, nil
}

// Restore checks every file of a backup, and then puts everything into an empty target and an empty data folder: the
// database last, so that nothing looks whole before it is.
func Restore(ctx context.Context, from string, to Target, data string) (Manifest, error) {
	r, err := open(from)
	if err != nil {
		return Manifest{}, err
	}
	defer func() { _ = r.root.Close() }()
	if err := r.check(ctx); err != nil {
		return Manifest{}, err
	}
	if err := to.CheckEmpty(ctx); err != nil {
		return Manifest{}, err
	}
	for _, put := range []func(context.Context) error{
		func(ctx context.Context) error { return r.putFiles(ctx, data) },
		func(ctx context.Context) error { return r.putBlobs(ctx, to, data) },
		func(ctx context.Context) error { return r.fillTables(ctx, to) },
	} {
		if err := put(ctx); err != nil {
			return Manifest{}, fmt.Errorf("the backup was put back in part only; remove what came into the data folder, and into the bucket and the database if they were named, before you try again: %w", err)
		}
	}
	return r.Manifest, nil
}

func (r *reader) fillTables(ctx context.Context, to Target) error {
	return to.Fill(ctx, r.Schema, func(f Filler) error {
		for table, want := range r.Rows {
			file, err := r.root.Open(tableFolder + "/" + table + tableEnding)
			if err != nil {
				return fmt.Errorf("open the table %s: %w", table, err)
			}
			got, err := f.Fill(ctx, table, file)
			if err == nil && got != want {
				err = fmt.Errorf("it has %d rows and should have %d", got, want)
			}
			if err := errors.Join(err, file.Close()); err != nil {
				return fmt.Errorf("fill the table %s: %w", table, err)
			}
		}
		return nil
	})
}
