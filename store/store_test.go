package store

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// What SQLite is told in a DSN it may not have understood, and it would not say so.
func TestConnectionsAreDurable(t *testing.T) {
	s, err := Open(t.Context(), Config{Folder: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v", pragma, got, err)
		}
	}
	if _, err := s.reader.ExecContext(t.Context(), `DELETE FROM accounts`); err == nil {
		t.Error("a reader writes")
	}
}

func TestBusyJournalFailsInTurn(t *testing.T) {
	s, err := Open(t.Context(), Config{Folder: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.journal.mu.Lock()
	s.journal.queued = maxQueued // as if the disk stood still
	s.journal.mu.Unlock()
	var got []string
	end := make(chan struct{})
	s.Append("a", 1, nil, func(err error) { got = append(got, fmt.Sprint(err)) })
	s.Append("a", 1, oneEvent(), func(err error) { got = append(got, fmt.Sprint(err)); close(end) })
	<-end
	if want := fmt.Sprint([]string{"<nil>", errQueued.Error()}); fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func oneEvent() []event.Event { return []event.Event{{Seq: 1, Body: event.MemberSpoke{}}} }
