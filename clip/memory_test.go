package clip

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is a Catalog that outlives a Library, as a database does, and tells when a clip changes.
type memory struct {
	mu      sync.Mutex
	clips   map[string]Clip
	changed chan struct{} // closed and replaced at every change
}

func newMemory() *memory {
	return &memory{clips: map[string]Clip{}, changed: make(chan struct{})}
}

func (m *memory) tell() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) InsertClip(_ context.Context, c Clip) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.clips[c.ID]; ok {
		return ErrExists
	}
	m.clips[c.ID] = c
	m.tell()
	return nil
}

func (m *memory) GetClip(_ context.Context, id string) (Clip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.clips[id]
	if !ok {
		return Clip{}, ErrNotFound
	}
	return c, nil
}

func (m *memory) UpdateClip(_ context.Context, id string, change func(*Clip) error) (Clip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.clips[id]
	if !ok {
		return Clip{}, ErrNotFound
	}
	if err := change(&c); err != nil {
		return Clip{}, err
	}
	m.clips[id] = c
	m.tell()
	return c, nil
}

func (m *memory) ListClips(_ context.Context, f Filter) ([]Clip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Clip
	for _, c := range m.clips {
		if (f.Session == "" || c.Session == f.Session) && (f.Owner == "" || c.Owner == f.Owner || c.Practice) && (len(f.States) == 0 || slices.Contains(f.States, c.State)) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b Clip) int { return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID)) })
	return found, nil
}

func (m *memory) DeleteClip(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clips, id)
	m.tell()
	return nil
}

// await returns the clip once it is as wanted.
func (m *memory) await(t *testing.T, id string, wanted func(Clip) bool) Clip {
	t.Helper()
	timeout := time.After(8 * time.Minute)
	for {
		m.mu.Lock()
		c, changed := m.clips[id], m.changed
		m.mu.Unlock()
		if wanted(c) {
			return c
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("clip stays %+v", c)
		}
	}
}

func settled(c Clip) bool { return c.State == Ready || c.State == Refused }

// folder is Blobs in a folder.
type folder string

func (f folder) PutFile(_ context.Context, key, path string) error {
	to := filepath.Join(string(f), key)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(path, to)
}

func (f folder) OpenBlob(_ context.Context, key string) (io.ReadSeekCloser, error) {
	return os.Open(filepath.Join(string(f), key))
}

func (f folder) DeleteBlobs(_ context.Context, prefix string) error {
	return os.RemoveAll(filepath.Join(string(f), prefix))
}

// house is a Library with what it stands on.
type house struct {
	*Library
	catalog *memory
	blobs   folder
	dir     string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{catalog: newMemory(), blobs: folder(t.TempDir()), dir: t.TempDir()}
	h.open(t)
	return h
}

func (h *house) open(t *testing.T) {
	t.Helper()
	lib, err := Open(t.Context(), Config{
		Catalog: h.catalog, Blobs: h.blobs, Dir: h.dir,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Library = lib
	t.Cleanup(lib.Close)
}

// add puts the file at path into the catalog as a complete upload of anna's and wakes the preparer.
func (h *house) add(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.uploads.begin(t.Context(), "anna", int64(len(data)), map[string]string{"filename": filepath.Base(path)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.uploads.path(c.ID), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.uploads.complete(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	return c.ID
}
