package store

import (
	"context"
	"errors"
	"path/filepath"
)

// MigrateTo makes the tables of a version, behind the back of who uses the database.
func MigrateTo(ctx context.Context, c Config, version int64) error {
	db, err := connect(c, filepath.Join(c.Folder, "pausepoint.db"))
	if err != nil {
		return err
	}
	return errors.Join(db.migrateTo(ctx, version), db.close())
}

// ErrClaimed is for tests.
var ErrClaimed = errClaimed
