package store

import "time"

// SetPatience makes the journal wait for a database that is gone for another time than usual. Nothing is appended yet.
func (s *Store) SetPatience(d time.Duration) { s.journal.patience = d }

// ErrClaimed is for tests.
var ErrClaimed = errClaimed
