package store

import (
	"context"
	"errors"
	"path/filepath"
	"time"
)

// MigrateTo makes the tables of a version, behind the back of who uses the database.
func MigrateTo(ctx context.Context, c Config, version int64) error {
	db, err := connect(c, filepath.Join(c.Folder, "pausepoint.db"))
	if err != nil {
		return err
	}
	return errors.Join(db.migrateTo(ctx, version), db.close())
}

// SetPatience makes the journal wait for a database that is gone for another time than usual. Nothing is appended yet.
func (s *Store) SetPatience(d time.Duration) { s.journal.patience = d }

// ErrClaimed is for tests.
var ErrClaimed = errClaimed
