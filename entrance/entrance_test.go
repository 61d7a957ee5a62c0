package entrance

import (
	"bytes"
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
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come, on a machine that has much else to do.
const patience = 2 * time.Minute

// What ICE-TCP and TURN begin with: a STUN binding request in a frame, and one without.
const (
	bare   = "\x00\x01\x00\x00\x21\x12\xa4\x42twelve bytes"
	inside = "\x00\x14" + bare
)

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
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos: []string{"acme-tls/1"},
	}
}

// open serves an entrance until the test ends.
func open(t *testing.T, conf *tls.Config) *Entrance {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := New(ln, conf)
	served := make(chan struct{})
	go func() { e.Serve(); close(served) }()
	t.Cleanup(func() {
		for _, b := range []net.Listener{e.Pages(), e.Media(), e.Relay()} {
			_ = b.Close()
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
	return e
}

// came is what somebody got: the first words, and whether it came over TLS that they see.
type came struct {
	to, words string
	tls       bool
}

// listening reads what all three get, as long as the words that a test says.
func listening(e *Entrance) <-chan came {
	got := make(chan came, 10)
	for to, b := range map[string]net.Listener{"pages": e.Pages(), "media": e.Media(), "relay": e.Relay()} {
		go func() {
			for {
				conn, err := b.Accept()
				if err != nil {
					return
				}
				_, over := conn.(interface{ ConnectionState() tls.ConnectionState })
				words := make([]byte, len(bare))
				_ = conn.SetReadDeadline(time.Now().Add(patience))
				n, _ := io.ReadFull(conn, words)
				got <- came{to, string(words[:n]), over}
				_, _ = io.WriteString(conn, "bye")
				_ = conn.Close()
			}
		}()
	}
	return got
}

// Everybody comes to whom they are for, and nothing of what they said is lost.
func TestWhoIsWho(t *testing.T) {
	const get = "GET /api/me HTTP/1.1"
	if len(get) != len(bare) {
		t.Fatalf("%d and %d bytes", len(get), len(bare))
	}
	conf := certificate(t)
	for _, c := range []struct {
		what   string
		plain  bool     // this entrance has no TLS
		over   bool     // TLS
		protos []string // that are offered
		slow   bool
		says   string
		want   came
	}{
		{what: "HTTP/2", over: true, protos: []string{"h2", "http/1.1"}, says: get, want: came{"pages", get, true}},
		{what: "HTTP/1.1", over: true, protos: []string{"http/1.1"}, says: get, want: came{"pages", get, true}},
		{what: "HTTP that does not say so", over: true, says: get, want: came{"pages", get, true}},
		{what: "TURN", over: true, says: bare, want: came{"relay", bare, false}},
		{what: "TURN that says so", over: true, protos: []string{"stun.turn"}, says: bare, want: came{"relay", bare, true}},
		{what: "ICE-TCP", says: inside, want: came{"media", inside[:len(bare)], false}},
		{what: "ICE-TCP byte by byte", slow: true, says: inside, want: came{"media", inside[:len(bare)], false}},
		{what: "TURN byte by byte", over: true, slow: true, says: bare, want: came{"relay", bare, false}},
		{what: "HTTP", plain: true, says: get, want: came{"pages", get, false}},
		{what: "ICE-TCP beside HTTP", plain: true, says: inside, want: came{"media", inside[:len(bare)], false}},
		{what: "HTTP where there is TLS", says: get},
		{what: "TURN without TLS", says: bare},
		{what: "a frame without STUN", says: "\x00\x14\x16\x01 and other things"},
		{what: "anything", says: "\xff\xfe and other things "},
		{what: "a certificate authority", over: true, protos: []string{"acme-tls/1"}, says: bare},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := open(t, conf)
			if c.plain {
				e = open(t, nil)
			}
			got := listening(e)
			conn, err := net.Dial("tcp", e.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if c.over {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: c.protos}) //nolint:gosec // a test's own certificate
			}
			words := [][]byte{[]byte(c.says)}
			if c.slow {
				words = bytes.SplitAfter([]byte(c.says), nil)
			}
			for _, w := range words {
				if _, err := conn.Write(w); err != nil {
					break // it was hung up on
				}
			}
			answer, _ := io.ReadAll(conn)
			if c.want.to == "" {
				if strings.Contains(string(answer), "bye") || len(got) != 0 {
					t.Errorf("somebody listens: %q", answer)
				}
				return
			}
			if g := <-got; g != c.want || string(answer) != "bye" {
				t.Errorf("got %+v %q, want %+v", g, answer, c.want)
			}
		})
	}
}

