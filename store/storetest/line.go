package storetest

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
)

// Line is the way to an S3 server, which can be cut. Its methods may be called from any goroutine.
type Line struct {
	listener net.Listener
	to       string
	cut      atomic.Bool
	inVain   atomic.Int64
}

// NewLine makes a line to the server of a bucket, and returns the bucket's address over it. The caller closes it.
func NewLine(bucket string) (*Line, string, error) {
	address, err := url.Parse(bucket)
	if err != nil {
		return nil, "", fmt.Errorf("address of a bucket: %w", err)
	}
	q := address.Query()
	server, err := url.Parse(q.Get("endpoint"))
	if err != nil {
		return nil, "", fmt.Errorf("address of an S3 server: %w", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen for a line: %w", err)
	}
	l := &Line{listener: ln, to: server.Host}
	go l.carry()
	q.Set("endpoint", "http://"+ln.Addr().String())
	address.RawQuery = q.Encode()
	return l, address.String(), nil
}

// Cut cuts the line, also in the middle of what is sent over it, or mends it.
func (l *Line) Cut(cut bool) { l.cut.Store(cut) }

// InVain is how often somebody tried to use the line while it was cut.
func (l *Line) InVain() int64 { return l.inVain.Load() }

// Close ends the line for good.
func (l *Line) Close() error { return l.listener.Close() }

func (l *Line) carry() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		if l.cut.Load() {
			l.inVain.Add(1)
			_, _ = near.Close(), far.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			go func() {
				_, _ = io.Copy(cuttable{l, pair[0]}, pair[1])
				_ = near.Close()
				_ = far.Close()
			}()
		}
	}
}

// cuttable is one end of a connection over a line.
type cuttable struct {
	line *Line
	net.Conn
}

func (c cuttable) Write(b []byte) (int, error) {
	if c.line.cut.Load() {
		c.line.inVain.Add(1)
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}
