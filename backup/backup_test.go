package backup_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/backup"
)

// sending is a server that makes a file of its data folder a blob, before its blobs are read or after.
type sending struct {
	file   string
	before bool
	blobs  map[string]string
}

type noTables struct{ backup.Tables }

func (noTables) Schema() int64                           { return 1 }
func (noTables) Names(context.Context) ([]string, error) { return nil, nil }

func (s *sending) Snapshot(_ context.Context, read func(backup.Tables) error) error {
	return read(noTables{})
}

func (s *sending) Blobs(_ context.Context, each func(key string, blob io.Reader) error) error {
	if s.before {
		if err := s.send(); err != nil {
			return err
		}
	}
	for key, blob := range s.blobs {
		if err := each(key, strings.NewReader(blob)); err != nil {
			return err
		}
	}
	if s.before {
		return nil
	}
	return s.send()
}

func (s *sending) send() error {
	b, err := os.ReadFile(s.file)
	s.blobs["sent"] = string(b)
	return errors.Join(err, os.Remove(s.file))
}

// What a server sends to its bucket while a backup is made is in the backup.
func TestWhatIsSentMeanwhileIsSaved(t *testing.T) {
	for name, before := range map[string]bool{"before the blobs are read": true, "after them": false} {
		t.Run(name, func(t *testing.T) {
			data, to := t.TempDir(), filepath.Join(t.TempDir(), "saved")
			file := filepath.Join(data, "recording")
			if err := os.WriteFile(file, []byte("what was said"), 0o600); err != nil {
				t.Fatal(err)
			}
			from := &sending{file: file, before: before, blobs: map[string]string{}}
			if _, err := backup.Save(t.Context(), to, from, data, func(string) bool { return false }); err != nil {
				t.Fatal(err)
			}
			inFolder, err := os.ReadFile(filepath.Join(to, "data", "recording"))
			if err == nil && string(inFolder) == "what was said" {
				return
			}
			inBucket, err := os.ReadFile(filepath.Join(to, "blobs", "sent"))
			if err != nil || string(inBucket) != "what was said" {
				t.Errorf("it is in neither: %v", err)
			}
		})
	}
}
