//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// socket is one UDP socket.
type socket struct{ conn net.PacketConn }

type sockaddr struct{}

type sender struct{}

func newSockaddr(netip.AddrPort) sockaddr { return sockaddr{} }

func listenUDP(addr netip.AddrPort, _ int) ([]*net.UDPConn, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	return []*net.UDPConn{c}, nil
}

func newSocket(c *net.UDPConn) (*socket, error) { return &socket{conn: c}, nil }

func (*socket) canSegment() bool { return false }

func (s *socket) newReceiver() *plainReceiver { return &plainReceiver{conn: s.conn} }

func (s *socket) writeOne(raw []byte, p *path) error {
	_, err := s.conn.WriteTo(raw, p.addr)
	return err
}

func (b *Batch) sendUDP(l *local) {
	s := l.sockets[b.socket%len(l.sockets)]
	for i := range b.groups {
		if g := &b.groups[i]; g.path.local == l {
			b.sendPlain(s, g)
		}
	}
}
