package media

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4/packetio"
)

const (
	checkInterval   = 50 * time.Millisecond
	consentInterval = 2500 * time.Millisecond // Chromium's
	handshakeLimit  = 15 * time.Second
	srtpOverhead    = 32
)

// media is what a link carries. Its methods are called with link.mu held.
type media interface {
	connected()
	rtp(raw []byte, at int64)
	rtcp(packets []rtcp.Packet, at int64)
	tick(now time.Time)
}

// link is one connection to a server: a socket with ICE, DTLS and SRTP. One goroutine, run, reads; the clock's goroutine ticks; mu
// guards everything below it.
type link struct {
	sock  *socket
	local local
	cert  *tls.Certificate
	media media
	near  netip.Addr // the address to prefer of a server that has several
	stop  context.CancelFunc
	ctx   context.Context //nolint:containedctx // the life of the link
	wg    sync.WaitGroup
	dtls  *packetio.Buffer // what arrived for DTLS

	mu          sync.Mutex
	peer        netip.AddrPort
	remote      *description
	controlling bool
	active      bool // the DTLS client
	tie         [8]byte
	checked     time.Time
	valid       bool // a check was answered
	nominated   bool // by the server
	shaking     bool
	session     *dtls.Conn
	in, out     *srtp.Context
	profile     string
	err         error
	request     stun.Message
	scratch     []byte
}

// identity is the certificate that all clients share.
type identity struct {
	cert        tls.Certificate
	fingerprint string
}

func newLink(parent context.Context, id *identity, host netip.Addr, m media) (*link, error) {
	sock, err := listenSocket(host)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(parent)
	l := &link{
		sock: sock, cert: &id.cert, media: m, ctx: ctx, stop: stop, dtls: packetio.NewBuffer(),
		local:   local{ufrag: token(4), pwd: token(16), fingerprint: id.fingerprint, addr: sock.addr},
		scratch: make([]byte, 0, mtu+srtpOverhead),
	}
	_, _ = rand.Read(l.tie[:])
	l.wg.Go(l.run)
	return l, nil
}

func token(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// start connects to the server of remote. Later descriptions of the same connection change nothing.
func (l *link) start(remote *description, controlling, active bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.remote != nil {
		return
	}
	l.remote, l.peer, l.controlling, l.active = remote, remote.nearest(l.near), controlling || remote.lite, active
	l.check(time.Now())
	if !active {
		l.handshake()
	}
}

// plain uses SRTP keys that both sides know, without ICE and DTLS.
func (l *link) plain(key, salt []byte) error {
	in, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in, l.profile = in, "AEAD_AES_128_GCM"
	return err
}

func (l *link) run() {
	for l.sock.read() == nil {
		l.mu.Lock()
		for i := range l.sock.n {
			l.receive(l.sock.packet(i))
		}
		l.mu.Unlock()
	}
}

// receive sorts packets by their first byte (RFC 7983).
func (l *link) receive(b []byte, at int64) {
	switch {
	case len(b) < 12:
	case b[0] < 4:
		l.stun(b)
	case b[0] >= 20 && b[0] < 64:
		_, _ = l.dtls.Write(b) // full or closed: lost
	case b[0] < 128 || b[0] >= 192 || l.in == nil:
	case b[1] >= 192 && b[1] < 224:
		l.control(b, at)
	default:
		l.media.rtp(b, at)
	}
}

func (l *link) control(b []byte, at int64) {
	plain, err := l.in.DecryptRTCP(nil, b, nil)
	if err != nil {
		return
	}
	if packets, err := rtcp.Unmarshal(plain); err == nil {
		l.media.rtcp(packets, at)
	}
}

func (l *link) stun(b []byte) {
	m := &l.request
	if err := stun.Decode(b, m); err != nil || l.remote == nil {
		return
	}
	switch m.Type {
	case stun.BindingRequest:
		l.answerCheck(m)
	case stun.BindingSuccess:
		if m.Check(stun.NewShortTermIntegrity(l.remote.pwd)) == nil {
			l.valid = true
		}
	default:
		return
	}
	if l.active && l.valid && (l.controlling || l.nominated) {
		l.handshake()
	}
}

// answerCheck answers, and checks in turn while it is not sure of the path (RFC 8445 section 7.3.1.4).
func (l *link) answerCheck(m *stun.Message) {
	if m.Check(stun.NewShortTermIntegrity(l.local.pwd)) != nil {
		return
	}
	l.nominated = l.nominated || m.Contains(stun.AttrUseCandidate)
	r, err := stun.Build(
		stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: l.peer.Addr().AsSlice(), Port: int(l.peer.Port())},
		stun.NewShortTermIntegrity(l.local.pwd), stun.Fingerprint,
	)
	if err != nil {
		return
	}
	l.sock.write(r.Raw, l.peer)
	if l.session == nil {
		l.check(time.Now())
	}
}

