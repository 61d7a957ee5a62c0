package transport

import (
	"net"
	"testing"
	"time"

	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

// slow is a Handler that is busy with the first packet until it is released.
type slow struct {
	*events
	release <-chan struct{}
	told    chan arrived
}

type arrived struct{ at, now time.Time }

func (s *slow) HandleRTP(b *Batch, _ []byte, at time.Time) {
	s.told <- arrived{at: at, now: b.Now()}
	<-s.release
}

// unstamp takes the kernel's stamps back.
func unstamp(t testing.TB, s *socket) {
	t.Helper()
	must(t, s.raw.Control(func(fd uintptr) {
		must(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 0))
	}))
}

// sendToSlow sends paced packets to a reader that is busy from the first to the last, and tells for each when it was sent, from and to,
// and when it arrived.
func sendToSlow(t *testing.T, n *Network, packets int) (sent [][2]time.Time, told []arrived) {
	t.Helper()
	from := newSink(t)
	release := make(chan struct{})
	s := &slow{events: newEvents(), release: release, told: make(chan arrived, packets)}
	connectedTo(t, n, from.addr(), s)
	sealer, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
	must(t, err)
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n.Port()}
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for seq := range packets {
		raw, err := video(uint16(seq), 100).Marshal()
		must(t, err)
		sealed, err := sealer.EncryptRTP(nil, raw, nil)
		must(t, err)
		began := time.Now()
		_, err = from.conn.WriteTo(sealed, to)
		sent = append(sent, [2]time.Time{began, time.Now()})
		must(t, err)
		if seq == 0 { // now the reader is busy
			told = append(told, <-s.told)
		}
		<-pace.C
	}
	close(release)
	for len(told) < packets {
		told = append(told, <-s.told)
	}
	return sent, told
}

// Packets that waited for a busy reader arrived when they were sent, not when they were read.
func TestArrivalIsTheKernels(t *testing.T) {
	const tolerance = 25 * time.Millisecond // bunched, the first is wrong by 100 ms at least
	n := listen(t)
	sent, told := sendToSlow(t, n, 12)
	last := sent[len(sent)-1][1]
	for i, a := range told {
		if a.at.Before(sent[i][0].Add(-tolerance)) || a.at.After(sent[i][1].Add(tolerance)) {
			t.Errorf("packet %d arrived %v after it was sent", i, a.at.Sub(sent[i][0]))
		}
		if i != 0 && (a.at.Before(told[i-1].at) || a.now.Before(last)) {
			t.Errorf("packet %d arrived %v after the one before, and was read %v before the last was sent", i,
				a.at.Sub(told[i-1].at), last.Sub(a.now))
		}
	}
}

// Where the kernel does not say, a packet arrived when it was read.
func TestArrivalWithoutTheKernel(t *testing.T) {
	n := listen(t)
	for _, s := range n.locals[0].sockets {
		unstamp(t, s)
	}
	_, told := sendToSlow(t, n, 3)
	for i, a := range told {
		if !a.at.Equal(a.now) {
			t.Errorf("packet %d arrived %v before it was read", i, a.now.Sub(a.at))
		}
	}
}

// stampedReceiver is a socket with its receiver, and another that sends to it.
func stampedReceiver(t testing.TB) (*socket, receiver, *net.UDPConn) {
	t.Helper()
	to := newSink(t)
	s, err := newSocket(to.conn)
	must(t, err)
	from, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to.addr()))
	must(t, err)
	t.Cleanup(func() { _ = from.Close() })
	return s, s.newReceiver(), from
}

func TestReadingAllocatesNothing(t *testing.T) {
	_, in, from := stampedReceiver(t)
	raw := make([]byte, 1000)
	if got := testing.AllocsPerRun(200, func() {
		_, _ = from.Write(raw)
		count, err := in.receive()
		now := time.Now()
		for i := range count {
			in.packet(i)
			in.arrival(i, now)
		}
		if err != nil || count != 1 {
			t.Errorf("%d packets, %v", count, err)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// BenchmarkRead is what a packet costs from the kernel to the reader.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"stamped", "not stamped"} {
		for count, packets := range map[string]int{"1 packet": 1, "32 packets": receiveBatch} {
			b.Run(name+"/"+count, func(b *testing.B) {
				s, in, from := stampedReceiver(b)
				if name == "not stamped" {
					unstamp(b, s)
					s.stamped = false
					in = s.newReceiver()
				}
				raw := make([]byte, 1000)
				var used time.Duration
				b.ReportAllocs()
				for b.Loop() {
					for range packets {
						_, _ = from.Write(raw)
					}
					began := time.Now()
					got, err := in.receive()
					now := time.Now()
					for i := range got {
						in.packet(i)
						in.arrival(i, now)
					}
					used += time.Since(began)
					if err != nil || got != packets {
						b.Fatalf("%d packets, %v", got, err)
					}
				}
				b.ReportMetric(float64(used)/float64(b.N*packets), "read-ns/packet")
			})
		}
	}
}
