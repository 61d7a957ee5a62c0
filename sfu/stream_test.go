package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"pgregory.net/rapid"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// written keeps what is sent.
type written struct {
	headers  []rtp.Header
	payloads [][]byte
	control  []rtcp.Packet
}

func (w *written) SendRTP(_ *transport.Batch, h *rtp.Header, payload []byte) bool {
	w.headers = append(w.headers, *h)
	w.payloads = append(w.payloads, append([]byte(nil), payload...))
	return true
}

func (w *written) SendRTCP(_ *transport.Batch, raw []byte) bool {
	packets, err := rtcp.Unmarshal(raw)
	if err != nil {
		panic(err)
	}
	w.control = append(w.control, packets...)
	return false
}

// line is a publication with one subscriber, without a network.
type line struct {
	*Publication
	in   *publishConn
	peer *Peer
	back *written // to the publisher
}

func (l *line) receive(raw []byte, now time.Time) { l.in.HandleRTP(nil, raw, now) }

func newLine(video, rtx bool) (*line, *downTrack, *written) {
	c := negotiate.Codec{MimeType: negotiate.Opus, ClockRate: 48000, Channels: 2, PayloadType: 96}
	source := SourceAudio
	if video {
		c = negotiate.Codec{
			MimeType: negotiate.VP8, ClockRate: 90000, PayloadType: 96, RTX: 97, Feedback: []string{"nack", "nack pli"},
		}
		source = SourceCamera
	}
	return newLineOf(source, rtx, c)
}

func newLineOf(source Source, rtx bool, c negotiate.Codec, rids ...string) (*line, *downTrack, *written) {
	peer := &Peer{room: &liveRoom{sfu: &SFU{metronome: newMetronome()}}, box: mailbox{wake: make(chan struct{}, 1)}}
	l := &line{peer: peer, back: &written{}}
	l.in = newPublishState(peer)
	l.in.out = l.back
	var err error
	if l.Publication, err = newPublication(peer, source, len(rids), l.in.askKeyframe); err != nil {
		panic(err)
	}
	l.in.configure(&negotiate.Offer{Sections: []negotiate.Section{{
		MID: "0", Audio: !source.Video(), Accepted: true, Sends: true, Codecs: []negotiate.Codec{c}, SSRCs: []uint32{7}, RIDs: rids,
		Repairs: map[uint32]uint32{8: 7}, Extensions: []negotiate.Extension{{ID: 1, URI: negotiate.ExtMID}, {ID: 2, URI: negotiate.ExtRID}},
	}}}, map[string]*Publication{"0": l.Publication})
	l.describe(&c)
	d, out := l.subscribe(rtx)
	return l, d, out
}

// subscribe adds a subscriber who does not report what arrives.
func (l *line) subscribe(rtx bool) (*downTrack, *written) {
	out := &written{}
	e := newEgressState(l.peer, nil)
	e.out, e.connected = out, true
	d := newDownTrack(l.Publication, e)
	e.add(d)
	a := negotiate.Accepted{Codec: negotiate.Codec{PayloadType: 96}, NACK: true}
	if rtx {
		a.Codec.RTX = 97
	}
	d.bind(a)
	e.attach()
	return d, out
}

// hear gives the subscriber's RTCP to the server.
func (t *downTrack) hear(p rtcp.Packet, now time.Time) {
	raw, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	t.egress.HandleRTCP(nil, raw, now)
}

// frame is a VP8 packet.
func frame(seq uint16, ts uint32, picture uint16, key bool) []byte {
	head := byte(1)
	if key {
		head = 0
	}
	return raw(seq, ts, []byte{0x90, 0xc0, 0x80 | byte(picture>>8), byte(picture), byte(picture), head, 0xaa})
}

func raw(seq uint16, ts uint32, payload []byte) []byte {
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: ts, SSRC: 7}, Payload: payload}
	b, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func (w *written) seqs() string {
	var s []uint16
	for _, h := range w.headers {
		s = append(s, h.SequenceNumber)
	}
	return fmt.Sprint(s)
}

func TestVideoBeginsWithAKeyFrame(t *testing.T) {
	p, _, out := newLine(true, false)
	now := time.Now()
	p.receive(frame(10, 0, 1, false), now)
	p.receive(frame(11, 3000, 2, true), now)
	p.receive(frame(12, 6000, 3, false), now)
	if got := out.seqs(); got != "[11 12]" {
		t.Errorf("sent %s, want [11 12]", got)
	}
}

