package signaling

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
)

// People are told what is not stored as long as that lasts, and of a gap for a while.
func TestTroubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type news struct{ session, reason string }
		var mu sync.Mutex
		var told []news
		ts := newTroubles(func(session, reason string) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, news{session, reason})
		})
		defer ts.close(t.Context())
		want := func(all ...news) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(told) != len(all) {
				t.Fatalf("told %v, want %v", told, all)
			}
			for i := range all {
				if told[i] != all[i] {
					t.Fatalf("told %v, want %v", told, all)
				}
			}
			told = nil
		}
		low := recorder.Notice{Kind: recorder.NoticeDiskLow, Session: "a", Message: "Only sound."}
		gap := recorder.Notice{Kind: recorder.NoticeOverflow, Session: "a", Message: "A gap."}
		ts.hear(low)
		want() // a is not on the record

		ts.begin("a")
		ts.begin("b")
		ts.hear(low)
		want(news{"a", "Only sound."})
		ts.hear(gap)
		ts.hear(low)
		want()
		ts.hear(recorder.Notice{Kind: recorder.NoticeDiskOK, Session: "a"})
		want(news{"a", "A gap."})
		time.Sleep(gapFor / 2)
		ts.hear(gap) // another one: it is shown for longer
		time.Sleep(gapFor - time.Millisecond)
		want()
		time.Sleep(time.Millisecond)
		want(news{"a", ""})

		ts.hear(recorder.Notice{Kind: recorder.NoticeStorage, Session: "b", Message: "Interrupted."})
		want(news{"b", "Interrupted."})
		ts.end("b")
		time.Sleep(2 * gapFor)
		want()
	})
}
