package store_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/pausepoint/pausepoint/store"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// place is where a store is.
type place struct{ config store.Config }

// another is an empty place of the same kind.
func (at place) another(t testing.TB) place {
	t.Helper()
	if at.config.Database == "" {
		return inFolder(t.TempDir())
	}
	return inPostgres(t)
}

func inFolder(dir string) place { return place{store.Config{Folder: dir, Log: quiet()}} }

// kinds are the places that every test is run in: both databases and both kinds of blobs, neither of which knows of the other.
var kinds = []struct {
	name string
	make func(t testing.TB) place
}{
	{"sqlite", func(t testing.TB) place { return inFolder(t.TempDir()) }},
	{"postgres", inPostgres},
}

// everywhere runs a test in an empty place of every kind.
func everywhere(t *testing.T, test func(t *testing.T, at place)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) { test(t, kind.make(t)) })
	}
}

// servers are started when the first test needs them, and end with the last.
var servers struct {
	once     sync.Once
	postgres *storetest.Postgres
	s3       *storetest.S3
	err      error
}

func startServers() {
	if servers.postgres, servers.err = storetest.StartPostgres(); servers.err == nil {
		servers.s3, servers.err = storetest.StartS3()
	}
}

func stopServers() (err error) {
	if servers.postgres != nil {
		err = servers.postgres.Stop()
	}
	if servers.s3 != nil {
		err = errors.Join(err, servers.s3.Stop())
	}
	return err
}

// inPostgres is a database of PostgreSQL and a bucket.
func inPostgres(t testing.TB) place {
	t.Helper()
	servers.once.Do(startServers)
	if servers.err != nil {
		t.Fatal(servers.err)
	}
	at := inFolder(t.TempDir())
	var err error
	if at.config.Database, err = servers.postgres.NewDatabase(t.Context()); err == nil {
		at.config.Blobs, err = servers.s3.NewBucket(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// connect opens the database behind the store's back. The caller closes it.
func (at place) connect(t *testing.T) *sql.DB {
	t.Helper()
	driver, address := "sqlite", filepath.Join(at.config.Folder, "pausepoint.db")
	if at.config.Database != "" {
		driver, address = "pgx", at.config.Database
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// damage runs SQL behind the store's back.
func (at place) damage(t *testing.T, query string) {
	t.Helper()
	db := at.connect(t)
	_, err := db.ExecContext(t.Context(), query)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// contents is all that the database has, as text.
func (at place) contents(t *testing.T) string {
	t.Helper()
	db := at.connect(t)
	defer func() { _ = db.Close() }()
	var all strings.Builder
	for _, table := range tables(t, db, at.config.Database != "") {
		dump(t, db, table, &all)
	}
	return all.String()
}

func tables(t *testing.T, db *sql.DB, inPostgres bool) (names []string) {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
	if inPostgres {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
	}
	return column(t.Context(), t, db, query)
}

func column(ctx context.Context, t *testing.T, db *sql.DB, query string) (values []string) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

func dump(t *testing.T, db *sql.DB, table string, to *strings.Builder) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]sql.RawBytes, len(names))
	targets := make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			to.Write(v)
			to.WriteByte('\n')
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
