// Package store keeps everything: SQL in a SQLite file and blobs in a folder. It implements the interfaces that the
// packages account, clip, room and recorder declare, and nothing but cmd imports it.
//
// SQL is written so that PostgreSQL understands it too. One connection writes and several read; readers see what
// was committed before their query began (WAL). A commit is on the disk when it returns (synchronous=FULL).
//
// The folder holds pausepoint.db, with its -wal and -shm files while the server runs, and blobs/.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/recorder"
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
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	readers    = 4
	sweepEvery = 10 * time.Minute // expired browser sessions and guests
)

// Store is the SQL and the blobs of one server. Its methods may be called from any goroutine.
type Store struct {
	log     *slog.Logger
	writer  *sql.DB // one connection
	reader  *sql.DB
	blobs   *os.Root
	folder  string // of the blobs
	journal *journal

	stop  context.CancelFunc // ends the sweeper
	swept sync.WaitGroup
}

// Open opens the store in dir, which it makes if need be, and brings its tables up to date. Close it.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs"), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	s := &Store{log: log, folder: filepath.Join(dir, "blobs"), stop: func() {}}
	if err := s.open(ctx, filepath.Join(dir, "pausepoint.db")); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	s.journal = newJournal(s.writer, log)
	sweeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.swept.Go(func() { s.sweep(sweeping) })
	return s, nil
}

func (s *Store) open(ctx context.Context, file string) (err error) {
	if s.blobs, err = os.OpenRoot(s.folder); err != nil {
		return fmt.Errorf("open the folder of blobs: %w", err)
	}
	if err := s.blobs.RemoveAll(tempFolder); err != nil {
		return fmt.Errorf("clear unfinished blobs: %w", err)
	}
	if s.writer, err = connect(file, 1, "_pragma=journal_mode(WAL)&_txlock=immediate"); err != nil {
		return err
	}
	if err := migrate(ctx, s.writer); err != nil {
		return err
	}
	// Nobody is inside of a session yet: whoever was when the server ended has to come back.
	if _, err := s.writer.ExecContext(ctx, `UPDATE members SET inside = FALSE WHERE inside`); err != nil {
		return fmt.Errorf("empty the sessions: %w", err)
	}
	s.reader, err = connect(file, readers, "_pragma=query_only(1)")
	return err
}

func connect(file string, conns int, options string) (*sql.DB, error) {
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String() +
		"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)&" + options
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// migrate brings the tables up to date. A newer program's tables are left alone, and refused.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("find the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", err)
	}
	if have > want {
		return fmt.Errorf("the database is of a newer version (%d) than this program (%d): start the newer one", have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the database up to date: %w", err)
	}
	return nil
}

// Close commits what was appended, waits for that, and closes the files. The store must not be used any more.
func (s *Store) Close() error {
	s.stop()
	s.swept.Wait()
	s.journal.close()
	return s.closeFiles()
}

func (s *Store) closeFiles() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} { // the last to close merges the WAL
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	return errors.Join(errs...)
}

// sweep drops expired browser sessions, and guests who never came in, until ctx ends.
func (s *Store) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.dropExpired(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("expired browser sessions not dropped", slog.Any("err", err))
		}
		err := s.write(ctx, func(tx *sql.Tx) error { return forgetGuests(ctx, tx, "", time.Now().Add(-account.GuestLife)) })
		if err != nil && ctx.Err() == nil {
			s.log.Warn("guests who never came in are not forgotten", slog.Any("err", err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// write runs f in one transaction; an error of f rolls it back and is returned as it is.
func (s *Store) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	return transact(ctx, s.writer, f)
}

func transact(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		if undone := tx.Rollback(); undone != nil && !errors.Is(undone, sql.ErrTxDone) {
			return errors.Join(err, fmt.Errorf("roll back: %w", undone))
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
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
	if errors.Is(err, sql.ErrNoRows) {
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
