package transport

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/packetio"
)

const patience = 20 * time.Second // for events that always come

// events is a Handler that keeps what it is told.
type events struct {
	rtp, rtcp chan []byte
	states    chan State
	onRTP     func(b *Batch, raw []byte)
}

func newEvents() *events {
	return &events{rtp: make(chan []byte, 4096), rtcp: make(chan []byte, 4096), states: make(chan State, 64)}
}

func (e *events) HandleRTP(b *Batch, raw []byte, _ time.Time) {
	if e.onRTP != nil {
		e.onRTP(b, raw)
		return
	}
	e.rtp <- append([]byte(nil), raw...)
}

func (e *events) HandleRTCP(_ *Batch, raw []byte, _ time.Time) { e.rtcp <- append([]byte(nil), raw...) }

func (e *events) StateChanged(s State) { e.states <- s }

func (e *events) await(t *testing.T, want State) {
	t.Helper()
	select {
	case got := <-e.states:
		if got != want {
			t.Fatalf("state %v, want %v", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("no state %v", want)
	}
}

func next(t *testing.T, from <-chan []byte) []byte {
	t.Helper()
	select {
	case raw := <-from:
		return raw
	case <-time.After(patience):
		t.Fatal("nothing came")
		return nil
	}
}

// member is a member as a browser is one: pion's ICE agent, DTLS client and SRTP.
type member struct {
	t           *testing.T
	agent       *ice.Agent
	certificate tls.Certificate
	fingerprint string
	profiles    []dtls.SRTPProtectionProfile
	ufrag, pwd  string
	waits       bool

	mutilate func([]byte) [][]byte // what is sent instead of a DTLS datagram; nil for nothing else

	ice  *ice.Conn
	dtls *dtls.Conn
	toDT *packetio.Buffer
	done sync.WaitGroup

	in, out   *srtp.Context
	rtp, rtcp chan []byte
}

type memberOptions struct {
	net   transport.Net
	tcp   bool
	waits bool // for the server to begin the DTLS handshake
}

func newMember(t *testing.T, o memberOptions) *member {
	t.Helper()
	id, err := newIdentity()
	must(t, err)
	types := []ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}
	if o.tcp {
		types = []ice.NetworkType{ice.NetworkTypeTCP4}
	}
	options := []ice.AgentOption{
		ice.WithNetworkTypes(types), ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}), ice.WithLoggerFactory(silence()),
	}
	if o.net != nil {
		options = append(options, ice.WithNet(o.net))
	} else {
		options = append(options, ice.WithIncludeLoopback())
	}
	agent, err := ice.NewAgentWithOptions(options...)
	must(t, err)
	gathered := make(chan struct{})
	must(t, agent.OnCandidate(func(c ice.Candidate) {
		if c == nil {
			close(gathered)
		}
	}))
	must(t, agent.GatherCandidates())
	<-gathered
	m := &member{
		t: t, agent: agent, waits: o.waits, certificate: id.certificate, fingerprint: id.fingerprint, profiles: profiles(),
		toDT: packetio.NewBuffer(), rtp: make(chan []byte, 4096), rtcp: make(chan []byte, 4096),
	}
	m.ufrag, m.pwd, err = agent.GetLocalUserCredentials()
	must(t, err)
	return m
}

func silence() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
}

func (m *member) remote() Remote {
	setup := SetupActive
	if m.waits {
		setup = SetupPassive
	}
	return Remote{Ufrag: m.ufrag, Pwd: m.pwd, Fingerprint: m.fingerprint, Setup: setup}
}

func (m *member) addCandidates(n *Network) {
	m.t.Helper()
	for _, line := range n.Candidates() {
		c, err := ice.UnmarshalCandidate(line)
		must(m.t, err)
		must(m.t, m.agent.AddRemoteCandidate(c))
	}
}

// reach does ICE, and begins to read.
func (m *member) reach(ctx context.Context, n *Network, c *Conn) error {
	m.addCandidates(n)
	ufrag, pwd := c.Credentials()
	conn, err := m.agent.Dial(ctx, ufrag, pwd)
	if err != nil {
		return err
	}
	m.ice = conn
	m.done.Go(m.read)
	return nil
}

