package load

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/bench/wire"
	"github.com/pausepoint/pausepoint/load/media"
	"github.com/pausepoint/pausepoint/load/stats"
)

// Scenario is who is in which room, and what they do.
type Scenario struct {
	Name      string
	Rooms     int
	Members   int  // of each room
	Talkers   int  // of each room's members, those who publish
	Listen    bool // talkers subscribe too
	Simulcast bool
	Loss      float64 // of the packets to subscribers
	Alone     int     // more subscribers who join one by one at the end, for the time to their first video
}

// Timing is how long a run's parts last.
type Timing struct {
	Stagger  time.Duration // between joins
	Warm     time.Duration // after everybody has video
	Measure  time.Duration
	Drain    time.Duration // for what is still on its way
	Patience time.Duration // with a participant that gets no media
}

// Probe is told when the measured period begins and ends.
type Probe interface {
	Before() // anybody joined
	Begin()
	End()
}

// Result is what the participants saw.
type Result struct {
	Participants int
	Subscribers  int
	Delivered    uint64  // packets, in the period, each once
	Expected     uint64  // packets published, times those who should get them; of simulcast, the best layer
	Top          float64 // fraction of the video that was of the best layer
	Latency      stats.Histogram
	FirstVideo   []time.Duration // of those who joined when there was video, in a crowd
	FirstMedia   []time.Duration
	AloneVideo   []time.Duration // of those who joined one by one
	Missing      int             // subscribers without video at the end
	Nacks, PLIs  uint64
	Recovered    uint64 // packets that came after a NACK
	Resent       uint64 // by publishers
	Garbled      uint64 // packets that could not be decrypted
	Profile      string // of SRTP, towards subscribers
}

// Load plays participants towards one server.
type Load struct {
	addr   string
	others []string // where those who only subscribe are, in turns, if not there too
	plain  bool
	engine *media.Engine
}

// New makes a load for the server whose signaling listens on addr, of 127.0.0.1. plain says that it has no WebRTC.
func New(addr string, plain bool) (*Load, error) {
	here := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	engine, err := media.New(here, here)
	return &Load{addr: addr, plain: plain, engine: engine}, err
}

// Observe lets those who only subscribe do so at other servers, in turns.
func (l *Load) Observe(addrs ...string) { l.others = addrs }

// addrOf is where the i-th member of a room goes.
func (l *Load) addrOf(talks bool, i int) string {
	if talks || len(l.others) == 0 {
		return l.addr
	}
	return l.others[i%len(l.others)]
}

// run is one run of a scenario.
type run struct {
	*Load
	scenario Scenario
	timing   Timing
	rooms    [][]*member
	waiting  map[*member]bool // joined when there was no video
	alone    []*member
}

// Run plays a scenario once. The server must be fresh.
func (l *Load) Run(ctx context.Context, s Scenario, t Timing, p Probe) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { l.engine.Run(ctx) })
	r := &run{Load: l, scenario: s, timing: t, rooms: make([][]*member, s.Rooms), waiting: make(map[*member]bool)}
	p.Before()
	err := r.play(ctx, p)
	for _, m := range r.members() {
		m.leave()
	}
	cancel()
	wg.Wait()
	return r.result(), err
}

func (r *run) play(ctx context.Context, p Probe) error {
	if err := r.joinAll(ctx); err != nil {
		return err
	}
	if err := r.await(ctx, r.subscribers()); err != nil {
		return err
	}
	if err := pause(ctx, r.timing.Warm); err != nil {
		return err
	}
	r.engine.Measure(r.timing.Measure)
	p.Begin()
	if err := pause(ctx, r.timing.Measure); err != nil {
		return err
	}
	p.End()
	if err := pause(ctx, r.timing.Drain); err != nil {
		return err
	}
	return r.joinAlone(ctx)
}

