package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"github.com/pion/transport/v4/deadline"
)

const (
	pipeLength     = 32                     // datagrams
	flightInterval = 250 * time.Millisecond // until a flight is sent again; it doubles
	validity       = 10 * 365 * 24 * time.Hour
)

var (
	errNoSRTP      = errors.New("no SRTP profile in common")
	errCertificate = errors.New("the certificate is not the one that was announced")
)

// identity is the certificate of a Network. Members know it by its fingerprint, so nobody signs it.
type identity struct {
	certificate tls.Certificate
	fingerprint string
}

func newIdentity() (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, fmt.Errorf("transport: make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return identity{}, fmt.Errorf("transport: make a serial number: %w", err)
	}
	now := time.Now()
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "WebRTC"},
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return identity{}, fmt.Errorf("transport: make a certificate: %w", err)
	}
	return identity{
		certificate: tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key},
		fingerprint: formatFingerprint(sha256.Sum256(raw)),
	}, nil
}

func formatFingerprint(sum [32]byte) string {
	var b strings.Builder
	b.WriteString("sha-256 ")
	for i, x := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", x)
	}
	return b.String()
}

// parseRemote checks what the member's SDP says, and reads the fingerprint (RFC 8122 section 5).
func parseRemote(r Remote) (certificate [32]byte, err error) {
	if len(r.Ufrag) < 4 || len(r.Ufrag) > 256 || len(r.Pwd) < 22 || len(r.Pwd) > 256 {
		return certificate, fmt.Errorf("%w: the ICE credentials have a wrong length", ErrRemote)
	}
	algorithm, text, _ := strings.Cut(strings.TrimSpace(r.Fingerprint), " ")
	if !strings.EqualFold(algorithm, "sha-256") {
		return certificate, fmt.Errorf("%w: the fingerprint is not a sha-256 one", ErrRemote)
	}
	const digits = 3*sha256.Size - 1
	if len(text) != digits {
		return certificate, fmt.Errorf("%w: the fingerprint has a wrong length", ErrRemote)
	}
	for i := range certificate {
		if _, err := hex.Decode(certificate[i:i+1], []byte(text[3*i:3*i+2])); err != nil || 3*i+2 < digits && text[3*i+2] != ':' {
			return certificate, fmt.Errorf("%w: the fingerprint is not hexadecimal", ErrRemote)
		}
	}
	return certificate, nil
}

// mayHandshake begins with DTLS when the member is known and a path has been nominated. It wants mu.
func (c *Conn) mayHandshake() {
	if c.handshaking || c.closed || !c.started || c.selected.Load() == nil {
		return
	}
	c.handshaking = true
	dials := c.dials
	c.done.Go(func() { c.secure(dials) })
}

// secure is the DTLS goroutine: it shakes hands, and then waits for the end.
func (c *Conn) secure(dials bool) {
	select {
	case c.net.handshakes <- struct{}{}:
	case <-c.life.Done():
		return
	}
	conn, err := c.handshake(dials)
	<-c.net.handshakes
	if err != nil {
		if c.life.Err() == nil {
			c.net.log.Info("a member's DTLS handshake failed", "error", err)
		}
		c.fail(Failed)
		return
	}
	in, out, err := c.exchange(conn, dials)
	if err != nil {
		c.net.log.Info("a member's keys are not usable", "error", err)
		c.fail(Failed)
	} else {
		c.begin(in, out)
	}
	c.linger(conn)
}

// handshake is bounded in time, and ends at once when the connection does.
func (c *Conn) handshake(dials bool) (*dtls.Conn, error) {
	ctx, cancel := context.WithTimeout(c.life, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, c.pipe.shut)
	defer stop()
	conn, err := c.associate(dials)
	if err != nil {
		return nil, err
	}
	if err = conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// associate makes one end of the handshake.
func (c *Conn) associate(dials bool) (*dtls.Conn, error) {
	both := []dtls.Option{
		dtls.WithCertificates(c.net.identity.certificate),
		dtls.WithSRTPProtectionProfiles(profiles()...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // the fingerprint says who it is
		dtls.WithVerifyPeerCertificate(c.verify),
		dtls.WithFlightInterval(flightInterval),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}),
	}
	if dials {
		var options []dtls.ClientOption
		for _, o := range both {
			options = append(options, o)
		}
		return dtls.ClientWithOptions(c.pipe, pipeAddr{}, options...)
	}
	options := []dtls.ServerOption{
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithInsecureSkipVerifyHello(true), // the connectivity check verified the address
	}
	for _, o := range both {
		options = append(options, o)
	}
	return dtls.ServerWithOptions(c.pipe, pipeAddr{}, options...)
}

func (c *Conn) verify(certificates [][]byte, _ [][]*x509.Certificate) error {
	if len(certificates) == 0 {
		return errCertificate
	}
	sum := sha256.Sum256(certificates[0])
	c.mu.Lock()
	defer c.mu.Unlock()
	if subtle.ConstantTimeCompare(sum[:], c.certificate[:]) != 1 {
		return errCertificate
	}
	return nil
}

// linger waits until the member says close_notify or the connection ends. Application data is not expected, and dropped.
func (c *Conn) linger(conn *dtls.Conn) {
	told := make(chan struct{})
	stop := context.AfterFunc(c.life, func() {
		defer close(told)
		_ = conn.Close() // says close_notify, if it can
	})
	var buf [maxDatagram]byte
	for {
		if _, err := conn.Read(buf[:]); errors.Is(err, io.EOF) || c.life.Err() != nil {
			break
		}
	}
	if stop() {
		_ = conn.Close()
		c.fail(Closed)
		return
	}
	<-told
}

// pipe is what DTLS takes for its socket: readers put datagrams in, and what is written goes to the selected path.
type pipe struct {
	conn     *Conn
	in       chan []byte
	deadline *deadline.Deadline
	closed   chan struct{}
	once     sync.Once
}

func newPipe(c *Conn) *pipe {
	return &pipe{conn: c, in: make(chan []byte, pipeLength), deadline: deadline.New(), closed: make(chan struct{})}
}

// push gives DTLS a datagram. It may come before the handshake has begun. It reports false if the queue is full.
func (p *pipe) push(raw []byte) bool {
	select {
	case <-p.closed:
		return false
	default:
	}
	select {
	case p.in <- append([]byte(nil), raw...):
		return true
	default:
		return false
	}
}

// used reports whether the handshake has begun.
func (p *pipe) used() bool {
	p.conn.mu.Lock()
	defer p.conn.mu.Unlock()
	return p.conn.handshaking
}

func (p *pipe) shut() { p.once.Do(func() { close(p.closed) }) }

// ReadFrom implements net.PacketConn.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-p.closed:
		return 0, nil, net.ErrClosed
	case <-p.deadline.Done():
		return 0, nil, os.ErrDeadlineExceeded
	default:
	}
	select {
	case raw := <-p.in:
		return copy(b, raw), pipeAddr{}, nil
	case <-p.closed:
		return 0, nil, net.ErrClosed
	case <-p.deadline.Done():
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// WriteTo implements net.PacketConn. It never blocks.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	if way := p.conn.selected.Load(); way != nil {
		way.send(b)
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (p *pipe) Close() error {
	p.shut()
	return nil
}

// SetReadDeadline implements net.PacketConn.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// LocalAddr implements net.PacketConn.
func (p *pipe) LocalAddr() net.Addr { return pipeAddr{} }

// pipeAddr stands for the selected path.
type pipeAddr struct{}

func (pipeAddr) Network() string { return "ice" }
func (pipeAddr) String() string  { return "selected" }