// secure does DTLS.
func (m *member) secure(ctx context.Context) error {
	conn, err := m.associate()
	if err != nil {
		return err
	}
	m.dtls = conn
	if err = conn.HandshakeContext(ctx); err != nil {
		return err
	}
	profile, _ := conn.SelectedSRTPProtectionProfile()
	state, _ := conn.ConnectionState()
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err = cfg.ExtractSessionKeysFromDTLS(&state, !m.waits); err != nil {
		return err
	}
	if m.out, err = srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile); err != nil {
		return err
	}
	m.in, err = srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile)
	return err
}

func (m *member) associate() (*dtls.Conn, error) {
	certificates, profiles := dtls.WithCertificates(m.certificate), dtls.WithSRTPProtectionProfiles(m.profiles...)
	secret, log := dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret), dtls.WithLoggerFactory(silence())
	if m.waits {
		return dtls.ServerWithOptions(memberPipe{m}, m.ice.RemoteAddr(), certificates, profiles, secret, log,
			dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerify(true))
	}
	return dtls.ClientWithOptions(memberPipe{m}, m.ice.RemoteAddr(), certificates, profiles, secret, log,
		dtls.WithInsecureSkipVerify(true))
}

// connect does all.
func (m *member) connect(n *Network, c *Conn) {
	m.t.Helper()
	must(m.t, c.Start(m.remote()))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(m.t, m.reach(ctx, n, c))
	must(m.t, m.secure(ctx))
}

// meet connects a member.
func meet(t *testing.T, n *Network, m *member) (*Conn, *events) {
	t.Helper()
	e := newEvents()
	c := n.NewConn(e)
	m.connect(n, c)
	e.await(t, Connected)
	return c, e
}

// read tells packets apart. What comes before the keys waits in the channels, encrypted.
func (m *member) read() {
	buf := make([]byte, 4096)
	for {
		n, err := m.ice.Read(buf)
		if err != nil {
			return
		}
		raw := append([]byte(nil), buf[:n]...)
		switch {
		case raw[0] >= 20 && raw[0] < 64:
			_, _ = m.toDT.Write(raw)
		case isRTCP(raw):
			m.rtcp <- raw
		default:
			m.rtp <- raw
		}
	}
}

func (m *member) sendRTP(p *rtp.Packet) {
	m.t.Helper()
	_, err := m.ice.Write(m.seal(p))
	must(m.t, err)
}

func (m *member) seal(p *rtp.Packet) []byte {
	m.t.Helper()
	raw, err := p.Marshal()
	must(m.t, err)
	sealed, err := m.out.EncryptRTP(nil, raw, nil)
	must(m.t, err)
	return sealed
}

func (m *member) nextRTP() *rtp.Packet {
	m.t.Helper()
	plain, err := m.in.DecryptRTP(nil, next(m.t, m.rtp), nil)
	must(m.t, err)
	var p rtp.Packet
	must(m.t, p.Unmarshal(plain))
	return &p
}

func (m *member) close() {
	m.t.Helper()
	if m.dtls != nil {
		_ = m.dtls.Close()
	}
	must(m.t, m.agent.Close())
	_ = m.toDT.Close()
	m.done.Wait()
}

// memberPipe is the socket of the member's DTLS.
type memberPipe struct{ m *member }

func (p memberPipe) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.m.toDT.Read(b)
	return n, p.m.ice.RemoteAddr(), err
}

func (p memberPipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	if p.m.mutilate == nil {
		return p.m.ice.Write(b)
	}
	for _, raw := range p.m.mutilate(b) {
		if _, err := p.m.ice.Write(raw); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (p memberPipe) Close() error                      { return p.m.toDT.Close() }
func (p memberPipe) LocalAddr() net.Addr               { return p.m.ice.LocalAddr() }
func (p memberPipe) SetDeadline(t time.Time) error     { return p.m.toDT.SetReadDeadline(t) }
func (p memberPipe) SetReadDeadline(t time.Time) error { return p.m.toDT.SetReadDeadline(t) }
func (p memberPipe) SetWriteDeadline(time.Time) error  { return nil }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func listen(t testing.TB, change ...func(*Config)) *Network {
	t.Helper()
	cfg := Config{Addr: "127.0.0.1:0"}
	for _, f := range change {
		f(&cfg)
	}
	n, err := Listen(cfg)
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}

func video(seq uint16, size int) *rtp.Packet {
	p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, SSRC: 7}, Payload: make([]byte, size)}
	sum := sha256.Sum256([]byte{byte(seq), byte(seq >> 8)})
	copy(p.Payload, sum[:])
	return p
}
