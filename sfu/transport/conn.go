package transport

import (
	"errors"
	"time"

	"github.com/pion/rtp"
)

// Errors of Start.
var (
	ErrClosed      = errors.New("transport: the connection is closed")
	ErrRemote      = errors.New("transport: the remote parameters are not usable")
	ErrFingerprint = errors.New("transport: the certificate of a connection cannot change: make a new connection")
	ErrSetup       = errors.New("transport: the server waits for the DTLS handshake, and the member waits too")
)

// Handler is told what arrives on a Conn. HandleRTP and HandleRTCP of one Conn never run at the same time as each other. They must
// neither block nor keep raw, and may send on any Conn into b; b is flushed after they return. No method may call Close of any Conn.
type Handler interface {
	// HandleRTP is given one RTP packet, decrypted and not seen before.
	HandleRTP(b *Batch, raw []byte, arrival time.Time)
	// HandleRTCP is given one compound packet, decrypted and not seen before.
	HandleRTCP(b *Batch, raw []byte, arrival time.Time)
	// StateChanged is called from any goroutine, in the order of the changes, never twice at the same time.
	StateChanged(s State)
}

// State is the state of a Conn.
type State int

// The states of a Conn. Failed and Closed are final.
const (
	New       State = iota
	Connected       // ICE and DTLS are done: packets may be sent
	Silent          // nothing authentic came for 4 s; Connected follows when something comes
	Failed          // nothing authentic came for 12 s, or the handshake failed
	Closed          // the member said close_notify, or Close was called
)

// String is the state's name.
func (s State) String() string {
	switch s {
	case New:
		return "new"
	case Connected:
		return "connected"
	case Silent:
		return "silent"
	case Failed:
		return "failed"
	case Closed:
		return "closed"
	}
	return "unknown"
}

// Setup is the DTLS role of the member's SDP (RFC 4145, RFC 8842). The server is always the DTLS server.
type Setup int

// The roles that a=setup names.
const (
	SetupActpass Setup = iota
	SetupActive
	SetupPassive // refused: nobody would begin
)

// Remote is what the member's SDP says of its transport.
type Remote struct {
	Ufrag, Pwd  string // of ICE
	Fingerprint string // of the certificate, "sha-256 AA:BB:…"
	Setup       Setup
}

// Conn is one connection to one member. Its methods may be called from any goroutine.
type Conn struct{}

// Credentials are the ICE user name fragment and password of the newest generation.
func (c *Conn) Credentials() (ufrag, pwd string) { return "", "" }

// Start says who the member is. It may be called again, with new ICE credentials after a restart; the fingerprint must then be the
// same. Errors: ErrClosed, ErrRemote, ErrFingerprint, ErrSetup.
func (c *Conn) Start(r Remote) error { return nil }

// Restart makes new ICE credentials. The path in use stays so until a check with the new credentials nominates one.
func (c *Conn) Restart() (ufrag, pwd string) { return "", "" }

// State is the present state.
func (c *Conn) State() State { return New }

// Close ends the connection and tells the member. No method of the handler runs after it returned, and StateChanged is not called
// because of it. It must not be called from a Handler.
func (c *Conn) Close() {}

// SendRTP encrypts a packet into b, and b.Flush sends it. It allocates nothing; h and payload are free again when it returns. It
// reports false if nothing will be sent: the connection is not Connected (or Silent), or the packet exceeds MaxPacket.
func (c *Conn) SendRTP(b *Batch, h *rtp.Header, payload []byte) bool { return false }

// SendRTCP encrypts a compound packet into b, like SendRTP.
func (c *Conn) SendRTCP(b *Batch, raw []byte) bool { return false }
