package sfu

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
)

// realWorld is an SFU on sockets of this machine.
func realWorld(t *testing.T, configure ...func(*Config)) *world {
	t.Helper()
	cfg := Config{UDPAddr: "127.0.0.1:0"}
	for _, f := range configure {
		f(&cfg)
	}
	s, err := New(cfg)
	must(t, err)
	return &world{t: t, sfu: s}
}

func (w *world) realClient(id string, networks ...webrtc.NetworkType) *client {
	var s webrtc.SettingEngine
	s.LoggerFactory = quiet()
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	s.SetNetworkTypes(networks)
	c := newClient(w, id)
	c.api = clientAPI(w.t, s)
	w.members = append(w.members, c)
	return c
}

// await waits until a publication is received; the test's own deadline ends it otherwise.
func (c *client) await(name string) *stream {
	for {
		if s := c.got()[name]; s != nil {
			return s
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestRealSocketsLeaveNothingBehind(t *testing.T) {
	for name, network := range map[string]webrtc.NetworkType{"UDP": webrtc.NetworkTypeUDP4, "TCP": webrtc.NetworkTypeTCP4} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			w := realWorld(t)
			a := w.realClient("ann", network).join("r", true, true)
			b := w.realClient("bob", network).join("r", true, true)
			must(t, a.publish(SourceAudio, SourceCamera))
			must(t, b.publish(SourceAudio))
			b.await("ann/camera")
			b.await("ann/audio")
			a.await("bob/audio")
			if pair, err := a.pub.SCTP().Transport().ICETransport().GetSelectedCandidatePair(); err != nil ||
				!strings.EqualFold(pair.Remote.Protocol.String(), name) {
				t.Errorf("ann sends by %v, %v", pair, err)
			}
			for _, m := range w.members {
				m.leave()
			}
			must(t, w.sfu.Close())
		})
	}
}

func TestListensOnEveryAddress(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := New(Config{UDPAddr: ":0"})
	must(t, err)
	if s.Port() == 0 {
		t.Error("the port is not known")
	}
	tcp, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", itoa(s.Port())))
	must(t, err)
	must(t, tcp.Close())
	must(t, s.Close())
}

func TestAddressesThatCannotBeUsed(t *testing.T) {
	for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "localhost:0", "203.0.113.1:0"} {
		if s, err := New(Config{UDPAddr: addr}); err == nil {
			t.Errorf("%q was listened on", addr)
			must(t, s.Close())
		}
	}
}

func TestATakenPortIsAnError(t *testing.T) {
	w := realWorld(t)
	if _, err := New(Config{UDPAddr: net.JoinHostPort("127.0.0.1", itoa(w.sfu.Port()))}); err == nil {
		t.Error("two listen on one port")
	}
	must(t, w.sfu.Close())
}

func TestPublicAddressesAreTold(t *testing.T) {
	w := realWorld(t, func(c *Config) { c.PublicAddrs = []netip.Addr{netip.MustParseAddr("203.0.113.9")} })
	a := w.realClient("ann", webrtc.NetworkTypeUDP4)
	answers := make(chan Signal, 10)
	var err error
	a.peer, err = w.sfu.Room("r").Join(PeerConfig{ID: "ann", Publish: true, Send: func(s Signal) { answers <- s }})
	must(t, err)
	must(t, a.publish(SourceAudio))
	s := <-answers
	if !strings.Contains(s.SDP, "203.0.113.9 "+itoa(w.sfu.Port())) || strings.Contains(s.SDP, "127.0.0.1 "+itoa(w.sfu.Port())) {
		t.Errorf("the answer: %s", s.SDP)
	}
	// The DTLS server chooses the encryption.
	if !strings.Contains(s.SDP, "a=setup:passive") {
		t.Errorf("the server leaves the choice of encryption to the member: %s", s.SDP)
	}
	a.leave()
	must(t, w.sfu.Close())
}
