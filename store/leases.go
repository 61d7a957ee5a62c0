package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/cluster"
)

const takeLease = `INSERT INTO leases (session, epoch, taken, written, node) SELECT id, 1, $2, 0, $3 FROM sessions WHERE id = $1
	ON CONFLICT (session) DO UPDATE SET epoch = leases.epoch + 1, taken = excluded.taken, node = excluded.node `

// Own implements [room.Journal]. Who takes a session waits for the commit of an append that is under way.
func (s *Store) Own(ctx context.Context, session string) (epoch int64, err error) {
	return s.own(ctx, session, takeLease+`RETURNING epoch`, account.ErrNotFound)
}

// OwnFree implements [cluster.Leases].
func (s *Store) OwnFree(ctx context.Context, session string) (epoch int64, err error) {
	return s.own(ctx, session, takeLease+`WHERE leases.node = '' OR leases.node = excluded.node RETURNING epoch`, cluster.ErrHeld)
}

func (s *Store) own(ctx context.Context, session, query string, none error) (epoch int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, query, session, time.Now().UnixMilli(), s.node).Scan(&epoch)
	})
	if errors.Is(err, sql.ErrNoRows) || unstorable(err) {
		return 0, none
	}
	if err != nil {
		return 0, fmt.Errorf("own the session %s: %w", session, err)
	}
	return epoch, nil
}

// Disown implements [room.Journal]. Where there is one server, nobody waits for a session.
func (s *Store) Disown(ctx context.Context, session string, epoch int64) error {
	if s.node == "" {
		return nil
	}
	_, err := s.writer.ExecContext(ctx, `UPDATE leases SET node = '' WHERE session = $1 AND epoch = $2`, session, epoch)
	if err != nil {
		return fmt.Errorf("let go of the session %s: %w", session, err)
	}
	return nil
}

// Holder implements [cluster.Leases].
func (s *Store) Holder(ctx context.Context, session string) (string, error) {
	found, err := all(ctx, s.reader, scanString, `SELECT node FROM leases WHERE session = $1`, session)
	if unstorable(err) || err == nil && len(found) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// Held implements [cluster.Leases].
func (s *Store) Held(ctx context.Context) (map[string]int64, error) {
	type held struct {
		session string
		epoch   int64
	}
	scan := func(r row) (h held, err error) { return h, r.Scan(&h.session, &h.epoch) }
	found, err := all(ctx, s.reader, scan, `SELECT session, epoch FROM leases WHERE node = $1`, s.node)
	epochs := make(map[string]int64, len(found))
	for _, h := range found {
		epochs[h.session] = h.epoch
	}
	return epochs, err
}

// Orphans implements [cluster.Leases].
func (s *Store) Orphans(ctx context.Context, live []string) ([]string, error) {
	list, args := in([]any{maxOrphans}, live)
	return all(ctx, s.reader, scanString, `SELECT session FROM leases WHERE node <> '' AND node NOT IN `+list+` ORDER BY session LIMIT $1`, args...)
}

const maxOrphans = 1000 // at once

// freeLeases lets go of what a former run of this server held, or of what anybody held if it is the only one now; and empties what
// nobody runs: whoever was inside has to come back. It is one transaction, so that a session which another server takes meanwhile is
// not emptied.
func (db *database) freeLeases(ctx context.Context, node string) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE leases SET node = '' WHERE node <> '' AND (node = $1 OR $1 = '')`, node); err != nil {
			return fmt.Errorf("free the sessions of a former run: %w", err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE members SET inside = FALSE
			WHERE inside AND session NOT IN (SELECT session FROM leases WHERE node <> '')`)
		if err != nil {
			return fmt.Errorf("empty the sessions: %w", err)
		}
		return nil
	})
}
