package sfu

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

func TestAddressPolicy(t *testing.T) {
	for _, c := range []struct {
		addr            string
		open, noPrivate bool
	}{
		{"203.0.113.7", true, true},
		{"2001:db8::7", true, true},
		{"192.168.1.7", true, false},
		{"10.0.0.7", true, false},
		{"172.16.0.7", true, false},
		{"fd00::7", true, false},
		{"127.0.0.1", false, false},
		{"::1", false, false},
		{"169.254.169.254", false, false},
		{"fe80::7", false, false},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"::", false, false},
		{"224.0.0.251", false, false},
		{"ff02::fb", false, false},
		{"255.255.255.255", false, false},
		{"::ffff:203.0.113.7", false, false},
		{"::ffff:127.0.0.1", false, false},
		{"::127.0.0.1", false, false},
		{"64:ff9b::7f00:1", false, false},
		{"2002:7f00:1::", false, false},
	} {
		addr := netip.MustParseAddr(c.addr)
		for _, p := range []struct {
			name   string
			policy addressPolicy
			want   bool
		}{
			{"default", addressPolicy{}, c.open},
			{"deny private", addressPolicy{denyPrivate: true}, c.noPrivate},
		} {
			if got := p.policy.allows(addr); got != p.want {
				t.Errorf("%s, %s: %v, want %v", c.addr, p.name, got, p.want)
			}
		}
	}
}

const hostLine = "candidate:1 1 udp 2130706431 %s 5000 typ host"

func TestReadCandidate(t *testing.T) {
	for _, c := range []struct {
		name, text string
		err        error
	}{
		{"public", trickle(fmt.Sprintf(hostLine, "203.0.113.7")), nil},
		{"without prefix", trickle("1 1 udp 2130706431 203.0.113.7 5000 typ host"), nil},
		{"link-local, of which no use is made", trickle(fmt.Sprintf(hostLine, "169.254.169.254")), nil},
		{"mDNS", trickle(fmt.Sprintf(hostLine, "0a1b.local")), nil},
		{"end", trickle(""), nil},
		{"short", trickle("candidate:1 1 udp"), ErrBadCandidate},
		{"not JSON", "candidate", ErrBadCandidate},
		{"long", trickle(fmt.Sprintf(hostLine, strings.Repeat("1", 5000))), ErrBadCandidate},
		{"null", "null", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := readCandidate(c.text); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
		})
	}
}

const fingerprint = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

const transportLines = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 " + fingerprint + "\r\n"

// offerText is a session description with the given media sections.
func offerText(sections ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + transportLines + strings.Join(sections, "")
}

func section(kind, mid string, attributes ...string) string {
	s := "m=" + kind + " 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
	if mid != "" {
		s += "a=mid:" + mid + "\r\n"
	}
	for _, a := range attributes {
		s += "a=" + a + "\r\n"
	}
	return s
}

func TestPublishOffersAreChecked(t *testing.T) {
	many := make([]string, 5000)
	for i := range many {
		many[i] = "m=audio 9 X 0\n"
	}
	candidates := make([]string, negotiate.MaxCandidates+1)
	for i := range candidates {
		candidates[i] = fmt.Sprintf(hostLine, "203.0.113.7")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		p, err := w.sfu.Room("r").Join(PeerConfig{ID: "ann", Publish: true, Subscribe: true})
		must(t, err)
		defer p.Close()
		for _, c := range []struct {
			name    string
			sdp     string
			sources map[string]Source
			want    error
		}{
			{"1 MiB", strings.Repeat("a", 1<<20), nil, ErrSDPTooLarge},
			{"5000 sections", offerText(many...)[:60_000], nil, ErrTooManyMedia},
			{"candidates", offerText(section("audio", "0", candidates...)), nil, ErrTooManySignals},
			{"empty", "", nil, ErrBadSDP},
			{"garbage", "v=0\r\n\x00\r\n", nil, ErrBadSDP},
			{"no mid", offerText(section("audio", "")), nil, ErrBadSDP},
			{"a mid twice", offerText(section("audio", "0"), section("video", "0")), nil, ErrBadSDP},
			{"data channel", offerText(section("application", "0")), nil, ErrUnsupported},
			{"layers", offerText(section("video", "0", "simulcast:send a;b;c;d")), nil, ErrUnsupported},
			{"unknown mid", offerText(section("audio", "0")), map[string]Source{"1": SourceAudio}, ErrBadSources},
			{"unknown source", offerText(section("audio", "0")), map[string]Source{"0": "lesson"}, ErrBadSources},
			{"wrong kind", offerText(section("audio", "0")), map[string]Source{"0": SourceCamera}, ErrBadSources},
			{
				"a source twice", offerText(section("audio", "0"), section("audio", "1")),
				map[string]Source{"0": SourceAudio, "1": SourceAudio},
				ErrBadSources,
			},
			{
				"no transport", strings.ReplaceAll(offerText(section("audio", "0")), transportLines, ""),
				map[string]Source{"0": SourceAudio},
				ErrBadSDP,
			},
			{
				"a fingerprint that is none", strings.ReplaceAll(offerText(section("audio", "0")), fingerprint, "00"),
				map[string]Source{"0": SourceAudio},
				ErrBadSDP,
			},
		} {
			if err := p.Handle(Signal{Kind: KindOffer, PC: Publish, SDP: c.sdp, Sources: c.sources}); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	})
}

func TestARefusedOfferLeavesThePeerUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		audio := map[string]Source{"0": SourceAudio}
		refused := Signal{Kind: KindOffer, PC: Publish, SDP: "v=0", Sources: audio}
		hostile := Signal{
			Kind: KindOffer, PC: Publish, SDP: strings.ReplaceAll(offerText(section("audio", "0")), fingerprint, "00"), Sources: audio,
		}
		if err := a.peer.Handle(hostile); err == nil {
			t.Error("an offer without a fingerprint was accepted")
		}
		must(t, a.publish(SourceAudio))
		time.Sleep(2 * time.Second)
		if err := a.peer.Handle(refused); err == nil {
			t.Error("half an offer was accepted")
		}
		must(t, a.publish(SourceCamera))
		time.Sleep(2 * time.Second)
		if len(b.got()) != 2 {
			t.Errorf("bob receives %v, want audio and camera", b.offered())
		}
	})
}

func TestABadAnswerLeavesThePeerUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceAudio))
		time.Sleep(time.Second)
		b := w.client("bob")
		signals := make(chan Signal, 10)
		var err error
		b.peer, err = w.sfu.Room("r").Join(PeerConfig{ID: "bob", Subscribe: true, Send: func(s Signal) { signals <- s }})
		must(t, err)
		offer := <-signals
		for _, text := range []string{"v=0", offerText(section("audio", "9"))} {
			if err := b.peer.Handle(Signal{Kind: KindAnswer, PC: Subscribe, SDP: text, Offer: offer.Offer}); err == nil {
				t.Errorf("accepted: %s", text)
			}
		}
		b.negotiated.Go(b.negotiate)
		must(t, b.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe}))
		for len(signals) > 0 {
			b.receive(<-signals)
		}
		time.Sleep(2 * time.Second)
		if b.got()["ann/audio"] == nil {
			t.Error("bob does not receive ann after he asked for a new connection")
		}
	})
}

func TestTrickledCandidatesAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		p, err := w.sfu.Room("r").Join(PeerConfig{ID: "ann", Publish: true, Subscribe: true})
		must(t, err)
		defer p.Close()
		for _, pc := range []PC{Publish, Subscribe} {
			refused := 0
			for range 10_000 {
				err := p.Handle(Signal{Kind: KindCandidate, PC: pc, Candidate: trickle(fmt.Sprintf(hostLine, "203.0.113.7"))})
				if errors.Is(err, ErrTooManySignals) {
					refused++
				}
			}
			if refused != 10_000-maxCandidates {
				t.Errorf("%s: %d of 10000 were refused", pc, refused)
			}
		}
	})
}

func FuzzCandidate(f *testing.F) {
	f.Add(trickle(fmt.Sprintf(hostLine, "203.0.113.7")))
	f.Add(`{"candidate":"candidate:1 1 tcp 1 ::ffff:1.2.3.4 9 typ host tcptype active","sdpMLineIndex":0}`)
	f.Fuzz(func(t *testing.T, text string) {
		if err := readCandidate(text); err != nil && !errors.Is(err, ErrBadCandidate) {
			t.Fatal(err)
		}
	})
}
