package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Unsent is what only one of several servers has: segments that it recorded and did not bring to the bucket.
type Unsent struct {
	Segments, Sessions int64
}

const unsent = `FROM segments WHERE node = $1 AND NOT stored`

// UnsentOf counts what only a node has. It changes nothing; servers may be running.
func UnsentOf(ctx context.Context, c Config, node string) (u Unsent, err error) {
	err = withDatabase(c, func(db *database) error {
		return db.reader.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(DISTINCT session) `+unsent, node).Scan(&u.Segments, &u.Sessions)
	})
	if err != nil {
		return u, fmt.Errorf("count what only %s has: %w", node, err)
	}
	return u, nil
}

// ForgetNode says that what only a node has is gone for good, so that nothing waits for it any more. Servers may be running, but not
// that one. Should it come back with its files and a bucket, it removes them.
func ForgetNode(ctx context.Context, c Config, node string) error {
	err := withDatabase(c, func(db *database) error {
		_, err := db.writer.ExecContext(ctx, `UPDATE segments SET stored = TRUE WHERE id IN (SELECT id `+unsent+`)`, node)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget what only %s has: %w", node, err)
	}
	return nil
}

// withDatabase opens the database beside the servers that use it.
func withDatabase(c Config, use func(*database) error) error {
	db, err := connect(c, filepath.Join(c.Folder, "pausepoint.db"))
	if err != nil {
		return err
	}
	return errors.Join(use(db), db.close())
}
