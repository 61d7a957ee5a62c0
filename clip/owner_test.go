package clip

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// another is a Library of another server, on the same catalog and blobs.
func (h *house) another(t *testing.T, name, dir string, now func() time.Time) *house {
	t.Helper()
	lib, err := Open(t.Context(), Config{
		Catalog: h.catalog, Blobs: h.blobs, Dir: dir, Node: name, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lib.Close)
	return &house{Library: lib, catalog: h.catalog, blobs: h.blobs}
}

// refuses waits until the library has refused a file that is no video, and so has looked at all that came before.
func (h *house) refuses(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "letter.mp4")
	if err := os.WriteFile(path, []byte("Dear all,"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := h.catalog.await(t, h.add(t, path), settled); c.State != Refused {
		t.Errorf("a letter is %s", c.State)
	}
}

func (h *house) get(t *testing.T, id string) Clip {
	t.Helper()
	c, err := h.catalog.GetClip(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a live server prepares is left to it; what it does not go on with is taken, if it needs no file of that server's. Who lost a
// preparation changes nothing any more.
func TestPreparationHasOneOwner(t *testing.T) {
	h := newHouse(t)
	h.Close()
	began := time.Now()
	var passed atomic.Int64
	now := func() time.Time { return began.Add(time.Duration(passed.Load())) }
	practice := Clip{ID: PracticeID, Practice: true, State: Preparing, Attempts: 1, Node: "a", Leased: began.Add(leaseFor).UTC()}
	upload := Clip{ID: "019aaaaa-0000-7000-8000-000000000002", Owner: "anna", State: Waiting, Node: "a"}
	for _, c := range []Clip{practice, upload} {
		if err := h.catalog.InsertClip(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	b := h.another(t, "b", t.TempDir(), now)
	b.Library.blobs = heldBlobs{h.blobs, nil}
	b.refuses(t)
	if got := h.get(t, PracticeID); got != practice {
		t.Errorf("while its owner lives, the practice clip is %+v", got)
	}

	passed.Store(int64(leaseFor))
	b.preparer.wake()
	taken := h.catalog.await(t, PracticeID, func(c Clip) bool { return c.Node == "b" })
	if taken.State != Preparing || taken.Attempts != 2 || !taken.Leased.After(now()) {
		t.Errorf("it is taken as %+v", taken)
	}
	practice.Leased = now().Add(leaseFor).UTC()
	if _, err := h.catalog.UpdateClip(t.Context(), PracticeID, func(c *Clip) error { *c = practice; return nil }); err != nil {
		t.Fatal(err)
	}
	b.refuses(t)
	if got := h.get(t, PracticeID); got != practice {
		t.Errorf("taken back, it is %+v", got)
	}
	if got := h.get(t, upload.ID); got != upload {
		t.Errorf("without its file, an upload is %+v", got)
	}
}

// A server among several goes on with the uploads of which it has the file, and leaves others alone.
func TestUploadsToAnotherServer(t *testing.T) {
	h := newHouse(t)
	alone, err := h.uploads.begin(t.Context(), "anna", 9, nil)
	if err != nil {
		t.Fatal(err)
	}
	old := Clip{ID: "019aaaaa-0000-7000-8000-000000000003", Owner: "anna", State: Uploading, Node: "a", Bytes: 9, Created: time.Now().Add(-2 * UploadExpiry)}
	if err := h.catalog.InsertClip(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	h.Close()
	heir, b := h.another(t, "heir", h.dir, nil), h.another(t, "b", t.TempDir(), nil)
	if got := h.get(t, old.ID); got != old {
		t.Errorf("an upload to another server is %+v", got)
	}
	for _, c := range []Clip{old, alone} {
		if _, err := b.uploads.offset(c); !errors.Is(err, errAnother) {
			t.Errorf("how much is there of %+v: %v", c, err)
		}
	}
	if at, err := heir.uploads.offset(alone); err != nil || at != 0 {
		t.Errorf("where its file is, %d bytes are there, %v", at, err)
	}
}
