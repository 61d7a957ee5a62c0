package sfu

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/sdp/v3"
)

func TestAddressPolicy(t *testing.T) {
	for _, c := range []struct {
		addr                      string
		open, noPrivate, loopback bool
	}{
		{"203.0.113.7", true, true, true},
		{"2001:db8::7", true, true, true},
		{"192.168.1.7", true, false, true},
		{"10.0.0.7", true, false, true},
		{"172.16.0.7", true, false, true},
		{"fd00::7", true, false, true},
		{"127.0.0.1", false, false, true},
		{"::1", false, false, true},
		{"169.254.169.254", false, false, false},
		{"fe80::7", false, false, false},
		{"0.0.0.0", false, false, false},
		{"0.1.2.3", false, false, false},
		{"::", false, false, false},
		{"224.0.0.251", false, false, false},
		{"ff02::fb", false, false, false},
		{"255.255.255.255", false, false, false},
		{"::ffff:203.0.113.7", false, false, false},
		{"::ffff:127.0.0.1", false, false, false},
		{"::127.0.0.1", false, false, false},
		{"64:ff9b::7f00:1", false, false, false},
		{"2002:7f00:1::", false, false, false},
	} {
		addr := netip.MustParseAddr(c.addr)
		for _, p := range []struct {
			name   string
			policy addressPolicy
			want   bool
		}{
			{"default", addressPolicy{}, c.open},
			{"deny private", addressPolicy{denyPrivate: true}, c.noPrivate},
			{"on loopback", addressPolicy{allowLoopback: true}, c.loopback},
		} {
			if got := p.policy.allows(addr); got != p.want {
				t.Errorf("%s, %s: %v, want %v", c.addr, p.name, got, p.want)
			}
		}
	}
}

const line = "candidate:1 1 udp 2130706431 %s 5000 typ host"

func TestReadCandidate(t *testing.T) {
	for _, c := range []struct {
		name, text string
		use        bool
		err        error
	}{
		{"public", trickle(fmt.Sprintf(line, "203.0.113.7")), true, nil},
		{"without prefix", trickle("1 1 udp 2130706431 203.0.113.7 5000 typ host"), true, nil},
		{"link-local", trickle(fmt.Sprintf(line, "169.254.169.254")), false, nil},
		{"mapped", trickle(fmt.Sprintf(line, "::ffff:10.0.0.1")), false, nil},
		{"zone", trickle(fmt.Sprintf(line, "fe80::1%eth0")), false, nil},
		{"mDNS", trickle(fmt.Sprintf(line, "0a1b.local")), false, nil},
		{"a name", trickle(fmt.Sprintf(line, "localhost")), false, nil},
		{"end", trickle(""), false, nil},
		{"short", trickle("candidate:1 1 udp"), false, ErrBadCandidate},
		{"not JSON", "candidate", false, ErrBadCandidate},
		{"long", trickle(fmt.Sprintf(line, strings.Repeat("1", 5000))), false, ErrBadCandidate},
		{"null", "null", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, use, err := addressPolicy{}.readCandidate(c.text)
			if use != c.use || !errors.Is(err, c.err) {
				t.Errorf("%v, %v; want %v, %v", use, err, c.use, c.err)
			}
		})
	}
}

const transportLines = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00\r\n"

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
	candidates := make([]string, maxSDPCandidates+1)
	for i := range candidates {
		candidates[i] = fmt.Sprintf(line, "203.0.113.7")
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
			{"simulcast", offerText(section("video", "0", "rid:h send", "simulcast:send h")), nil, ErrUnsupported},
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
			{"a fingerprint that is none", offerText(section("audio", "0")), map[string]Source{"0": SourceAudio}, ErrBadSDP},
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
		hostile := Signal{Kind: KindOffer, PC: Publish, SDP: offerText(section("audio", "0")), Sources: audio}
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
		<-signals
		for _, text := range []string{"v=0", offerText(section("audio", "9"))} {
			if err := b.peer.Handle(Signal{Kind: KindAnswer, PC: Subscribe, SDP: text}); err == nil {
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
				err := p.Handle(Signal{Kind: KindCandidate, PC: pc, Candidate: trickle(fmt.Sprintf(line, "203.0.113.7"))})
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

func TestFilterSDP(t *testing.T) {
	text := offerText(section("audio", "0",
		fmt.Sprintf(line, "203.0.113.7"), fmt.Sprintf(line, "169.254.1.1"), fmt.Sprintf(line, "::ffff:127.0.0.1"), "candidate:x"))
	d, err := checkSDP(text)
	must(t, err)
	if removed := (addressPolicy{}).filterSDP(d); removed != 3 {
		t.Errorf("%d candidates were removed, want 3", removed)
	}
	out, err := textOf(d, text, 3)
	must(t, err)
	if strings.Count(out, "candidate:") != 1 || !strings.Contains(out, "203.0.113.7") {
		t.Errorf("left: %s", out)
	}
}

func TestKeepReceivers(t *testing.T) {
	d, err := checkSDP(offerText(section("audio", "0", "inactive"), section("audio", "1", "inactive"), section("audio", "2", "sendonly")))
	must(t, err)
	if changed := keepReceivers(d, map[string]bool{"0": true, "2": true}); changed != 1 {
		t.Errorf("%d sections were changed, want 1", changed)
	}
	if _, ok := d.MediaDescriptions[0].Attribute(sdp.AttrKeyRecvOnly); !ok {
		t.Error("the known section is not recvonly")
	}
}

func FuzzCandidate(f *testing.F) {
	f.Add(trickle(fmt.Sprintf(line, "203.0.113.7")))
	f.Add(`{"candidate":"candidate:1 1 tcp 1 ::ffff:1.2.3.4 9 typ host tcptype active","sdpMLineIndex":0}`)
	f.Fuzz(func(t *testing.T, text string) {
		init, use, err := addressPolicy{}.readCandidate(text)
		if !use || err != nil {
			return
		}
		c, ok := parseCandidate(init.Candidate)
		if !ok {
			t.Fatalf("%q is of use and cannot be read", init.Candidate)
		}
		if addr := netip.MustParseAddr(c.address); addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.Is4In6() {
			t.Fatalf("%s is of use", addr)
		}
	})
}

func FuzzSDP(f *testing.F) {
	f.Add(offerText(section("audio", "0", "inactive", "candidate:x"), section("video", "1", "rid:a send")))
	f.Fuzz(func(t *testing.T, text string) {
		d, err := checkSDP(text)
		if err != nil {
			return
		}
		_ = checkPublish(d, map[string]Source{"0": SourceAudio, "1": SourceCamera})
		changes := addressPolicy{}.filterSDP(d) + keepReceivers(d, map[string]bool{"0": true})
		if _, err := textOf(d, text, changes); err != nil {
			t.Logf("not written again: %v", err)
		}
	})
}
