// Package store keeps everything: SQL in a SQLite file or in PostgreSQL, and blobs in a folder or in a bucket of an S3 server.
// It implements the interfaces that the packages account, clip, room and recorder declare, and nothing but cmd imports it.
//
// Queries and migrations are the same for both databases. A commit is on the disk when it returns. Transactions that read
// before they write are alone with what they read: SQLite has one writer, in PostgreSQL they are serializable and are tried again.
//
// A session's journal is written by its owner only. [Store.Own] makes an owner and gives it an epoch, higher than all
// before; each append carries it, and is refused, in the transaction that stores it, once there is a higher one.
//
// The folder holds pausepoint.db, with its -wal, -shm and .reserve files while the server runs, and blobs/, unless they are elsewhere.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room"
)

// What the others ask for.
var (
	_ account.Accounts    = (*Store)(nil)
	_ account.Invitations = (*Store)(nil)
	_ account.Plans       = (*Store)(nil)
	_ account.Members     = (*Store)(nil)
	_ account.Links       = (*Store)(nil)
	_ account.Library     = (*Store)(nil)
	_ clip.Catalog        = (*Store)(nil)
	_ clip.Blobs          = (*Store)(nil)
	_ room.Journal        = (*Store)(nil)
	_ recorder.Index      = (*Store)(nil)
	_ cluster.Leases      = (*Store)(nil)
	_ recorder.Vault      = (*Store)(nil)
	_ render.Jobs         = (*Store)(nil)
	_ render.Blobs        = (*Store)(nil)
	_ keeping.Store       = (*Store)(nil)
)

const sweepEvery = 10 * time.Minute // expired browser sessions and guests

// Config says where things are kept.
type Config struct {
	Folder   string // of the database and the blobs that are not elsewhere
	Database string // postgres://…; empty for SQLite in the folder
	Blobs    string // s3://…, see [CheckBlobs]; empty for the folder
	Node     string // name of this server among several on one database; empty for the only one
	Alone    bool   // refuse a PostgreSQL database that another store with Alone has open; a folder is locked by who uses it
	Reserve  int64  // bytes of the disk that are kept for SQLite, for when others have filled it; 0 for none
	Log      *slog.Logger
}

// Store is the SQL and the blobs of one server. Its methods may be called from any goroutine.
type Store struct {
	log  *slog.Logger
	node string
	*database
	blobs   blobs
	journal *journal

	stop  context.CancelFunc // ends the sweeper, and who keeps the reserve
	swept sync.WaitGroup
}

// Open opens the store, makes its folder if need be, and brings its tables up to date. Close it.
func Open(ctx context.Context, c Config) (*Store, error) {
	dir, err := filepath.Abs(c.Folder)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	s := &Store{log: c.Log, node: c.Node, stop: func() {}}
	if s.blobs, err = openBlobs(ctx, c.Blobs, filepath.Join(dir, "blobs")); err != nil {
		return nil, err
	}
	if err := s.blobs.begin(); err != nil {
		return nil, errors.Join(err, s.blobs.close())
	}
	if s.database, err = openDatabase(ctx, c, filepath.Join(dir, "pausepoint.db")); err != nil {
		return nil, errors.Join(err, s.blobs.close())
	}
	s.journal = newJournal(s.database, c.Log)
	sweeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.sweep(ctx)
	s.swept.Go(func() { s.sweepOften(sweeping) })
	s.swept.Go(func() { s.spare.keep(sweeping) })
	return s, nil
}

// Close commits what was appended, waits for that, and closes the files. The store must not be used any more.
func (s *Store) Close() error {
	s.stop()
	s.swept.Wait()
	s.journal.close()
	return errors.Join(s.database.close(), s.blobs.close())
}

// sweep drops expired browser sessions, and guests who never came in.
func (s *Store) sweep(ctx context.Context) {
	if err := s.dropExpired(ctx, time.Now()); err != nil && ctx.Err() == nil {
		s.log.Warn("expired browser sessions not dropped", slog.Any("err", err))
	}
	err := s.write(ctx, func(tx *sql.Tx) error { return forgetGuests(ctx, tx, "", time.Now().Add(-account.GuestLife)) })
	if err != nil && ctx.Err() == nil {
		s.log.Warn("guests who never came in are not forgotten", slog.Any("err", err))
	}
}

// sweepOften sweeps until ctx ends.
func (s *Store) sweepOften(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// querier is what reads: the database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// row is one row to scan: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// one scans one row; missing if there is none.
func one[T any](r *sql.Row, scan func(row) (T, error), missing error) (T, error) {
	v, err := scan(r)
	if errors.Is(err, sql.ErrNoRows) || unstorable(err) {
		return v, missing
	}
	if err != nil {
		return v, fmt.Errorf("read a row: %w", err)
	}
	return v, nil
}

// all scans all rows of a query; never nil without an error.
func all[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return list, nil
}

// exactly returns missing if a statement changed no row.
func exactly(res sql.Result, err error, missing error) error {
	if unstorable(err) {
		return missing
	}
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return missing
	}
	return err
}

// in writes a list of placeholders "($3, $4)" for values, and appends them to args.
func in(args []any, values []string) (string, []any) {
	if len(values) == 0 {
		return "(NULL)", args
	}
	names := make([]string, len(values))
	for i, v := range values {
		args = append(args, v)
		names[i] = fmt.Sprintf("$%d", len(args))
	}
	return "(" + strings.Join(names, ", ") + ")", args
}

// millis is how times are kept: Unix milliseconds, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// null is how an empty reference is kept.
func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// lastMark is the number of the last argument's placeholder.
func lastMark(args []any) string { return strconv.Itoa(len(args)) }
