package clip

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestPracticeClipIsMadeOnTheMachine(t *testing.T) {
	h := newHouse(t)
	if err := h.EnsurePractice(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := h.catalog.await(t, PracticeID, settled)
	if c.State != Ready || !c.Practice || !c.HasAudio || c.Frames != practiceSeconds*25 || c.Width != 1280 || c.Height != 720 {
		t.Fatalf("practice clip is %+v", c)
	}
	if err := h.EnsurePractice(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := h.catalog.await(t, PracticeID, settled); again != c {
		t.Errorf("the second start changed the practice clip: %+v", again)
	}
	data, err := os.ReadFile(filepath.Join(string(h.blobs), blobPrefix(PracticeID), Thumbs))
	if err != nil {
		t.Fatal(err)
	}
	var s Sprites
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if want := (Sprites{Interval: 1e6, Width: 160, Height: 90, Cols: 10, Rows: 10, Count: 60, Sheets: 1}); s != want {
		t.Errorf("thumbs.json is %+v, want %+v", s, want)
	}
	for _, account := range []string{"anna", "ben"} {
		list, err := h.List(t.Context(), account)
		if err != nil || len(list) != 1 || list[0].ID != PracticeID {
			t.Errorf("%s sees %v, %v", account, list, err)
		}
	}
}
