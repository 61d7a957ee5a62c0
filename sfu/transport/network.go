package transport

import (
	"log/slog"
	"net/netip"

	vnet "github.com/pion/transport/v4"
)

// Config is what a Network needs to know.
type Config struct {
	// Addr is where media arrives, "127.0.0.1:0" or ":7882". Without a host, every address of the machine is used.
	Addr string
	// DisableTCP leaves out ICE-TCP, which otherwise listens on the same port number. There is none with Net.
	DisableTCP bool
	// PublicAddrs replace the machine's own addresses in Candidates, where those are behind a 1-to-1 NAT. Each address family is
	// replaced by its own.
	PublicAddrs []netip.Addr
	// Allow says whether packets may be sent to an address; nil allows all.
	Allow func(netip.Addr) bool
	// Net is the network; nil is the machine's.
	Net vnet.Net
	// Logger gets warnings; nil discards them.
	Logger *slog.Logger
}

// Network is the sockets of a server and the connections on them. Its methods may be called from any goroutine.
type Network struct{}

// Listen opens the sockets and begins to read. The caller closes the Network.
func Listen(cfg Config) (*Network, error) { return &Network{}, nil }

// NewConn makes a connection with ICE credentials of its own.
func (n *Network) NewConn(h Handler) *Conn { return &Conn{} }

// Port is the UDP port, and the TCP port if there is ICE-TCP.
func (n *Network) Port() int { return 0 }

// Candidates are the values of a=candidate lines (RFC 8839 section 5.1), without "candidate:": UDP and passive TCP host candidates.
func (n *Network) Candidates() []string { return nil }

// Fingerprint is the value of a=fingerprint, "sha-256 AA:BB:…".
func (n *Network) Fingerprint() string { return "" }

// Loopback reports whether the network is reached over loopback only.
func (n *Network) Loopback() bool { return false }

// NewBatch makes a batch for a goroutine that is not a reader.
func (n *Network) NewBatch() *Batch { return &Batch{} }

// Stats are counters since the start.
func (n *Network) Stats() Stats { return Stats{} }

// Close ends every connection and all goroutines.
func (n *Network) Close() error { return nil }

// Stats counts what happened on a Network. Dropped packets were not sent, or not given to a handler.
type Stats struct {
	Conns           int    // now
	PacketsReceived uint64 // datagrams and TCP frames
	PacketsSent     uint64
	BytesReceived   uint64
	BytesSent       uint64
	SendCalls       uint64 // system calls that sent
	DroppedUnknown  uint64 // from addresses that passed no check, malformed, not authentic or replayed
	DroppedSend     uint64 // the socket or the TCP queue was full
	GSO             bool   // the kernel segments
}