// joinAll lets everybody in, a room's first member before its second.
func (r *run) joinAll(ctx context.Context) error {
	for i := range r.scenario.Members {
		for room := range r.rooms {
			m := r.member(ctx, room, i)
			r.rooms[room] = append(r.rooms[room], m)
			if err := m.enter(); err != nil {
				return err
			}
			if i == 0 {
				r.waiting[m] = true
				if !r.plain {
					if err := r.until(ctx, m, m.peer.Publishing); err != nil {
						return fmt.Errorf("%s in %s does not get to publish: %w", m.name, m.join.Room, err)
					}
				}
			}
			if err := pause(ctx, r.timing.Stagger); err != nil {
				return err
			}
		}
	}
	return nil
}

// member makes the i-th member of a room; the first ones talk.
func (r *run) member(ctx context.Context, room, i int) *member {
	s := r.scenario
	talks := i < s.Talkers
	name := fmt.Sprintf("m%d", i)
	m := &member{
		name: name, server: r.Load, addr: r.addrOf(talks, i),
		config: media.Config{Index: room*s.Members + i, Simulcast: s.Simulcast, Loss: s.Loss},
		join: wire.Join{
			Room: fmt.Sprintf("r%d", room), Member: name, Publish: talks, Subscribe: !talks || s.Listen,
		},
	}
	m.ctx, m.cancel = context.WithCancel(ctx)
	return m
}

func (r *run) members() []*member { return append(slices.Concat(r.rooms...), r.alone...) }

func (r *run) subscribers() []*member {
	return slices.DeleteFunc(slices.Concat(r.rooms...), func(m *member) bool { return !m.join.Subscribe })
}

// await waits until every one of members has video.
func (r *run) await(ctx context.Context, members []*member) error {
	for _, m := range members {
		if err := r.until(ctx, m, func() bool { return m.peer.FirstVideo() != 0 }); err != nil {
			return fmt.Errorf("%s in %s has no video: %w", m.name, m.join.Room, err)
		}
	}
	return nil
}

// until waits for what is expected of a member, unless something goes wrong with it.
func (r *run) until(ctx context.Context, m *member, done func() bool) error {
	deadline := time.Now().Add(r.timing.Patience)
	for !done() {
		if err := m.err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it took more than %v", r.timing.Patience)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// aloneEvery is longer than any server's limit on key-frame requests.
const aloneEvery = 400 * time.Millisecond

// joinAlone lets more subscribers into the first room, one by one.
func (r *run) joinAlone(ctx context.Context) error {
	for i := range r.scenario.Alone {
		m := r.member(ctx, 0, r.scenario.Members+i)
		r.alone = append(r.alone, m)
		if err := m.enter(); err != nil {
			return err
		}
		if err := r.await(ctx, []*member{m}); err != nil {
			return err
		}
		if err := pause(ctx, aloneEvery+time.Duration(i)*7*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// result adds up, once everybody has left.
func (r *run) result() *Result {
	res := &Result{Participants: len(slices.Concat(r.rooms...))}
	var video, top uint64
	for _, room := range r.rooms {
		for _, m := range room {
			res.Resent += m.peer.Sent().Resent
			if !m.join.Subscribe {
				continue
			}
			got := m.peer.Received()
			res.Subscribers++
			res.Expected += expected(room, m)
			res.add(&got)
			video, top = video+got.Video, top+got.Top
			if first := m.peer.FirstVideo(); first != 0 && !r.waiting[m] {
				res.FirstVideo = append(res.FirstVideo, first)
				res.FirstMedia = append(res.FirstMedia, got.FirstMedia)
			}
		}
	}
	for _, m := range r.alone {
		res.AloneVideo = append(res.AloneVideo, m.peer.FirstVideo())
	}
	res.Top = float64(top) / float64(max(video, 1))
	return res
}

func (res *Result) add(got *media.Received) {
	res.Delivered += got.Audio + got.Video
	res.Latency.Merge(&got.Latency)
	res.Nacks += got.Nacks
	res.PLIs += got.PLIs
	res.Recovered += got.Recovered
	res.Garbled += got.Garbled
	if got.Profile != "" {
		res.Profile = got.Profile
	}
	if got.Video == 0 {
		res.Missing++
	}
}

// expected is how many packets of the period a subscriber should get.
func expected(room []*member, m *member) (n uint64) {
	for _, o := range room {
		if o != m {
			sent := o.peer.Sent()
			n += sent.Audio + sent.Video
		}
	}
	return n
}
