package media

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/load/shape"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// far is the server's end of a link that is connected.
type far struct {
	t       *testing.T
	udp     *net.UDPConn
	in, out *srtp.Context
}

func srtpContext(t *testing.T) *srtp.Context {
	t.Helper()
	c, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// connectedReceiver is a receiver of VP8 with everything negotiated, and its server.
func connectedReceiver(t *testing.T) (*receiver, *far) {
	t.Helper()
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &far{t: t, udp: udp, in: srtpContext(t), out: srtpContext(t)}
	r := newReceiver(&meter{period: &period{}}, 0, 1)
	r.codecs[ptVP8], r.kinds[ptVP8] = &codec{name: "VP8", feedback: []string{"nack"}}, "video"
	r.rtx[2] = 1
	r.twccID = 3
	l, err := newLink(t.Context(), &identity{}, netip.MustParseAddr("127.0.0.1"), r)
	if err != nil {
		t.Fatal(err)
	}
	r.link = l
	t.Cleanup(func() { l.close(); _ = udp.Close() })
	l.mu.Lock()
	l.in, l.out, l.peer = srtpContext(t), srtpContext(t), udp.LocalAddr().(*net.UDPAddr).AddrPort()
	l.mu.Unlock()
	return r, f
}

// packet is one of a stream, encrypted. seq is also its transport-wide number.
func (f *far) packet(ssrc uint32, seq uint16, payload []byte) []byte {
	f.t.Helper()
	h := rtp.Header{Version: 2, PayloadType: ptVP8, SSRC: ssrc, SequenceNumber: seq, Timestamp: 3000 * uint32(seq)}
	if err := h.SetExtension(3, []byte{byte(seq >> 8), byte(seq)}); err != nil {
		f.t.Fatal(err)
	}
	plain, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	out, err := f.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// heard reads what the receiver has sent: one compound packet.
func (f *far) heard() []rtcp.Packet {
	f.t.Helper()
	b := make([]byte, mtu)
	if err := f.udp.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		f.t.Fatal(err)
	}
	n, err := f.udp.Read(b)
	if err != nil {
		f.t.Fatal(err)
	}
	plain, err := f.in.DecryptRTCP(nil, b[:n], nil)
	if err != nil {
		f.t.Fatal(err)
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		f.t.Fatal(err)
	}
	return packets
}

func stamped(sent time.Time, key bool) []byte {
	b := make([]byte, 100)
	b[0], b[1] = 0x10, 1
	if key {
		b[1] = 0
	}
	shape.Stamp{Sent: sent.UnixNano()}.Put(b)
	return b
}

func TestAReceiverAnswersAsABrowserDoes(t *testing.T) {
	r, f := connectedReceiver(t)
	began := time.Now()
	r.meter.period.until.Store(began.Add(time.Hour).UnixNano())
	r.link.mu.Lock()
	defer r.link.mu.Unlock()
	at := began
	deliver := func(b []byte) {
		at = at.Add(5 * time.Millisecond)
		r.rtp(b, at.UnixNano())
	}

	deliver(f.packet(1, 10, stamped(at, false)))
	if pli, ok := f.heard()[0].(*rtcp.PictureLossIndication); !ok || pli.MediaSSRC != 1 {
		t.Error("no key frame is asked for")
	}
	deliver(f.packet(1, 11, stamped(at, true)))
	deliver(f.packet(1, 14, stamped(at, false)))
	nack, ok := f.heard()[0].(*rtcp.TransportLayerNack)
	if !ok || nack.MediaSSRC != 1 || !slices.Equal(nack.Nacks[0].PacketList(), []uint16{12, 13}) {
		t.Errorf("%v is asked for", nack)
	}
	deliver(f.packet(2, 500, append([]byte{0, 12}, stamped(at, false)...))) // a retransmission of 12
	deliver(f.packet(2, 501, append([]byte{0, 11}, stamped(at, false)...))) // of what is there

	r.reported, r.fedBack = at, at
	r.tick(at.Add(nackInterval))
	nack, ok = f.heard()[0].(*rtcp.TransportLayerNack)
	if !ok || !slices.Equal(nack.Nacks[0].PacketList(), []uint16{13}) {
		t.Errorf("%v is asked for again", nack)
	}
	r.tick(at.Add(feedbackInterval))
	feedback, ok := f.heard()[0].(*rtcp.TransportLayerCC)
	if !ok || feedback.BaseSequenceNumber != 10 || feedback.PacketStatusCount < 5 || len(feedback.RecvDeltas) < 3 {
		t.Errorf("the feedback is %v", feedback)
	}
	r.streams[1].missing[13].asked = at.Add(time.Hour)
	r.fedBack = at.Add(time.Hour)
	r.tick(at.Add(reportInterval))
	rr, ok := f.heard()[0].(*rtcp.ReceiverReport)
	if !ok || len(rr.Reports) != 1 || rr.Reports[0].LastSequenceNumber != 14 || rr.Reports[0].TotalLost != 1 || rr.Reports[0].FractionLost != 51 {
		t.Errorf("the report is %v", rr)
	}
	m := r.meter
	if m.video != 4 || m.keyframes != 1 || m.nacks.Load() != 2 || m.plis.Load() != 1 || m.latency.Count() != 4 || m.firstVideo.Load() == 0 {
		t.Errorf("counted %d, %d key frames, %d NACKs, %d PLIs", m.video, m.keyframes, m.nacks.Load(), m.plis.Load())
	}
}

func TestLostPacketsAreNotSeen(t *testing.T) {
	r, f := connectedReceiver(t)
	r.loss = 1
	r.link.mu.Lock()
	defer r.link.mu.Unlock()
	r.rtp(f.packet(1, 1, stamped(time.Now(), true)), time.Now().UnixNano())
	if len(r.streams) != 0 || r.meter.firstMedia.Load() != 0 {
		t.Error("a lost packet has come")
	}
}

func TestWhatCannotBeDecryptedIsCounted(t *testing.T) {
	r, f := connectedReceiver(t)
	b := f.packet(1, 1, stamped(time.Now(), true))
	b[len(b)-1] ^= 1
	r.link.mu.Lock()
	defer r.link.mu.Unlock()
	r.rtp(b, time.Now().UnixNano())
	if r.meter.undecryptable.Load() != 1 {
		t.Error("it was not counted")
	}
}

func TestHeadersHaveTheirSize(t *testing.T) {
	h := rtp.Header{Version: 2, CSRC: []uint32{1, 2}}
	for _, extension := range [][]byte{nil, {1}, {1, 2, 3, 4, 5}} {
		if extension != nil {
			if err := h.SetExtension(1, extension); err != nil {
				t.Fatal(err)
			}
		}
		b, err := h.Marshal()
		if err != nil || headerSize(b) != len(b) {
			t.Errorf("%d, not %d: %v", headerSize(b), len(b), err)
		}
	}
}
