package sfu

import (
	"flag"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v4"
)

//nolint:gochecknoglobals // a flag
var seed = flag.Uint64("seed", 1, "what the links' losses and delays begin with")

// chance is a sequence of random numbers for each way, so that what happens on one says nothing of another. The seed repeats it.
type chance map[string]*rand.Rand

func newChance() chance { return make(chance) }

func (c chance) of(from, to net.Addr) *rand.Rand {
	way := hostOf(from) + " " + hostOf(to)
	r := c[way]
	if r == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(way))
		r = rand.New(rand.NewPCG(*seed, h.Sum64()))
		c[way] = r
	}
	return r
}

// links delay what is sent by a time of each packet's own, which reorders them, and by queues of limited rate.
type links struct {
	jitter time.Duration

	mu     sync.Mutex
	chance chance
	narrow map[string]*bottleneck // by the address that packets go to
	long   map[string]*longWay    // by the address that packets go to or come from
}

// longWay delays packets each way, and holds up those after one that comes late.
type longWay struct {
	delay, jitter time.Duration
	last          map[string]time.Time // when the newest packet arrives, by where it goes
}

// bottleneck is a queue that drops what would wait too long.
type bottleneck struct {
	rate  int // bit/s
	queue time.Duration
	free  time.Time // when what waits has left
}

func newLinks(jitter time.Duration) *links {
	return &links{jitter: jitter, chance: newChance(), narrow: make(map[string]*bottleneck), long: make(map[string]*longWay)}
}

// limit makes the link towards addr that fast from now on.
func (l *links) limit(addr string, rate int, queue time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.narrow[addr]
	if b == nil {
		b = &bottleneck{}
		l.narrow[addr] = b
	}
	b.rate, b.queue = rate, queue
}

// lengthen makes the way to and from addr longer from now on, and uneven, but in order.
func (l *links) lengthen(addr string, delay, jitter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.long[addr] = &longWay{delay: delay, jitter: jitter, last: make(map[string]time.Time)}
}

// pass says how long a packet takes.
func (w *longWay) pass(r *rand.Rand, to string) time.Duration {
	now := time.Now()
	at := later2(now.Add(w.delay+time.Duration(r.Int64N(int64(w.jitter)))), w.last[to].Add(time.Microsecond))
	w.last[to] = at
	return at.Sub(now)
}

const headersBelow = 28 // bytes of UDP and IP

// plan says how long a packet takes, and false if it is dropped.
func (l *links) plan(size int, from, to net.Addr) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := time.Duration(0)
	if l.jitter > 0 {
		d = time.Duration(l.chance.of(from, to).Int64N(int64(l.jitter)))
	}
	for _, addr := range []net.Addr{from, to} {
		if w := l.long[hostOf(addr)]; w != nil {
			d += w.pass(l.chance.of(from, to), hostOf(to))
		}
	}
	b := l.narrow[hostOf(to)]
	if b == nil {
		return d, true
	}
	now := time.Now()
	if b.free.Before(now) {
		b.free = now
	}
	if b.free.Sub(now) > b.queue {
		return 0, false
	}
	b.free = b.free.Add(time.Duration((size + headersBelow) * 8 * int(time.Second) / b.rate))
	return b.free.Sub(now) + d, true
}

func (l *links) send(c net.PacketConn, b []byte, to net.Addr) (int, error) {
	d, ok := l.plan(len(b), c.LocalAddr(), to)
	if !ok {
		return len(b), nil
	}
	if d == 0 {
		return c.WriteTo(b, to)
	}
	kept := append([]byte(nil), b...)
	time.AfterFunc(d, func() { _, _ = c.WriteTo(kept, to) })
	return len(b), nil
}

// linkNet is a network whose sockets send through links.
type linkNet struct {
	transport.Net

	links *links
}

func (n linkNet) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return linkPackets{PacketConn: c, links: n.links}, nil
}

func (n linkNet) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	return linkUDP{UDPConn: c, links: n.links}, nil
}

type linkPackets struct {
	net.PacketConn

	links *links
}

func (c linkPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	return c.links.send(c.PacketConn, b, to)
}

type linkUDP struct {
	transport.UDPConn

	links *links
}

func (c linkUDP) WriteTo(b []byte, to net.Addr) (int, error) { return c.links.send(c.UDPConn, b, to) }
