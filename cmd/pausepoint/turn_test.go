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
