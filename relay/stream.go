package relay

import (
	"net"
	"net/netip"
	"time"

	"github.com/pausepoint/pausepoint/quota"
)

// streams is a listener that holds a limited number of connections, in all and from one address, and drops those that say nothing.
type streams struct {
	net.Listener

	places *quota.Quota[netip.Addr]
}

func limited(ln net.Listener) *streams {
	return &streams{ln, quota.New[netip.Addr](maxStreams, streamsPerAddr)}
}

// Accept implements net.Listener. A handshake of TLS is done by whoever reads first, not here: it has no more time than the first words.
func (s *streams) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		release, ok := s.places.Take(quota.Subnet(addrOf(conn)))
		if !ok {
			_ = conn.Close()
			continue
		}
		return &stream{Conn: conn, release: release}, nil
	}
}

func addrOf(conn net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// stream is a TCP connection with deadlines. One goroutine reads it, which owns spoke.
type stream struct {
	net.Conn

	release func()
	spoke   bool
}

// Read implements net.Conn.
func (c *stream) Read(b []byte) (int, error) {
	within := firstWithin
	if c.spoke {
		within = silenceOfStream
	}
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	c.spoke = c.spoke || n > 0
	return n, err
}

// Write implements net.Conn. Nobody is held up by a member that does not read.
func (c *stream) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(firstWithin)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *stream) Close() error {
	c.release()
	return c.Conn.Close()
}
