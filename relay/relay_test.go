package relay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come, on a machine that has much else to do.
const patience = 2 * time.Minute

// echo is media: a socket that sends back what comes.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	return netip.MustParseAddrPort(conn.LocalAddr().String())
}

func serve(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.MaxAllocations == 0 {
		cfg.MaxAllocations = 1000
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// certificate is one that nobody knows.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// secure is where TLS ends.
func secure(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return tls.NewListener(ln, certificate(t))
}

// reach connects to a server as a browser does by one of its URIs.
func reach(t *testing.T, uri string) (net.PacketConn, string) {
	t.Helper()
	addr := strings.TrimPrefix(strings.TrimPrefix(strings.Split(uri, "?")[0], "turns:"), "turn:")
	if strings.HasSuffix(uri, "transport=udp") {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return conn, addr
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(uri, "turns:") {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test's own certificate
	}
	return turn.NewSTUNConn(conn), addr
}

// client is a member's browser at one URI of a server.
func client(t *testing.T, uri, username, password string) *turn.Client {
	t.Helper()
	conn, addr := reach(t, uri)
	c, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: addr, TURNServerAddr: addr, Conn: conn, Username: username, Password: password, Realm: realm,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard}, RTO: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); _ = conn.Close() })
	return c
}

// allocate is what a member of that name does.
func allocate(t *testing.T, s *Server, member string) (net.PacketConn, error) {
	t.Helper()
	username, password := s.Credentials(member)
	conn, err := client(t, s.URIs("127.0.0.1")[0], username, password).Allocate()
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// comesBack sends to a peer until it comes back from there: a datagram may be lost.
func comesBack(t *testing.T, conn net.PacketConn, peer netip.AddrPort) {
	t.Helper()
	b := make([]byte, 100)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := conn.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(peer)); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		n, from, err := conn.ReadFrom(b)
		if err != nil {
			continue
		}
		if string(b[:n]) != "hello" || from.String() != peer.String() {
			t.Fatalf("%q from %v, want it from %v", b[:n], from, peer)
		}
		return
	}
	t.Fatal("nothing comes back")
}

// Media goes through over UDP, TCP and TLS.
func TestEveryWayIn(t *testing.T) {
	media := echo(t)
	s := serve(t, Config{Secure: secure(t), Media: []netip.AddrPort{media}})
	uris := s.URIs("127.0.0.1")
	if len(uris) != 3 {
		t.Fatalf("URIs: %v", uris)
	}
	for _, uri := range uris {
		username, password := s.Credentials("Ben")
		conn, err := client(t, uri, username, password).Allocate()
		if err != nil {
			t.Fatalf("%s: %v", uri, err)
		}
		comesBack(t, conn, media)
		_ = conn.Close()
	}
}

// Who has no credentials, other ones, or old ones is refused.
func TestCredentials(t *testing.T) {
	s := serve(t, Config{Media: []netip.AddrPort{echo(t)}})
	other := serve(t, Config{Media: []netip.AddrPort{echo(t)}})
	username, password := s.Credentials("Ben")
	if strings.Contains(username, "Ben") {
		t.Errorf("the name tells who it is: %s", username)
	}
	if again, _ := s.Credentials("Eve"); strings.Split(again, ":")[1] == strings.Split(username, ":")[1] {
		t.Error("two members have one name")
	}
	oldName, oldPassword := s.credentials("Ben", time.Now().Add(-time.Minute))
	foreignName, foreignPassword := other.Credentials("Ben")
	until, rest, _ := strings.Cut(username, ":")
	for what, c := range map[string][2]string{
		"no password":         {username, ""},
		"wrong password":      {username, password + "x"},
		"expired":             {oldName, oldPassword},
		"of another server":   {foreignName, foreignPassword},
		"prolonged by itself": {"9" + until + ":" + rest, password},
		"another member's":    {until + ":0000000000000000", password},
		"no name":             {"nobody", password},
	} {
		if _, err := client(t, s.URIs("127.0.0.1")[0], c[0], c[1]).Allocate(); err == nil {
			t.Errorf("%s: served", what)
		}
	}
	if n := s.Allocations(); n != 0 {
		t.Errorf("%d allocations", n)
	}
	if _, err := allocate(t, s, "Ben"); err != nil {
		t.Error(err)
	}
}

