package transport

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	tcpIdle          = int64(10 * time.Second) // without anything authentic
	tcpQueue         = 256 << 10               // bytes that wait for a member; then packets are dropped
	tcpRead          = 4 << 10                 // bytes
	tcpFarewell      = time.Second             // for what still waits when a connection ends
	maxStrangers     = 1024                    // connections that passed no check
	maxStrangersAddr = 64                      // of them from one address, or IPv6 /64: a school may have only one
	frameHeader      = 2                       // RFC 4571
)

var errFrame = errors.New("transport: a frame is longer than any packet")

// tcpListener takes ICE-TCP connections (RFC 6544, passive).
type tcpListener struct {
	net      *Network
	listener net.Listener

	mu        sync.Mutex
	closed    bool
	conns     map[*tcpConn]struct{}
	strangers int
	perAddr   map[netip.Prefix]int // strangers
}

func newTCPListener(n *Network, l net.Listener) *tcpListener {
	return &tcpListener{net: n, listener: l, conns: make(map[*tcpConn]struct{}), perAddr: make(map[netip.Prefix]int)}
}

// accept is the listener's goroutine.
func (t *tcpListener) accept() {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			if ended(err, t.net.quit) {
				return
			}
			continue // too many open files, say
		}
		if !t.take(conn) {
			_ = conn.Close()
		}
	}
}

func (t *tcpListener) take(conn net.Conn) bool {
	addr, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	at := addr.AddrPort()
	remote := netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if !t.net.answers(remote.Addr()) {
		return false
	}
	below := conn
	if shared, ok := conn.(interface{ NetConn() net.Conn }); ok {
		below = shared.NetConn()
	}
	if tc, ok := below.(*net.TCPConn); ok {
		_ = tc.SetWriteBuffer(tcpQueue) // a wish: what waits in the kernel is late too
	}
	c := &tcpConn{listener: t, conn: conn, remote: remote, stranger: true, wake: make(chan struct{}, 1)}
	c.heard.Store(t.net.instant(time.Now()))
	t.mu.Lock()
	defer t.mu.Unlock()
	key := networkOf(remote.Addr())
	if t.closed || t.strangers >= maxStrangers || t.perAddr[key] >= maxStrangersAddr {
		return false
	}
	t.strangers++
	t.perAddr[key]++
	t.conns[c] = struct{}{}
	t.net.goroutines.Go(c.read)
	t.net.goroutines.Go(c.write)
	return true
}

// networkOf is what one member can easily have many addresses of.
func networkOf(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

// admit takes a connection out of the strangers.
func (t *tcpListener) admit(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uncount(c)
}

func (t *tcpListener) uncount(c *tcpConn) {
	if !c.stranger {
		return
	}
	c.stranger = false
	t.strangers--
	key := networkOf(c.remote.Addr())
	if t.perAddr[key]--; t.perAddr[key] == 0 {
		delete(t.perAddr, key)
	}
}

func (t *tcpListener) remove(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uncount(c)
	delete(t.conns, c)
}

func (t *tcpListener) all() []*tcpConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*tcpConn, 0, len(t.conns))
	for c := range t.conns {
		all = append(all, c)
	}
	return all
}

func (t *tcpListener) closeIdle(now int64) {
	for _, c := range t.all() {
		if now-c.heard.Load() > tcpIdle {
			c.finish()
		}
	}
}

func (t *tcpListener) close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	err := t.listener.Close()
	for _, c := range t.all() {
		c.finish()
	}
	return err
}

// tcpConn is one connection. It has two goroutines: read and write.
type tcpConn struct {
	listener *tcpListener
	conn     net.Conn
	remote   netip.AddrPort
	path     atomic.Pointer[path] // of the Conn that it belongs to, after a check
	heard    atomic.Int64         // instant of the newest authentic packet, or of the beginning
	stranger bool                 // owned by listener.mu

	wake    chan struct{} // something waits, or the end
	mu      sync.Mutex
	waiting []byte // frames
	ending  bool
}

// authenticate binds the connection to a path, unless it is bound already.
func (c *tcpConn) authenticate(p *path) bool {
	if !c.path.CompareAndSwap(nil, p) {
		return false
	}
	c.listener.admit(c)
	return true
}

func (c *tcpConn) read() {
	defer c.listener.remove(c)
	defer c.finish()
	n := c.listener.net
	r := n.newReader(0)
	in := bufio.NewReaderSize(c.conn, tcpRead)
	_ = readFrames(in, func(raw []byte) {
		now := time.Now()
		r.batch.began = now
		r.handle(raw, source{tcp: c, remote: c.remote}, now)
		if in.Buffered() == 0 {
			r.flush()
		}
	})
	r.flush()
}

// readFrames reads RFC 4571 frames until an error.
func readFrames(in io.Reader, handle func([]byte)) error {
	var header [frameHeader]byte
	var buf [maxDatagram]byte
	for {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return err
		}
		size := int(binary.BigEndian.Uint16(header[:]))
		if size > maxDatagram {
			return errFrame
		}
		if _, err := io.ReadFull(in, buf[:size]); err != nil {
			return err
		}
		handle(buf[:size])
	}
}

// enqueue has packets written, all or those that still fit. It never blocks, and reports false if one did not fit.
func (c *tcpConn) enqueue(raw []byte) bool {
	c.mu.Lock()
	if c.ending || len(c.waiting)+frameHeader+len(raw) > tcpQueue {
		c.mu.Unlock()
		return false
	}
	c.waiting = binary.BigEndian.AppendUint16(c.waiting, uint16(len(raw))) //nolint:gosec // below maxDatagram
	c.waiting = append(c.waiting, raw...)
	c.mu.Unlock()
	c.signal()
	return true
}

func (c *tcpConn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write writes all that waits in one call.
func (c *tcpConn) write() {
	defer func() { _ = c.conn.Close() }()
	var spare []byte
	for range c.wake {
		c.mu.Lock()
		out, ending := c.waiting, c.ending
		c.waiting = spare[:0]
		c.mu.Unlock()
		if len(out) != 0 {
			if _, err := c.conn.Write(out); err != nil {
				c.finish()
				return
			}
		}
		if ending {
			return
		}
		spare = out
	}
}

// finish closes the connection, after what waits was written or tcpFarewell.
func (c *tcpConn) finish() {
	c.mu.Lock()
	again := c.ending
	c.ending = true
	c.mu.Unlock()
	if again {
		return
	}
	_ = c.conn.SetDeadline(time.Now().Add(tcpFarewell))
	c.signal()
}
