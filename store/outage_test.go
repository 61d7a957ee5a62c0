package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

// PostgreSQL dies again and again while a session goes on. What was acknowledged is there, in its place, and the session goes
// on by itself: appends wait.
func TestPostgresDiesInMidCall(t *testing.T) {
	const kills, between = 4, 25
	w := newWorld(t, inPostgres(t))
	session := w.newSession()
	acked := make(chan int64)
	go func() {
		defer close(acked)
		appendThrough(w, session, kills*between+between, acked)
	}()
	var last int64
	for n := 1; ; n++ {
		seq, ok := <-acked
		if !ok {
			break
		}
		if last = seq; n%between == 0 && n <= kills*between {
			restarted := make(chan error, 1)
			go func() { restarted <- errors.Join(servers.postgres.Kill(), servers.postgres.Start()) }()
			drain(acked, restarted, &last, t)
		}
	}
	got, err := w.store.Load(w.ctx, session)
	if err != nil || int64(len(got)) < last {
		t.Fatalf("%d events are there, %d were acknowledged: %v", len(got), last, err)
	}
	checkEvents(t, got)
}

// drain takes acknowledgements until the server is there again.
func drain(acked <-chan int64, restarted <-chan error, last *int64, t *testing.T) {
	for {
		select {
		case seq, ok := <-acked:
			if !ok {
				acked = nil
				continue
			}
			*last = seq
		case err := <-restarted:
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
}

// appendThrough appends events as rooms do, up to a seq: after a refusal it owns the session again, and goes on from what is stored.
func appendThrough(w *world, session string, upTo int64, acked chan<- int64) {
	var seq, epoch int64
	for seq < upTo {
		if epoch == 0 {
			if epoch, seq = takeOver(w, session); epoch == 0 {
				continue
			}
		}
		if err := appendAll(w.store, session, epoch, spoke(seq+1)); err != nil {
			epoch = 0
			continue
		}
		seq++
		acked <- seq
	}
}

// takeOver is an epoch and the latest event's seq; no epoch while the database is away.
func takeOver(w *world, session string) (epoch, seq int64) {
	epoch, err := w.store.Own(w.ctx, session)
	if err != nil {
		return 0, 0
	}
	stored, err := w.store.Load(w.ctx, session)
	if err != nil {
		return 0, 0
	}
	return epoch, int64(len(stored))
}

// However long PostgreSQL stays away, what was appended waits for it, from many rooms at once, and is stored in its order once
// PostgreSQL is back, with the connections that there were.
func TestAppendsWaitForPostgres(t *testing.T) {
	const rooms, each = 5, 100
	w := newWorld(t, inPostgres(t))
	var sessions [rooms]string
	for i := range sessions {
		sessions[i] = w.newSession()
		w.must(w.append(sessions[i], spoke(1)))
	}
	w.must(servers.postgres.Kill())
	var answered sync.WaitGroup
	for seq := int64(2); seq <= each; seq++ {
		for _, session := range sessions {
			answered.Add(1)
			w.store.Append(session, w.epochs[session], []event.Event{spoke(seq)}, func(err error) {
				defer answered.Done()
				if err != nil {
					t.Errorf("event %d: %v", seq, err)
				}
			})
		}
	}
	time.Sleep(2 * time.Second) // it is away for so long: nothing is waited for
	w.must(servers.postgres.Start())
	answered.Wait()
	for _, session := range sessions {
		got, err := w.store.Load(w.ctx, session)
		if err != nil || len(got) != each {
			t.Errorf("the journal has %d events, %v", len(got), err)
		}
		checkEvents(t, got)
	}
}

// A store that is closed while PostgreSQL is away does not wait for it: what was appended fails.
func TestAStoreClosesWithoutPostgres(t *testing.T) {
	at := inPostgres(t)
	s, err := store.Open(t.Context(), at.config)
	if err != nil {
		t.Fatal(err)
	}
	w := worldOf(t, s)
	session := w.newSession()
	epoch := own(t, s, session)
	w.must(appendAll(s, session, epoch, spoke(1)))
	w.must(servers.postgres.Kill())
	answers := make(chan error, 2000)
	for seq := int64(2); seq < 2+int64(cap(answers)); seq++ {
		s.Append(session, epoch, []event.Event{spoke(seq)}, func(err error) { answers <- err })
	}
	began := time.Now()
	w.must(s.Close())
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it closes in %v", took)
	}
	for range cap(answers) {
		if err := <-answers; err == nil || errors.Is(err, room.ErrNotOwner) {
			t.Fatalf("an append to nowhere: %v", err)
		}
	}
	w.must(servers.postgres.Start())
	if got, err := open(t, at).Load(w.ctx, session); err != nil || len(got) != 1 {
		t.Errorf("the journal is %v, %v", got, err)
	}
}

func TestADatabaseIsForOneServer(t *testing.T) {
	at := inPostgres(t)
	at.config.Alone = true
	first, err := store.Open(t.Context(), at.config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), at.config); !errors.Is(err, store.ErrClaimed) {
		t.Errorf("a second server: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, at)
}
