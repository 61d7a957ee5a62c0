package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/bench/faults"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// What is promised of a call while nothing can be stored.
const (
	outage       = 30 * time.Second
	refusedAfter = 16 * time.Second // of a command that waits
	laden        = 8 * time.Second  // what a machine with much else to do may add to that
)

// listener takes what comes over a track, until the test ends.
type listener struct {
	longest chan time.Duration // asked for once, the longest silence so far
}

func listens(track *webrtc.TrackRemote) *listener {
	l := &listener{make(chan time.Duration)}
	packets := make(chan struct{}, 100)
	go func() {
		defer close(packets)
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			packets <- struct{}{}
		}
	}()
	go func() {
		last, longest := time.Now(), time.Duration(0)
		for {
			select {
			case _, more := <-packets:
				if longest = max(longest, time.Since(last)); !more {
					packets = nil // and it stays silent
				} else {
					last = time.Now()
				}
			case l.longest <- max(longest, time.Since(last)):
				return
			}
		}
	}()
	return l
}

// writes asks for a shared note.
func (c *connection) writes(text string) *event.Problem {
	c.t.Helper()
	return c.ask(event.NoteAdd{ID: newID(c.t), Type: event.Question, Visibility: event.Shared, Text: text})
}

// isRefused wants a note to be refused as not saved, in time.
func (c *connection) isRefused(text string, within time.Duration) {
	c.t.Helper()
	asked := time.Now()
	p := c.writes(text)
	if p == nil || p.Code != "unavailable" {
		c.t.Fatalf("%q is answered with %v", text, p)
	}
	if took := time.Since(asked); took > within {
		c.t.Errorf("%q is refused after %v", text, took)
	}
}

// isTaken writes a note again and again until it is taken, over the connection that there is.
func (c *connection) isTaken(text string) {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Second) { // as people do
		p := c.writes(text)
		if p == nil {
			return
		}
		if p.Code != "unavailable" || time.Now().After(end) {
			c.t.Fatalf("%q is answered with %v", text, p)
		}
	}
}

// sees waits until a note is there.
func (c *connection) sees(text string) {
	c.t.Helper()
	has := func() bool {
		for _, n := range c.view.Notes {
			if n.Text == text {
				return true
			}
		}
		return false
	}
	if !has() {
		c.awaitThat("the note "+text, func(frame) bool { return has() })
	}
}

// goesOnWithout is a call of three in which the database goes away for a while: sound goes on, what is asked for is refused as not saved, who loses
// their connection comes in again, and afterwards all works again without anybody coming in anew. Nothing that was acknowledged is lost.
func goesOnWithout(t *testing.T, s *server, begins, ends func()) {
	amara := newBrowser(t, s)
	amara.must(200, "POST", "/api/setup", map[string]string{
		"token": s.printed(t, firstLink)[1], "name": adminName, "email": adminEmail, "password": adminPassword,
	}, nil)
	var plan struct{ ID string }
	amara.must(201, "POST", "/api/sessions", map[string]any{"title": "Goes on"}, &plan)
	ben, _ := s.guest(t, plan.ID, amara.link(plan.ID, event.Peer), "Ben")
	carol, _ := s.guest(t, plan.ID, amara.link(plan.ID, event.Peer), "Carol")
	a, b, c := amara.connect(plan.ID, agreed), ben.connect(plan.ID, agreed), carol.connect(plan.ID, agreed)
	a.answered(a.publish())
	_, received := b.subscribe()
	heard := listens(<-received)
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "before"})

	began := time.Now()
	begins()
	a.isRefused("waited", refusedAfter+laden)
	a.isRefused("asked for", laden)
	must(t, c.ws.Close()) // her network, say
	c = carol.connect(plan.ID, agreed)
	_, received = c.subscribe()
	if _, _, err := (<-received).ReadRTP(); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Until(began.Add(outage))) // it lasts so long: nothing is waited for
	if len(a.view.Notes) != 1 {
		t.Errorf("somebody sees what is not saved: %v", a.view.Notes)
	}
	ends()
	back := time.Now()
	a.isTaken("after")
	t.Logf("commands are taken %v after the database is back", time.Since(back).Round(time.Millisecond))
	b.sees("after")
	c.sees("after")
	silence := <-heard.longest
	t.Logf("the longest silence was %v", silence.Round(time.Millisecond))
	if silence > laden {
		t.Errorf("nothing was heard for %v", silence)
	}
	s.stop(t)
	again := signedIn(t, start(t, s.data, s.args...)).connect(plan.ID, agreed)
	for _, text := range []string{"before", "after"} {
		again.sees(text)
	}
	for _, n := range again.view.Notes {
		if n.Text == "asked for" {
			t.Errorf("what was not done is there: %+v", n)
		}
	}
}

// PostgreSQL is away for half a minute, as it has died or as nothing reaches it.
func TestACallGoesOnWithoutPostgres(t *testing.T) {
	for name, how := range map[string]func(*storetest.Postgres, *faults.Link) (begins, ends func() error){
		"killed": func(db *storetest.Postgres, _ *faults.Link) (begins, ends func() error) { return db.Kill, db.Start },
		"cut off": func(_ *storetest.Postgres, l *faults.Link) (begins, ends func() error) {
			return func() error { l.Cut(); return nil }, func() error { l.Mend(); return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := storetest.StartPostgres()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { must(t, db.Stop()) })
			database, err := db.NewDatabase(t.Context())
			must(t, err)
			socket, address, err := throughLink(database)
			must(t, err)
			link, err := faults.NewLink("unix", socket)
			must(t, err)
			t.Cleanup(func() { must(t, link.Close()) })
			address.Host = link.Addr()
			begins, ends := how(db, link)
			s := start(t, t.TempDir(), "--database", address.String())
			goesOnWithout(t, s, func() { must(t, begins()) }, func() { must(t, ends()) })
		})
	}
}

// PostgreSQL is away for all of several servers. When it is back, each goes on with the calls that it has: what a server says of itself is a
// moment old, and is no reason to take its calls.
func TestServersKeepTheirCallsWithoutPostgres(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	f := newFleet(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, costs := f.gather(ctx, 6, seeded(t)), newToll(t.Logf)
	c.together(ctx, t)
	moved := func() (times int) {
		for _, n := range f.nodes {
			times += strings.Count(n.stderr.String(), "goes on here") + strings.Count(n.stderr.String(), "has a session now")
		}
		return times
	}
	before := moved()
	must(t, c.withoutPostgres(ctx, f, outage, costs))
	pause(ctx, 5*time.Second) // in which one would take what is not its own
	_, err := c.live(ctx, c.now())
	must(t, err)
	if times := moved() - before; times > 0 {
		t.Errorf("calls went to another server %d times", times)
	}
	f.judge(c, costs)
}

// A server that is asked to end while PostgreSQL is away does not wait for it longer than it is given.
func TestAServerEndsWithoutPostgres(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	f := newFleet(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := f.gather(ctx, 2, seeded(t))
	c.together(ctx, t)
	n := f.nodes[0]
	n.database.Cut()
	pause(ctx, refusedAfter+laden) // what members ask for meanwhile waits
	asked := time.Now()
	must(t, n.signal(syscall.SIGTERM))
	select {
	case <-n.ended: // well, or saying what it could not end
	case <-time.After(handOverWithin + laden):
		t.Fatal("it still runs")
	}
	t.Logf("it ends after %v", time.Since(asked).Round(time.Millisecond))
	n.database.Mend()
	must(t, n.start())
	_, err := c.live(ctx, c.now())
	must(t, err)
	f.judge(c, newToll(t.Logf))
}
