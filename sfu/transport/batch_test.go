package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// sink is a UDP socket that counts.
type sink struct {
	t    testing.TB
	conn *net.UDPConn
}

func newSink(t testing.TB) *sink {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &sink{t: t, conn: conn}
}

func (s *sink) addr() netip.AddrPort {
	return netip.AddrPortFrom(addrOf(s.conn).Addr().Unmap(), addrOf(s.conn).Port())
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func (s *sink) receive() []byte {
	s.t.Helper()
	must(s.t, s.conn.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 2048)
	n, err := s.conn.Read(buf)
	must(s.t, err)
	return buf[:n]
}

// connected is a Conn that sends to an address, without ICE and DTLS.
func connected(t testing.TB, n *Network, to netip.AddrPort) *Conn {
	t.Helper()
	return connectedTo(t, n, to, newEvents())
}

func connectedTo(t testing.TB, n *Network, to netip.AddrPort, h Handler) *Conn {
	t.Helper()
	c := n.NewConn(h)
	c.checked(c.current, source{local: n.locals[0], remote: to}, check{nominates: true}, n.instant(time.Now()))
	profile := srtp.ProtectionProfileAeadAes128Gcm
	out, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), profile)
	must(t, err)
	in, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), profile,
		srtp.SRTPReplayDetectorFactory(c.in.newDetector(maxRTPIndex)), srtp.SRTCPReplayDetectorFactory(c.in.newDetector(maxRTCPIndex)))
	must(t, err)
	c.begin(in, out)
	return c
}