func TestPaddingLeavesNoGap(t *testing.T) {
	p, _, out := newLine(true, false)
	now := time.Now()
	p.receive(frame(65534, 0, 1, true), now)
	p.receive(raw(65535, 0, nil), now)
	p.receive(raw(0, 0, nil), now)
	p.receive(frame(1, 3000, 2, false), now)
	if got := out.seqs(); got != "[65534 65535]" {
		t.Errorf("sent %s, want no gap", got)
	}
}

func TestAJumpOfTheSourceIsRebased(t *testing.T) {
	p, _, out := newLine(true, false)
	now := time.Now()
	p.receive(frame(10, 1000, 100, true), now)
	p.receive(frame(40_000, 500_000, 9000, false), now) // not believed yet
	now = now.Add(time.Second)
	p.receive(frame(40_001, 503_000, 9001, true), now)
	p.receive(frame(40_002, 506_000, 9002, false), now)
	if got := out.seqs(); got != "[10 11 12]" {
		t.Fatalf("sent %s, want [10 11 12]", got)
	}
	if got := out.headers[1].Timestamp; got != 1000+90_000 {
		t.Errorf("timestamp %d, want one second on", got)
	}
	for i, want := range []uint16{100, 101, 102} {
		d, _ := codec.Parse(codec.VP8, out.payloads[i], false, nil)
		if d.PictureID != want || d.TL0 != uint8(want) {
			t.Errorf("packet %d: picture %d, tl0 %d; want %d", i, d.PictureID, d.TL0, want)
		}
	}
	if c := p.Counts(); c.Stray != 1 {
		t.Errorf("%d stray packets, want 1", c.Stray)
	}
}

func TestAnEpochThatBeginsWithPadding(t *testing.T) {
	p, _, out := newLine(true, false)
	now := time.Now()
	p.receive(frame(10, 1000, 100, true), now)
	p.receive(raw(40_000, 500_000, nil), now)
	p.receive(raw(40_001, 500_000, nil), now)
	p.receive(raw(40_002, 500_000, nil), now)
	p.receive(frame(40_003, 503_000, 9001, false), now.Add(time.Second))
	p.receive(frame(40_004, 506_000, 9002, false), now.Add(time.Second))
	if got := out.seqs(); got != "[10 11 12]" {
		t.Fatalf("sent %s, want [10 11 12]", got)
	}
	for i, want := range []uint16{100, 101, 102} {
		if d, _ := codec.Parse(codec.VP8, out.payloads[i], false, nil); d.PictureID != want || d.TL0 != uint8(want) {
			t.Errorf("packet %d: picture %d, tl0 %d; want %d", i, d.PictureID, d.TL0, want)
		}
	}
	if got := out.headers[1].Timestamp; got != 1000+90_000 {
		t.Errorf("timestamp %d, want one second on", got)
	}
}

func TestAJumpOfTimestampsIsRebased(t *testing.T) {
	p, _, out := newLine(false, false)
	now := time.Now()
	p.receive(raw(1, 960, []byte{1}), now)
	p.receive(raw(2, 3_000_000_000, []byte{1}), now.Add(20*time.Millisecond))
	p.receive(raw(3, 3_000_000_960, []byte{1}), now.Add(40*time.Millisecond))
	if a, b := out.headers[1].Timestamp, out.headers[2].Timestamp; a != 1920 || b != 2880 {
		t.Errorf("timestamps %d, %d; want 1920, 2880", a, b)
	}
	// A long silence is none: the clock has gone on as well.
	p.receive(raw(4, 3_000_000_960+48_000*60, []byte{1}), now.Add(time.Minute))
	if got := out.headers[3].Timestamp; got != 2880+48_000*60 {
		t.Errorf("timestamp after a silence: %d", got)
	}
}

func TestRetransmission(t *testing.T) {
	p, d, out := newLine(true, true)
	now := time.Now()
	for i := range uint16(5) {
		p.receive(frame(100+i, uint32(i)*3000, i, i == 0), now)
	}
	d.hear(&rtcp.TransportLayerNack{MediaSSRC: d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: 101, LostPackets: 0b10}}}, now)
	if n := len(out.headers); n != 7 {
		t.Fatalf("%d packets, want 5 and 2 again", n)
	}
	for i, h := range out.headers[5:] {
		seq := uint16(101 + 2*i)
		payload := out.payloads[5+i]
		if h.SSRC != d.to.rtxSSRC || h.PayloadType != 97 || h.SequenceNumber != uint16(i) || payload[0] != 0 || payload[1] != byte(seq) {
			t.Errorf("retransmission %d: %+v % x", seq, h, payload)
		}
		if string(payload[2:]) != string(out.payloads[seq-100]) || h.Timestamp != out.headers[seq-100].Timestamp {
			t.Errorf("retransmission of %d differs", seq)
		}
	}
}

