package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// written keeps what a downTrack writes.
type written struct {
	headers  []rtp.Header
	payloads [][]byte
}

func (w *written) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	w.headers = append(w.headers, *h)
	w.payloads = append(w.payloads, append([]byte(nil), payload...))
	return len(payload), nil
}

func (w *written) Write(b []byte) (int, error) { return len(b), nil }

// line is a publication with one subscriber, without a network.
func newLine(video, rtx bool) (*Publication, *downTrack, *written) {
	p := &Publication{video: video, codec: Codec{ClockRate: 48000}, info: TrackInfo{Source: SourceAudio}, history: newHistory(video)}
	if video {
		p.codec.ClockRate, p.info.Source = 90000, SourceCamera
	}
	p.ingress = newIngress(video, p.codec.ClockRate)
	p.keys = newKeyframer(func() {})
	p.taps.Store(new([]*TapTrack))
	out := &written{}
	d := newDownTrack(p, &Peer{}, nil)
	d.out = outlet{writer: out, ssrc: 1, pt: 96}
	if rtx {
		d.out.rtxSSRC, d.out.rtxPT = 2, 97
	}
	p.subs.Store(&[]*downTrack{d})
	return p, d, out
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
		d, _ := parseVP8(out.payloads[i])
		if d.pictureID != want || d.tl0 != uint8(want) {
			t.Errorf("packet %d: picture %d, tl0 %d; want %d", i, d.pictureID, d.tl0, want)
		}
	}
	if c := p.Counts(); c.Stray != 1 {
		t.Errorf("%d stray packets, want 1", c.Stray)
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
	for _, rtx := range []bool{false, true} {
		t.Run(fmt.Sprint("rtx ", rtx), func(t *testing.T) {
			p, d, out := newLine(true, rtx)
			now := time.Now()
			for i := range uint16(5) {
				p.receive(frame(100+i, uint32(i)*3000, i, i == 0), now)
			}
			d.hear(&rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 101, LostPackets: 0b10}}}, now)
			if n := len(out.headers); n != 7 {
				t.Fatalf("%d packets, want 5 and 2 again", n)
			}
			for i, h := range out.headers[5:] {
				seq := uint16(101 + 2*i)
				payload := out.payloads[5+i]
				if rtx {
					if h.SSRC != 2 || h.PayloadType != 97 || h.SequenceNumber != uint16(i) || payload[0] != 0 || payload[1] != byte(seq) {
						t.Errorf("retransmission %d: %+v % x", seq, h, payload)
					}
					payload = payload[2:]
				} else if h.SSRC != 1 || h.SequenceNumber != seq {
					t.Errorf("retransmission %d: %+v", seq, h)
				}
				if string(payload) != string(out.payloads[seq-100]) || h.Timestamp != out.headers[seq-100].Timestamp {
					t.Errorf("retransmission of %d differs", seq)
				}
			}
		})
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
		d.hear(&rtcp.TransportLayerNack{Nacks: pairs}, now)
	}
	if n := len(out.headers) - 100; n != maxResends {
		t.Errorf("%d retransmissions, want %d", n, maxResends)
	}
	d.hear(&rtcp.TransportLayerNack{Nacks: pairs[:1]}, now.Add(resendWindow))
	if n := len(out.headers) - 100; n != maxResends+17 {
		t.Errorf("%d retransmissions in the next window, want 17 more", n-maxResends)
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
		if len(out.headers) != 0 || p.Counts().Malformed != 1 {
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

func TestChooseCodec(t *testing.T) {
	codecs := []webrtc.RTPCodecParameters{
		codec(webrtc.MimeTypeOpus, 48000, 2, "", nil, 111), codec(webrtc.MimeTypeRTX, 90000, 0, "apt=98", nil, 99),
		codec(webrtc.MimeTypeVP8, 90000, 0, "", nil, 96), codec(webrtc.MimeTypeRTX, 90000, 0, "apt=96", nil, 97),
	}
	if c, rtx, ok := chooseCodec(codecs, "video/vp8"); !ok || c.PayloadType != 96 || rtx != 97 {
		t.Errorf("VP8: %d, %d, %v", c.PayloadType, rtx, ok)
	}
	if c, rtx, ok := chooseCodec(codecs, webrtc.MimeTypeOpus); !ok || c.PayloadType != 111 || rtx != 0 {
		t.Errorf("Opus: %d, %d, %v", c.PayloadType, rtx, ok)
	}
	if _, _, ok := chooseCodec(codecs, webrtc.MimeTypeH264); ok {
		t.Error("H.264 was found")
	}
}

func TestParseVP8(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want vp8Descriptor
		ok   bool
	}{
		{"plain key frame", []byte{0x10, 0}, vp8Descriptor{size: 1, start: true, keyframe: true}, true},
		{"plain delta", []byte{0x10, 1}, vp8Descriptor{size: 1, start: true}, true},
		{"continuation", []byte{0x00, 0}, vp8Descriptor{size: 1}, true},
		{"second partition", []byte{0x11, 0}, vp8Descriptor{size: 1}, true},
		{
			"7 bits",
			[]byte{0x90, 0x80, 0x45, 0},
			vp8Descriptor{size: 3, start: true, keyframe: true, pictureAt: 2, pictureID: 0x45, bits: 7},
			true,
		},
		{
			"all",
			[]byte{0x90, 0xf0, 0x81, 0x02, 0x33, 0x44, 1},
			vp8Descriptor{size: 6, start: true, pictureAt: 2, pictureID: 0x102, bits: 15, tl0At: 4, tl0: 0x33},
			true,
		},
		{"one byte", []byte{0x10}, vp8Descriptor{}, false},
		{"descriptor only", []byte{0x90, 0x80, 0x45}, vp8Descriptor{}, false},
		{"cut in the picture id", []byte{0x90, 0x80, 0x81}, vp8Descriptor{}, false},
		{"cut before the picture id", []byte{0x90, 0x80}, vp8Descriptor{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := parseVP8(c.in)
			if ok != c.ok || ok && got != c.want {
				t.Errorf("%+v, %v; want %+v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func FuzzVP8(f *testing.F) {
	f.Add([]byte{0x90, 0xf0, 0x81, 0x02, 0x33, 0x44, 1}, uint16(700), uint8(9))
	f.Add([]byte{0x90, 0x80, 0x45, 0}, uint16(1), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, id uint16, tl0 uint8) {
		d, ok := parseVP8(b)
		if !ok {
			return
		}
		if d.size >= len(b) {
			t.Fatalf("a descriptor of %d bytes in %d", d.size, len(b))
		}
		d.rewrite(b, id, tl0)
		again, ok := parseVP8(b)
		if !ok || again.size != d.size || again.keyframe != d.keyframe || again.bits != d.bits {
			t.Fatalf("%+v became %+v, %v", d, again, ok)
		}
		if d.bits != 0 && again.pictureID != id&(1<<d.bits-1) || d.tl0At != 0 && again.tl0 != tl0 {
			t.Fatalf("wrote %d and %d, read %+v", id, tl0, again)
		}
	})
}

// FuzzReceive gives a publication anything that SRTP could let through.
func FuzzReceive(f *testing.F) {
	f.Add(frame(1, 0, 1, true), true)
	f.Add(raw(2, 960, []byte{1}), false)
	f.Fuzz(func(t *testing.T, b []byte, video bool) {
		p, _, out := newLine(video, true)
		p.levelID = 1
		now := time.Now()
		p.receive(append([]byte(nil), b...), now)
		p.receive(b, now.Add(time.Second))
		if len(out.headers) > 2 {
			t.Fatalf("two packets became %d", len(out.headers))
		}
	})
}

func FuzzAudioLevel(f *testing.F) {
	f.Add([]byte{0x85})
	f.Fuzz(func(t *testing.T, b []byte) {
		if level, ok := audioLevel(b); ok && (level > 127 || len(b) == 0) {
			t.Fatalf("level %d of % x", level, b)
		}
	})
}

// sink discards, as a socket does.
type sink struct{}

func (sink) WriteRTP(_ *rtp.Header, payload []byte) (int, error) { return len(payload), nil }
func (sink) Write(b []byte) (int, error)                         { return len(b), nil }

// BenchmarkForward is a video packet's way through a publication, without encryption and network.
func BenchmarkForward(b *testing.B) {
	for _, n := range []int{1, 10, 60} {
		b.Run(fmt.Sprintf("%d subscribers", n), func(b *testing.B) {
			p, first, _ := newLine(true, true)
			p.ingress.limiter.perSecond = 1 << 30
			first.out.writer = sink{}
			subs := []*downTrack{first}
			for len(subs) < n {
				d := newDownTrack(p, &Peer{}, nil)
				d.out = outlet{writer: sink{}, ssrc: 1, pt: 96}
				subs = append(subs, d)
			}
			p.subs.Store(&subs)
			packet := raw(0, 0, append([]byte{0x90, 0xc0, 0x80, 0, 0, 0}, make([]byte, 1100)...))
			now := time.Now()
			b.ReportAllocs()
			seq := uint16(0)
			for b.Loop() {
				seq++
				packet[2], packet[3] = byte(seq>>8), byte(seq)
				p.receive(packet, now)
			}
		})
	}
}
