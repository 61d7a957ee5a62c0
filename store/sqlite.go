package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // and the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	sqliteReaders = 4
	sqliteTables  = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`
)

// openSQLite opens a database file. One connection writes and several read; readers see what was committed before their query
// began (WAL). A commit is on the disk when it returns (synchronous=FULL). When the disk is full, the reserve makes room, if there is one.
func openSQLite(file string) (*database, error) {
	gone := func(err error) bool { return sqliteSaid(err, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) }
	db := &database{dialect: dialect{schema: goose.DialectSQLite3, names: sqliteTables, gone: gone}}
	db.again = func(err error) bool { return sqliteSaid(err, sqlite3.SQLITE_FULL) && db.spare.giveUp() }
	var err error
	if db.writer, err = connectSQLite(file, 1, "_pragma=journal_mode(WAL)&_txlock=immediate"); err != nil {
		return nil, err
	}
	if db.reader, err = connectSQLite(file, sqliteReaders, "_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, db.writer.Close())
	}
	return db, nil
}

// sqliteSaid tells whether an error is one of these, of whatever kind (https://sqlite.org/rescode.html).
func sqliteSaid(err error, codes ...int) bool {
	var said *sqlite.Error
	return errors.As(err, &said) && slices.Contains(codes, said.Code()&0xff)
}

func connectSQLite(file string, conns int, options string) (*sql.DB, error) {
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
