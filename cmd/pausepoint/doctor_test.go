package main

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/pausepoint/pausepoint/relay"
)

// finds wants nothing, advice, or an error, and the words in it.
func finds(t *testing.T, what string, err error, kind, says string) {
	t.Helper()
	var a advice
	got := "missing"
	switch {
	case err == nil:
		got = "ok"
	case errors.As(err, &a):
		got = "note"
	}
	if got != kind || err != nil && !regexp.MustCompile(says).MatchString(err.Error()) {
		t.Errorf("%s: %s: %v; want %s: %s", what, got, err, kind, says)
	}
}

func TestDoctorLooksAtTheDisk(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		left       int64
		err        error
		kind, says string
	}{
		{left: 500 << 30, kind: "ok"},
		{left: 5 << 30, kind: "note", says: `5 GB left.*make room`},
		{left: 100 << 20, kind: "missing", says: `only 100 MB left.*--data`},
		{err: errors.ErrUnsupported, kind: "note", says: "not known"},
		{err: &fs.PathError{Err: fs.ErrNotExist}, kind: "note", says: "once the data folder"},
		{err: errors.New("broken"), kind: "missing", says: "broken"},
	} {
		finds(t, "disk", checkRoom(dir, func(string) (int64, error) { return c.left, c.err }), c.kind, c.says)
	}
	if _, err := freeBytes(dir); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	finds(t, "folder", checkData(filepath.Join(dir, "new")), "ok", "")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	finds(t, "no folder", checkData(file), "missing", "choose a folder")
}

func TestDoctorLooksAtFFmpeg(t *testing.T) {
	finds(t, "ffmpeg", checkFFmpeg(t.Context(), "ffmpeg"), "ok", "")
	finds(t, "none", checkFFmpeg(t.Context(), "no-such-ffmpeg"), "missing", "apt install ffmpeg")
	dir := t.TempDir()
	program := func(name, script string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
		return path
	}
	program("ffprobe", "exit 0")
	finds(t, "one that fails", checkFFmpeg(t.Context(), program("ffmpeg", "exit 1")), "missing", "does not run")
	finds(t, "one without x264", checkFFmpeg(t.Context(), program("ffmpeg", "echo ' A aac '")), "missing", "cannot make libx264")
}

func TestDoctorLooksAtPorts(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	conn := udp(t)
	for network, taken := range map[string]string{"tcp": ln.Addr().String(), "udp": conn.LocalAddr().String()} {
		finds(t, network, checkPort(network, "addr", "127.0.0.1:0"), "ok", "")
		finds(t, network, checkPort(network, "addr", taken), "missing", "--addr .*in use")
	}
}

func TestDoctorLooksAtCertificates(t *testing.T) {
	cert, key := certificate(t)
	with := func(l listen) doctorFlags { return doctorFlags{listen: l} }
	finds(t, "plain http", checkCertificate(doctorFlags{}), "note", "--tls-cert")
	finds(t, "ends within the hour", checkCertificate(with(listen{TLSCert: cert, TLSKey: key})), "note", "ends in 0 days.*renew")
	finds(t, "no file", checkCertificate(with(listen{TLSCert: cert + "x", TLSKey: key})), "missing", "cannot be read")

	now := time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)
	leaf := &x509.Certificate{
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0), DNSNames: []string{"calls.example.org", "one.example.org"},
	}
	d := with(listen{PublicURL: "https://calls.example.org", PublicIP: []string{"203.0.113.7"}})
	finds(t, "good", checkLeaf(leaf, d, now), "ok", "")
	finds(t, "good", checkLeaf(leaf, doctorFlags{}, now), "ok", "")
	finds(t, "soon", checkLeaf(leaf, d, now.AddDate(0, 2, -10)), "note", "ends in 10 days, on 15 August 2030")
	finds(t, "ended", checkLeaf(leaf, d, now.AddDate(0, 3, 0)), "missing", "ended on 15 August 2030.*renew")
	finds(t, "not yet", checkLeaf(leaf, d, now.AddDate(0, -2, 0)), "missing", "begins on 15 May 2030.*clock")
	finds(t, "another name", checkLeaf(leaf, with(listen{PublicURL: "https://meet.example.org:8443"}), now), "missing", `not for meet\.example\.org.*--public-url`)
	d.turnFlags = turnFlags{TURNAddr: ":3478", TURNTLSAddr: ":5349"}
	finds(t, "TURN at the pages' name", checkLeaf(leaf, d, now), "ok", "")
	d.Redis = "redis://here"
	finds(t, "TURN of one of several servers", checkLeaf(leaf, d, now), "missing", `not for 203\.0\.113\.7, where browsers.*--turn-host`)
	d.TURNHost = "one.example.org"
	finds(t, "TURN at a name of its own", checkLeaf(leaf, d, now), "ok", "")
	d.TURNHost = "two.example.org"
	finds(t, "TURN at another's name", checkLeaf(leaf, d, now), "missing", `not for two\.example\.org.*--turn-host`)
}

