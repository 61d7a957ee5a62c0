package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pausepoint/pausepoint/load/shape"
)

// Four rounds; the machine is twice as slow in the second, in the third one server fails, and in the fourth ours is overloaded.
func rounds() []sample {
	return []sample{
		{Scenario: "call", Server: ours, Round: 0, Figures: figures{CPU: 10, LatencyP50: 1, Profile: "AES-GCM-128"}},
		{Scenario: "call", Server: "other", Round: 0, Figures: figures{CPU: 20, LatencyP50: 3, Profile: "AES-CM-128"}},
		{Scenario: "call", Server: ours, Round: 1, Figures: figures{CPU: 20, LatencyP50: 2}},
		{Scenario: "call", Server: "other", Round: 1, Figures: figures{CPU: 44, LatencyP50: 6, Profile: "AES-CM-128"}},
		{Scenario: "call", Server: ours, Round: 2, Figures: figures{CPU: 1, LatencyP50: 1}},
		{Scenario: "call", Server: "other", Round: 2, Error: "it fell over\nand more"},
		{Scenario: "call", Server: ours, Round: 3, Figures: figures{CPU: 500, LatencyP50: 9, Loss: 0.5}},
		{Scenario: "call", Server: "other", Round: 3, Figures: figures{CPU: 32, LatencyP50: 4, Profile: "AES-CM-128"}},
	}
}

func TestRatiosAreWithinARound(t *testing.T) {
	rows := summarize(rounds())
	if len(rows) != 2 || rows[0].Server != ours || len(rows[0].Ratios) != 0 || rows[0].Medians["CPU µs/packet"] != 15 {
		t.Fatalf("%+v", rows)
	}
	other := rows[1]
	if other.Rounds != 3 || other.Medians["CPU µs/packet"] != 32 || math.Abs(other.Ratios["CPU µs/packet"]-2.1) > 1e-9 || other.Ratios["latency p50 ms"] != 3 {
		t.Errorf("%+v", other)
	}
}

func TestTable(t *testing.T) {
	text := table(summarize(rounds()))
	for _, want := range []string{"| call | other | 32.00 (× 2.10) | 4.00 (× 3.00) | – |", "| AES-CM-128 |\n", "| call | pausepoint | 15.00 | 1.50 | – |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Count(line, "|") != len(columns())+6 {
			t.Errorf("%d cells in %s", strings.Count(line, "|")-1, line)
		}
	}
}

func TestTableSaysWhatIsNotMeasured(t *testing.T) {
	lost := []sample{{Scenario: "call", Server: ours, Figures: figures{CPU: 9, Loss: 0.01}}, {Scenario: "call", Server: "other", Figures: figures{CPU: 1, Loss: 0.4}}}
	text := table(summarize(append(lost, sample{Scenario: "rooms", Server: "other", Error: "it fell over\nand more"})))
	for _, want := range []string{"| other (overloaded) | 1.00 |", "| rooms | other | not measured: it fell over |\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// Packets count once, and in the period; a first packet counts at any time.
func TestMeter(t *testing.T) {
	var p period
	m := newMeter(&p)
	began := time.Unix(1000, 0)
	m.began = began
	m.note(shape.Stamp{Stream: 1, Number: 0, Sent: began.UnixNano()}, began.Add(time.Second), true)
	p.set(began.Add(2*time.Second), time.Second)
	for number, at := range []time.Duration{1999, 2000, 2500, 2999, 3000} {
		sent := began.Add(at * time.Millisecond)
		for range 2 {
			m.note(shape.Stamp{Stream: 1, Number: uint32(number) + 1, Sent: sent.UnixNano()}, sent.Add(4*time.Millisecond), true)
		}
	}
	if m.packets != 3 || m.video != time.Second || m.latency.Count() != 3 || m.latency.Percentile(0.5).Round(time.Millisecond) != 4*time.Millisecond {
		t.Errorf("%d packets, first after %v, %v", m.packets, m.video, m.latency.Percentile(0.5))
	}
	if m.sees(1) {
		t.Error("sound is missing, and is seen")
	}
	m.note(shape.Stamp{Stream: 0}, began, false)
	if !m.sees(1) || m.sees(2) {
		t.Error("one other is there")
	}
}

func TestTokensSayWhoMayComeIn(t *testing.T) {
	token, err := livekitToken("room1", "person2", time.Unix(5000, 0))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal(token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Iss, Sub string
		Exp      int64
		Video    struct {
			Room     string
			RoomJoin bool
		}
	}
	if err != nil || json.Unmarshal(text, &claims) != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if claims.Iss != livekitKey || claims.Sub != "person2" || claims.Exp != 8600 || claims.Video.Room != "room1" || !claims.Video.RoomJoin {
		t.Errorf("%+v", claims)
	}
}

func TestMessagesOfLiveKitAreRead(t *testing.T) {
	b := appendNumber(appendBytes(appendBytes(nil, 1, []byte("offer")), 2, []byte("v=0")), 3, 300)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 9, protowire.Fixed32Type), 1) // of another version
	if sdp, err := description(b); err != nil || sdp != "v=0" {
		t.Errorf("%q, %v", sdp, err)
	}
	for n := 1; n < len(b); n++ {
		_ = fields(b[:n], func(protowire.Number, value) error { return nil }) // it must not panic
	}
	if err := fields(b[:len(b)-1], func(protowire.Number, value) error { return nil }); err == nil {
		t.Error("a message that is cut off is read")
	}
}

// What one member publishes, another receives, stamped and encrypted.
func TestMembersExchangeMedia(t *testing.T) {
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(net.IP.IsLoopback)
	api, err := newAPI(s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	from, to := &member{index: 7, api: api, meter: newMeter(&period{})}, &member{api: api, meter: newMeter(&period{})}
	pub, err := from.publish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close() //nolint:errcheck // the end
	sub, err := to.watch()
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close() //nolint:errcheck // the end
	exchange(t, pub, sub)
	for !to.meter.sees(1) {
		time.Sleep(time.Millisecond)
	}
	to.meter.mu.Lock()
	defer to.meter.mu.Unlock()
	if to.meter.seen[14] == nil || to.meter.seen[15] == nil || to.meter.video == 0 || !strings.HasPrefix(to.meter.profile, "AES-") {
		t.Errorf("streams %v, video after %v, SRTP with %q", to.meter.seen, to.meter.video, to.meter.profile)
	}
}

// exchange negotiates; a candidate that comes before the description has to wait for it.
func exchange(t *testing.T, pub, sub *webrtc.PeerConnection) {
	t.Helper()
	offer, err := propose(pub)
	if err != nil {
		t.Fatal(err)
	}
	mid := "0"
	early := &trickled{pc: sub}
	if err = early.candidate(&webrtc.ICECandidateInit{Candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host", SDPMid: &mid}); err != nil {
		t.Fatal(err)
	}
	var answer string
	err = early.described(func(pc *webrtc.PeerConnection) (err error) {
		answer, err = accept(pc, offer)
		return err
	})
	if err == nil {
		err = answered(pub, answer)
	}
	if err != nil || len(early.early) != 0 {
		t.Fatalf("%v; %d candidates wait", err, len(early.early))
	}
}