// A browser that speaks HTTP where there is TLS is told.
func TestPlainly(t *testing.T) {
	e := open(t, certificate(t))
	res, err := http.Get("http://" + e.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "HTTPS") {
		t.Errorf("%d %s", res.StatusCode, text)
	}
}

// callers is a listener at which connections come in from an address.
type callers struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *callers) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *callers) Close() error   { close(l.done); return nil }
func (l *callers) Addr() net.Addr { return &net.TCPAddr{} }

// call comes in, and returns the other end.
func (l *callers) call(from string) net.Conn {
	near, far := net.Pipe()
	l.conns <- caller{near, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 1000))}
	return far
}

type caller struct {
	net.Conn

	addr net.Addr
}

func (c caller) RemoteAddr() net.Addr { return c.addr }

// still is how long a connection is kept on which nothing is said any more.
func still(conn net.Conn) time.Duration {
	began := time.Now()
	_, _ = io.Copy(io.Discard, conn)
	return time.Since(began)
}

// Who does not say whom they are for is dropped in time, however they go about it.
func TestSilence(t *testing.T) {
	conf := certificate(t)
	// How a browser begins TLS.
	near, far := net.Pipe()
	go func() { _ = tls.Client(near, &tls.Config{ServerName: "here"}).Handshake() }()
	hello := make([]byte, 2000)
	n, err := far.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = near.Close(), far.Close()
	hello = hello[:n]

	synctest.Test(t, func(t *testing.T) {
		ln := &callers{make(chan net.Conn), make(chan struct{})}
		e := New(ln, conf)
		go e.Serve()
		defer func() { _ = e.Close() }()
		say := func(words ...string) func(net.Conn) {
			return func(conn net.Conn) {
				for _, w := range words {
					_, _ = io.WriteString(conn, w)
				}
			}
		}
		for what, do := range map[string]func(net.Conn){
			"nothing":              say(),
			"one byte":             say("\x00"),
			"half a frame":         say(inside[:cookieEnds-1]),
			"the beginning of TLS": say(string(hello[:1])),
			"half a hello":         say(string(hello[:n/2])),
			"a hello, and no more": say(string(hello)),
			"TLS, and then nothing": func(conn net.Conn) {
				if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err != nil { //nolint:gosec // a test's own certificate
					t.Error(err)
				}
			},
			"what nobody takes": say(inside),
		} {
			conn := ln.call("192.0.2.1")
			do(conn)
			if d := still(conn); d > within {
				t.Errorf("%s is kept for %v", what, d)
			}
			synctest.Wait()
			if n := e.places.Taken(); n != 0 || len(e.waiting) != 0 {
				t.Errorf("%s: %d places are taken, %d wait", what, n, len(e.waiting))
			}
		}

		// A byte now and then buys no time.
		conn := ln.call("192.0.2.1")
		began := time.Now()
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte(hello[i : i+1])); err != nil {
				break
			}
			<-time.After(time.Second)
		}
		if d := time.Since(began); d > within+time.Second {
			t.Errorf("who dribbles is kept for %v", d)
		}
	})
}

// One client, who has many addresses of IPv6, does not take all the places, and gives them back; and so all of them.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &callers{make(chan net.Conn), make(chan struct{})}
		e := New(ln, nil)
		go e.Serve()
		kept := func(conn net.Conn) bool {
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			_, err := conn.Read(make([]byte, 1))
			var timeout net.Error
			return errors.As(err, &timeout) && timeout.Timeout()
		}
		var first net.Conn
		for n := range perAddr {
			conn := ln.call(fmt.Sprintf("2001:db8::%x", n))
			if first == nil {
				first = conn
			}
		}
		if kept(ln.call("2001:db8::ffff")) {
			t.Error("one client has more places than are for one")
		}
		other := ln.call("2001:db8:0:1::1")
		if !kept(other) {
			t.Error("another client has no place")
		}
		_ = first.Close()
		synctest.Wait()
		if !kept(ln.call("2001:db8::ffff")) {
			t.Error("a place was not given back")
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if kept(other) {
			t.Error("who waits is kept when all is closed")
		}
		for n := range 2 { // what comes in at the last moment
			near, far := net.Pipe()
			e.let(caller{near, &net.TCPAddr{IP: net.IPv4(192, 0, 2, byte(n))}})
			if kept(far) {
				t.Error("let in after all was closed")
			}
		}
	})
}
