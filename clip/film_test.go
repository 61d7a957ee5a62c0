package clip

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const filmed = "019aaaaa-0000-7000-8000-0000000000f1"

// waits puts a clip into the catalog that waits for the film of a session.
func (h *house) waits(t *testing.T) {
	t.Helper()
	if err := h.catalog.InsertClip(t.Context(), OfSession(filmed, "anna", "talk", "Fractions\u202e", time.Now())); err != nil {
		t.Fatal(err)
	}
}

// film makes one of a second.
func film(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	runFFmpeg(t, "-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-c:v", "libx264", "-preset", "ultrafast", path)
	return path
}

// takeBack does what the end of a consent does to the catalog.
func (h *house) takeBack(t *testing.T) {
	t.Helper()
	_, err := h.catalog.UpdateClip(t.Context(), filmed, func(c *Clip) error {
		c.State, c.Refusal = Refused, "Somebody took it back."
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// erases tries until nothing of the session's clips is left, and returns how many there were.
func (h *house) erases(t *testing.T) int {
	t.Helper()
	for {
		n, err := h.EraseFilms(t.Context(), "talk")
		if err == nil {
			return n
		}
		h.catalog.mu.Lock()
		changed := h.catalog.changed
		h.catalog.mu.Unlock()
		if h.get(t, filmed).Leased.IsZero() { // since it was tried
			continue
		}
		<-changed
	}
}

func (h *house) leftOf(t *testing.T) []string {
	t.Helper()
	inBlobs, err := filepath.Glob(filepath.Join(string(h.blobs), "clips", filmed, "*"))
	uploads, err2 := filepath.Glob(h.uploads.path(filmed))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return append(inBlobs, uploads...)
}

// A film becomes a clip once, like any upload; when it is taken back, its row alone stays, to say so.
func TestAFilmBecomesAClip(t *testing.T) {
	h := newHouse(t)
	h.waits(t)
	if err := h.TakeFilm(t.Context(), filmed, film(t)); err != nil {
		t.Fatal(err)
	}
	c := h.catalog.await(t, filmed, settled)
	if c.State != Ready || c.Frames != 25 || c.Owner != "anna" || c.Session != "talk" || c.Title != "Conversation: Fractions" || c.Bytes == 0 {
		t.Errorf("clip is %+v", c)
	}
	again := film(t)
	if err := h.TakeFilm(t.Context(), filmed, again); err != nil || h.get(t, filmed).State != Ready {
		t.Errorf("a second film: %v", err)
	}
	if n, err := h.EraseFilms(t.Context(), "talk"); n != 0 || err != nil {
		t.Errorf("erased %d, %v, before it was taken back", n, err)
	}
	h.takeBack(t)
	if n := h.erases(t); n != 1 || len(h.leftOf(t)) != 0 || h.get(t, filmed).State != Refused {
		t.Errorf("erased %d, left are %v", n, h.leftOf(t))
	}
	if err := h.TakeFilm(t.Context(), filmed, again); !errors.Is(err, ErrNotFound) || len(h.leftOf(t)) != 0 {
		t.Errorf("a film of a clip that was taken back: %v, left are %v", err, h.leftOf(t))
	}
	if err := h.Delete(t.Context(), "anna", filmed); err != nil {
		t.Error(err)
	}
	if err := h.TakeFilm(t.Context(), filmed, again); !errors.Is(err, ErrNotFound) || len(h.leftOf(t)) != 0 {
		t.Errorf("a film of a clip that was deleted: %v, left are %v", err, h.leftOf(t))
	}
}

// What is taken back while it is prepared is not erased before the preparation has come to an end, and leaves nothing.
func TestAFilmIsTakenBackWhileItIsPrepared(t *testing.T) {
	h := newHouse(t)
	h.Library.blobs = heldBlobs{h.blobs, nil}
	h.waits(t)
	if err := h.TakeFilm(t.Context(), filmed, film(t)); err != nil {
		t.Fatal(err)
	}
	h.catalog.await(t, filmed, func(c Clip) bool { return c.State == Preparing })
	h.takeBack(t)
	if n := h.erases(t); n != 1 || len(h.leftOf(t)) != 0 {
		t.Errorf("erased %d, left are %v", n, h.leftOf(t))
	}
	if c := h.get(t, filmed); c.State != Refused || c.Refusal != "Somebody took it back." || !c.Leased.IsZero() {
		t.Errorf("clip is %+v", c)
	}
}

// What waits at another server is not taken for erased before that one has removed it.
func TestAFilmIsTakenBackAtAnotherServer(t *testing.T) {
	h := newHouse(t)
	h.Close()
	a, b := h.another(t, "a", h.dir, nil), h.another(t, "b", t.TempDir(), nil)
	h.waits(t)
	a.takeBack(t)
	if _, err := h.catalog.UpdateClip(t.Context(), filmed, func(c *Clip) error { c.Node = "a"; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.uploads.path(filmed), []byte("a film"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.EraseFilms(t.Context(), "talk"); err == nil || len(a.leftOf(t)) != 1 {
		t.Errorf("erased elsewhere: %v, left are %v", err, a.leftOf(t))
	}
	if err := a.uploads.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := b.EraseFilms(t.Context(), "talk"); n != 1 || err != nil || len(a.leftOf(t)) != 0 {
		t.Errorf("erased %d, %v, left are %v", n, err, a.leftOf(t))
	}
}
