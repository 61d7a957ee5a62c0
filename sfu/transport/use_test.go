package transport

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"
)

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	n := listen(t)
	for range 5 {
		e := newEvents()
		c := n.NewConn(e)
		m := newMember(t, memberOptions{})
		m.connect(n, c)
		e.await(t, Connected)
		var all sync.WaitGroup
		for k := range 4 {
			all.Go(func() {
				b := n.NewBatch()
				h := rtp.Header{Version: 2, SSRC: uint32(k)}
				for c.SendRTP(b, &h, []byte("payload")) {
					h.SequenceNumber++
					c.SendRTCP(b, []byte{128, 200, 0, 1, 0, 0, 0, byte(k)})
					b.Flush()
				}
			})
		}
		all.Go(func() {
			for seq := range uint16(300) {
				m.sendRTP(video(seq, 100))
			}
		})
		all.Go(func() {
			for range 20 {
				c.Restart()
				c.Credentials()
				_ = c.Start(m.remote())
				n.Stats()
				n.Candidates()
			}
		})
		for range 100 {
			next(t, e.rtp)
		}
		for range 2 {
			all.Go(c.Close)
		}
		all.Wait()
		m.close()
		if len(e.states) != 0 {
			t.Errorf("told %v", <-e.states)
		}
	}
}

func TestRealSocketsLeaveNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	n, err := Listen(Config{Addr: "127.0.0.1:0"})
	must(t, err)
	for i := range 12 {
		e := newEvents()
		c := n.NewConn(e)
		m := newMember(t, memberOptions{tcp: i%2 == 0})
		m.connect(n, c)
		e.await(t, Connected)
		if i%3 == 0 {
			c.Close()
		}
		m.close()
	}
	must(t, n.Close())
}

// A second server on the same port is told, although the sockets of one server share theirs.
func TestPortInUse(t *testing.T) {
	n := listen(t)
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(n.Port())).String()
	for _, withoutTCP := range []bool{false, true} {
		if second, err := Listen(Config{Addr: addr, DisableTCP: withoutTCP}); err == nil {
			t.Errorf("two servers at %s", addr)
			must(t, second.Close())
		}
	}
	must(t, n.Close())
	again := listen(t, func(c *Config) { c.Addr = addr })
	if again.Port() != n.Port() {
		t.Errorf("port %d", again.Port())
	}
}

func TestBadAddresses(t *testing.T) {
	for _, addr := range []string{"", "127.0.0.1", "localhost:0", "127.0.0.1:65536", "127.0.0.1:x", "192.0.2.1:0"} {
		if n, err := Listen(Config{Addr: addr}); err == nil {
			t.Errorf("%q is listened on", addr)
			must(t, n.Close())
		}
	}
}

func TestCandidates(t *testing.T) {
	v4, v6 := &local{addr: addrPort("10.0.0.1", 7000)}, &local{addr: addrPort("fd00::1", 7000)}
	cases := map[string]struct {
		n      *Network
		public []netip.Addr
		want   []string
	}{
		"the machine's": {
			&Network{port: 7000, locals: []*local{v6, v4}, tcp: new(tcpListener)}, nil,
			[]string{
				"udp1 1 udp 2130706431 fd00::1 7000 typ host",
				"udp2 1 udp 2130706175 10.0.0.1 7000 typ host",
				"tcp1 1 tcp 1520435199 fd00::1 7000 typ host tcptype passive",
				"tcp2 1 tcp 1520434943 10.0.0.1 7000 typ host tcptype passive",
			},
		},
		"a public one": {
			&Network{port: 7000, locals: []*local{v6, v4, v4}},
			[]netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")},
			[]string{
				"udp1 1 udp 2130706431 fd00::1 7000 typ host",
				"udp2 1 udp 2130706175 192.0.2.1 7000 typ host",
			},
		},
	}
	for name, tc := range cases {
		if got := tc.n.describe(tc.public); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAnswersFollowPolicy(t *testing.T) {
	denied := netip.MustParseAddr("192.0.2.1")
	n := Network{allow: func(a netip.Addr) bool { return a != denied }}
	loopback := netip.MustParseAddr("127.0.0.1")
	if n.answers(denied) || !n.answers(netip.MustParseAddr("192.0.2.2")) || n.answers(loopback) {
		t.Error("the policy is not followed")
	}
	n.loopback = true
	if !n.answers(loopback) {
		t.Error("loopback is not answered")
	}
}

func TestSocketAddresses(t *testing.T) {
	for _, text := range []string{"192.0.2.1:258", "[2001:db8::1]:65535", "127.0.0.1:1"} {
		want := netip.MustParseAddrPort(text)
		s := newSockaddr(want)
		if got := s.addrPort(); got != want {
			t.Errorf("%v became %v", want, got)
		}
	}
}

// Handshakes of which datagrams are altered, lost, doubled and swapped end one way or the other, without a panic.
func TestMutilatedHandshakes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		done := 0
		for range 60 {
			e := newEvents()
			c := w.net.NewConn(e)
			m := w.member()
			must(t, c.Start(m.remote()))
			must(t, m.reach(t.Context(), w.net, c))
			m.mutilate = func(raw []byte) [][]byte { return mutilate(random, raw) }
			ctx, cancel := context.WithTimeout(t.Context(), handshakeTimeout)
			if m.secure(ctx) == nil {
				done++
			}
			cancel()
			m.close()
			select {
			case <-e.states:
			case <-time.After(2 * handshakeTimeout):
				t.Fatal("the handshake did not end")
			}
			c.Close()
		}
		if done == 0 || done == 60 {
			t.Errorf("%d of 60 handshakes succeeded: that is no test", done)
		}
	})
}

func mutilate(random *rand.Rand, raw []byte) [][]byte {
	out := append([]byte(nil), raw...)
	switch random.IntN(12) {
	case 0:
		out[random.IntN(len(out))] = byte(random.Uint32())
	case 1:
		out[min(13+random.IntN(12), len(out)-1)] = byte(random.Uint32()) // the handshake header
	case 2:
		out = out[:1+random.IntN(len(out))]
	case 3:
		return nil
	case 4:
		return [][]byte{out, out}
	case 5:
		return [][]byte{out[:len(out)/2], out[len(out)/2:]}
	case 6:
		out = append(out, out...)
	}
	return [][]byte{out}
}
