package entrance

import (
	"crypto/tls"
	"io"
	"net"
)

// begun is a connection of which the beginning has been looked at. One goroutine at a time reads.
type begun struct {
	net.Conn

	start [cookieEnds]byte
	from  int // what of start has been read by whom it is for
	to    int // what of start there is
}

// peek returns how the connection begins, n bytes of it.
func (c *begun) peek(n int) ([]byte, error) {
	if c.to < n {
		more, err := io.ReadAtLeast(c.Conn, c.start[c.to:], n-c.to)
		c.to += more
		if err != nil {
			return nil, err
		}
	}
	return c.start[:n], nil
}

// Read implements net.Conn.
func (c *begun) Read(b []byte) (int, error) {
	if c.from == c.to {
		return c.Conn.Read(b)
	}
	n := copy(b, c.start[c.from:c.to])
	c.from += n
	return n, nil
}

// ReadFrom has files sent by the kernel, where nothing is encrypted here.
func (c *begun) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite says that nothing more follows, as HTTP servers do before they hang up.
func (c *begun) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// NetConn is the connection beneath.
func (c *begun) NetConn() net.Conn { return c.Conn }

// secure is one that came over TLS, and is no *tls.Conn any more.
type secure struct {
	*begun

	tls *tls.Conn
}

// ConnectionState is that of the TLS.
func (c *secure) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
