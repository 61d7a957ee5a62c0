package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/store"
)

// PostgreSQL dies again and again while a session goes on. What was acknowledged is there, in its place, and the session goes
// on by itself: either the append waits, or it is refused, and the room begins again from what is stored.
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

// While PostgreSQL stays away, an append is refused after a while, and what comes later is not mistaken for what was lost.
func TestAppendsAreRefusedWhilePostgresIsAway(t *testing.T) {
	w := newWorld(t, inPostgres(t))
	w.store.SetPatience(time.Millisecond)
	session := w.newSession()
	w.must(w.append(session, spoke(1)))
	w.must(servers.postgres.Kill())
	for range 2 {
		if err := w.append(session, spoke(2)); err == nil || errors.Is(err, room.ErrNotOwner) {
			t.Errorf("an append to nowhere: %v", err)
		}
	}
	w.must(servers.postgres.Start())
	appendThrough(w, session, 2, make(chan int64, 2)) // with the connections that it had, and without another start
	if got, err := w.store.Load(w.ctx, session); err != nil || len(got) != 2 {
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
