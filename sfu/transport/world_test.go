package transport

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
)

// world is a Network on a virtual network, whose cable to everybody can be cut.
type world struct {
	t      *testing.T
	router *vnet.Router
	net    *Network
	hosts  int

	mu  sync.Mutex
	cut bool
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/16", QueueSize: 1 << 14, LoggerFactory: silence()})
	must(t, err)
	w := &world{t: t, router: router}
	router.AddChunkFilter(func(vnet.Chunk) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.cut
	})
	cfg := Config{Addr: ":7000", Net: w.host("10.0.0.1")}
	for _, f := range change {
		f(&cfg)
	}
	w.net, err = Listen(cfg)
	must(t, err)
	must(t, router.Start())
	return w
}

func (w *world) host(addr string) transport.Net {
	w.t.Helper()
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{addr}})
	must(w.t, err)
	must(w.t, w.router.AddNet(n))
	return n
}

func (w *world) member() *member {
	w.t.Helper()
	w.hosts++
	host := netip.AddrFrom4([4]byte{10, 0, byte(1 + w.hosts/200), byte(1 + w.hosts%200)})
	return newMember(w.t, memberOptions{net: w.host(host.String())})
}

func (w *world) setCut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

func (w *world) close() {
	w.t.Helper()
	must(w.t, w.net.Close())
	must(w.t, w.router.Stop())
}

func TestInjectedNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		if w.net.Loopback() || len(w.net.Candidates()) != 1 || w.net.Port() != 7000 {
			t.Errorf("loopback %v, candidates %q, port %d", w.net.Loopback(), w.net.Candidates(), w.net.Port())
		}
		m := w.member()
		defer m.close()
		c, e := meet(t, w.net, m)
		exchange(t, w.net, c, e, m)
	})
}

func TestSilentThenConnectedThenFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		m := w.member()
		defer m.close()
		c, e := meet(t, w.net, m)
		w.setCut(true)
		began := time.Now()
		e.await(t, Silent)
		if quiet := time.Since(began); quiet < time.Second || quiet > silentAfter+2*housekeeping {
			t.Errorf("silent after %v", quiet)
		}
		if b := w.net.NewBatch(); !c.SendRTP(b, &video(1, 1).Header, nil) {
			t.Error("a silent member is not sent to")
		}
		w.setCut(false)
		e.await(t, Connected)
		w.setCut(true)
		e.await(t, Silent)
		e.await(t, Failed)
		if b := w.net.NewBatch(); c.SendRTP(b, &video(1, 1).Header, nil) {
			t.Error("a failed member is sent to")
		}
		c.Close()
		if c.State() != Failed {
			t.Errorf("state %v", c.State())
		}
	})
}

func TestMemberThatNeverComesFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		m := w.member()
		defer m.close()
		e := newEvents()
		c := w.net.NewConn(e)
		time.Sleep(time.Minute)
		if c.State() != New {
			t.Errorf("state %v before Start", c.State())
		}
		must(t, c.Start(m.remote()))
		began := time.Now()
		e.await(t, Failed)
		if waited := time.Since(began); waited < failedAfter {
			t.Errorf("failed after %v", waited)
		}
	})
}

func TestHandshakeThatStopsFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		m := w.member()
		defer m.close()
		e := newEvents()
		c := w.net.NewConn(e)
		must(t, c.Start(m.remote()))
		must(t, m.reach(t.Context(), w.net, c))
		began := time.Now()
		e.await(t, Failed)
		if took := time.Since(began); took > handshakeTimeout+time.Second {
			t.Errorf("failed after %v", took)
		}
	})
}

func TestPolicyForbidsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Allow = func(netip.Addr) bool { return false } })
		defer w.close()
		e := newEvents()
		c := w.net.NewConn(e)
		m := w.member()
		defer m.close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := m.reach(ctx, w.net, c); !errors.Is(err, ice.ErrCanceledByCaller) {
			t.Errorf("reached: %v", err)
		}
		if s := w.net.Stats(); s.PacketsReceived == 0 || s.PacketsSent != 0 || s.DroppedReceive != s.PacketsReceived {
			t.Errorf("%+v", s)
		}
	})
}

// The keys of the member are there before those of the server when the end of the handshake is on its way.
func TestMediaBehindTheHandshakeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		m := w.member()
		defer m.close()
		c, e := meet(t, w.net, m)
		// As if the keys had not been there.
		c.in.mu.Lock()
		in := c.in.context
		c.in.context = nil
		c.in.mu.Unlock()
		m.sendRTP(video(1, 100))
		m.sendRTP(video(2, 100))
		synctest.Wait()
		if len(e.rtp) != 0 {
			t.Fatal("handled without keys")
		}
		c.state.Store(int32(New))
		c.begin(in, c.out.context)
		e.await(t, Connected)
		for range 2 {
			next(t, e.rtp)
		}
	})
}

// Every way for a connection to end, 200 times: the bubble fails the test if a goroutine is left.
func TestNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		ends := []func(*member, *Conn, *events){
			func(m *member, c *Conn, e *events) { // closed by the server
				m.connect(w.net, c)
				e.await(t, Connected)
				c.Close()
			},
			func(m *member, c *Conn, e *events) { // closed by the member
				m.connect(w.net, c)
				e.await(t, Connected)
				must(t, m.dtls.Close())
				e.await(t, Closed)
			},
			func(m *member, c *Conn, _ *events) { // within the handshake
				must(t, c.Start(m.remote()))
				must(t, m.reach(t.Context(), w.net, c))
				ctx, cancel := context.WithCancel(t.Context())
				shaking := make(chan struct{})
				go func() {
					defer close(shaking)
					_ = m.secure(ctx)
				}()
				w.setCut(true)
				synctest.Wait()
				c.Close()
				cancel()
				<-shaking
				w.setCut(false)
			},
			func(m *member, c *Conn, e *events) { // gives up
				must(t, c.Start(m.remote()))
				must(t, m.reach(t.Context(), w.net, c))
				e.await(t, Failed)
			},
			func(_ *member, c *Conn, _ *events) { c.Restart() }, // never comes
		}
		for i := range 200 {
			m := w.member()
			e := newEvents()
			c := w.net.NewConn(e)
			ends[i%len(ends)](m, c, e)
			m.close()
			c.Close()
			c.Close()
			if s := w.net.Stats(); s.Conns != 0 {
				t.Fatalf("%d connections are left", s.Conns)
			}
		}
		w.net.mu.RLock()
		defer w.net.mu.RUnlock()
		if len(w.net.ufrags) != 0 || len(w.net.locals[0].paths) != 0 || len(w.net.handshakes) != 0 {
			t.Errorf("left: %d generations, %d paths, %d handshakes", len(w.net.ufrags), len(w.net.locals[0].paths), len(w.net.handshakes))
		}
	})
}

func TestNetworkClosesItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := w.member()
		defer m.close()
		c, e := meet(t, w.net, m)
		w.close()
		if c.State() != Closed || len(e.states) != 0 {
			t.Errorf("state %v, %d more told", c.State(), len(e.states))
		}
		must(t, w.net.Close())
		late := w.net.NewConn(e)
		if err := late.Start(m.remote()); !errors.Is(err, ErrClosed) {
			t.Errorf("on a closed network: %v", err)
		}
		late.Close()
		var buf [1]byte
		if _, err := m.dtls.Read(buf[:]); err == nil {
			t.Error("the member was not told")
		}
	})
}
