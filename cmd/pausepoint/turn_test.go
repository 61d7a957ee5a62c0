package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/room/event"
)

// relayed comes into a call and reaches media by a relay only, over UDP or TCP.
func (b *browser) relayed(session, protocol string) *connection {
	b.t.Helper()
	c := b.open(session)
	c.send("", agreed)
	var relays event.RTCRelays
	c.decode(c.await("rtc.relays"), &relays)
	f := c.await("welcome")
	c.decode(f, &c.welcome)
	c.view = c.welcome.View
	c.ice.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	for _, s := range relays.Servers {
		for _, u := range s.URLs {
			if strings.HasPrefix(u, "turn:127.0.0.1:") && strings.HasSuffix(u, "transport="+protocol) {
				c.ice.ICEServers = append(c.ice.ICEServers, webrtc.ICEServer{URLs: []string{u}, Username: s.Username, Credential: s.Credential})
			}
		}
	}
	if len(c.ice.ICEServers) != 1 {
		b.t.Fatalf("relays: %+v", relays)
	}
	return c
}

// Whoever reaches nothing but the relay speaks and hears all the same; the relay is on one machine with media, whose address may be
// private though those of members may not.
func TestVoicesByRelay(t *testing.T) {
	s := startFilled(t, "--turn-addr", "127.0.0.1:0", "--no-allow-private-candidates", "--metrics-addr", "127.0.0.1:0")
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Coach), "Ben")
	a, b := amara.relayed(id, "udp"), ben.relayed(id, "tcp")
	a.answered(a.publish())
	_, received := b.subscribe()
	select {
	case track := <-received:
		if track.StreamID() != a.welcome.You {
			t.Errorf("stream %s", track.StreamID())
		}
		if _, _, err := track.ReadRTP(); err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("nothing is heard")
	}
	awaitFigure(t, s.metrics(t), "pausepoint_turn_allocations", func(value string) bool { return value != "" && value != "0" })
	if name := a.ice.ICEServers[0].Username; name == b.ice.ICEServers[0].Username || strings.Contains(b.ice.ICEServers[0].Username, benID) {
		t.Errorf("credentials of %s", name)
	}
}

// Browsers are told a name that leads to this server, and for which there is a certificate.
func TestTURNHost(t *testing.T) {
	l := listen{PublicURL: "https://calls.example.org", PublicIP: []string{"203.0.113.7"}}
	several := clusterFlags{Redis: "redis://here"}
	f := turnFlags{TURNAddr: ":3478", TURNTLSAddr: ":5349"}
	for want, got := range map[string]string{
		"calls.example.org": f.host(l, clusterFlags{}),
		"203.0.113.7":       f.host(l, several),
		"one.example.org":   turnFlags{TURNHost: "one.example.org"}.host(l, several),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	l = listen{ACMEDomain: []string{"calls.example.org"}, PublicIP: l.PublicIP}
	finds(t, "one server", f.check(l, clusterFlags{}), "ok", "")
	finds(t, "an address of several", f.check(l, several), "missing", `reach it at 203\.0\.113\.7.*no certificate.*--turn-host`)
	f.TURNHost = "one.example.org"
	finds(t, "a name without a certificate", f.check(l, several), "missing", `reach it at one\.example\.org.*--acme-domain`)
	l.ACMEDomain = append(l.ACMEDomain, "one.example.org")
	finds(t, "a name of its own", f.check(l, several), "ok", "")
	f.TURNHost = "one.example.org:5349"
	finds(t, "a port", f.check(l, several), "missing", "--turn-host .*without a port")
	finds(t, "no TURN", turnFlags{TURNHost: "one.example.org"}.check(l, several), "missing", "--turn-host .*--turn-addr")
}