// Nothing but media is relayed to: neither private networks, nor what else listens on this machine, nor the world.
func TestNoOpenRelay(t *testing.T) {
	media := echo(t)
	s := serve(t, Config{Media: []netip.AddrPort{media}, Peers: []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24")}})
	username, password := s.Credentials("Ben")
	c := client(t, s.URIs("127.0.0.1")[0], username, password)
	conn, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, peer := range []string{"10.1.3.1", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "203.0.113.7", "127.0.0.2", "0.0.0.0"} {
		if err := c.CreatePermission(&net.UDPAddr{IP: net.ParseIP(peer), Port: 9}); err == nil {
			t.Errorf("%s may be relayed to", peer)
		}
	}
	if err := c.CreatePermission(&net.UDPAddr{IP: net.ParseIP("10.1.2.3"), Port: 9}); err != nil {
		t.Errorf("an address that was named may not: %v", err)
	}
	other := echo(t) // on the same address as media
	if _, err := conn.WriteTo([]byte("to another"), net.UDPAddrFromAddrPort(other)); err != nil {
		t.Fatal(err)
	}
	comesBack(t, conn, media) // and not "to another"
	if s.allowed.named(other.Addr()) {
		t.Error("loopback is named")
	}
}

// Which ports of which addresses are let through, and under which address they are known.
func TestAllowed(t *testing.T) {
	addr := netip.MustParseAddrPort
	behind := newAllowed(Config{
		Media: []netip.AddrPort{addr("10.0.0.5:7882"), addr("10.0.9.5:7882")}, Public: []netip.Addr{netip.MustParseAddr("203.0.113.7")},
		Peers: []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")},
	})
	for peer, want := range map[string]string{
		"203.0.113.7:7882": "10.0.0.5:7882", "203.0.113.7:22": "", "203.0.113.8:7882": "",
		"10.0.0.5:7882": "10.0.0.5:7882", "10.0.0.5:5432": "", "10.0.9.5:7882": "10.0.9.5:7882",
		"10.0.1.9:1": "10.0.1.9:1", "127.0.0.1:7882": "", "[::1]:7882": "",
	} {
		to, ok := behind.to(addr(peer))
		if ok != (want != "") || ok && to != addr(want) {
			t.Errorf("to %s: %v %v, want %q", peer, to, ok, want)
		}
	}
	for sender, want := range map[string]string{
		"10.0.0.5:7882": "203.0.113.7:7882", "10.0.0.5:22": "", "10.0.1.9:1": "10.0.1.9:1", "198.51.100.1:7882": "",
	} {
		from, ok := behind.from(addr(sender))
		if ok != (want != "") || ok && from != addr(want) {
			t.Errorf("from %s: %v %v, want %q", sender, from, ok, want)
		}
	}
}

// A member has so many allocations and no more, and a new one when an old one ends; and so has the server.
func TestQuota(t *testing.T) {
	s := serve(t, Config{Media: []netip.AddrPort{echo(t)}, MaxAllocations: perMember + 1})
	var conns []net.PacketConn
	for range perMember {
		conn, err := allocate(t, s, "Ben")
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	if _, err := allocate(t, s, "Ben"); err == nil || !strings.Contains(err.Error(), "486") {
		t.Errorf("one too many: %v", err)
	}
	if _, err := allocate(t, s, "Eve"); err != nil {
		t.Errorf("another member: %v", err)
	}
	if _, err := allocate(t, s, "Rob"); err == nil || !strings.Contains(err.Error(), "486") {
		t.Errorf("one too many in all: %v", err)
	}
	_ = conns[0].Close()
	for deadline := time.Now().Add(patience); s.Allocations() > perMember; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an allocation does not end")
		}
	}
	if _, err := allocate(t, s, "Ben"); err != nil {
		t.Errorf("in the place of another: %v", err)
	}
}

// What is too much of one allocation is dropped, in both directions.
func TestRate(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	media := netip.MustParseAddrPort(far.LocalAddr().String())
	a := &allocation{
		UDPConn: conn, allowed: newAllowed(Config{Media: []netip.AddrPort{media}}), release: func() {},
		in: rate.NewLimiter(0, 1000), out: rate.NewLimiter(0, 1000),
	}
	defer func() { _ = a.Close() }()
	b := make([]byte, 2000)
	for i, size := range []int{600, 601, 400} {
		if n, err := a.WriteTo(make([]byte, size), net.UDPAddrFromAddrPort(media)); n != size || err != nil {
			t.Fatalf("%d: %d %v", i, n, err)
		}
		if _, err := far.WriteToUDP(make([]byte, size), conn.LocalAddr().(*net.UDPAddr)); err != nil {
			t.Fatal(err)
		}
	}
	_ = far.SetReadDeadline(time.Now().Add(patience))
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	for _, want := range []int{600, 400} {
		if n, _, err := far.ReadFrom(b); n != want || err != nil {
			t.Errorf("out: %d %v, want %d", n, err, want)
		}
		if n, _, err := a.ReadFrom(b); n != want || err != nil {
			t.Errorf("in: %d %v, want %d", n, err, want)
		}
	}
}

// callers is a listener at which connections come in from addresses.
type callers struct {
	net.Listener

	from []string
	open []net.Conn // their other ends
}

func (l *callers) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, net.ErrClosed
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr(l.from[0]), 1000)
	l.from = l.from[1:]
	near, far := net.Pipe()
	l.open = append(l.open, far)
	return caller{near, net.TCPAddrFromAddrPort(addr)}, nil
}

