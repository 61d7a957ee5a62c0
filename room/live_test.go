package room

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

var session = testPlan().Session.ID

type plans map[string]Plan

func (p plans) Plan(_ context.Context, session string) (Plan, error) {
	if plan, ok := p[session]; ok {
		return plan, nil
	}
	return Plan{}, refuse("not_found", "That session is not there.")
}

// live is a house in a synctest bubble.
type live struct {
	*testing.T
	journal *memJournal
	house   *House
	ids     int
}

func newLive(t *testing.T, delay time.Duration) *live {
	l := &live{T: t, journal: newMemJournal(t, delay), ids: 5000}
	l.open(Config{})
	return l
}

// inside lists who is in the session, if it is live.
func (l *live) inside() []event.Member {
	if r, ok := l.house.Live(session); ok {
		return r.Inside()
	}
	return nil
}

// open makes another house over the same journal.
func (l *live) open(cfg Config) {
	cfg.Journal, cfg.Plans = l.journal, plans{session: testPlan(event.Pause{ID: testID(7), Frame: 275})}
	l.house = NewHouse(cfg)
	house := l.house
	l.Cleanup(func() {
		if err := house.Close(context.Background()); err != nil {
			l.Error(err)
		}
	})
}

func (l *live) enter(member string, conn *testConn) *Room {
	l.Helper()
	r, err := l.house.Connect(l.Context(), session, Identity{ID: member, Name: "Name", Role: roleOf[member]}, conn, event.Hello{})
	if err != nil {
		l.Fatalf("connect: %v", err)
	}
	return r
}

// welcomed lets a member in and waits until they are welcome.
func (l *live) welcomed(member string) (*Room, *testConn) {
	l.Helper()
	conn := &testConn{}
	r := l.enter(member, conn)
	l.settle()
	wantTypes(l.T, conn.take(), "welcome")
	return r, conn
}

// settle waits until everything that is under way is done, and no longer.
func (l *live) settle() {
	time.Sleep(10*l.journal.delay + time.Millisecond)
	synctest.Wait()
}

func (l *live) id() string {
	l.ids++
	return testID(l.ids)
}

// stored is the session's journal.
func (l *live) stored() []event.Event {
	l.Helper()
	events, err := l.journal.Load(l.Context(), session)
	if err != nil {
		l.Fatal(err)
	}
	return events
}

// told is what a room has told its members so far, with what is private: everything, as it has settled.
func (l *live) told(r *Room) event.View {
	l.Helper()
	synctest.Wait()
	return r.told.Clone()
}

// member is one as the room knows them.
func (l *live) member(r *Room, id string) event.Member {
	l.Helper()
	v := l.told(r)
	m, _ := v.Member(id)
	return m
}
