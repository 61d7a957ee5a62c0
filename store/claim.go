package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	claimKey    = 0x7061757365 // of the lock that one server has of a database: "pause"
	claimWithin = 2 * time.Second
	claimRetry  = 100 * time.Millisecond
	claimCheck  = 5 * time.Second
)

// errClaimed says that another server has the database.
var errClaimed = errors.New("the database is in use by another Pausepoint: stop that one, or choose another database")

// claim is the lock that this server has of a PostgreSQL database, for as long as its connection lives. Two servers that both
// believed to have it would still not both write a journal: see [Store.Own].
type claim struct {
	db   *sql.DB
	log  *slog.Logger
	conn *sql.Conn // owned by keep's goroutine, once that runs
	stop context.CancelFunc
	kept sync.WaitGroup
}

// claimDatabase takes the lock. What a server that ended just now has of it may take a moment to go.
func claimDatabase(ctx context.Context, db *sql.DB, log *slog.Logger) (*claim, error) {
	c := &claim{db: db, log: log}
	end := time.Now().Add(claimWithin)
	for {
		err := c.take(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, errClaimed) || time.Now().After(end) {
			return nil, err
		}
		select {
		case <-time.After(claimRetry):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.kept.Go(func() { c.keep(keeping) })
	return c, nil
}

func (c *claim) take(ctx context.Context) error {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	// The server sees within half a minute that this machine has died.
	_, err = conn.ExecContext(ctx, `SELECT set_config('tcp_keepalives_idle', '10', FALSE), set_config('tcp_keepalives_interval', '5', FALSE),
		set_config('tcp_keepalives_count', '3', FALSE)`)
	var ours bool
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(claimKey)).Scan(&ours)
	}
	if err == nil && !ours {
		err = errClaimed
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	c.conn = conn
	return nil
}

// keep takes the lock again when its connection is gone, until ctx ends.
func (c *claim) keep(ctx context.Context) {
	tick := time.NewTicker(claimCheck)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.check(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (c *claim) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, claimCheck)
	defer cancel()
	if c.conn != nil {
		if c.conn.PingContext(ctx) == nil {
			return
		}
		_ = c.conn.Close() // it is dead
		c.conn = nil
	}
	if err := c.take(ctx); err != nil {
		c.log.Error("this server does not have the database for itself now", slog.Any("err", err))
	}
}

// close gives the lock back.
func (c *claim) close() error {
	c.stop()
	c.kept.Wait()
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}
