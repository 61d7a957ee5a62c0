package faults

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// Link carries TCP connections to another address. While it is cut nothing passes, and nobody is told: what was sent meanwhile
// arrives once it is mended, as from a network that comes back.
type Link struct {
	ln              net.Listener
	network, target string
	work            sync.WaitGroup
	closing         chan struct{} // closed by Close

	mu    sync.Mutex    // guards below
	flows chan struct{} // closed while bytes pass
	cut   bool
	conns map[net.Conn]bool
}

// NewLink makes a link to a server, whose address is as for net.Dial. The caller closes it.
func NewLink(network, target string) (*Link, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a link: %w", err)
	}
	l := &Link{
		ln: ln, network: network, target: target,
		closing: make(chan struct{}), flows: make(chan struct{}), conns: map[net.Conn]bool{},
	}
	close(l.flows)
	l.work.Go(l.accept)
	return l, nil
}

// Addr is where the link is reached, host:port.
func (l *Link) Addr() string { return l.ln.Addr().String() }

// Cut lets nothing pass any more.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.cut {
		l.cut, l.flows = true, make(chan struct{})
	}
}

// Mend lets everything pass again, first what was held up.
func (l *Link) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		l.cut = false
		close(l.flows)
	}
}

// Close ends all connections, and waits for that.
func (l *Link) Close() error {
	close(l.closing)
	err := l.ln.Close()
	l.mu.Lock()
	for c := range l.conns {
		err = errors.Join(err, c.Close())
	}
	l.conns = nil
	l.mu.Unlock()
	l.work.Wait()
	return err
}

func (l *Link) accept() {
	for {
		from, err := l.ln.Accept()
		if err != nil {
			return
		}
		l.work.Go(func() { l.join(from) })
	}
}

// join carries one connection to its end.
func (l *Link) join(from net.Conn) {
	if !l.keep(from) {
		return
	}
	defer l.drop(from)
	if !l.pass() {
		return
	}
	to, err := net.Dial(l.network, l.target)
	if err != nil || !l.keep(to) {
		return
	}
	defer l.drop(to)
	back := make(chan struct{})
	go func() {
		defer close(back)
		l.carry(from, to)
	}()
	l.carry(to, from)
	<-back
}

// carry copies one direction; its end ends both.
func (l *Link) carry(to, from net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if !l.pass() {
			return
		}
		if n > 0 {
			if _, lost := to.Write(buf[:n]); lost != nil {
				err = lost
			}
		}
		if err != nil {
			l.drop(from)
			l.drop(to)
			return
		}
	}
}

// pass waits while the link is cut; false says that it is closed.
func (l *Link) pass() bool {
	for {
		l.mu.Lock()
		flows, cut := l.flows, l.cut
		l.mu.Unlock()
		if !cut {
			return true
		}
		select {
		case <-flows:
		case <-l.closing:
			return false
		}
	}
}

// keep remembers a connection; false says that the link is closed, and so is the connection.
func (l *Link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		_ = c.Close()
		return false
	}
	l.conns[c] = true
	return true
}

func (l *Link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[c] {
		delete(l.conns, c)
		_ = c.Close()
	}
}