type caller struct {
	net.Conn

	addr net.Addr
}

func (c caller) RemoteAddr() net.Addr { return c.addr }

// One client, who has many addresses of IPv6, does not take all the places there are for connections, and gives them back.
func TestStreams(t *testing.T) {
	ln := &callers{}
	for n := range streamsPerAddr {
		ln.from = append(ln.from, fmt.Sprintf("2001:db8::%x", n))
	}
	s := limited(ln)
	var conns []net.Conn
	accept := func() (from string) {
		t.Helper()
		conn, err := s.Accept()
		if err != nil {
			return err.Error()
		}
		conns = append(conns, conn)
		return addrOf(conn).String()
	}
	for n := range streamsPerAddr {
		if from := accept(); from == net.ErrClosed.Error() {
			t.Fatalf("no place for connection %d", n)
		}
	}
	ln.from = []string{"2001:db8::ffff", "2001:db8:0:1::1"}
	if from := accept(); from != "2001:db8:0:1::1" {
		t.Errorf("served: %s", from)
	}
	if _, err := ln.open[streamsPerAddr].Read(make([]byte, 1)); err == nil {
		t.Error("who is refused is kept waiting")
	}
	_ = conns[0].Close()
	ln.from = []string{"2001:db8::ffff"}
	if from := accept(); from != "2001:db8::ffff" {
		t.Errorf("a place was not given back: %s", from)
	}
}

// Who says nothing is dropped soon, who has said something is given time.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := &stream{Conn: near, release: func() {}}
		b := make([]byte, 10)
		silence := func() time.Duration {
			began := time.Now()
			var timeout net.Error
			if _, err := c.Read(b); !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("read: %v", err)
			}
			return time.Since(began)
		}
		if d := silence(); d != firstWithin {
			t.Errorf("dropped after %v", d)
		}
		go func() { _, _ = far.Write([]byte("hi")) }()
		if n, err := c.Read(b); n != 2 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if d := silence(); d != silenceOfStream {
			t.Errorf("dropped after %v", d)
		}
		_, _ = c.Close(), far.Close()
	})
}

// Who begins TLS and does not get on with it is dropped as soon as who says nothing.
func TestSilenceInTLS(t *testing.T) {
	conf := certificate(t)
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := &stream{Conn: tls.Server(near, conf), release: func() {}}
		dribbled := make(chan struct{})
		go func() {
			defer close(dribbled)
			for _, b := range []byte("\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03 and so on, byte by byte") {
				if _, err := far.Write([]byte{b}); err != nil {
					return
				}
				<-time.After(time.Second)
			}
		}()
		began := time.Now()
		if n, err := c.Read(make([]byte, 10)); n != 0 || err == nil {
			t.Errorf("read %d bytes", n)
		}
		if d := time.Since(began); d > firstWithin {
			t.Errorf("dropped after %v", d)
		}
		_, _ = near.Close(), far.Close()
		<-dribbled
	})
}