// udp is a socket until the test ends.
func udp(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// answering is a server on a UDP socket that answers each request, until the test ends; nil is no answer.
func answering(t *testing.T, answer func(request []byte, from *net.UDPAddr) []byte) string {
	t.Helper()
	conn := udp(t)
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDP(b)
			if err != nil {
				return
			}
			if out := answer(b[:n], from); out != nil {
				_, _ = conn.WriteToUDP(out, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// timeServer is one whose clock is ahead.
func timeServer(t *testing.T, ahead time.Duration, spoil func([]byte)) string {
	t.Helper()
	return answering(t, func(request []byte, _ *net.UDPAddr) []byte {
		out := make([]byte, 48)
		out[0], out[1] = 4<<3|4, 2
		copy(out[24:32], request[40:48])
		at := time.Now().Add(ahead)
		for _, i := range []int{32, 40} {
			binary.BigEndian.PutUint32(out[i:], uint32(at.Unix()+2_208_988_800))                           //nolint:gosec // era 0
			binary.BigEndian.PutUint32(out[i+4:], uint32(uint64(at.Nanosecond())<<32/uint64(time.Second))) //nolint:gosec // a fraction
		}
		spoil(out)
		return out
	})
}

func TestDoctorLooksAtTheClock(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	honest := func([]byte) {}
	kept := func(ok bool, err error) func() (bool, error) { return func() (bool, error) { return ok, err } }
	ctx := t.Context()
	finds(t, "kept", checkClock(ctx, "", kept(true, nil)), "ok", "")
	finds(t, "not kept", checkClock(ctx, "", kept(false, nil)), "note", "time service")
	finds(t, "unknown", checkClock(ctx, "", kept(false, errors.ErrUnsupported)), "note", "--time-server")
	finds(t, "right", checkClock(ctx, timeServer(t, 0, honest), kept(false, nil)), "ok", "")
	finds(t, "wrong", checkClock(ctx, timeServer(t, time.Hour, honest), kept(true, nil)), "missing", `wrong by (1h0m|59m)`)
	finds(t, "wrong the other way", checkClock(ctx, timeServer(t, -time.Hour, honest), kept(true, nil)), "missing", `wrong by (1h0m|59m)`)

	spoken := make(chan struct{})
	go func() { // nobody: a port that answers nothing
		defer close(spoken)
		finds(t, "silent", checkClock(ctx, udp(t).LocalAddr().String(), kept(true, nil)), "note", "does not answer")
	}()
	finds(t, "somebody else's answer", checkClock(ctx, timeServer(t, 0, func(b []byte) { b[25]++ }), kept(true, nil)), "note", "does not answer")
	<-spoken
}

// The arithmetic of RFC 5905: the way there and the way back are taken to be as long as each other.
func TestClockOffset(t *testing.T) {
	off, err := clockOffset(t.Context(), timeServer(t, 90*time.Second, func([]byte) {}))
	if err != nil || off < 80*time.Second || off > 100*time.Second {
		t.Errorf("%v %v", off, err)
	}
}

// stunServer is one that sees everybody as another address.
func stunServer(t *testing.T, seen func(from *net.UDPAddr) *net.UDPAddr) string {
	t.Helper()
	return answering(t, func(request []byte, from *net.UDPAddr) []byte {
		m := &stun.Message{Raw: append([]byte(nil), request...)}
		if m.Decode() != nil || m.Type != stun.BindingRequest {
			return nil
		}
		as := seen(from)
		if as == nil {
			return nil
		}
		out, err := stun.Build(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: as.IP, Port: as.Port}, stun.Fingerprint)
		if err != nil {
			t.Error(err)
			return nil
		}
		return out.Raw
	})
}

func TestDoctorLooksFromOutside(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	look := func(server string, public ...string) error {
		return checkSeen(t.Context(), doctorFlags{listen: listen{MediaAddr: "127.0.0.1:0", PublicIP: public}, STUNServer: server})
	}
	as := func(ip net.IP, port int) func(*net.UDPAddr) *net.UDPAddr {
		return func(from *net.UDPAddr) *net.UDPAddr { return &net.UDPAddr{IP: ip, Port: from.Port + port} }
	}
	outside := net.IPv4(203, 0, 113, 7)
	behind := stunServer(t, as(outside, 0))
	finds(t, "no NAT", look(stunServer(t, as(net.IPv4(127, 0, 0, 1), 0))), "ok", "")
	finds(t, "NAT", look(behind), "missing", `seen from outside as 203\.0\.113\.7.*--public-ip 203\.0\.113\.7`)
	finds(t, "NAT that is told", look(behind, "203.0.113.7"), "ok", "")
	finds(t, "NAT, told wrongly", look(behind, "203.0.113.8"), "missing", `--public-ip 203\.0\.113\.7`)
	finds(t, "ports changed", look(stunServer(t, as(outside, -1)), "203.0.113.7"), "missing", "another number.*forward")
	finds(t, "silence", look(stunServer(t, func(*net.UDPAddr) *net.UDPAddr { return nil })), "missing", "does not answer.*--stun-server")
	finds(t, "no port", look("127.0.0.1:stun"), "missing", `the port "stun" is no number`)
	taken := udp(t)
	finds(t, "a server is running", checkSeen(t.Context(), doctorFlags{listen: listen{MediaAddr: taken.LocalAddr().String()}, STUNServer: behind}), "note", "while no server uses it")
}

// ports are a UDP socket and a TCP listener of one number.
func ports(t *testing.T) (*net.UDPConn, net.Listener, uint16) {
	t.Helper()
	for range 100 {
		conn := udp(t)
		_, port, err := net.SplitHostPort(conn.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		if ln, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			t.Cleanup(func() { _ = ln.Close() })
			return conn, ln, uint16(n)
		}
	}
	t.Fatal("no port is free over both")
	return nil, nil, 0
}

func TestDoctorReachesItself(t *testing.T) {
	t.Parallel() // it waits for what does not come in
	conn, ln, port := ports(t)
	other, deaf, _ := ports(t) // where nothing comes in that is sent to port
	self := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	finds(t, "reached", reached(t.Context(), conn, ln, port, self), "ok", "")
	finds(t, "no UDP", reached(t.Context(), other, ln, port, self), "note", `127\.0\.0\.1:\d+ is not reached over UDP`)
	finds(t, "no TCP", reached(t.Context(), conn, deaf, port, self), "note", `not reached over TCP`)
	d := doctorFlags{listen: listen{
		MediaAddr: ln.Addr().String(), PublicIP: []string{"127.0.0.1"}, Addr: "127.0.0.1:0", ACMEDomain: []string{"127.0.0.1"},
	}}
	ways := d.waysIn()
	if len(ways) != 2 {
		t.Fatalf("the ways in are %v", ways)
	}
	finds(t, "a server is running", checkReached(t.Context(), d, ways[0]), "note", "port for media .*while no server uses it")
	if ways[1].outside != 443 {
		t.Errorf("who gives certificates looks at %d", ways[1].outside)
	}
	pages, at, outside := ports(t)
	_, _ = pages.Close(), at.Close()
	ways[1].outside, ways[1].addr = outside, at.Addr().String()
	finds(t, "pages", checkReached(t.Context(), d, ways[1]), "ok", "")
	ways[1].addr = "127.0.0.1:0"
	finds(t, "pages at another port", checkReached(t.Context(), d, ways[1]), "note", `not reached over TCP.*--from`)
}

// Something really passes through TURN to the media port, or doctor says what does not.
func TestDoctorUsesTURN(t *testing.T) {
	t.Parallel() // it waits for what does not come in
	d := doctorFlags{
		listen:    listen{MediaAddr: "127.0.0.1:0", PublicIP: []string{"127.0.0.1"}},
		turnFlags: turnFlags{TURNAddr: "127.0.0.1:0", TURNTLSAddr: "127.0.0.1:0"},
	}
	finds(t, "every way", checkTURN(t.Context(), "127.0.0.1", d), "ok", "")
	conn, ln, port := ports(t)
	_, _ = conn.Close(), ln.Close()
	one := doctorFlags{listen: listen{Addr: fmt.Sprintf("127.0.0.1:%d", port), TLSCert: "cert.pem", PublicIP: d.PublicIP}}
	one.MediaAddr = one.Addr
	finds(t, "one port", checkTURN(t.Context(), "127.0.0.1", one), "ok", "")
	finds(t, "one port elsewhere", checkTURN(t.Context(), "127.0.0.2", one), "note", `turns:127\.0\.0\.2:\d+\?transport=tcp`)
	d.PublicIP = []string{"203.0.113.7"}
	finds(t, "behind a NAT", checkTURN(t.Context(), "127.0.0.1", d), "ok", "")
	finds(t, "a name that leads elsewhere", checkTURN(t.Context(), "127.0.0.2", d), "note", `turn:127\.0\.0\.2:\d+\?transport=udp.*--from`)
	conn = udp(t)
	d.MediaAddr = conn.LocalAddr().String()
	finds(t, "a server is running", checkTURN(t.Context(), "127.0.0.1", d), "note", "port for media .*while no server uses it")
	d.MediaAddr, d.TURNAddr = "127.0.0.1:0", d.MediaAddr
	finds(t, "TURN is running", checkTURN(t.Context(), "127.0.0.1", d), "note", "port for TURN .*while no server uses it")

	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", Media: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}, MaxAllocations: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	uri := r.URIs("127.0.0.1")[0]
	peer := netip.MustParseAddrPort(conn.LocalAddr().String()) // which says nothing
	finds(t, "another's", passes(t.Context(), uri, "1:doctor", "x", peer), "missing", "does not relay: another server answers")
	username, password := r.Credentials("doctor")
	finds(t, "silent media", passes(t.Context(), uri, username, password, peer), "missing", "nothing passes through it")
}

func TestDoctorLooksUpTheName(t *testing.T) {
	d := doctorFlags{
		listen:    listen{PublicIP: []string{"127.0.0.1"}, PublicURL: "https://calls.example.org"},
		turnFlags: turnFlags{TURNAddr: "127.0.0.1:0"},
	}
	finds(t, "a balancer's", checkName(t.Context(), "127.0.0.2"), "ok", "")
	finds(t, "this machine's", checkTURNName(t.Context(), "127.0.0.1", d), "ok", "")
	finds(t, "another's", checkTURNName(t.Context(), "127.0.0.2", d), "missing", `TURN at 127\.0\.0\.2.* and not 127\.0\.0\.1.*--turn-host`)
	d.Redis = "redis://here"
	finds(t, "this one's of several", checkTURNName(t.Context(), "127.0.0.1", d), "ok", "")
	d.PublicIP = nil
	finds(t, "that of several servers", checkTURNName(t.Context(), "127.0.0.1", d), "missing", `any of several servers.*--turn-host`)
	nowhere, cancel := context.WithCancel(t.Context())
	cancel()
	finds(t, "none", checkName(nowhere, d.publicHost()), "missing", `calls\.example\.org.* has no address.*DNS.*--public-url`)
	d.TURNHost = "one.example.org"
	finds(t, "none", checkTURNName(nowhere, d.TURNHost, d), "missing", `one\.example\.org.* has no address.*DNS.*--turn-host`)
	d.ACMEDomain = []string{d.TURNHost}
	finds(t, "none", checkReached(nowhere, d, d.waysIn()[0]), "note", `once one\.example\.org has an address`)
}
