package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	sqliteReaders = 4
	sqliteTables  = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`
)

// openSQLite opens a database file. One connection writes and several read; readers see what was committed before their query
// began (WAL). A commit is on the disk when it returns (synchronous=FULL).
func openSQLite(file string) (*database, error) {
	never := func(error) bool { return false } // one writer is in nobody's way, and a file does not go
	db := &database{dialect: dialect{schema: goose.DialectSQLite3, names: sqliteTables, again: never, gone: never}}
	var err error
	if db.writer, err = connectSQLite(file, 1, "_pragma=journal_mode(WAL)&_txlock=immediate"); err != nil {
		return nil, err
	}
	if db.reader, err = connectSQLite(file, sqliteReaders, "_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, db.writer.Close())
	}
	return db, nil
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
