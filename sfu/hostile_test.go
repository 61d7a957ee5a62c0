package sfu

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// An attacker is a member with valid credentials who sends what no browser would. In every case, the room goes on.
func attack(t *testing.T, hostile func(w *world, mallory *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		m := w.client("mallory").join("r", true, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		must(t, m.publish(SourceCamera))
		time.Sleep(3 * time.Second)
		before := b.got()
		hostile(w, m)
		time.Sleep(3 * time.Second)
		after := b.got()
		for _, name := range []string{"ann/audio", "ann/camera"} {
			if before[name] == nil || after[name] == nil {
				t.Fatalf("%s is not received", name)
			}
			if n := after[name].packets - before[name].packets; n < 140 {
				t.Errorf("%s: %d packets since the attack", name, n)
			}
		}
	})
}

// send writes a packet on mallory's camera track, as it is.
func (c *client) send(p *rtp.Packet) {
	track, ok := c.senders[SourceCamera].Track().(*webrtc.TrackLocalStaticRTP)
	if !ok {
		c.w.t.Fatal("no track")
	}
	must(c.w.t, track.WriteRTP(p))
}

func TestMalformedPacketsOfAMember(t *testing.T) {
	attack(t, func(w *world, m *client) {
		for i := range uint16(200) {
			p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: i}, Payload: make([]byte, i%20)}
			p.Padding, p.PaddingSize = true, byte(i)+1
			m.send(p)
			p = &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: i}, Payload: make([]byte, 900)}
			must(w.t, p.SetExtension(5, make([]byte, 200)))
			m.send(p)
		}
	})
}

func TestJumpsAndFloodsOfAMember(t *testing.T) {
	attack(t, func(w *world, m *client) {
		for i := range 20_000 {
			payload := []byte{0x90, 0x80, 0x80, byte(i), byte(i & 1), 1, 2, 3}
			m.send(&rtp.Packet{
				Header: rtp.Header{Version: 2, SequenceNumber: uint16(i * 7919), Timestamp: uint32(i) << 20}, Payload: payload,
			})
			if i%2000 == 0 {
				time.Sleep(50 * time.Millisecond)
			}
		}
		counts := Counts{}
		for _, p := range w.sfu.Room("r").Publications() {
			if p.Info().Member == "mallory" {
				counts = p.Counts()
			}
		}
		if counts.Received < 1000 || counts.Stray+counts.Excess < counts.Received/2 {
			w.t.Errorf("%+v", counts)
		}
	})
}

func TestAMemberWhoSpraysSSRCsIsDropped(t *testing.T) {
	attack(t, func(w *world, m *client) {
		id, batch, conn := uint8(0), w.sfu.net.NewBatch(), m.peer.publish.conn
		for _, e := range m.senders[SourceCamera].GetParameters().HeaderExtensions {
			if e.URI == sdp.SDESMidURI {
				id = uint8(e.ID)
			}
		}
		p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96}, Payload: []byte{0x90, 0x80, 0x80, 1, 0, 1, 2, 3}}
		must(w.t, p.SetExtension(id, []byte("0")))
		for ssrc := range uint32(10_000) {
			p.SSRC = ssrc + 1
			raw, err := p.Marshal()
			must(w.t, err)
			conn.HandleRTP(batch, raw, time.Now()) // as the network does; pion's client cannot
		}
		time.Sleep(time.Second)
		if !m.wasRestarted(Publish) {
			w.t.Error("the connection goes on")
		}
		for _, p := range w.sfu.Room("r").Publications() {
			if p.Info().Member == "mallory" {
				w.t.Error("mallory still publishes")
			}
		}
	})
}

func TestStormsOfRTCP(t *testing.T) {
	attack(t, func(w *world, m *client) {
		sub := m.subscribed()
		ssrc := uint32(0)
		for _, tr := range sub.GetTransceivers() {
			if tr.Receiver() != nil && tr.Receiver().Track() != nil && tr.Kind() == webrtc.RTPCodecTypeVideo {
				ssrc = uint32(tr.Receiver().Track().SSRC())
			}
		}
		nacks := make([]rtcp.NackPair, 200)
		for i := range nacks {
			nacks[i] = rtcp.NackPair{PacketID: uint16(i * 17), LostPackets: 0xffff}
		}
		for range 200 {
			must(w.t, sub.WriteRTCP([]rtcp.Packet{
				&rtcp.PictureLossIndication{MediaSSRC: ssrc}, &rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: nacks},
				&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc}}},
			}))
		}
		for _, p := range w.sfu.Room("r").Publications() {
			if s := p.Stats(); s.Info.Member == "ann" && s.Info.Source == SourceCamera && s.Layers[0].KeyframeRequests > 40 {
				w.t.Errorf("%d requests for key frames in 3 s", s.Layers[0].KeyframeRequests)
			}
		}
	})
}

func TestMutilatedRTCP(t *testing.T) {
	p, d, _ := newLine(true, true)
	p.receive(frame(1, 0, 1, true), time.Now())
	good, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: d.to.ssrc}}},
		&rtcp.TransportLayerNack{MediaSSRC: d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: 1}}},
		&rtcp.PictureLossIndication{MediaSSRC: d.to.ssrc},
	})
	must(t, err)
	for n := range good {
		d.egress.HandleRTCP(nil, good[:n], time.Now())
		p.in.HandleRTCP(nil, good[:n], time.Now())
	}
	bomb := []byte(strings.Repeat("\x81\xce\x00\x00", 375))
	d.egress.HandleRTCP(nil, bomb, time.Now())
	before := d.stats.NACKs
	d.egress.HandleRTCP(nil, good, time.Now())
	if d.stats.NACKs != before+1 {
		t.Errorf("%d requests after the mutilated ones, %d before", d.stats.NACKs, before)
	}
}

func FuzzRTCP(f *testing.F) {
	nack, err := (&rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 1}}}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	sr, err := (&rtcp.SenderReport{SSRC: 7, NTPTime: 1, RTPTime: 1}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(nack)
	f.Add(sr)
	f.Fuzz(func(_ *testing.T, b []byte) {
		p, d, _ := newLine(true, true)
		now := time.Now()
		p.receive(frame(1, 0, 1, true), now)
		if len(b) >= 12 { // so that it may concern the only track
			binary.BigEndian.PutUint32(b[8:], d.to.ssrc)
		}
		d.egress.HandleRTCP(nil, b, now)
		p.in.HandleRTCP(nil, b, now)
	})
}

func TestHugeDescriptionsAreRefusedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		p, err := w.sfu.Room("r").Join(PeerConfig{ID: "ann", Publish: true, Subscribe: true})
		must(t, err)
		defer p.Close()
		for range 1000 { // a thousand of a megabyte each: what is not refused before it is read takes far longer than the test may
			err := p.Handle(Signal{Kind: KindOffer, PC: Publish, SDP: strings.Repeat("m=audio 9 X 0\r\n", 70_000)})
			if !errors.Is(err, ErrSDPTooLarge) {
				t.Fatal(err)
			}
		}
	})
}
