package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/sfu"
)

// churnPlan is people who come and go, most of them before they have arrived.
type churnPlan struct {
	Warm, Lives int
	AtOnce      int
	Growth      float64 // of goroutines and heap that is allowed
	Profiles    string  // a folder for heap profiles, or empty
}

// moment is how far somebody gets before it goes.
type moment int

const (
	afterJoin moment = iota
	afterOffer
	duringICE
	duringDTLS
	afterMedia
	moments
)

func (m moment) String() string {
	return [...]string{"after the join", "after the offer", "during ICE", "during DTLS", "after media"}[m]
}

// manner is how somebody goes.
type manner int

const (
	peerFirst   manner = iota // the server is told, then the client goes
	clientFirst               // the client says goodbye on its connections, then the server is told
	cablePulled               // nothing more is sent; the server is told
	replaced                  // the same member comes again, and the older client goes
	manners
)

const mediaPatience = 30 * time.Second

type churn struct {
	churnPlan
	server *process
	maker  *maker
	counts [moments]atomic.Int64
	late   atomic.Int64 // of those who waited for media, those who got none in time
	wrong  atomic.Int64
	mu     sync.Mutex
	err    error
}

const (
	churnRooms    = 4
	churnMeasures = 10
)

func (p churnPlan) run(ctx context.Context, dice *rand.Rand) (*row, error) {
	server, err := startServer(ctx, p.Profiles != "")
	if err != nil {
		return nil, err
	}
	r, err := p.against(ctx, server, dice)
	return r, errors.Join(err, server.stop())
}

// against churns a server. It is measured before, between and after, each time without anybody in it.
func (p churnPlan) against(ctx context.Context, server *process, dice *rand.Rand) (*row, error) {
	m, err := newMaker()
	if err != nil {
		return nil, err
	}
	c := &churn{churnPlan: p, server: server, maker: m}
	r := &row{scenario: "churn"}
	states := make([]state, 1, churnMeasures+1)
	// More at once than later: what is kept for the most that there ever were is no growth. Twice, since being measured is also new
	// to the server.
	for range 2 {
		if err = c.rounds(ctx, p.Warm/2, 2*p.AtOnce, dice); err != nil {
			return nil, err
		}
		if states[0], err = c.measure(0); err != nil {
			return nil, err
		}
	}
	for i := range c.counts {
		c.counts[i].Store(0)
	}
	var took time.Duration
	for i := range churnMeasures {
		began := time.Now()
		if err = c.rounds(ctx, p.Lives/churnMeasures, p.AtOnce, dice); err != nil {
			return nil, err
		}
		took += time.Since(began)
		s, err := c.measure(i + 1)
		if err != nil {
			return nil, err
		}
		states = append(states, s)
	}
	r.figure("%d lives in %v, half of them over ICE-TCP, %d at once", p.Lives, took.Round(time.Second), p.AtOnce)
	for i := range moments {
		r.figure("%6d went %s", c.counts[i].Load(), i)
	}
	r.compare(states, p)
	if n := c.late.Load(); n > 0 {
		r.fail("%d of those who waited for media got none in %v", n, mediaPatience)
	}
	if n := c.wrong.Load(); n > 0 {
		r.fail("%d lives met an error, the first: %v", n, c.err)
	}
	return r, nil
}

// measure has the server measured after some of the lives.
func (c *churn) measure(i int) (state, error) {
	if c.Profiles == "" {
		return c.server.measure("")
	}
	return c.server.measure(filepath.Join(c.Profiles, fmt.Sprintf("%02d", i)))
}

// compare wants the last state to be as the first. A room that is left would be a goroutine.
func (r *row) compare(states []state, p churnPlan) {
	before, after := states[0], states[len(states)-1]
	for i, s := range states {
		r.figure("the server after %6d: %d goroutines, %7.1f kB", i*p.Lives/churnMeasures, s.Goroutines, float64(s.Heap)/1000)
	}
	grown := rise(states)
	r.figure("its heap of %.0f kB grew by %+.1f kB: %+.2f %%, %.1f bytes for each life", float64(before.own())/1000, grown/1000,
		100*grown/float64(before.own()), grown/float64(p.Lives))
	if float64(after.Goroutines) > float64(before.Goroutines)*(1+p.Growth) {
		r.fail("goroutines grew by more than %.0f %%", 100*p.Growth)
	}
	if grown > float64(before.own())*p.Growth {
		r.fail("the heap grew by more than %.0f %%", 100*p.Growth)
	}
}

