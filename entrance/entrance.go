// Package entrance has pages, media and TURN share one TCP port, for networks that let out no more than that. It reads how a connection
// begins, ends its TLS, and hands it to whom it is for. It knows beginnings only: what is said then is others' concern.
package entrance

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/quota"
)

const (
	within     = 10 * time.Second // to say whom one is for, TLS and all
	maxWaiting = 8000             // connections that have not said it
	perAddr    = 400              // of them from one address: a school may have only one
	retryAfter = 10 * time.Millisecond
)

// What connections begin with.
const (
	tlsHandshake = 0x16       // RFC 8446 section 5.1
	magicCookie  = 0x2112a442 // RFC 8489 section 5
	frameHeader  = 2          // RFC 4571
	cookieEnds   = frameHeader + 8
	stunTURN     = "stun.turn" // RFC 7443
)

// plainly is what net/http answers, too.
const plainly = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

// Entrance is a port that is shared. Its methods may be called from any goroutine.
type Entrance struct {
	listener            net.Listener
	tls                 *tls.Config // nil over plain TCP
	pages, media, relay *branch
	places              *quota.Quota[netip.Addr]
	quit                chan struct{} // closed by Close

	mu      sync.Mutex // guards below
	closed  bool
	waiting map[net.Conn]struct{}
}

// New makes an entrance of a listener, which it closes. conf is how TLS proves who is here; with nil there is none, and no TURN. Nobody is let in
// before Serve.
func New(ln net.Listener, conf *tls.Config) *Entrance {
	e := &Entrance{
		listener: ln, pages: newBranch(ln.Addr()), media: newBranch(ln.Addr()), relay: newBranch(ln.Addr()),
		places: quota.New[netip.Addr](maxWaiting, perAddr), quit: make(chan struct{}), waiting: make(map[net.Conn]struct{}),
	}
	if conf != nil {
		e.tls = conf.Clone()
		for _, proto := range []string{"h2", "http/1.1", stunTURN} {
			if !slices.Contains(e.tls.NextProtos, proto) {
				e.tls.NextProtos = append(e.tls.NextProtos, proto)
			}
		}
	}
	return e
}

// Pages are connections that speak HTTP. Those that came over TLS are a *tls.Conn, or have its ConnectionState.
func (e *Entrance) Pages() net.Listener { return e.pages }

// Media are connections that begin with a STUN message in a frame: ICE-TCP.
func (e *Entrance) Media() net.Listener { return e.media }

// Relay are connections that came over TLS, and speak TURN.
func (e *Entrance) Relay() net.Listener { return e.relay }

// Serve lets connections in until Close.
func (e *Entrance) Serve() {
	for {
		conn, err := e.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // too many open files, say
			select {
			case <-time.After(retryAfter):
			case <-e.quit:
				return
			}
		default:
			e.let(conn)
		}
	}
}

// Close closes the port and what has not been handed on. It waits for nobody: who is getting a certificate may take long.
func (e *Entrance) Close() error {
	err := e.listener.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		close(e.quit)
	}
	for conn := range e.waiting {
		_ = conn.Close()
	}
	return err
}

// let has a connection looked at, if there is a place for it.
func (e *Entrance) let(conn net.Conn) {
	release, ok := e.places.Take(quota.Subnet(addrOf(conn)))
	if !ok {
		_ = conn.Close()
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		release()
		_ = conn.Close()
		return
	}
	e.waiting[conn] = struct{}{}
	go func() {
		defer release()
		to, known := e.recognise(conn)
		e.mu.Lock()
		delete(e.waiting, conn)
		e.mu.Unlock()
		if to == nil || known.SetDeadline(time.Time{}) != nil || !to.take(known, e.quit) {
			_ = conn.Close()
		}
	}()
}

func addrOf(conn net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// recognise returns whom a connection is for, and as what they get it; nil if it is for nobody.
func (e *Entrance) recognise(raw net.Conn) (*branch, net.Conn) {
	until := time.Now().Add(within)
	if raw.SetDeadline(until) != nil {
		return nil, nil
	}
	conn := &begun{Conn: raw}
	first, err := conn.peek(1)
	switch {
	case err != nil:
		return nil, nil
	case first[0] == tlsHandshake && e.tls != nil:
		return e.recogniseTLS(conn, until)
	case isText(first[0]) && e.tls != nil:
		_, _ = io.WriteString(raw, plainly)
		return nil, nil
	case isText(first[0]):
		return e.pages, conn
	}
	start, err := conn.peek(cookieEnds)
	if err != nil || start[frameHeader]&0xc0 != 0 || binary.BigEndian.Uint32(start[cookieEnds-4:]) != magicCookie {
		return nil, nil
	}
	return e.media, conn
}

// recogniseTLS asks what a browser says that it will speak. Who says nothing, such as a browser's TURN client, is heard out.
func (e *Entrance) recogniseTLS(conn net.Conn, until time.Time) (*branch, net.Conn) {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	over := tls.Server(conn, e.tls)
	if over.HandshakeContext(ctx) != nil {
		return nil, nil
	}
	switch over.ConnectionState().NegotiatedProtocol {
	case "h2", "http/1.1":
		return e.pages, over
	case stunTURN:
		return e.relay, over
	case "":
	default: // a certificate authority, which has seen what it came for
		return nil, nil
	}
	heard := &begun{Conn: over}
	switch first, err := heard.peek(1); {
	case err != nil:
		return nil, nil
	case isText(first[0]):
		return e.pages, &secure{heard, over}
	}
	return e.relay, heard
}

// isText reports whether this is how a request of HTTP begins: with a method.
func isText(b byte) bool { return b >= 'A' && b <= 'Z' }

// branch is the listener of one of those that share the port.
type branch struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newBranch(addr net.Addr) *branch {
	return &branch{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// take hands a connection over. It reports false if nobody takes it.
func (b *branch) take(conn net.Conn, quit <-chan struct{}) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case b.conns <- conn:
		return true
	case <-b.done:
	case <-quit:
	case <-late.C:
	}
	return false
}

// Accept implements net.Listener.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The port stays open for the others.
func (b *branch) Close() error {
	b.close.Do(func() { close(b.done) })
	return nil
}

// Addr implements net.Listener.
func (b *branch) Addr() net.Addr { return b.addr }
