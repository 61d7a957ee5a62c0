package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	postgresWriters = 6 // connections; one of them is the journal's most of the time
	postgresReaders = 8
	postgresConnect = 5 * time.Second
	postgresCommit  = 8 * time.Second // of journals
	postgresIdle    = 4 * time.Second // within a transaction: a server that hangs, or is cut off, keeps others from what it has locked
	postgresTables  = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`
)

// CheckDatabase tells in a sentence what is wrong with the address of a PostgreSQL database.
func CheckDatabase(address string) error {
	_, err := postgresConfig(address)
	return err
}

func postgresConfig(address string) (*pgx.ConnConfig, error) {
	const right = "give an address such as postgres://user@host:5432/pausepoint (the password may be in it, in PGPASSWORD or in ~/.pgpass)"
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return nil, errors.New(right) // not what was wrong: there may be a password in it
	}
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New(right)
	}
	if c.ConnectTimeout == 0 || c.ConnectTimeout > postgresConnect {
		c.ConnectTimeout = postgresConnect
	}
	return c, nil
}

// ReachDatabase sees that a PostgreSQL database can be used. It changes nothing in it.
func ReachDatabase(ctx context.Context, address string) error {
	c, err := postgresConfig(address)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	var may bool
	err = conn.QueryRow(ctx, `SELECT has_schema_privilege(current_schema(), 'CREATE')`).Scan(&may)
	if err == nil && !may {
		err = errors.New("the user may not make tables there")
	}
	return errors.Join(err, conn.Close(ctx))
}

// openPostgres connects to a database. What only reads does so over connections of its own, which cannot write.
func openPostgres(address string) (*database, error) {
	c, err := postgresConfig(address)
	if err != nil {
		return nil, err
	}
	return &database{
		writer: connectPostgres(c, postgresWriters, "off"),
		reader: connectPostgres(c, postgresReaders, "on"),
		dialect: dialect{
			schema: goose.DialectPostgres,
			alone:  &sql.TxOptions{Isolation: sql.LevelSerializable},
			moment: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
			names:  postgresTables,
			again:  func(err error) bool { return coded(err, "40001", "40P01") },
			gone:   postgresGone,
			within: postgresCommit,
		},
	}, nil
}

func connectPostgres(c *pgx.ConnConfig, conns int, readOnly string) *sql.DB {
	c = c.Copy()
	c.RuntimeParams["default_transaction_read_only"] = readOnly
	c.RuntimeParams["application_name"] = "pausepoint"
	if readOnly == "off" {
		c.RuntimeParams["idle_in_transaction_session_timeout"] = strconv.FormatInt(postgresIdle.Milliseconds(), 10)
	}
	db := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(insistOnDisk))
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// insistOnDisk makes commits return once they are on the disk, where the server was told to be quicker than that.
func insistOnDisk(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') = 'off'`)
	if err != nil {
		return fmt.Errorf("make commits durable: %w", err)
	}
	return nil
}

// coded tells whether PostgreSQL said one of these (PostgreSQL's manual, appendix A).
func coded(err error, codes ...string) bool {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return false
	}
	for _, code := range codes {
		if strings.HasPrefix(said.Code, code) {
			return true
		}
	}
	return false
}

// unstorable tells that a text cannot be in PostgreSQL, as it is no UTF-8 or has a zero byte: nothing has such a name.
func unstorable(err error) bool { return coded(err, "22021") }

// postgresGone tells that the server is not there: it cannot be reached, hangs, stops, starts, or has no connection left.
func postgresGone(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	return coded(err, "08", "57P", "53300", "25P03") || !coded(err, "") && (errors.As(err, &refused) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err))
}
