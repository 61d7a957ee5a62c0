package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// database is a SQLite file or a PostgreSQL database. Its methods may be called from any goroutine.
type database struct {
	writer *sql.DB
	reader *sql.DB  // refuses to write
	claim  *claim   // nil without one
	spare  *reserve // nil without one
	dialect
}

// dialect is in what the two databases differ.
type dialect struct {
	schema goose.Dialect
	alone  *sql.TxOptions   // of a transaction that reads before it writes
	moment *sql.TxOptions   // of one that reads what was so at one moment
	names  string           // the query for the tables' names
	again  func(error) bool // the transaction got in the way of another one, or there is room for it now: nothing happened
	gone   func(error) bool // the server is not there, or goes, or its disk is full: what was asked for may have happened or not
	within time.Duration    // how long one commit of journals may take; 0 for as long as it takes
}

// maxTries is how often a transaction is tried that gets in the way of others.
const maxTries = 30

// A server waits for another one that migrates: it looks again after so many seconds, so often.
const (
	migrateTry   = 1
	migrateTries = 300
)

func openDatabase(ctx context.Context, c Config, file string) (db *database, err error) {
	if db, err = connect(c, file); err != nil {
		return nil, err
	}
	if c.Database == "" {
		db.spare = newReserve(file+".reserve", c.Reserve, c.Log)
	} else if c.Alone {
		db.claim, err = claimDatabase(ctx, db.writer, c.Log)
	}
	if err == nil {
		err = db.begin(ctx, c.Node)
	}
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// connect changes nothing in the database: a server may be using it.
func connect(c Config, file string) (*database, error) {
	if c.Database == "" {
		return openSQLite(file)
	}
	return openPostgres(c.Database)
}

// begin brings the tables up to date, and ends what a former run of this server has left in them.
func (db *database) begin(ctx context.Context, node string) error {
	if err := db.migrate(ctx); err != nil {
		return err
	}
	return db.freeLeases(ctx, node)
}

// migrate brings the tables up to date. A newer program's tables are left alone, and refused.
func (db *database) migrate(ctx context.Context) error {
	p, err := db.migrator()
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", err)
	}
	if have > want {
		return fmt.Errorf("the database is of a newer version (%d) than this program (%d): start the newer one", have, want)
	}
	if have == want {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the database up to date: %w", err)
	}
	return nil
}

// migrateTo makes the tables of a version that this program knows.
func (db *database) migrateTo(ctx context.Context, version int64) error {
	p, err := db.migrator()
	if err != nil {
		return err
	}
	_, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", err)
	}
	if version < 1 || version > newest {
		return fmt.Errorf("the tables are of version %d, and this program knows 1 to %d: use the program that they were saved with, or a newer one", version, newest)
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	return nil
}

func (db *database) migrator() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.schema == goose.DialectPostgres { // servers that start at once migrate one after the other
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(migrateTry, migrateTries))
		if err != nil {
			return nil, fmt.Errorf("make the lock of the migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(db.schema, db.writer, files, options...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// close closes both; the last to close merges SQLite's WAL.
func (db *database) close() error {
	var err error
	if db.claim != nil {
		err = db.claim.close()
	}
	return errors.Join(err, db.reader.Close(), db.writer.Close(), db.spare.close())
}

// write runs f in one transaction, again if it gets in the way of another one; an error of f rolls it back and is returned
// as it is.
func (db *database) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	for try := 1; ; try++ {
		err := transact(ctx, db.writer, db.alone, f)
		if err == nil || try == maxTries || !db.again(err) {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * 2 * time.Millisecond)):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, options)
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
