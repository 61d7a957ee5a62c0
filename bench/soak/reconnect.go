package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// reconnectPlan is rooms of three in which somebody loses the connection again and again, on a machine that is busy.
type reconnectPlan struct {
	Times    int
	Rooms    int
	Busy     int // processes that eat CPU
	Patience time.Duration
	Tell     func(attempt) // of each one, from any goroutine
}

const trio = 3

// way is how somebody comes back.
type way int

const (
	rejoined  way = iota // as a new peer, while the older one is still there
	restarted            // an ICE restart on connections that live
	rewired              // an ICE restart after the sockets are gone
	renewed              // new connections of the same peer, after the sockets are gone
	ways
)

func (w way) String() string {
	return [...]string{"new peer", "ICE restart", "ICE restart after the socket was lost", "new connections after the socket was lost"}[w]
}

// attempt is one reconnect.
type attempt struct {
	way  way
	took time.Duration
	miss string // what did not arrive
}

func (p reconnectPlan) run(ctx context.Context, dice *rand.Rand) (*row, error) {
	server, err := startServer(ctx, false)
	if err != nil {
		return nil, err
	}
	stop, err := startBusy(ctx, p.Busy)
	if err != nil {
		return nil, errors.Join(err, server.stop())
	}
	r, err := p.against(ctx, server, dice)
	return r, errors.Join(err, stop(), server.stop())
}

func (p reconnectPlan) against(ctx context.Context, server *process, dice *rand.Rand) (*row, error) {
	m, err := newMaker()
	if err != nil {
		return nil, err
	}
	results := make([][]attempt, p.Rooms)
	errs := make([]error, p.Rooms)
	var rooms sync.WaitGroup
	for i := range p.Rooms {
		own := rand.New(rand.NewPCG(dice.Uint64(), 3)) //nolint:gosec // a test's
		n := p.Times / p.Rooms
		if i < p.Times%p.Rooms {
			n++
		}
		rooms.Go(func() {
			t := &three{plan: p, server: server.addr, maker: m, room: room(i), dice: own}
			results[i], errs[i] = t.play(ctx, n)
		})
	}
	rooms.Wait()
	return p.row(slices.Concat(results...)), errors.Join(errs...)
}

func (p reconnectPlan) row(all []attempt) *row {
	r := &row{scenario: "reconnect"}
	r.figure("%d reconnects in %d rooms of %d, beside %d busy processes", len(all), p.Rooms, trio, p.Busy)
	for w := range ways {
		r.times(w.String(), all, func(a attempt) bool { return a.way == w })
	}
	r.times("all", all, func(attempt) bool { return true })
	missed := 0
	for _, a := range all {
		if a.miss != "" {
			if missed++; missed <= 5 {
				r.fail("after a %s: %s", a.way, a.miss)
			}
		}
	}
	r.figure("%d with a missing track", missed)
	if missed > 0 {
		r.fail("%d reconnects missed a track after %v", missed, p.Patience)
	}
	return r
}

func (r *row) times(what string, all []attempt, is func(attempt) bool) {
	var took []time.Duration
	for _, a := range all {
		if is(a) && a.miss == "" {
			took = append(took, a.took)
		}
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	at := func(p float64) time.Duration { return took[int(p*float64(len(took)-1))].Round(time.Millisecond) }
	r.figure("%5d %-42s to media: p50 %v  p95 %v  max %v", len(took), what, at(0.5), at(0.95), at(1))
}

// three is a room of three. One goroutine plays it.
type three struct {
	plan    reconnectPlan
	server  string // its address
	maker   *maker
	room    string
	dice    *rand.Rand
	ids     []string
	clients []*client
	lines   []*line
}

func (t *three) play(ctx context.Context, n int) (list []attempt, err error) {
	defer func() {
		for i, c := range t.clients {
			err = errors.Join(err, c.failure()) // before its line closes, on which it may just be answering
			t.lines[i].close()
			err = errors.Join(err, c.close())
		}
	}()
	for i := range trio {
		t.ids = append(t.ids, fmt.Sprintf("%s-%d", t.room, i))
		t.clients, t.lines = append(t.clients, nil), append(t.lines, nil)
		if err = t.enter(i); err != nil {
			t.clients, t.lines = t.clients[:i], t.lines[:i]
			return nil, err
		}
	}
	if miss := t.complete(time.Now()); miss != "" {
		return nil, fmt.Errorf("before any reconnect: %s", miss)
	}
	for range n {
		if ctx.Err() != nil {
			return list, ctx.Err()
		}
		a, err := t.again(t.dice.IntN(trio), way(t.dice.IntN(int(ways))))
		if err != nil {
			return list, err
		}
		t.plan.Tell(a)
		list = append(list, a)
	}
	return list, nil
}

// enter lets the i-th in, as a new peer.
func (t *three) enter(i int) error {
	c, err := t.maker.client(t.ids[i], webrtc.NetworkTypeUDP4)
	if err != nil {
		return err
	}
	l, err := c.dial(t.server, t.room)
	if err != nil {
		return errors.Join(err, c.close())
	}
	t.clients[i], t.lines[i] = c, l
	return c.publish(false)
}

// again lets the i-th lose the connection and come back.
func (t *three) again(i int, w way) (attempt, error) {
	c, l := t.clients[i], t.lines[i]
	began := time.Now()
	var err error
	switch w {
	case rejoined:
		c.cable.pull()
		err = errors.Join(c.failure(), t.enter(i), c.close())
		l.close()
	case restarted:
		err = c.restart()
	case rewired:
		c.cable.pull()
		time.Sleep(time.Duration(t.dice.Int64N(int64(300 * time.Millisecond))))
		began = time.Now()
		err = c.restart()
	case renewed:
		c.cable.pull()
		time.Sleep(time.Duration(t.dice.Int64N(int64(300 * time.Millisecond))))
		began = time.Now()
		err = c.renew()
	}
	if err != nil {
		return attempt{}, fmt.Errorf("%s: %w", w, err)
	}
	miss := t.complete(began)
	a := attempt{way: w, took: time.Since(began), miss: miss}
	for _, c := range t.clients {
		if err = c.failure(); err != nil {
			return a, fmt.Errorf("after a %s: %w", w, err)
		}
	}
	return a, nil
}

// complete waits until everybody gets what everybody sent since; it says what does not arrive.
func (t *three) complete(since time.Time) (miss string) {
	t.clients[0].await(t.plan.Patience, func() bool {
		miss = missing(since, t.clients, t.ids)
		return miss == ""
	})
	return miss
}

// missing lists what does not arrive at any of clients.
func missing(since time.Time, clients []*client, ids []string) string {
	for _, c := range clients {
		if miss := c.missing(since, ids...); miss != "" {
			return miss
		}
	}
	return ""
}
