package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// Limits of the journal's writer.
const (
	maxBatch  = 2000    // events in one transaction, about
	maxQueued = 100_000 // events that wait for the disk; beyond, appends fail
	maxTails  = 10_000  // sessions whose end is remembered
)

// While a database is gone, what waits for it is tried again, each time a little later.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = 500 * time.Millisecond
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
	db      *database
	log     *slog.Logger
	closing chan struct{} // closed when it is: nothing is waited for any more
	ended   chan struct{}

	mu     sync.Mutex // guards what follows
	more   *sync.Cond
	queue  []appendage
	queued int // events in queue
	closed bool

	// ---- owned by run's goroutine
	tails map[owner]int64 // seq of the last event of sessions
	lost  error           // why nothing is stored any more: the journal is closed, and the database gone
}

// owner is who may write a session's journal.
type owner struct {
	session string
	epoch   int64
}

// appendage is one call of Append.
type appendage struct {
	owner
	events  []event.Event
	done    func(error)
	err     error // it has failed before it came to the disk
	unknown bool  // it may be stored: the database went while it was committed
}

func newJournal(db *database, log *slog.Logger) *journal {
	j := &journal{db: db, log: log, closing: make(chan struct{}), ended: make(chan struct{}), tails: map[owner]int64{}}
	j.more = sync.NewCond(&j.mu)
	go j.run()
	return j
}

// Append makes events durable and then calls done, once, with nil or with why it could not. It returns at once. Events
// of one session are stored, and their dones called, in the order of the calls, from one goroutine for all sessions: done
// must not block. Events whose seq does not follow the last stored one fail, and so do all that come after
// a failure. Appends with another epoch than the latest owner's fail with [room.ErrNotOwner].
//
// While the database is gone, or its disk is full, appends wait for it, however long that is. What waits when the store is closed then
// fails.
func (s *Store) Append(session string, epoch int64, events []event.Event, done func(error)) {
	s.journal.append(appendage{owner: owner{session, epoch}, events: events, done: done})
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
	if !j.closed {
		close(j.closing)
	}
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

// commit stores a batch in one transaction and sets the errors of what could not be stored. If the transaction fails, each half gets one
// of its own: nobody fails for another one's fault, and a database that is slow is asked for less.
func (j *journal) commit(batch []appendage) {
	err := j.persist(batch)
	switch {
	case err == nil:
	case len(batch) == 1 || j.lost != nil:
		for i := range batch {
			batch[i].err = cmp.Or(batch[i].err, err)
		}
		j.log.Error("events not stored", slog.String("session", batch[0].session), slog.Int("appends", len(batch)), slog.Any("err", err))
	default:
		j.commit(batch[:len(batch)/2])
		j.commit(batch[len(batch)/2:])
	}
}

// persist tries to store a batch. A single append is tried until it is stored, or cannot be. A commit that was under way when the database
// went may have happened: the next try sees that.
func (j *journal) persist(batch []appendage) error {
	began, wait := time.Now(), firstRetry
	for j.lost == nil {
		asked := slices.Clone(batch)
		err := j.try(batch)
		again := err != nil && j.db.again(err)
		gone := err != nil && !again && j.db.gone(err)
		if err == nil && wait > firstRetry {
			j.log.Info("the database takes what waits to be stored", slog.Duration("after", time.Since(began)))
		}
		if err == nil || !gone && !again {
			return err
		}
		copy(batch, asked) // what was refused may have been refused because of others
		for i := range batch {
			batch[i].unknown = true
		}
		switch {
		case again:
			continue
		case j.isClosing():
			j.lost = err // and with it what is still queued
		case len(batch) > 1:
			return err
		case wait == firstRetry:
			j.log.Warn("what waits to be stored is tried until the database takes it", slog.Any("err", err))
		}
		select {
		case <-time.After(wait):
		case <-j.closing: // once more
		}
		wait = min(2*wait, lastRetry)
	}
	return j.lost
}

func (j *journal) isClosing() bool {
	select {
	case <-j.closing:
		return true
	default:
		return false
	}
}

// try stores a batch in one transaction. Appends that do not follow their session's last event get errGap, those of a former
// owner room.ErrNotOwner, and both are left out.
func (j *journal) try(batch []appendage) error {
	ctx := context.Background() // what was asked for is written, whoever has gone meanwhile
	if j.db.within > 0 {
		limited, cancel := context.WithTimeout(ctx, j.db.within)
		defer cancel()
		ctx = limited
	}
	tails := map[owner]int64{}
	err := transact(ctx, j.db.writer, nil, func(tx *sql.Tx) error {
		w := newJournalTx(ctx, tx)
		for i := range batch {
			if err := j.add(w, &batch[i], tails); err != nil {
				return err
			}
		}
		return w.finish()
	})
	if err != nil {
		for o := range tails {
			delete(j.tails, o) // whatever happened: ask the database next time
		}
		return err
	}
	j.remember(tails)
	return nil
}

func (j *journal) remember(tails map[owner]int64) {
	if len(j.tails) > maxTails {
		clear(j.tails)
	}
	for o, seq := range tails {
		j.tails[o] = seq
	}
}

// add stores one append; tails is how far the transaction has come.
func (j *journal) add(w *journalTx, a *appendage, tails map[owner]int64) error {
	if a.err != nil || len(a.events) == 0 {
		return nil
	}
	tail, err := j.tail(w, a.owner, tails)
	if errors.Is(err, room.ErrNotOwner) {
		j.refuse(a, err)
		return nil
	}
	if err != nil {
		return err
	}
	fresh := a.events
	if a.unknown {
		if fresh, err = w.unstored(a.session, a.events, tail); err != nil {
			return err
		}
	}
	for i, e := range fresh {
		if e.Seq != tail+int64(i)+1 {
			j.refuse(a, fmt.Errorf("%w: session %s, seq %d after %d", errGap, a.session, e.Seq, tail+int64(i)))
			return nil
		}
	}
	for _, e := range fresh {
		if err := w.insert(a.session, e); err != nil {
			return err
		}
	}
	tails[a.owner] = tail + int64(len(fresh))
	return nil
}

func (j *journal) refuse(a *appendage, err error) {
	a.err = err
	j.log.Error("events not stored", slog.String("session", a.session), slog.Any("err", err))
}

// tail is the seq of a session's last event. Once in each transaction it sees that the owner is still that.
func (j *journal) tail(w *journalTx, o owner, tails map[owner]int64) (int64, error) {
	if seq, ok := tails[o]; ok {
		return seq, nil
	}
	if err := w.claim(o); err != nil {
		return 0, err
	}
	seq, ok := j.tails[o]
	if !ok {
		var err error
		if seq, err = w.tail(o.session); err != nil {
			return 0, err
		}
	}
	tails[o] = seq
	return seq, nil
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
