package sfu

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"
)

// world is an SFU and its members on a virtual network.
type world struct {
	t       *testing.T
	router  *vnet.Router
	sfu     *SFU
	mu      sync.Mutex
	next    int
	loss    float64
	jitter  time.Duration
	cut     map[string]bool // addresses that nothing goes to or comes from
	chance  chance
	members []*client
}

// conditions describe the network, each way between a member and the SFU.
type conditions struct {
	loss          float64
	delay, jitter time.Duration
}

func newWorld(t *testing.T, c conditions, configure ...func(*Config)) *world {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/16", MinDelay: c.delay, QueueSize: 1 << 16, LoggerFactory: quiet(),
	})
	must(t, err)
	w := &world{t: t, router: router, cut: make(map[string]bool), chance: newChance()}
	router.AddChunkFilter(w.pass)
	w.jitter = c.jitter
	server := w.host("10.0.0.1")
	cfg := Config{UDPAddr: "10.0.0.1:7882", Net: server}
	for _, f := range configure {
		f(&cfg)
	}
	w.sfu, err = New(cfg)
	must(t, err)
	must(t, router.Start())
	w.loss = c.loss
	return w
}

// close ends everything; in a synctest bubble, a goroutine that is left then fails the test.
func (w *world) close() {
	w.t.Helper()
	for _, m := range w.members {
		m.leave()
	}
	must(w.t, w.sfu.Close())
	must(w.t, w.router.Stop())
}

func (w *world) pass(c vnet.Chunk) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, to := c.SourceAddr(), c.DestinationAddr()
	if w.cut[from.String()] || w.cut[to.String()] || w.cut[hostOf(from)] || w.cut[hostOf(to)] {
		return false
	}
	return w.chance.of(from, to).Float64() >= w.loss
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// vanish cuts a member's cable.
func (w *world) vanish(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[c.addr] = true
}

func (w *world) back(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.cut, c.addr)
}

func (w *world) host(addr string) transport.Net {
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{addr}})
	must(w.t, err)
	must(w.t, w.router.AddNet(n))
	if w.jitter > 0 {
		return jitterNet{Net: n, most: w.jitter}
	}
	return n
}

func (w *world) client(id string) *client {
	w.mu.Lock()
	w.next++
	n := w.next
	w.mu.Unlock()
	c := newClient(w, id)
	c.addr = fmt.Sprintf("10.0.%d.%d", 1+n/200, 1+n%200)
	var s webrtc.SettingEngine
	s.LoggerFactory = quiet()
	s.SetNet(w.host(c.addr))
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	c.api = clientAPI(w.t, s)
	w.mu.Lock()
	w.members = append(w.members, c)
	w.mu.Unlock()
	return c
}

// lose sets the loss on all ways.
func (w *world) lose(fraction float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = fraction
}

func itoa(n int) string { return strconv.Itoa(n) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
}

func trickle(candidate string) string {
	mid := "0"
	b, err := json.Marshal(webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid})
	if err != nil {
		panic(err)
	}
	return string(b)
}