// Packets arrive whole and in order for each member, whatever sizes they have and however the kernel is told.
func TestBatchArrivesWhole(t *testing.T) {
	sizes := []int{
		1000, 1000, 1000, 1000, 300, // a frame
		500, 501, 501, 501, // about equal
		10, 20, 10, 20, 0, 0, 0, // all sorts
		1900, 1900, 1300, 1500, 1500, 1500, // larger than segments
	}
	for range 70 {
		sizes = append(sizes, 100) // more than the kernel takes at a time
	}
	ways := map[string]func(*Network, []*Conn){
		"segments":    func(*Network, []*Conn) {},
		"no segments": func(n *Network, _ []*Conn) { n.locals[0].segments.Store(false) },
		"refused":     func(n *Network, _ []*Conn) { refuseSegments(t, n) },
	}
	for name, prepare := range ways {
		t.Run(name, func(t *testing.T) {
			n := listen(t)
			var sinks []*sink
			var conns []*Conn
			for range 3 {
				s := newSink(t)
				sinks = append(sinks, s)
				conns = append(conns, connected(t, n, s.addr()))
			}
			prepare(n, conns)
			b := n.NewBatch()
			for i, size := range sizes {
				for k, c := range conns {
					payload := make([]byte, size)
					h := rtp.Header{Version: 2, SequenceNumber: uint16(i), SSRC: uint32(k)}
					if !c.SendRTP(b, &h, payload) {
						t.Fatal("not sent")
					}
				}
			}
			b.Flush()
			for k, s := range sinks {
				for i, size := range sizes {
					raw := s.receive()
					if seq := binary.BigEndian.Uint16(raw[2:]); int(seq) != i || len(raw) != 12+size+16 || int(raw[11]) != k {
						t.Fatalf("member %d: packet %d of %d bytes for %d, want %d of %d", k, seq, len(raw), raw[11], i, size+28)
					}
				}
			}
			if got := n.Stats(); got.PacketsSent != uint64(len(conns)*len(sizes)) || got.DroppedSend != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSendRefuses(t *testing.T) {
	n := listen(t)
	b := n.NewBatch()
	c := n.NewConn(newEvents())
	if c.SendRTP(b, &rtp.Header{Version: 2}, nil) || c.SendRTCP(b, make([]byte, 8)) {
		t.Error("sent before the connection")
	}
	s := newSink(t)
	c = connected(t, n, s.addr())
	if c.SendRTP(b, &rtp.Header{Version: 2}, make([]byte, MaxPacket-11)) || c.SendRTCP(b, make([]byte, MaxPacket+4)) {
		t.Error("sent more than MaxPacket")
	}
	if c.SendRTCP(b, nil) || c.SendRTCP(b, make([]byte, 3)) {
		t.Error("sent something malformed")
	}
	if !c.SendRTP(b, &rtp.Header{Version: 2}, make([]byte, MaxPacket-12)) {
		t.Error("MaxPacket is not sent")
	}
	b.Flush()
	if got := s.receive(); len(got) != MaxPacket+16 {
		t.Errorf("%d bytes", len(got))
	}
	padded := rtp.Header{Version: 2, Padding: true, PaddingSize: 9, SequenceNumber: 5}
	if !c.SendRTP(b, &padded, []byte{1}) {
		t.Error("padding is not sent")
	}
	b.Flush()
	if got := s.receive(); len(got) != 12+1+9+16 {
		t.Errorf("%d bytes", len(got))
	}
}

// fanOut sends frames of 5 packets to all conns.
func fanOut(b *Batch, conns []*Conn, seq *uint16, h *rtp.Header, payload []byte) {
	for i := range 5 {
		*seq++
		h.SequenceNumber = *seq
		size := len(payload)
		if i == 4 {
			size /= 2
		}
		for _, c := range conns {
			c.SendRTP(b, h, payload[:size])
		}
	}
	b.Flush()
}

func extended(t testing.TB) *rtp.Header {
	t.Helper()
	h := &rtp.Header{Version: 2, PayloadType: 96, SSRC: 1}
	must(t, h.SetExtension(3, []byte{1, 2}))
	must(t, h.SetExtension(4, []byte("0")))
	return h
}

func TestSendingAllocatesNothing(t *testing.T) {
	n := listen(t)
	var conns []*Conn
	for range 10 {
		conns = append(conns, connected(t, n, newSink(t).addr()))
	}
	b := n.NewBatch()
	h := extended(t)
	var seq uint16
	payload := make([]byte, 1100)
	if got := testing.AllocsPerRun(200, func() { fanOut(b, conns, &seq, h, payload) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// What a reader does with a packet that is forwarded to one other member.
func TestReceivingAllocatesNothing(t *testing.T) {
	n := listen(t)
	from, to := newSink(t), newSink(t)
	receiver := connected(t, n, to.addr())
	c := connected(t, n, from.addr())
	h, payload := extended(t), make([]byte, 1000)
	c.handler.(*events).onRTP = func(b *Batch, raw []byte) { receiver.SendRTP(b, h, payload) }
	sealer, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
	must(t, err)
	var packets [][]byte
	for seq := range uint16(300) {
		raw, err := video(seq, 1000).Marshal()
		must(t, err)
		sealed, err := sealer.EncryptRTP(nil, raw, nil)
		must(t, err)
		packets = append(packets, sealed)
	}
	r := n.newReader(0)
	at := source{local: n.locals[0], remote: from.addr()}
	next := 0
	if got := testing.AllocsPerRun(200, func() {
		r.handle(packets[next], at, n.began)
		r.flush()
		next++
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if s := n.Stats(); s.DroppedReceive != 0 || s.PacketsSent == 0 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkFanOut(b *testing.B) {
	ways := map[string]func(*Network){
		"plain":    nil,
		"sendmmsg": func(n *Network) { n.locals[0].segments.Store(false) },
		"segments": func(*Network) {},
	}
	for _, name := range []string{"plain", "sendmmsg", "segments"} {
		b.Run(name, func(b *testing.B) {
			n := listen(b)
			if prepare := ways[name]; prepare == nil {
				plain(n)
			} else {
				prepare(n)
			}
			var conns []*Conn
			for range 60 {
				conns = append(conns, connected(b, n, newSink(b).addr())) // nobody reads there
			}
			batch := n.NewBatch()
			h := extended(b)
			payload := make([]byte, 1100)
			var seq uint16
			b.ReportAllocs()
			used := cpuTime()
			for b.Loop() {
				fanOut(batch, conns, &seq, h, payload)
			}
			b.ReportMetric(float64(cpuTime()-used)/float64(b.N*5*len(conns)), "cpu-ns/packet")
			if s := n.Stats(); s.PacketsSent != 0 {
				b.ReportMetric(float64(s.SendCalls)/float64(s.PacketsSent), "calls/packet")
			}
		})
	}
}

// BenchmarkSendRTP is what a packet costs before it is sent.
func BenchmarkSendRTP(b *testing.B) {
	n := listen(b)
	c := connected(b, n, newSink(b).addr())
	batch := n.NewBatch()
	h := extended(b)
	payload := make([]byte, 1100)
	b.ReportAllocs()
	for b.Loop() {
		h.SequenceNumber++
		c.SendRTP(batch, h, payload)
		forget(batch)
	}
}

// forget empties a batch without sending.
func forget(b *Batch) {
	for i := range b.chunks {
		b.chunks[i] = b.chunks[i][:0]
	}
	b.chunk = 0
	clear(b.index)
	b.groups, b.packets = b.groups[:0], b.packets[:0]
}

// BenchmarkReceive is what a packet costs until it is handled.
func BenchmarkReceive(b *testing.B) {
	n := listen(b)
	from := newSink(b)
	c := connected(b, n, from.addr())
	c.handler.(*events).onRTP = func(*Batch, []byte) {}
	sealer, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
	must(b, err)
	r := n.newReader(0)
	at := source{local: n.locals[0], remote: from.addr()}
	buf := make([]byte, 0, maxDatagram)
	plain, err := video(0, 1000).Marshal()
	must(b, err)
	var seq uint16
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		seq++
		binary.BigEndian.PutUint16(plain[2:], seq)
		raw, err := sealer.EncryptRTP(buf, plain, nil)
		must(b, err)
		b.StartTimer()
		r.handle(raw, at, n.began)
	}
}