// Two packets under one number would tell what the key is made of: without a stream for it nothing is sent again.
func TestNothingIsSentTwiceUnderOneNumber(t *testing.T) {
	for _, video := range []bool{true, false} {
		p, d, out := newLine(video, false)
		now := time.Now()
		for i := range uint16(5) {
			packet := raw(100+i, uint32(i)*960, []byte{1, 2, 3})
			if video {
				packet = frame(100+i, uint32(i)*3000, i, i == 0)
			}
			p.receive(packet, now)
		}
		d.hear(&rtcp.TransportLayerNack{MediaSSRC: d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: 100, LostPackets: 0xffff}}}, now)
		if n := len(out.headers); n != 5 {
			t.Errorf("video %v: %d packets, want 5", video, n)
		}
	}
}

func TestNACKStormIsThrottled(t *testing.T) {
	p, d, out := newLine(true, true)
	now := time.Now()
	for i := range uint16(100) {
		p.receive(frame(i, uint32(i)*3000, i, i == 0), now)
	}
	pairs := []rtcp.NackPair{{PacketID: 0, LostPackets: 0xffff}, {PacketID: 17, LostPackets: 0xffff}}
	for range 1000 {
		d.hear(&rtcp.TransportLayerNack{MediaSSRC: d.to.ssrc, Nacks: pairs}, now)
	}
	if n := len(out.headers) - 100; n != 34 {
		t.Errorf("%d retransmissions, want each of 34 once within a round trip", n)
	}
	d.hear(&rtcp.TransportLayerNack{MediaSSRC: d.to.ssrc, Nacks: pairs[:1]}, now.Add(resendWindow))
	if n := len(out.headers) - 100; n != 34+17 {
		t.Errorf("%d retransmissions in the next window, want 17 more", n-34)
	}
}

func TestHostilePackets(t *testing.T) {
	good := frame(1, 0, 1, true)
	padded := func(count byte) []byte {
		b := append([]byte(nil), good...)
		b[0] |= 0x20
		return append(b, count)
	}
	big := raw(2, 0, make([]byte, maxPayload+1))
	extension := append([]byte{0x90, 96, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 0xbe, 0xde, 0xff, 0xff}, make([]byte, 100)...)
	for name, b := range map[string][]byte{
		"empty": {}, "short": good[:8], "padding 0": padded(0), "padding beyond the payload": padded(200), "too big": big,
		"extension beyond the packet": extension, "version 0": append([]byte{0}, good[1:]...), "VP8 descriptor cut short": good[:14],
	} {
		p, _, out := newLine(true, false)
		p.receive(b, time.Now())
		// What is no RTP is not known to belong to the publication.
		if c := p.Counts(); len(out.headers) != 0 || c.Malformed != c.Received {
			t.Errorf("%s: %d packets sent, %+v", name, len(out.headers), p.Counts())
		}
	}
}

func TestPacketRateIsCapped(t *testing.T) {
	p, _, out := newLine(false, false)
	now := time.Now()
	for i := range uint16(10_000) {
		p.receive(raw(i, 0, []byte{1}), now)
	}
	if n := len(out.headers); n != maxAudioRate/10 {
		t.Errorf("%d packets of one instant were sent, want %d", n, maxAudioRate/10)
	}
	if c := p.Counts(); c.Excess != 10_000-maxAudioRate/10 {
		t.Errorf("%+v", c)
	}
}

// FuzzReceive gives a publication anything that SRTP could let through.
func FuzzReceive(f *testing.F) {
	f.Add(frame(1, 0, 1, true), true)
	f.Add(raw(2, 960, []byte{1}), false)
	f.Fuzz(func(t *testing.T, b []byte, video bool) {
		p, _, out := newLine(video, true)
		p.in.ids.level = 1
		now := time.Now()
		p.receive(append([]byte(nil), b...), now)
		p.receive(b, now.Add(time.Second))
		if len(out.headers) > 2 {
			t.Fatalf("two packets became %d", len(out.headers))
		}
	})
}

// sink discards, as a socket does.
type sink struct{}

func (sink) SendRTP(*transport.Batch, *rtp.Header, []byte) bool { return true }
func (sink) SendRTCP(*transport.Batch, []byte) bool             { return true }

