package transport

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// local is an address of the server. Its sockets share the address (SO_REUSEPORT): the kernel gives all packets from one remote
// address to the same one, and any of them can send.
type local struct {
	addr     netip.AddrPort
	sockets  []*socket
	caller   *Conn       // whose only socket this is; nil for those that all share
	segments atomic.Bool // the kernel takes UDP_SEGMENT here

	mu    sync.RWMutex
	paths map[netip.AddrPort]*path // by remote address
}

func (l *local) path(remote netip.AddrPort) *path {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.paths[remote]
}

func (l *local) add(p *path) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paths[p.remote] = p
}

// remove forgets a path, unless another connection has taken over its address.
func (l *local) remove(p *path) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paths[p.remote] == p {
		delete(l.paths, p.remote)
	}
}

func (l *local) close() error {
	var errs []error
	for _, s := range l.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// source is where a packet came from.
type source struct {
	local  *local   // nil over TCP
	tcp    *tcpConn // nil over UDP
	remote netip.AddrPort
}

func (s source) path() *path {
	if s.tcp != nil {
		return s.tcp.path.Load()
	}
	return s.local.path(s.remote)
}

// path is one way between the server and a member that passed a connectivity check.
type path struct {
	source

	conn     *Conn
	addr     *net.UDPAddr // of remote
	sockaddr sockaddr     // of remote, as the kernel wants it
	whole    atomic.Bool  // the kernel refused segments on this path
	heard    atomic.Int64 // instant of the newest authentic packet

	// Owned by conn.mu.
	rank      uint64 // of the newest check
	nominated int64  // instant of the newest nomination
}

func newPath(c *Conn, from source) *path {
	p := &path{source: from, conn: c}
	if from.tcp == nil {
		p.addr = net.UDPAddrFromAddrPort(from.remote)
		p.sockaddr = newSockaddr(from.remote)
	}
	return p
}

// send sends one packet at once.
func (p *path) send(raw []byte) {
	n := p.conn.net
	if p.tcp != nil {
		if !p.tcp.enqueue(raw) {
			n.counters.droppedSend.Add(1)
			return
		}
	} else if err := p.local.sockets[0].writeOne(raw, p); err != nil {
		n.counters.droppedSend.Add(1)
		return
	}
	n.counters.packetsSent.Add(1)
	n.counters.bytesSent.Add(uint64(len(raw)))
	n.counters.sendCalls.Add(1)
}

func (p *path) close() {
	if p.tcp != nil {
		p.tcp.finish()
		return
	}
	p.local.remove(p)
}

// rankOf orders paths: UDP before TCP, then the priority that the member gives them.
func rankOf(from source, priority uint32) uint64 {
	rank := uint64(priority)
	if from.tcp == nil {
		rank |= 1 << 32
	}
	return rank
}
