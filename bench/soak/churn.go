package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
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
	sfu    *sfu.SFU
	maker  *maker
	counts [moments]atomic.Int64
	late   atomic.Int64 // of those who waited for media, those who got none in time
	wrong  atomic.Int64
	mu     sync.Mutex
	err    error
}

// state is what a server must not gather.
type state struct {
	goroutines int
	heap       uint64
}

const churnRooms = 4

func (p churnPlan) run(ctx context.Context, dice *rand.Rand) (*row, error) {
	s, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	m, err := newMaker()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	c := &churn{churnPlan: p, sfu: s, maker: m}
	r := &row{scenario: "churn"}
	// More at once than later: what the runtime keeps for the most goroutines that there ever were is no growth.
	if err = c.rounds(ctx, p.Warm, 2*p.AtOnce, dice); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	before := c.settle("before")
	for i := range c.counts {
		c.counts[i].Store(0)
	}
	began := time.Now()
	if err = c.rounds(ctx, p.Lives, p.AtOnce, dice); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	took := time.Since(began)
	after := c.settle("after")
	r.figure("%d lives in %v, half of them over ICE-TCP, %d at once", p.Lives, took.Round(time.Second), p.AtOnce)
	for i := range moments {
		r.figure("%6d went %s", c.counts[i].Load(), i)
	}
	r.compare(before, after, p)
	if n := c.late.Load(); n > 0 {
		r.fail("%d of those who waited for media got none in %v", n, mediaPatience)
	}
	if n := c.wrong.Load(); n > 0 {
		r.fail("%d lives met an error, the first: %v", n, c.err)
	}
	if n := s.Rooms(); n != 0 {
		r.fail("%d rooms are left", n)
	}
	return r, s.Close()
}

func (r *row) compare(before, after state, p churnPlan) {
	r.figure("goroutines %d -> %d", before.goroutines, after.goroutines)
	r.figure("heap %.2f MB -> %.2f MB (%+.2f %%, %.0f bytes for each life)", mb(before.heap), mb(after.heap),
		100*(float64(after.heap)/float64(before.heap)-1), (float64(after.heap)-float64(before.heap))/float64(p.Lives))
	if float64(after.goroutines) > float64(before.goroutines)*(1+p.Growth) {
		r.fail("goroutines grew by more than %.0f %%", 100*p.Growth)
	}
	if float64(after.heap) > float64(before.heap)*(1+p.Growth) {
		r.fail("the heap grew by more than %.0f %%", 100*p.Growth)
	}
}

func mb(n uint64) float64 { return float64(n) / 1e6 }

// settle waits until nothing goes on any more, and measures.
func (c *churn) settle(name string) state {
	var s state
	quiet := 0
	for quiet < 10 { // nothing ended for a second, or it is not going to
		n := runtime.NumGoroutine()
		if n == s.goroutines {
			quiet++
		} else {
			s.goroutines, quiet = n, 0
		}
		time.Sleep(100 * time.Millisecond)
	}
	for range 4 { // finalizers, and pools in two steps
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	s.heap = stats.HeapAlloc
	if c.Profiles != "" {
		if err := profile(filepath.Join(c.Profiles, name)); err != nil {
			c.fail(err)
		}
	}
	return s
}

func profile(path string) error {
	for _, kind := range []string{"heap", "goroutine"} {
		f, err := os.Create(path + "." + kind)
		if err != nil {
			return err
		}
		if err = errors.Join(pprof.Lookup(kind).WriteTo(f, 0), f.Close()); err != nil {
			return err
		}
	}
	return nil
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
	var peers []*sfu.Peer
	var hosts []*client
	defer func() {
		for i, h := range hosts {
			peers[i].Close()
			if err := errors.Join(h.failure(), h.close()); err != nil {
				c.fail(fmt.Errorf("host: %w", err))
			}
		}
	}()
	for i := range churnRooms {
		h, err := c.maker.client(host(i), webrtc.NetworkTypeUDP4)
		if err != nil {
			return err
		}
		peer, err := h.join(c.sfu, room(i))
		if err != nil {
			return err
		}
		hosts, peers = append(hosts, h), append(peers, peer)
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
	peer, err := cl.join(c.sfu, room(at))
	if err != nil {
		return errors.Join(err, cl.close())
	}
	if err = l.act(c, cl, host(at)); err == nil {
		err = cl.failure()
	}
	c.counts[l.moment].Add(1)
	if err = errors.Join(err, l.leave(c, cl, peer, room(at))); err != nil {
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

func (l life) leave(c *churn, cl *client, peer *sfu.Peer, room string) error {
	switch l.manner {
	case peerFirst:
		peer.Close()
		return cl.close()
	case cablePulled:
		cl.cable.pull()
	case replaced:
		again, err := c.sfu.Room(room).Join(sfu.PeerConfig{ID: cl.id, Publish: true, Subscribe: true})
		if err != nil {
			return errors.Join(err, cl.close())
		}
		defer again.Close()
	}
	err := cl.close()
	peer.Close()
	return err
}
