package signaling

import (
	"context"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
)

// gapFor is how long people are told of a gap in the recording that is over.
const gapFor = 20 * time.Second

// troubles carries what recorders notice to the sessions that are on the record, so that nobody trusts in a recording that has
// gaps. Recorders never wait for it: only the newest state of a session counts, and the goroutine of run tells the rooms.
type troubles struct {
	tell func(session, reason string) // may wait for a room
	wake chan struct{}                // capacity 1
	quit chan struct{}
	done chan struct{}

	mu  sync.Mutex // guards below
	all map[string]*trouble
}

// trouble is what is wrong with one session's recording. Its methods are pure.
type trouble struct {
	disk  string    // what is not stored, as long as that lasts
	gap   string    // what was not stored just now
	until time.Time // how long gap is shown
	told  string
}

func (t *trouble) hear(n recorder.Notice, now time.Time) {
	switch n.Kind {
	case recorder.NoticeDiskOK:
		t.disk = ""
	case recorder.NoticeDiskLow, recorder.NoticeDiskFull:
		t.disk = n.Message
	default:
		t.gap, t.until = n.Message, now.Add(gapFor)
	}
}

// reason is the sentence that people see now; empty if all is well.
func (t *trouble) reason(now time.Time) string {
	switch {
	case t.disk != "":
		return t.disk
	case now.Before(t.until):
		return t.gap
	}
	return ""
}

func newTroubles(tell func(session, reason string)) *troubles {
	ts := &troubles{
		tell: tell, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}), all: map[string]*trouble{},
	}
	go ts.run()
	return ts
}

// begin is called before a session's recording starts, end after it stopped.
func (ts *troubles) begin(session string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.all[session] = &trouble{}
}

func (ts *troubles) end(session string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.all, session)
}

// hear takes a notice; of a session that is not on the record any more it is nobody's concern.
func (ts *troubles) hear(n recorder.Notice) {
	ts.mu.Lock()
	t := ts.all[n.Session]
	if t != nil {
		t.hear(n, time.Now())
	}
	ts.mu.Unlock()
	if t == nil {
		return
	}
	select {
	case ts.wake <- struct{}{}:
	default:
	}
}

func (ts *troubles) run() {
	defer close(ts.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ts.quit:
			return
		case <-ts.wake:
		case <-timer.C:
		}
		news, next := ts.news(time.Now())
		for session, reason := range news {
			ts.tell(session, reason)
		}
		timer.Reset(next)
	}
}

// news is what sessions have not been told yet, and how long until there is something by itself.
func (ts *troubles) news(now time.Time) (reasons map[string]string, next time.Duration) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	reasons, next = map[string]string{}, time.Hour
	for session, t := range ts.all {
		if reason := t.reason(now); reason != t.told {
			t.told, reasons[session] = reason, reason
		}
		if left := t.until.Sub(now); left > 0 {
			next = min(next, left)
		}
	}
	return reasons, next
}

// close ends it; the rooms have ended by then.
func (ts *troubles) close(ctx context.Context) {
	close(ts.quit)
	select {
	case <-ts.done:
	case <-ctx.Done():
	}
}
