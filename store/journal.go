package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/pausepoint/pausepoint/room/event"
)

// Limits of the journal's writer.
const (
	maxBatch  = 2000    // events in one transaction, about
	maxQueued = 100_000 // events that wait for the disk; beyond, appends fail
	maxTails  = 10_000  // sessions whose end is remembered
)

// What appends fail with.
var (
	errGap    = errors.New("events do not follow the journal's last one")
	errQueued = errors.New("the disk does not keep up: too many events wait")
	errClosed = errors.New("the store is closed")
)

// journal is the writer of all sessions' journals. It commits whatever has come while the disk was busy with the
// commit before: the more there is to do, the more goes into one fsync.
type journal struct {
	db    *sql.DB
	log   *slog.Logger
	ended chan struct{}

	mu     sync.Mutex // guards what follows
	more   *sync.Cond
	queue  []appendage
	queued int // events in queue
	closed bool

	tails map[string]int64 // seq of the last event of sessions; owned by run's goroutine
}

// appendage is one call of Append.
type appendage struct {
	session string
	events  []event.Event
	done    func(error)
	err     error // it has failed before it came to the disk
}

func newJournal(db *sql.DB, log *slog.Logger) *journal {
	j := &journal{db: db, log: log, ended: make(chan struct{}), tails: map[string]int64{}}
	j.more = sync.NewCond(&j.mu)
	go j.run()
	return j
}

// Append makes events durable and then calls done, once, with nil or with why it could not. It returns at once. Events
// of one session are stored, and their dones called, in the order of the calls, from one goroutine for all sessions: done
// must not block. Events whose seq does not follow the last stored one fail, and so do all that come after
// a failure.
func (s *Store) Append(session string, events []event.Event, done func(error)) {
	s.journal.append(appendage{session: session, events: events, done: done})
}

func (j *journal) append(a appendage) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		go a.done(errClosed) // nobody is there any more whose order could be kept
		return
	case j.queued+len(a.events) > maxQueued:
		a.events, a.err = nil, errQueued // in its turn
	}
	j.queue = append(j.queue, a)
	j.queued += len(a.events)
	j.more.Signal()
}

// close commits what is queued and waits for that.
func (j *journal) close() {
	j.mu.Lock()
	j.closed = true
	j.more.Signal()
	j.mu.Unlock()
	<-j.ended
}

// run is the one goroutine that writes journals.
func (j *journal) run() {
	defer close(j.ended)
	for {
		batch := j.next()
		if len(batch) == 0 {
			return
		}
		j.commit(batch)
		for _, a := range batch {
			a.done(a.err)
		}
	}
}

// next waits for appends and takes them, up to about maxBatch events; none when the journal is closed.
func (j *journal) next() []appendage {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.queue) == 0 && !j.closed {
		j.more.Wait()
	}
	n, events := 0, 0
	for n < len(j.queue) && (n == 0 || events+len(j.queue[n].events) <= maxBatch) {
		events += len(j.queue[n].events)
		n++
	}
	batch := j.queue[:n:n]
	j.queue = j.queue[n:]
	if len(j.queue) == 0 {
		j.queue = nil // the array is the batch's
	}
	j.queued -= events
	return batch
}

// commit stores a batch in one transaction and sets the errors of what could not be stored. If the transaction fails,
// everybody gets one of their own, so that nobody fails for another one's fault.
func (j *journal) commit(batch []appendage) {
	if err := j.try(batch); err == nil {
		return
	} else if len(batch) == 1 {
		batch[0].err = err
		j.log.Error("events not stored", slog.String("session", batch[0].session), slog.Any("err", err))
		return
	}
	for i := range batch {
		if batch[i].err == nil || errors.Is(batch[i].err, errGap) { // a gap may have been the other transaction's
			batch[i].err = nil
			j.commit(batch[i : i+1])
		}
	}
}

// try stores a batch in one transaction. Appends that do not follow their session's last event get errGap and are left out.
func (j *journal) try(batch []appendage) error {
	ctx := context.Background() // what was asked for is written, whoever has gone meanwhile
	tails := map[string]int64{}
	err := transact(ctx, j.db, func(tx *sql.Tx) error {
		w, err := newJournalTx(ctx, tx)
		if err != nil {
			return err
		}
		defer w.close()
		for i := range batch {
			if err := j.add(w, &batch[i], tails); err != nil {
				return err
			}
		}
		return w.finish()
	})
	if err != nil {
		for session := range tails {
			delete(j.tails, session) // whatever happened: ask the database next time
		}
		return err
	}
	j.remember(tails)
	return nil
}

func (j *journal) remember(tails map[string]int64) {
	if len(j.tails) > maxTails {
		clear(j.tails)
	}
	for session, seq := range tails {
		j.tails[session] = seq
	}
}

// add stores one append; tails is how far the transaction has come.
func (j *journal) add(w *journalTx, a *appendage, tails map[string]int64) error {
	if a.err != nil || len(a.events) == 0 {
		return nil
	}
	tail, err := j.tail(w, a.session, tails)
	if err != nil {
		return err
	}
	for i, e := range a.events {
		if e.Seq != tail+int64(i)+1 {
			a.err = fmt.Errorf("%w: session %s, seq %d after %d", errGap, a.session, e.Seq, tail+int64(i))
			j.log.Error("events not stored", slog.String("session", a.session), slog.Any("err", a.err))
			return nil
		}
	}
	for _, e := range a.events {
		if err := w.insert(a.session, e); err != nil {
			return err
		}
	}
	tails[a.session] = tail + int64(len(a.events))
	return nil
}

func (j *journal) tail(w *journalTx, session string, tails map[string]int64) (int64, error) {
	if seq, ok := tails[session]; ok {
		return seq, nil
	}
	if seq, ok := j.tails[session]; ok {
		return seq, nil
	}
	return w.tail(session)
}

// Load returns a session's events in order; none if it has not been opened. A journal with a hole in it is an error.
func (s *Store) Load(ctx context.Context, session string) ([]event.Event, error) {
	events, err := all(ctx, s.reader, scanEvent, `SELECT seq, json FROM journal WHERE session = $1 ORDER BY seq`, session)
	if err != nil {
		return nil, fmt.Errorf("load the journal of session %s: %w", session, err)
	}
	for i, e := range events {
		if e.Seq != int64(i)+1 {
			return nil, fmt.Errorf("the journal of session %s has seq %d where %d should be", session, e.Seq, i+1)
		}
	}
	return events, nil
}

func scanEvent(r row) (event.Event, error) {
	var seq int64
	var text []byte
	if err := r.Scan(&seq, &text); err != nil {
		return event.Event{}, err
	}
	var e event.Event
	if err := json.Unmarshal(text, &e); err != nil {
		return e, err
	}
	if e.Seq != seq {
		return e, fmt.Errorf("the event with seq %d says that it is %d", seq, e.Seq)
	}
	return e, nil
}
