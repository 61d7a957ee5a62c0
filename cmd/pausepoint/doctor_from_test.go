package main

import (
	"crypto/tls"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/relay"
	"github.com/pausepoint/pausepoint/room/event"
)

// Doctor comes into a session as people do, and says by which ways media really goes.
func TestDoctorFrom(t *testing.T) {
	s := startFilled(t, "--turn-addr", "127.0.0.1:0")
	amara := signedIn(t, s)
	id := amara.practiceSession()
	invitation := func(role event.Role) string { return s.url + "/s/" + id + "#" + amara.link(id, role) }
	stdout, _, err := runWith(t, nil, "doctor", "--from", invitation(event.Peer))
	if err != nil {
		t.Error(err)
	}
	for _, says := range []string{
		`ok +People come in`, `ok +Media passes by UDP to 127\.0\.0\.1:`, `ok +Media passes by TCP to 127\.0\.0\.1:`,
		`ok +Media passes by turn:127\.0\.0\.1:\d+\?transport=udp`, `ok +Media passes by turn:127\.0\.0\.1:\d+\?transport=tcp`, `ok +Members`,
	} {
		if !regexp.MustCompile(says).MatchString(stdout) {
			t.Errorf("it does not say %s:\n%s", says, stdout)
		}
	}
	a := amara.connect(id, agreed)
	for _, m := range a.view.Members {
		if m.Name == "Doctor" && m.Presence == event.Here {
			t.Error("it stays in the session")
		}
	}
	link := invitation(event.Observer)
	for what, says := range map[string]string{link: "invitation for peers", link + "x": "Nobody comes in", s.url: "not one of /s/"} {
		stdout, _, err := runWith(t, nil, "doctor", "--from", what)
		if err == nil || !regexp.MustCompile(says).MatchString(stdout) {
			t.Errorf("%s: %v %s", what, err, stdout)
		}
		if _, secret, ok := strings.Cut(what, "#"); ok && strings.Contains(stdout, secret) {
			t.Errorf("it tells the link: %s", stdout)
		}
	}
}

// What does not get through is said, with what to do about it.
func TestDoctorFromAfar(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	silent := netip.MustParseAddrPort(udp(t).LocalAddr().String())
	secure, err := unknown("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", Secure: secure, Media: []netip.AddrPort{silent}, MaxAllocations: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var good event.RTCRelay
	good.Username, good.Credential = r.Credentials("doctor")
	uris := r.URIs("127.0.0.1")
	var told told
	told.read("a=ice-ufrag:them\r\na=ice-pwd:secret\r\na=candidate:udp1 1 udp 1 " + silent.Addr().String() + " 9 typ host\r\na=candidate:half\r\n")
	if told.ufrag != "them" || told.pwd != "secret" || len(told.candidates) != 1 {
		t.Fatalf("%+v", told)
	}
	trusting := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a test's own certificate
	ctx := t.Context()
	finds(t, "UDP", told.straight(ctx, candidate{"udp", silent}), "note", "over UDP.*private network.*--public-ip")
	finds(t, "TCP", told.straight(ctx, candidate{"tcp", netip.AddrPortFrom(silent.Addr(), 1)}), "note", "over TCP")
	finds(t, "media that does not know us", told.relayed(ctx, uris[2], good, trusting, silent), "missing", "nothing passes through it")
	finds(t, "a certificate", told.relayed(ctx, uris[2], good, &tls.Config{}, silent), "missing", "certificate that browsers do not take.*--turn-host")
	finds(t, "credentials", told.relayed(ctx, uris[0], event.RTCRelay{Username: "1:x", Credential: "x"}, trusting, silent), "missing", "does not relay.*--turn-host")
	_ = r.Close()
	for _, uri := range uris {
		finds(t, uri, told.relayed(ctx, uri, good, trusting, silent), "note", "is not reached.*firewall")
	}
}