// busy is a publication with n subscribers, and a function that sends a packet through it.
func busy(n int) (send func()) {
	p, first, _ := newLine(true, true)
	p.layers[0].limiter.perSecond = 1 << 30
	first.egress.out = sink{}
	for range n - 1 {
		d, _ := p.subscribe(true)
		d.egress.out = sink{}
	}
	now := time.Now()
	p.receive(frame(65535, 0, 0, true), now)
	packet := raw(0, 0, append([]byte{0x90, 0xc0, 0x80, 0, 0, 1}, make([]byte, 1100)...))
	seq := uint16(0)
	return func() {
		packet[2], packet[3] = byte(seq>>8), byte(seq)
		seq++
		p.receive(packet, now)
	}
}

func TestForwardingDoesNotAllocate(t *testing.T) {
	send := busy(10)
	for range 2 * videoHistory {
		send()
	}
	if n := testing.AllocsPerRun(1000, send); n != 0 {
		t.Errorf("%v allocations for a packet to 10 subscribers", n)
	}
}

// BenchmarkForward is a video packet's way through a publication, without encryption and network.
func BenchmarkForward(b *testing.B) {
	for _, n := range []int{1, 10, 60} {
		b.Run(fmt.Sprintf("%d subscribers", n), func(b *testing.B) {
			send := busy(n)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}

func TestPacketsThatCameTwiceAreDropped(t *testing.T) {
	p, _, out := newLine(true, false)
	now := time.Now()
	for _, seq := range []uint16{1, 2, 2, 1, 3, 1} {
		p.receive(frame(seq, uint32(seq)*3000, seq, seq == 1), now)
	}
	if got := out.seqs(); got != "[1 2 3]" {
		t.Errorf("sent %s", got)
	}
}

func TestAKeyFrameWhoseFirstPacketComesLate(t *testing.T) {
	p, d, out := newLine(true, false)
	now := time.Now()
	p.receive(frame(1, 3000, 1, false), now)
	for _, seq := range []uint16{3, 4} { // of the key frame that 2 begins
		b := frame(seq, 6000, 2, false)
		b[12] &^= 0x10
		p.receive(b, now)
	}
	p.receive(frame(5, 9000, 3, false), now)
	p.receive(frame(2, 6000, 2, true), now)
	d.egress.mu.Lock()
	d.egress.drain(nil, now)
	d.egress.mu.Unlock()
	p.receive(frame(6, 12000, 4, false), now)
	if got := out.seqs(); got != "[2 3 4 5 6]" {
		t.Errorf("sent %s", got)
	}
}

// A layer begins with a key frame of the past while its packets, and those of the layer before it, come in any order: of two pictures
// the later one goes out with the later timestamp.
func TestTimestampsKeepTheOrderOfPictures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, now := newOutStream(true, 90000), time.Now()
		o.want = 0
		at := func(layer uint8, n int) *packet {
			return &packet{
				kind: codec.VP8, layer: layer, seq: uint16(100 + n), timestamp: uint32(n) * 3000,
				arrival: now.Add(time.Duration(n) * time.Second / 30), frame: codec.Frame{Begin: true, Keyframe: n%10 == 0}, payload: []byte{1},
			}
		}
		for n := range 31 {
			o.next(at(0, n), &[maxLayers]*timedReport{})
		}
		before := o.last
		o.want = 1
		key := at(1, 20)
		n, ok := o.next(key, &[maxLayers]*timedReport{})
		if !ok || !newer(n.timestamp, before) {
			t.Fatalf("the key frame: %v, %d after %d", ok, n.timestamp, before)
		}
		out := map[int]uint32{20: n.timestamp}
		window := rapid.IntRange(1, 5).Draw(t, "window")
		left := []int{}
		for next := 21; next < 80 || len(left) > 0; {
			for ; next < 80 && len(left) < window; next++ {
				left = append(left, next)
			}
			i := rapid.IntRange(0, len(left)-1).Draw(t, "which")
			if n, ok := o.next(at(1, left[i]), nil); ok {
				out[left[i]] = n.timestamp
			}
			left = append(left[:i], left[i+1:]...)
		}
		for n := 21; n < 80; n++ {
			if !newer(out[n], out[n-1]) {
				t.Fatalf("picture %d has %d, the one before it %d", n, out[n], out[n-1])
			}
		}
		if got := out[79] - out[69]; got != 30_000 {
			t.Errorf("ten pictures later, the timestamp is %d more", got)
		}
	})
}
