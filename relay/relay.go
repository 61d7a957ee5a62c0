// Package relay is a TURN server (RFC 8656) for members whose network lets them out over no more than one port: it carries packets
// between them and the media plane. It is no open relay: only who has credentials, which a server gives its members, is served; and
// only packets to and from media, and addresses that were named, pass.
package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what TURN's credentials are made with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"github.com/pausepoint/pausepoint/quota"
)

const (
	realm = "pausepoint"
	// validFor is how long credentials are: longer than a call, since an allocation is refreshed with those that made it.
	validFor = 8 * time.Hour
	// Quotas. A member has two connections, each of which may gather over UDP, TCP and TLS; as many again when they reconnect.
	perMember       = 12
	bytesPerSecond  = 2 << 20 // of one allocation, in each direction
	burstBytes      = 1 << 20
	socketBuffer    = 1 << 20
	maxStreams      = 8000 // TCP connections
	streamsPerAddr  = 400
	firstWithin     = 10 * time.Second
	silenceOfStream = 11 * time.Minute // longer than an allocation lives without being refreshed
)

// Config is what a Server needs to know.
type Config struct {
	// Addr is where members come over UDP and TCP, ":3478", or empty.
	Addr string
	// Secure is where they come over TLS, which ends there, or nil. The Server closes it.
	Secure net.Listener
	// Media is where media arrives on this machine. At least one is needed.
	Media []netip.AddrPort
	// Public are the addresses by which members know Media, where those are behind a 1-to-1 NAT.
	Public []netip.Addr
	// Peers are further addresses that may be relayed to, private ones too.
	Peers []netip.Prefix
	// MaxAllocations is how many there may be in all.
	MaxAllocations int
}

// Server is a running TURN server. Its methods may be called from any goroutine.
type Server struct {
	secret  []byte
	turn    *turn.Server
	udp     *net.UDPAddr // nil without
	tls     *net.TCPAddr // nil without TLS
	allowed allowed
	quota   *quota.Quota[string] // of allocations, by user
}

// Listen opens the sockets and begins to serve. The caller closes the Server. Credentials of one Server are worth nothing at
// another.
func Listen(cfg Config) (*Server, error) {
	s := &Server{
		secret:  make([]byte, 32),
		allowed: newAllowed(cfg),
		quota:   quota.New[string](cfg.MaxAllocations, perMember),
	}
	if _, err := rand.Read(s.secret); err != nil {
		return nil, fmt.Errorf("relay: secret: %w", err)
	}
	if len(cfg.Media) == 0 {
		return nil, errors.Join(errors.New("relay: there is nothing to relay to"), inlets{tls: cfg.Secure}.close())
	}
	in, err := s.open(cfg)
	if err != nil {
		return nil, errors.Join(err, in.close())
	}
	handler := func(_ net.Addr, peer net.IP) bool { return s.allowed.ip(peer) }
	conf := turn.ServerConfig{
		Realm: realm, AuthHandler: s.authenticate,
		QuotaHandler:  func(user, _ string, _ net.Addr) bool { return s.quota.Free(user) },
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	}
	if in.udp != nil {
		conf.PacketConnConfigs = []turn.PacketConnConfig{{PacketConn: in.udp, RelayAddressGenerator: s, PermissionHandler: handler}}
	}
	for _, ln := range []net.Listener{in.tcp, in.tls} {
		if ln != nil {
			conf.ListenerConfigs = append(conf.ListenerConfigs, turn.ListenerConfig{Listener: limited(ln), RelayAddressGenerator: s, PermissionHandler: handler})
		}
	}
	if s.turn, err = turn.NewServer(conf); err != nil {
		return nil, errors.Join(fmt.Errorf("relay: %w", err), in.close())
	}
	return s, nil
}

// Close ends all allocations and closes the sockets.
func (s *Server) Close() error { return s.turn.Close() }

