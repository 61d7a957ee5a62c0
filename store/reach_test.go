package store_test

import (
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/store"
)

// What doctor asks is answered by real servers, and leaves nothing behind.
func TestReaching(t *testing.T) {
	at := inPostgres(t)
	if err := store.ReachDatabase(t.Context(), at.config.Database); err != nil {
		t.Error(err)
	}
	if off, err := store.DatabaseClock(t.Context(), at.config.Database); err != nil || off.Abs() > time.Hour {
		t.Errorf("the database on this machine is %v off, %v", off, err)
	}
	if at.config.Blobs != "" {
		if err := store.ReachBlobs(t.Context(), at.config.Blobs); err != nil {
			t.Error(err)
		}
		if err := store.NewArchive(at.config).CheckEmpty(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := store.ReachBlobs(t.Context(), "s3://nothing?endpoint=http://127.0.0.1:1"); err == nil {
		t.Error("a server that is not there was reached")
	}
}
