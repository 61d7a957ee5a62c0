package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
	"github.com/pausepoint/pausepoint/store/storetest"
)

func sizeOf(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// The disk is full. What is appended is stored in the room that was kept for it; when that is used up, too, appends wait, and are stored once
// there is room; and some is kept again.
func TestAFullDisk(t *testing.T) {
	const reserve = 8 << 20
	storetest.OnSmallDisk(t, 64<<20, func(dir string) {
		at := inFolder(dir)
		at.config.Reserve = reserve
		s, err := store.Open(t.Context(), at.config)
		if err != nil {
			t.Fatal(err)
		}
		w := worldOf(t, s)
		kept := filepath.Join(dir, "pausepoint.db.reserve")
		if size := sizeOf(t, kept); size != reserve {
			t.Errorf("%d bytes are kept", size)
		}
		session := w.newSession()
		epoch := own(t, s, session)
		first := storetest.Fill(t, dir)
		seq := int64(0)
		for sizeOf(t, kept) == reserve {
			seq++
			w.must(appendAll(s, session, epoch, spoke(seq)))
		}
		t.Logf("event %d found the disk full", seq)
		last := storetest.Fill(t, dir) // others take what there is, as often as the database gets more
		done := make(chan error, 1)
		for waits := false; !waits; {
			seq++
			s.Append(session, epoch, []event.Event{spoke(seq)}, func(err error) { done <- err })
			select {
			case err := <-done:
				w.must(err)
			case <-time.After(2 * time.Second):
				waits = true
			}
		}
		t.Logf("event %d waits", seq)
		if size := sizeOf(t, kept); size != 0 {
			t.Errorf("%d bytes are still kept", size)
		}
		if _, err := s.Load(w.ctx, session); err != nil {
			t.Errorf("what is stored cannot be read while the disk is full: %v", err)
		}
		first()
		last()
		w.must(<-done)
		for end := time.Now().Add(time.Minute); sizeOf(t, kept) != reserve; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no room is kept any more")
			}
		}
		w.must(appendAll(s, session, epoch, spoke(seq+1)))
		w.must(s.Close())
		if _, err := os.Stat(kept); !os.IsNotExist(err) {
			t.Errorf("a store that is closed keeps room: %v", err)
		}
		events, err := open(t, at).Load(w.ctx, session)
		if err != nil || int64(len(events)) != seq+1 {
			t.Errorf("%d of %d events are there: %v", len(events), seq+1, err)
		}
		checkEvents(t, events)
	})
}