// rise is by how much a line through all measurements rises from the first to the last, in bytes: the runtime keeps a little more or
// less each time.
func rise(states []state) float64 {
	last := float64(len(states) - 1)
	heap, up, square := 0.0, 0.0, 0.0
	for _, s := range states {
		heap += float64(s.Heap) / float64(len(states))
	}
	for i, s := range states {
		x := float64(i) - last/2
		up += x * (float64(s.Heap) - heap)
		square += x * x
	}
	return up / square * last
}

func (c *churn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong.Add(1)
	if c.err == nil {
		c.err = err
	}
}

// rounds lets n people live, in rooms where somebody is all the time.
func (c *churn) rounds(ctx context.Context, n, atOnce int, dice *rand.Rand) error {
	var lines []*line
	var hosts []*client
	defer func() {
		for i, h := range hosts {
			met := h.failure() // before its line closes, on which it may just be answering
			lines[i].close()
			if err := errors.Join(met, h.close()); err != nil {
				c.fail(fmt.Errorf("host: %w", err))
			}
		}
	}()
	for i := range churnRooms {
		h, err := c.maker.client(host(i), webrtc.NetworkTypeUDP4)
		if err != nil {
			return err
		}
		l, err := h.dial(c.server.addr, room(i))
		if err != nil {
			return err
		}
		hosts, lines = append(hosts, h), append(lines, l)
		if err = h.publish(false); err != nil {
			return err
		}
	}
	work := make(chan life)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for l := range work {
				if err := l.live(c); err != nil {
					c.fail(err)
				}
			}
		})
	}
	for i := range n {
		l := life{
			n: i, moment: moment(dice.IntN(int(moments))), manner: manner(dice.IntN(int(manners))),
			delay: time.Duration(dice.Int64N(int64(20 * time.Millisecond))), network: webrtc.NetworkTypeUDP4,
		}
		if dice.IntN(2) == 0 {
			l.network = webrtc.NetworkTypeTCP4
		}
		select {
		case work <- l:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
	return ctx.Err()
}

func room(i int) string { return fmt.Sprintf("room%d", i) }
func host(i int) string { return fmt.Sprintf("host%d", i) }

// life is one person's.
type life struct {
	n       int
	moment  moment
	manner  manner
	delay   time.Duration
	network webrtc.NetworkType
}

func (l life) live(c *churn) error {
	at, id := l.n%churnRooms, fmt.Sprintf("m%d", l.n)
	cl, err := c.maker.client(id, l.network)
	if err != nil {
		return err
	}
	line, err := cl.dial(c.server.addr, room(at))
	if err != nil {
		return errors.Join(err, cl.close())
	}
	if err = l.act(c, cl, host(at)); err == nil {
		err = cl.failure()
	}
	c.counts[l.moment].Add(1)
	if err = errors.Join(err, l.leave(c, cl, line, room(at))); err != nil {
		return fmt.Errorf("%s: %w", l.moment, err)
	}
	return nil
}

// act lives until the moment has come.
func (l life) act(c *churn, cl *client, host string) error {
	if l.moment == afterJoin {
		return nil
	}
	began := time.Now()
	if err := cl.publish(false); err != nil {
		return err
	}
	switch l.moment {
	case duringICE:
		time.Sleep(l.delay)
	case duringDTLS:
		if !cl.await(mediaPatience, func() bool { return cl.checked() }) {
			c.late.Add(1)
		}
		time.Sleep(l.delay / 5)
	case afterMedia:
		if !cl.await(mediaPatience, func() bool { return cl.missing(began, host) == "" }) {
			c.late.Add(1)
		}
	}
	return nil
}

// checked reports whether ICE has a path for what is published.
func (c *client) checked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pub != nil && c.pub.pc.ICEConnectionState() == webrtc.ICEConnectionStateConnected
}

// await waits for something; it reports false if that takes longer than patience.
func (c *client) await(patience time.Duration, done func() bool) bool {
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(2 * time.Millisecond)
	}
	return true
}

func (l life) leave(c *churn, cl *client, line *line, room string) error {
	switch l.manner {
	case peerFirst:
		line.close()
		return cl.close()
	case cablePulled:
		cl.cable.pull()
	case replaced:
		again, err := dial(c.server.addr, room, cl.id, func(sfu.Signal) {})
		if err != nil {
			return errors.Join(err, cl.close())
		}
		defer again.close()
	}
	err := cl.close()
	line.close()
	return err
}
