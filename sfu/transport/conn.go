package transport

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of Start.
var (
	ErrClosed      = errors.New("transport: the connection is closed")
	ErrRemote      = errors.New("transport: the remote parameters are not usable")
	ErrFingerprint = errors.New("transport: the certificate of a connection cannot change: make a new connection")
)

// Handler is told what arrives on a Conn. HandleRTP and HandleRTCP of one Conn never run at the same time as each other. They must
// neither block nor keep raw, which they may overwrite, and may send on any Conn into b; b is flushed after they return. No method may
// call Close of any Conn.
type Handler interface {
	// HandleRTP is given one RTP packet, decrypted and not seen before. It arrived at arrival, by the kernel where that says so, and
	// waited for the reader since: what is sent is sent at b.Now().
	HandleRTP(b *Batch, raw []byte, arrival time.Time)
	// HandleRTCP is given one compound packet, decrypted and not seen before.
	HandleRTCP(b *Batch, raw []byte, arrival time.Time)
	// StateChanged is called from any goroutine, in the order of the changes, never twice at the same time.
	StateChanged(s State)
}

// State is the state of a Conn.
type State int

// The states of a Conn. Failed and Closed are final: nothing is sent or handled any more, and the owner calls Close.
const (
	New       State = iota
	Connected       // ICE and DTLS are done: packets may be sent
	Silent          // nothing authentic came for 4 s; Connected follows when something comes
	Failed          // nothing authentic came for 12 s, or the handshake failed
	Closed          // the member said close_notify, or Close was called
)

// String is the state's name.
func (s State) String() string {
	switch s {
	case New:
		return "new"
	case Connected:
		return "connected"
	case Silent:
		return "silent"
	case Failed:
		return "failed"
	case Closed:
		return "closed"
	}
	return "unknown"
}

// Setup is the DTLS role of the member's SDP (RFC 4145, RFC 8842). The server begins the handshake only where the member waits for it:
// the DTLS server chooses how packets are encrypted, and browsers would choose what costs more.
type Setup int

// The roles that a=setup names.
const (
	SetupActpass Setup = iota
	SetupActive
	SetupPassive
)

// Remote is what the member's SDP says of its transport.
type Remote struct {
	Ufrag, Pwd  string // of ICE
	Fingerprint string // of the certificate, "sha-256 AA:BB:…"
	Setup       Setup
}

// Conn is one connection to one member. Its methods may be called from any goroutine.
type Conn struct {
	net     *Network
	handler Handler
	life    context.Context //nolint:containedctx // of the DTLS goroutine; ends with Close, Failed or Closed
	end     context.CancelFunc
	closing sync.Once
	done    sync.WaitGroup // the DTLS goroutine, and that of checks
	reading sync.WaitGroup // the reader of a connection that calls

	state    atomic.Int32
	heard    atomic.Int64 // instant of the newest authentic packet, or of Start
	selected atomic.Pointer[path]
	pipe     *pipe // between the readers and DTLS

	notify sync.Mutex // held while the handler is told of a state

	// mu guards what signaling and connectivity checks change.
	mu            sync.Mutex
	closed        bool
	current, next *generation // next is nil unless the member has not yet answered a Restart
	started       bool
	certificate   [32]byte // SHA-256 of the member's
	dials         bool     // the server begins the DTLS handshake
	handshaking   bool     // or done
	paths         []*path
	calling       *dialing // nil for a member's

	in  incoming
	out outgoing
}

func newConn(n *Network, h Handler) *Conn {
	c := &Conn{net: n, handler: h}
	c.life, c.end = context.WithCancel(context.Background())
	c.current = newGeneration(c)
	c.pipe = newPipe(c)
	return c
}

// Credentials are the ICE user name fragment and password of the newest generation.
func (c *Conn) Credentials() (ufrag, pwd string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		return c.next.ufrag, c.next.pwd
	}
	return c.current.ufrag, c.current.pwd
}

