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
		type news struct {
			session, reason string
			from, to        int64
		}
		var mu sync.Mutex
		var told []news
		ts := newTroubles(func(session string, said said) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, news{session, said.reason, said.from, said.to})
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
		low := recorder.Notice{Kind: recorder.NoticeDiskLow, Session: "a", From: 5000, Message: "Only sound."}
		gap := recorder.Notice{Kind: recorder.NoticeOverflow, Session: "a", From: 6000, To: 6500, Message: "A gap."}
		ts.hear(low)
		want() // a is not on the record

		ts.begin("a")
		ts.begin("b")
		ts.hear(low)
		want(news{"a", "Only sound.", 5000, 0})
		ts.hear(gap)
		ts.hear(low)
		want()
		ts.hear(recorder.Notice{Kind: recorder.NoticeDiskOK, Session: "a"})
		want(news{"a", "A gap.", 6000, 6500})
		time.Sleep(gapFor / 2)
		ts.hear(gap) // again: it is shown for longer
		want()
		gap.From, gap.To = 6900, 7000 // it goes on
		ts.hear(gap)
		want(news{"a", "A gap.", 6000, 7000})
		gap.From, gap.To = 17_000, 17_100 // another one
		ts.hear(gap)
		want(news{"a", "A gap.", 17_000, 17_100})
		time.Sleep(gapFor - time.Millisecond)
		want()
		time.Sleep(time.Millisecond)
		want(news{"a", "", 0, 0})

		ts.hear(recorder.Notice{Kind: recorder.NoticeStorage, Session: "b", Message: "Interrupted."})
		want(news{"b", "Interrupted.", 0, 0})
		ts.end("b")
		time.Sleep(2 * gapFor)
		want()
	})
}
