package signaling

import (
	"context"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
)

// gapFor is how long people are told of a gap in the recording that is over.
const gapFor = 20 * time.Second

// seam is how far apart gaps are that are told as one, ms.
const seam = 1000

// troubles carries what recorders notice to the sessions that are on the record, so that nobody trusts in a recording that has
// gaps. Recorders never wait for it: only the newest state of a session counts, and the goroutine of run tells the rooms.
type troubles struct {
	tell func(session string, said said) // may wait for a room
	wake chan struct{}                   // capacity 1
	quit chan struct{}
	done chan struct{}

	mu  sync.Mutex // guards below
	all map[string]*trouble
}

// trouble is what is wrong with one session's recording. Its methods are pure.
type trouble struct {
	failed said      // nothing is stored at all
	disk   said      // what is not stored, as long as that lasts
	gap    said      // what was not stored just now
	until  time.Time // how long gap is shown
	told   said
}

// said is what people are told: a sentence, and from when to when something is missing, in session time; 0 as long as that lasts.
type said struct {
	reason   string
	from, to int64
}

func (t *trouble) hear(n recorder.Notice, now time.Time) {
	next := said{n.Message, n.From, n.To}
	switch n.Kind {
	case recorder.NoticeFailed:
		t.failed = next
	case recorder.NoticeDiskOK:
		t.disk = said{}
	case recorder.NoticeDiskLow, recorder.NoticeDiskFull:
		t.disk = next
	default:
		// One gap, as long as it grows, and whatever comes before people were told of another.
		if now.Before(t.until) && (t.told != t.gap || next.from <= t.gap.to+seam) {
			next.from = min(next.from, t.gap.from)
			if next.to != 0 && t.gap.to != 0 {
				next.to = max(next.to, t.gap.to)
			} else {
				next.to = 0
			}
		}
		t.gap, t.until = next, now.Add(gapFor)
	}
}

// says is what people are told now; nothing if all is well.
func (t *trouble) says(now time.Time) said {
	switch {
	case t.failed != said{}:
		return t.failed
	case t.disk != said{}:
		return t.disk
	case now.Before(t.until):
		return t.gap
	}
	return said{}
}

func newTroubles(tell func(session string, said said)) *troubles {
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
		for session, said := range news {
			ts.tell(session, said)
		}
		timer.Reset(next)
	}
}

// news is what sessions have not been told yet, and how long until there is something by itself.
func (ts *troubles) news(now time.Time) (news map[string]said, next time.Duration) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	news, next = map[string]said{}, time.Hour
	for session, t := range ts.all {
		if says := t.says(now); says != t.told {
			t.told, news[session] = says, says
		}
		if left := t.until.Sub(now); left > 0 {
			next = min(next, left)
		}
	}
	return news, next
}

// close ends it; the rooms have ended by then.
func (ts *troubles) close(ctx context.Context) {
	close(ts.quit)
	select {
	case <-ts.done:
	case <-ctx.Done():
	}
}
