package transport

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v4"
)

// Times of liveness and bounds of what members may cause. An agent renews its consent every 5 s (RFC 7675 section 5.1).
const (
	silentAfter      = 4 * time.Second
	failedAfter      = 12 * time.Second
	housekeeping     = 500 * time.Millisecond
	handshakeTimeout = 15 * time.Second
	maxHandshakes    = 512 // at the same time; others wait
)

// Config is what a Network needs to know.
type Config struct {
	// Addr is where media arrives, "127.0.0.1:0" or ":7882". Without a host, every address of the machine is used, except link-local
	// ones; loopback only where there is nothing else.
	Addr string
	// DisableTCP leaves out ICE-TCP, which otherwise listens on the same port number. There is none with Net.
	DisableTCP bool
	// TCP is where ICE-TCP comes in instead, on a port that is shared. The Network closes it.
	TCP net.Listener
	// PublicAddrs replace the machine's own addresses in Candidates, where those are behind a 1-to-1 NAT. Each address family is
	// replaced by its own.
	PublicAddrs []netip.Addr
	// Allow says whether packets may be sent to an address; nil allows all. It is not asked about loopback: those addresses are
	// answered if the Network is reached over loopback only, and never otherwise. It is called from any goroutine.
	Allow func(netip.Addr) bool
	// AllowOwn has the Network's own addresses answered whatever Allow says: a relay on this machine sends from them.
	AllowOwn bool
	// Net is the network; nil is the machine's.
	Net transport.Net
	// Logger gets warnings; nil discards them.
	Logger *slog.Logger
}

// Network is the sockets of a server and the connections on them. Its methods may be called from any goroutine.
type Network struct {
	log        *slog.Logger
	allow      func(netip.Addr) bool
	allowOwn   bool
	identity   identity
	port       int
	loopback   bool
	candidates []string
	locals     []*local
	machine    transport.Net // nil is the machine's own
	bound      netip.Addr    // that it listens on; not valid for all
	tcp        *tcpListener  // nil without ICE-TCP
	began      time.Time     // instants are nanoseconds since
	handshakes chan struct{}
	counters   counters
	batches    atomic.Uint32
	quit       chan struct{} // closed by Close
	goroutines sync.WaitGroup

	mu     sync.RWMutex
	closed bool
	conns  map[*Conn]struct{}
	ufrags map[string]*generation // live generations of all conns
}

// Listen opens the sockets and begins to read. The caller closes the Network.
func Listen(cfg Config) (*Network, error) {
	id, err := newIdentity()
	if err != nil {
		return nil, err
	}
	n := &Network{
		log:        cfg.Logger,
		allow:      cfg.Allow,
		allowOwn:   cfg.AllowOwn,
		identity:   id,
		began:      time.Now(),
		handshakes: make(chan struct{}, maxHandshakes),
		quit:       make(chan struct{}),
		conns:      make(map[*Conn]struct{}),
		ufrags:     make(map[string]*generation),
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if err := n.open(cfg); err != nil {
		return nil, err
	}
	for _, l := range n.locals {
		for i, s := range l.sockets {
			n.goroutines.Go(func() { n.read(l, s, i, n.quit) })
		}
	}
	if n.tcp != nil {
		n.goroutines.Go(n.tcp.accept)
	}
	n.goroutines.Go(n.keepHouse)
	return n, nil
}

// NewConn makes a connection with ICE credentials of its own. On a closed Network it is closed.
func (n *Network) NewConn(h Handler) *Conn {
	c := newConn(n, h)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		c.closed = true
		c.state.Store(int32(Closed))
		return c
	}
	n.conns[c] = struct{}{}
	n.ufrags[c.current.ufrag] = c.current
	return c
}

// Port is the UDP port, and the TCP port if there is ICE-TCP.
func (n *Network) Port() int { return n.port }

// Candidates are the values of a=candidate lines (RFC 8839 section 5.1), without "candidate:": UDP and passive TCP host candidates.
func (n *Network) Candidates() []string { return append([]string(nil), n.candidates...) }