// Allocations is how many there are.
func (s *Server) Allocations() int { return s.quota.Taken() }

// URIs are what browsers are told (RFC 7065), for the name by which they reach this machine: UDP, TCP and TLS, as far as there is.
func (s *Server) URIs(host string) []string {
	at := func(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
	var list []string
	if s.udp != nil {
		list = append(list, "turn:"+at(s.udp.Port)+"?transport=udp", "turn:"+at(s.udp.Port)+"?transport=tcp")
	}
	if s.tls != nil {
		list = append(list, "turns:"+at(s.tls.Port)+"?transport=tcp")
	}
	return list
}

// Credentials let a member use the server for some hours (draft-uberti-behave-turn-rest-00). The name tells nobody on the way who it is.
func (s *Server) Credentials(member string) (username, password string) {
	return s.credentials(member, time.Now().Add(validFor))
}

func (s *Server) credentials(member string, until time.Time) (username, password string) {
	mac := hmac.New(sha256.New, s.secret)
	_, _ = mac.Write([]byte(member))
	username = strconv.FormatInt(until.Unix(), 10) + ":" + hex.EncodeToString(mac.Sum(nil)[:8])
	return username, s.password(username)
}

func (s *Server) password(username string) string {
	mac := hmac.New(sha1.New, s.secret)
	_, _ = mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate finds the key of a name that is still good. Whether who asks knows it, turn checks.
func (s *Server) authenticate(r *turn.RequestAttributes) (user string, key []byte, ok bool) {
	until, user, ok := strings.Cut(r.Username, ":")
	at, err := strconv.ParseInt(until, 10, 64)
	if !ok || err != nil || time.Now().Unix() > at {
		return "", nil, false
	}
	return user, turn.GenerateAuthKey(r.Username, r.Realm, s.password(r.Username)), true
}

// inlets are the sockets at which members come in; nil are those that there are not.
type inlets struct {
	udp      *net.UDPConn
	tcp, tls net.Listener
}

func (in inlets) close() error {
	var errs []error
	if in.udp != nil {
		errs = append(errs, in.udp.Close())
	}
	for _, ln := range []net.Listener{in.tcp, in.tls} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	return errors.Join(errs...)
}

// open listens over UDP, and TCP under the same number. Secure is open.
func (s *Server) open(cfg Config) (in inlets, err error) {
	in.tls = cfg.Secure
	if in.tls != nil {
		s.tls, _ = in.tls.Addr().(*net.TCPAddr)
	}
	if cfg.Addr == "" {
		return in, nil
	}
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return in, fmt.Errorf("relay: %w", err)
	}
	if in.udp, in.tcp, err = pair(host, cfg.Addr); err != nil {
		return in, fmt.Errorf("relay: %w", err)
	}
	_ = in.udp.SetReadBuffer(socketBuffer) // what the system allows
	_ = in.udp.SetWriteBuffer(socketBuffer)
	s.udp, _ = in.udp.LocalAddr().(*net.UDPAddr)
	return in, nil
}

// pair listens over UDP and TCP under one number. Where the system chooses it, it may have to choose again.
func pair(host, addr string) (*net.UDPConn, net.Listener, error) {
	var err error
	for range 20 {
		var conn net.PacketConn
		if conn, err = net.ListenPacket("udp", addr); err != nil {
			return nil, nil, err
		}
		udp, ok := conn.(*net.UDPConn)
		if !ok {
			return nil, nil, errors.Join(errors.ErrUnsupported, conn.Close())
		}
		own, ok := udp.LocalAddr().(*net.UDPAddr)
		if !ok {
			return nil, nil, errors.Join(errors.ErrUnsupported, conn.Close())
		}
		var ln net.Listener
		if ln, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(own.Port))); err == nil {
			return udp, ln, nil
		}
		_ = udp.Close()
		if !strings.HasSuffix(addr, ":0") {
			break
		}
	}
	return nil, nil, err
}
