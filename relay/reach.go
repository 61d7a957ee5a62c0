package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// askAgain is how long an answer is waited for before a request is sent again (RFC 8489 section 6.2.1).
const askAgain = 500 * time.Millisecond

// Errors of Reach: that nothing answers at a URI, and that what answers does not relay.
var (
	ErrUnreached = errors.New("relay: it is not reached")
	ErrRefused   = errors.New("relay: it does not relay")
)

// Reach makes an allocation as a browser does that was told of a URI (RFC 7065), for a peer of that address family. conf says how a
// certificate is checked; its name is the URI's. Whoever closes what it returns ends the allocation.
func Reach(ctx context.Context, uri, username, password string, conf *tls.Config, peer netip.Addr) (net.PacketConn, error) {
	u, err := stun.ParseURI(uri)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	conn, err := dial(ctx, u, conf)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	var packets net.PacketConn = one{conn}
	if u.Proto == stun.ProtoTypeTCP {
		packets = turn.NewSTUNConn(conn)
	}
	family := turn.RequestedAddressFamilyIPv6
	if peer.Is4() {
		family = turn.RequestedAddressFamilyIPv4
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: conn.RemoteAddr().String(), Conn: packets, Username: username, Password: password, RequestedAddressFamily: family,
		RTO:           askAgain,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err == nil {
		err = client.Listen()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	end := func() { client.Close(); _ = conn.Close() }
	alive := context.AfterFunc(ctx, end)
	allocated, err := client.Allocate()
	answered := ctx.Err() == nil
	alive()
	var turnErr *stun.TurnError
	switch {
	case err == nil && answered:
		return &reached{allocated, end}, nil
	case errors.As(err, &turnErr):
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	default:
		err = fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	end()
	return nil, err
}

// reached is an allocation, with the connection to the server that it lives by.
type reached struct {
	net.PacketConn

	end func()
}

// Close implements net.PacketConn.
func (r *reached) Close() error {
	err := r.PacketConn.Close()
	r.end()
	return err
}

// dial connects to a server as its URI says.
func dial(ctx context.Context, u *stun.URI, conf *tls.Config) (net.Conn, error) {
	network := "udp"
	if u.Proto == stun.ProtoTypeTCP {
		network = "tcp"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(u.Host, fmt.Sprint(u.Port)))
	if err != nil || u.Scheme != stun.SchemeTypeTURNS {
		return conn, err
	}
	conf = conf.Clone()
	conf.ServerName = u.Host
	over := tls.Client(conn, conf)
	if err := over.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return over, nil
}

// one is a UDP socket with one remote address.
type one struct{ net.Conn }

// ReadFrom implements net.PacketConn.
func (o one) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := o.Read(b)
	return n, o.RemoteAddr(), err
}

// WriteTo implements net.PacketConn.
func (o one) WriteTo(b []byte, _ net.Addr) (int, error) { return o.Write(b) }