// Fingerprint is the value of a=fingerprint, "sha-256 AA:BB:…".
func (n *Network) Fingerprint() string { return n.identity.fingerprint }

// Loopback reports whether the network is reached over loopback only.
func (n *Network) Loopback() bool { return n.loopback }

// NewBatch makes a batch for a goroutine that is not a reader.
func (n *Network) NewBatch() *Batch { return newBatch(n, int(n.batches.Add(1))) }

// Close ends every connection and waits for them. It must not be called from a Handler.
func (n *Network) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		n.goroutines.Wait()
		return nil
	}
	n.closed = true
	conns := make([]*Conn, 0, len(n.conns))
	for c := range n.conns {
		conns = append(conns, c)
	}
	n.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	close(n.quit)
	err := n.closeSockets()
	n.goroutines.Wait()
	return err
}

// keepHouse is the only goroutine that waits for time to pass.
func (n *Network) keepHouse() {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	var conns []*Conn
	for {
		select {
		case <-n.quit:
			return
		case <-tick.C:
		}
		conns = conns[:0]
		n.mu.RLock()
		for c := range n.conns {
			conns = append(conns, c)
		}
		n.mu.RUnlock()
		now := n.instant(time.Now())
		for _, c := range conns {
			c.age(now)
		}
		clear(conns)
		if n.tcp != nil {
			n.tcp.closeIdle(now)
		}
	}
}

// instant is a time as nanoseconds since the Network began.
func (n *Network) instant(t time.Time) int64 { return int64(t.Sub(n.began)) }

// answers reports whether packets may be sent to an address.
func (n *Network) answers(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return n.loopback
	}
	return n.allow == nil || n.allow(addr) || n.allowOwn && n.isOwn(addr)
}

func (n *Network) isOwn(addr netip.Addr) bool {
	return slices.ContainsFunc(n.locals, func(l *local) bool { return l.addr.Addr() == addr })
}

// Addrs are where packets arrive over UDP, as this machine knows them.
func (n *Network) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, 0, len(n.locals))
	for _, l := range n.locals {
		addrs = append(addrs, l.addr)
	}
	return addrs
}

func (n *Network) generation(ufrag []byte) *generation {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.ufrags[string(ufrag)]
}

// register makes checks with a generation's credentials count. It reports false if the Network is closed.
func (n *Network) register(g *generation) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.ufrags[g.ufrag] = g
	return true
}

func (n *Network) unregister(g *generation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.ufrags, g.ufrag)
}

func (n *Network) forget(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

// Stats counts what happened on a Network since it began.
type Stats struct {
	Conns           int // now
	PacketsReceived uint64
	BytesReceived   uint64
	PacketsSent     uint64
	BytesSent       uint64
	SendCalls       uint64 // system calls that sent packets
	DroppedReceive  uint64 // from addresses that passed no check, malformed, not authentic, or seen before
	DroppedSend     uint64 // refused by the kernel, or the member's TCP connection did not keep up
	Segmented       bool   // the kernel is given several packets at a time (UDP_SEGMENT)
}

type counters struct {
	packetsReceived, bytesReceived, packetsSent, bytesSent, sendCalls, droppedReceive, droppedSend atomic.Uint64
}

// Stats are the counters of now.
func (n *Network) Stats() Stats {
	n.mu.RLock()
	conns := len(n.conns)
	n.mu.RUnlock()
	s := Stats{
		Conns:           conns,
		PacketsReceived: n.counters.packetsReceived.Load(),
		BytesReceived:   n.counters.bytesReceived.Load(),
		PacketsSent:     n.counters.packetsSent.Load(),
		BytesSent:       n.counters.bytesSent.Load(),
		SendCalls:       n.counters.sendCalls.Load(),
		DroppedReceive:  n.counters.droppedReceive.Load(),
		DroppedSend:     n.counters.droppedSend.Load(),
	}
	for _, l := range n.locals {
		s.Segmented = s.Segmented || l.segments.Load()
	}
	return s
}
