package sfu

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	vnet "github.com/pion/transport/v4"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// Config is what an SFU needs to know.
type Config struct {
	// UDPAddr is where all media arrives, "127.0.0.1:0" or ":7882". Without a host, every address of the machine is used.
	UDPAddr string
	// DisableTCP leaves out ICE-TCP, which otherwise listens on the same port number. There is none with Net.
	DisableTCP bool
	// TCP is where ICE-TCP comes in instead, on a port that is shared. The SFU closes it.
	TCP net.Listener
	// PublicAddrs replace the machine's own addresses in what members are told, where those are behind a 1-to-1 NAT. Each address
	// family is replaced by its own.
	PublicAddrs []netip.Addr
	// DenyPrivate drops candidates of members in private networks (RFC 1918, RFC 4193). They are allowed by default: schools have
	// such networks.
	DenyPrivate bool
	// AllowOwn lets members come from this machine's own addresses, though DenyPrivate is set: by a relay that runs on it.
	AllowOwn bool
	// Net is the network; nil is the machine's.
	Net vnet.Net
	// Logger gets warnings; nil discards them.
	Logger *slog.Logger
}

// SFU forwards media between the members of rooms. Its methods may be called from any goroutine.
type SFU struct {
	log       *slog.Logger
	net       *transport.Network
	control   control
	metronome *metronome

	ctx      context.Context //nolint:containedctx // the life of the SFU: every peer ends with it
	stop     context.CancelFunc
	peers    sync.WaitGroup // goroutines of peers
	quit     chan struct{}  // closed when all peers have ended: rooms and taps end with it
	watchers sync.WaitGroup // goroutines of rooms and taps

	mu     sync.Mutex
	closed bool
	rooms  map[string]*liveRoom
}

// New listens on Config.UDPAddr. The caller closes the SFU.
func New(cfg Config) (*SFU, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	n, err := transport.Listen(transport.Config{
		Addr: cfg.UDPAddr, DisableTCP: cfg.DisableTCP, TCP: cfg.TCP, PublicAddrs: cfg.PublicAddrs, AllowOwn: cfg.AllowOwn, Net: cfg.Net, Logger: log,
		Allow: func(a netip.Addr) bool { return addressPolicy{denyPrivate: cfg.DenyPrivate}.allows(a) },
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &SFU{
		log:       log,
		net:       n,
		control:   control{batch: n.NewBatch()},
		metronome: newMetronome(),
		ctx:       ctx,
		stop:      stop,
		quit:      make(chan struct{}),
		rooms:     make(map[string]*liveRoom),
	}
	s.watchers.Go(func() { s.metronome.run(n.NewBatch(), s.quit) })
	return s, nil
}

// Port is the UDP port on which media arrives, and the TCP port if there is ICE-TCP.
func (s *SFU) Port() int { return s.net.Port() }

// Addrs are where media arrives over UDP, as this machine knows them.
func (s *SFU) Addrs() []netip.AddrPort { return s.net.Addrs() }

// Room names a media room. It exists while a peer is in it or a tap is on it.
func (s *SFU) Room(id string) *Room { return &Room{sfu: s, id: id} }

// Rooms returns how many rooms exist.
func (s *SFU) Rooms() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms)
}

// Close ends every peer and tap, and waits for them; taps are told of what ended with it. It must not be called from a callback, and
// only once.
func (s *SFU) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.peers.Wait()
	close(s.quit)
	s.watchers.Wait()
	return s.net.Close()
}

// spawn runs f in a goroutine that group waits for. It reports false if the SFU is closed.
func (s *SFU) spawn(group *sync.WaitGroup, f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	group.Go(f)
	return true
}
