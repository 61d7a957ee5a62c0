package room

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// memJournal keeps journals in memory, as JSON, with one writer goroutine like a real store.
type memJournal struct {
	delay time.Duration // of each commit
	jobs  chan appendJob

	mu     sync.Mutex
	stored map[string][][]byte
	epochs map[string]int64 // of the latest owners
	full   bool             // appends fail
	away   chan struct{}    // if it is set, appends wait until it is closed

	disowning func() // if it is set, what Disown calls
}

type appendJob struct {
	session string
	epoch   int64
	events  []event.Event
	done    func(error)
}

// newMemJournal starts the writer; it ends with the test.
func newMemJournal(t *testing.T, delay time.Duration) *memJournal {
	j := &memJournal{delay: delay, jobs: make(chan appendJob, 1000), stored: map[string][][]byte{}, epochs: map[string]int64{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for job := range j.jobs {
			time.Sleep(j.delay)
			j.isThere()
			job.done(j.write(job))
		}
	}()
	t.Cleanup(func() {
		close(j.jobs)
		<-ended
	})
	return j
}

func (j *memJournal) Own(_ context.Context, session string) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.epochs[session]++
	return j.epochs[session], nil
}

func (j *memJournal) Disown(context.Context, string, int64) error {
	if j.disowning != nil {
		j.disowning()
	}
	return nil
}

func (j *memJournal) Append(session string, epoch int64, events []event.Event, done func(error)) {
	j.jobs <- appendJob{session, epoch, events, done}
}

func (j *memJournal) write(job appendJob) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.full {
		return errors.New("the disk is full")
	}
	if job.epoch != j.epochs[job.session] {
		return ErrNotOwner
	}
	for _, e := range job.events {
		if e.Seq != int64(len(j.stored[job.session])+1) {
			return fmt.Errorf("event %d does not follow %d", e.Seq, len(j.stored[job.session]))
		}
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		j.stored[job.session] = append(j.stored[job.session], b)
	}
	return nil
}

func (j *memJournal) Load(_ context.Context, session string) ([]event.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]event.Event, len(j.stored[session]))
	for i, b := range j.stored[session] {
		if err := json.Unmarshal(b, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// goesAway makes appends wait until the journal comes back.
func (j *memJournal) goesAway() (comesBack func()) {
	away := make(chan struct{})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.away = away
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		close(away)
		j.away = nil
	}
}

func (j *memJournal) isThere() {
	j.mu.Lock()
	away := j.away
	j.mu.Unlock()
	if away != nil {
		<-away
	}
}

func (j *memJournal) setFull(full bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.full = full
}

// testConn is a member's connection that keeps what it is sent, like a client.
type testConn struct {
	room int // frames that fit; 0 is any number

	mu     sync.Mutex
	frames []frame
	bye    *event.Bye
}

type frame struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Seq  int64           `json:"seq"`
	Data json.RawMessage `json:"data"`
	raw  []byte
}

func (c *testConn) Send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room > 0 && len(c.frames) >= c.room {
		return false
	}
	f := frame{raw: b}
	if err := json.Unmarshal(b, &f); err != nil {
		panic(err)
	}
	c.frames = append(c.frames, f)
	return true
}

func (c *testConn) Close(bye event.Bye) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bye == nil {
		c.bye = &bye
	}
}

// reason is that of the bye, once there was one.
func (c *testConn) reason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bye == nil {
		return ""
	}
	return c.bye.Reason
}

// take gives the frames that came since the last take.
func (c *testConn) take() []frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.frames
	c.frames = nil
	return taken
}

func types(frames []frame) []string {
	out := []string{}
	for _, f := range frames {
		out = append(out, f.Type)
	}
	return out
}

func wantTypes(t *testing.T, frames []frame, want ...string) {
	t.Helper()
	if got := types(frames); !slices.Equal(got, want) {
		t.Fatalf("got frames %v, want %v", got, want)
	}
}

// replyTo gives how a command was answered.
func replyTo(t *testing.T, frames []frame, id string) event.Answered {
	t.Helper()
	for _, f := range frames {
		if f.Type == "reply" && f.ID == id {
			var a event.Answered
			if err := json.Unmarshal(f.Data, &a); err != nil {
				t.Fatal(err)
			}
			return a
		}
	}
	t.Fatalf("no reply to %s in %v", id, types(frames))
	return event.Answered{}
}

// observed keeps what a house's Observe was told.
type observed struct {
	mu     sync.Mutex
	events []event.Event
}

func (o *observed) add(_ string, events []event.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, events...)
}

func (o *observed) all() []event.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.events)
}
