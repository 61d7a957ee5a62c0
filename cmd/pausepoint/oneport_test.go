package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/room/event"
)

// A deployment of one number: pages, signaling, media over UDP and TCP, and TURN over TLS.
func TestOnePort(t *testing.T) {
	conn, ln, port := ports(t)
	_, _ = conn.Close(), ln.Close()
	at := fmt.Sprintf("127.0.0.1:%d", port)
	cert, key := certificate(t)
	s := startFilled(t, "--addr", at, "--media-addr", at, "--tls-cert", cert, "--tls-key", key)
	if s.url != "https://"+at {
		t.Fatalf("announced: %s", s.stdout)
	}
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, _ := s.guest(t, id, amara.link(id, event.Coach), "Ben")

	// One speaks over UDP, one hears over TCP.
	a, b := amara.open(id), ben.open(id)
	a.network, b.network = webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4
	var relays event.RTCRelays
	for _, c := range []*connection{a, b} {
		c.send("", agreed)
		c.decode(c.await("rtc.relays"), &relays)
		c.decode(c.await("welcome"), &c.welcome)
	}
	pc := a.publish()
	a.answered(pc)
	b.hears(a.welcome.You)

	// Every way that browsers are told is one to that number, and passes.
	told := told{relays: relays.Servers}
	told.read(pc.RemoteDescription().SDP)
	want := "UDP to " + at + ", TCP to " + at + ", turns:" + at + "?transport=tcp"
	var names []string
	for _, w := range told.ways(insecure) {
		names = append(names, w.what)
		if err := w.try(t.Context()); err != nil {
			t.Errorf("%s: %v", w.what, err)
		}
	}
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("browsers are told %s, want %s", got, want)
	}
	pagesOf(t, at)
}

// pagesOf asks for pages at a port that is shared, as browsers and others do.
func pagesOf(t *testing.T, at string) {
	t.Helper()
	two := &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: true}
	defer two.CloseIdleConnections()
	res, err := (&http.Client{Transport: two}).Get("https://" + at + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if text, err := io.ReadAll(res.Body); err != nil || res.ProtoMajor != 2 || res.StatusCode != http.StatusOK || !strings.Contains(string(text), "<html") {
		t.Errorf("%s %d %.100s %v", res.Proto, res.StatusCode, text, err)
	}
	// Who does not say in TLS that HTTP follows is served all the same, with a cookie for TLS.
	conn, err := tls.Dial("tcp", at, insecure)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	body := `{"email":"` + adminEmail + `","password":"` + adminPassword + `"}`
	_, _ = fmt.Fprintf(conn, "POST /api/signin HTTP/1.1\r\nHost: %s\r\nOrigin: https://%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", at, at, len(body), body)
	signed, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = signed.Body.Close() }()
	if c := signed.Cookies(); signed.StatusCode != http.StatusOK || len(c) != 1 || !c[0].Secure {
		t.Errorf("%d %+v", signed.StatusCode, c)
	}
	plain, err := http.Get("http://" + at + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Body.Close() }()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("over plain HTTP: %d", plain.StatusCode)
	}
}

// Without a certificate pages and media share a port, too; and TURN over TLS shares that of the pages alone.
func TestSharedPorts(t *testing.T) {
	conn, ln, port := ports(t)
	_, _ = conn.Close(), ln.Close()
	at := fmt.Sprintf("127.0.0.1:%d", port)
	s := startFilled(t, "--addr", at, "--media-addr", at)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	a := amara.connect(id, agreed)
	pc := a.publish()
	a.answered(pc)
	var told told
	told.read(pc.RemoteDescription().SDP)
	if ways := told.ways(nil); len(ways) != 2 {
		t.Errorf("%d ways", len(ways))
	} else {
		for _, w := range ways {
			if err := w.try(t.Context()); err != nil {
				t.Errorf("%s: %v", w.what, err)
			}
		}
	}
	s.stop(t)

	cert, key := certificate(t)
	s = startFilled(t, "--addr", at, "--turn-tls-addr", at, "--tls-cert", cert, "--tls-key", key)
	amara = signedIn(t, s)
	id = amara.practiceSession()
	a = amara.open(id)
	a.send("", agreed)
	var relays event.RTCRelays
	a.decode(a.await("rtc.relays"), &relays)
	a.decode(a.await("welcome"), &a.welcome)
	pc = a.publish()
	a.answered(pc)
	told.relays, told.candidates = relays.Servers, nil
	told.read(pc.RemoteDescription().SDP)
	ways := told.ways(insecure)
	if w := ways[len(ways)-1]; len(ways) != 3 || w.what != "turns:"+at+"?transport=tcp" {
		t.Errorf("%d ways, %s", len(ways), w.what)
	} else if err := w.try(t.Context()); err != nil {
		t.Error(err)
	}
}

// Which addresses are one port.
func TestSameAddr(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{":443", ":443", true},
		{":443", "0.0.0.0:443", true},
		{"[::]:443", ":443", true},
		{"127.0.0.1:443", "127.0.0.1:443", true},
		{"[2001:db8::1]:443", "[2001:db8:0::1]:443", true},
		{":443", "127.0.0.1:443", false},
		{"127.0.0.1:443", "127.0.0.2:443", false},
		{":443", ":8443", false},
		{":0", ":0", false},
		{"", "", false},
	} {
		if sameAddr(c.a, c.b) != c.same || sameAddr(c.b, c.a) != c.same {
			t.Errorf("%s and %s", c.a, c.b)
		}
	}
}