// Start says who the member is. It may be called again, with new ICE credentials after a restart; the fingerprint must then be the
// same, and the DTLS role stays. Errors: ErrClosed, ErrRemote, ErrFingerprint.
func (c *Conn) Start(r Remote) error {
	certificate, err := parseRemote(r)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return ErrClosed
	case c.started && c.certificate != certificate:
		return ErrFingerprint
	case c.started:
		return nil
	}
	c.started, c.certificate, c.dials = true, certificate, r.Setup == SetupPassive
	c.heard.Store(c.net.instant(time.Now()))
	c.mayHandshake()
	return nil
}

// Restart makes new ICE credentials. The path in use stays so until a check with the new credentials nominates one.
func (c *Conn) Restart() (ufrag, pwd string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := newGeneration(c)
	if c.closed || !c.net.register(g) {
		return g.ufrag, g.pwd
	}
	if c.next != nil {
		c.net.unregister(c.next)
	}
	c.next = g
	return g.ufrag, g.pwd
}

// State is the present state.
func (c *Conn) State() State { return State(c.state.Load()) }

// RemoteAddr is where packets are sent, and whether they go over TCP. It is not valid before the first nomination.
func (c *Conn) RemoteAddr() (addr netip.AddrPort, tcp bool) {
	p := c.selected.Load()
	if p == nil {
		return netip.AddrPort{}, false
	}
	return p.remote, p.tcp != nil
}

// Close ends the connection and tells the member. No method of the handler runs after it returned, and StateChanged is not called
// because of it. It waits for handlers: it must not be called from one, nor with a lock held that one takes.
func (c *Conn) Close() {
	c.closing.Do(func() {
		c.retire()
		c.notify.Lock()
		if !c.State().final() {
			c.state.Store(int32(Closed))
		}
		c.notify.Unlock()
		c.in.mu.Lock() // wait for the handler
		c.in.early = nil
		c.in.mu.Unlock()
		c.end()
		c.done.Wait()
		c.pipe.shut()
		c.hangUp()
		c.abandon()
		c.net.forget(c)
	})
}

// retire makes checks for the connection unknown, and everything that begins refuse.
func (c *Conn) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.net.unregister(c.current)
	if c.next != nil {
		c.net.unregister(c.next)
	}
}

// abandon gives up all paths.
func (c *Conn) abandon() {
	c.mu.Lock()
	paths := c.paths
	c.paths = nil
	c.mu.Unlock()
	for _, p := range paths {
		p.close()
	}
}

// change goes to another state and tells the handler, if that is possible from the present one.
func (c *Conn) change(to State) bool {
	c.notify.Lock()
	defer c.notify.Unlock()
	if !c.State().leadsTo(to) {
		return false
	}
	c.state.Store(int32(to))
	c.handler.StateChanged(to)
	return true
}

// fail ends the connection for good, from our side or because the member said so; the owner still calls Close.
func (c *Conn) fail(to State) {
	if !c.change(to) {
		return
	}
	c.retire()
	c.end()
}

func (s State) final() bool { return s == Failed || s == Closed }

func (s State) live() bool { return s == Connected || s == Silent }

func (s State) leadsTo(to State) bool {
	switch to {
	case Connected:
		return s == New || s == Silent
	case Silent:
		return s == Connected
	case Failed, Closed:
		return !s.final()
	case New:
	}
	return false
}

// hear notes that something authentic came.
func (c *Conn) hear(p *path, now int64) {
	c.heard.Store(now)
	p.heard.Store(now)
	if p.tcp != nil {
		p.tcp.heard.Store(now)
	}
	if c.State() == Silent {
		c.change(Connected)
	}
}

// age looks at how long nothing was heard. Before Start that does not count: the member has not been told to come.
func (c *Conn) age(now int64) {
	c.mu.Lock()
	started := c.started
	c.mu.Unlock()
	if !started {
		return
	}
	switch quiet := time.Duration(now - c.heard.Load()); {
	case quiet >= failedAfter:
		c.fail(Failed)
	case quiet >= silentAfter && c.State() == Connected:
		c.change(Silent)
	}
}