// check sends a binding request (RFC 8445 section 7.2.2); a controlling client nominates at once.
func (l *link) check(now time.Time) {
	l.checked = now
	role := stun.RawAttribute{Type: stun.AttrICEControlled, Value: l.tie[:]}
	setters := []stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.Username(nil),
		stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, 1845501695)},
	}
	setters[2] = stun.NewUsername(l.remote.ufrag + ":" + l.local.ufrag)
	if l.controlling {
		role.Type = stun.AttrICEControlling
		setters = append(setters, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	setters = append(setters, role, stun.NewShortTermIntegrity(l.remote.pwd), stun.Fingerprint)
	if m, err := stun.Build(setters...); err == nil {
		l.sock.write(m.Raw, l.peer)
	}
}

// handshake begins DTLS, once.
func (l *link) handshake() {
	if l.shaking {
		return
	}
	l.shaking = true
	l.wg.Go(func() {
		if err := l.shake(); err != nil {
			l.mu.Lock()
			l.err = fmt.Errorf("DTLS: %w", err)
			l.mu.Unlock()
		}
	})
}

func (l *link) shake() error {
	conn := &dtlsConn{link: l, to: net.UDPAddrFromAddrPort(l.peer)}
	options := []dtls.Option{
		dtls.WithCertificates(*l.cert),
		// Not AES-256: every server shall encrypt in the same way.
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithInsecureSkipVerify(true), // there is nothing to hide in what is made up
		dtls.WithFlightInterval(100 * time.Millisecond),
	}
	var session *dtls.Conn
	var err error
	if l.active {
		clientOptions := make([]dtls.ClientOption, 0, len(options))
		for _, o := range options {
			clientOptions = append(clientOptions, o)
		}
		session, err = dtls.ClientWithOptions(conn, conn.to, clientOptions...)
	} else {
		serverOptions := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
		for _, o := range options {
			serverOptions = append(serverOptions, o)
		}
		session, err = dtls.ServerWithOptions(conn, conn.to, serverOptions...)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(l.ctx, handshakeLimit)
	defer cancel()
	if err = session.HandshakeContext(ctx); err != nil {
		return err
	}
	return l.keys(session)
}

// keys makes the SRTP contexts (RFC 5764 section 4.2).
func (l *link) keys(session *dtls.Conn) error {
	profile, ok := session.SelectedSRTPProtectionProfile()
	state, known := session.ConnectionState()
	if !ok || !known {
		return errors.New("no SRTP profile was agreed upon")
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, l.active); err != nil {
		return err
	}
	in, err := srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile)
	if err != nil {
		return err
	}
	out, err := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session, l.in, l.out, l.profile = session, in, out, profileName(profile)
	l.media.connected()
	return nil
}

func profileName(p dtls.SRTPProtectionProfile) string {
	if p == dtls.SRTP_AEAD_AES_128_GCM {
		return "AEAD_AES_128_GCM"
	}
	return fmt.Sprintf("%#x", uint16(p))
}

// tick is called by the clock.
func (l *link) tick(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	interval := checkInterval
	if l.valid {
		interval = consentInterval
	}
	if l.remote != nil && now.Sub(l.checked) >= interval {
		l.check(now)
	}
	if l.in != nil {
		l.media.tick(now)
	}
}

// sendRTCP encrypts and sends a compound packet. mu is held.
func (l *link) sendRTCP(packets ...rtcp.Packet) {
	if l.out == nil {
		return
	}
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	if b, err := l.out.EncryptRTCP(l.scratch[:0], raw, nil); err == nil {
		l.sock.write(b, l.peer)
	}
}

// sendRTP encrypts and sends one packet. mu is held.
func (l *link) sendRTP(plain []byte) {
	if l.out == nil {
		return
	}
	if b, err := l.out.EncryptRTP(l.scratch[:0], plain, nil); err == nil {
		l.sock.write(b, l.peer)
	}
}

func (l *link) state() (profile string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.profile, l.err
}

// close says goodbye and waits for the goroutines.
func (l *link) close() {
	l.stop()
	l.mu.Lock()
	session := l.session
	l.mu.Unlock()
	if session != nil {
		_ = session.Close()
	}
	_ = l.dtls.Close()
	_ = l.sock.close()
	l.wg.Wait()
}

// dtlsConn is the link as DTLS sees it.
type dtlsConn struct {
	link *link
	to   *net.UDPAddr
}

func (c *dtlsConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.link.dtls.Read(b)
	return n, c.to, err
}

func (c *dtlsConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	c.link.sock.write(b, c.link.peer)
	return len(b), nil
}

func (c *dtlsConn) Close() error                      { return nil }
func (c *dtlsConn) LocalAddr() net.Addr               { return c.link.sock.udp.LocalAddr() }
func (c *dtlsConn) SetDeadline(t time.Time) error     { return c.SetReadDeadline(t) }
func (c *dtlsConn) SetReadDeadline(t time.Time) error { return c.link.dtls.SetReadDeadline(t) }
func (c *dtlsConn) SetWriteDeadline(time.Time) error  { return nil }
