package relay

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/turn/v5"
	"golang.org/x/time/rate"
)

// allowed says what may be relayed to. It does not change.
type allowed struct {
	media  []netip.AddrPort
	public []netip.Addr
	peers  []netip.Prefix
}

func newAllowed(cfg Config) allowed {
	return allowed{media: slices.Clone(cfg.Media), public: slices.Clone(cfg.Public), peers: slices.Clone(cfg.Peers)}
}

// ip reports whether anything at an address may be relayed to. Which port, addr decides.
func (a allowed) ip(ip net.IP) bool {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	addr = addr.Unmap()
	return slices.ContainsFunc(a.media, func(m netip.AddrPort) bool { return m.Addr() == addr }) ||
		slices.Contains(a.public, addr) || a.named(addr)
}

func (a allowed) named(addr netip.Addr) bool {
	return slices.ContainsFunc(a.peers, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// home is where this machine gets media of an address family.
func (a allowed) home(v4 bool) (netip.AddrPort, bool) {
	i := slices.IndexFunc(a.media, func(m netip.AddrPort) bool { return m.Addr().Is4() == v4 })
	if i < 0 {
		return netip.AddrPort{}, false
	}
	return a.media[i], true
}

// to is where what is meant for an address is sent: media that is known by its public address is on this machine.
func (a allowed) to(peer netip.AddrPort) (netip.AddrPort, bool) {
	if slices.Contains(a.media, peer) {
		return peer, true
	}
	if slices.Contains(a.public, peer.Addr()) {
		home, ok := a.home(peer.Addr().Is4())
		return home, ok && home.Port() == peer.Port()
	}
	return peer, a.named(peer.Addr())
}

// from is as whom a sender is known to members.
func (a allowed) from(sender netip.AddrPort) (netip.AddrPort, bool) {
	if slices.Contains(a.media, sender) {
		if addr, ok := a.known(sender.Addr().Is4()); ok {
			return netip.AddrPortFrom(addr, sender.Port()), true
		}
		return sender, true
	}
	return sender, a.named(sender.Addr())
}

// known is the public address of a family.
func (a allowed) known(v4 bool) (netip.Addr, bool) {
	i := slices.IndexFunc(a.public, func(p netip.Addr) bool { return p.Is4() == v4 })
	if i < 0 {
		return netip.Addr{}, false
	}
	return a.public[i], true
}

var (
	errQuota  = errors.New("relay: too many allocations")
	errFamily = errors.New("relay: no media is received over this address family")
	errTCP    = errors.New("relay: media comes over UDP")
)

// Validate implements turn.RelayAddressGenerator.
func (s *Server) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator.
func (s *Server) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	v4 := c.Network == "udp4"
	home, ok := s.allowed.home(v4)
	if !ok {
		return nil, nil, errFamily
	}
	if c.RequestedPort != 0 {
		return nil, nil, errQuota
	}
	release, ok := s.quota.Take(c.UserID)
	if !ok {
		return nil, nil, errQuota
	}
	conn, err := net.ListenUDP(c.Network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(home.Addr(), 0)))
	if err != nil {
		release()
		return nil, nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer) // what the system allows
	own, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		release()
		return nil, nil, errors.Join(errFamily, conn.Close())
	}
	told := own.AddrPort()
	if public, ok := s.allowed.known(v4); ok {
		told = netip.AddrPortFrom(public, told.Port())
	}
	a := &allocation{
		UDPConn: conn, allowed: s.allowed, release: release,
		in: rate.NewLimiter(bytesPerSecond, burstBytes), out: rate.NewLimiter(bytesPerSecond, burstBytes),
	}
	return a, net.UDPAddrFromAddrPort(told), nil
}

// AllocateListener implements turn.RelayAddressGenerator: TCP (RFC 6062) is not relayed to.
func (s *Server) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (s *Server) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errTCP }

// allocation is the socket towards media of one allocation. What is not allowed, or too much, is dropped, as networks do.
type allocation struct {
	*net.UDPConn

	allowed allowed
	in, out *rate.Limiter // bytes
	release func()
}

// ReadFrom implements net.PacketConn.
func (a *allocation) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := a.ReadFromUDPAddrPort(b)
		if err != nil {
			return 0, nil, err
		}
		sender, ok := a.allowed.from(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		if ok && a.in.AllowN(time.Now(), n) {
			return n, net.UDPAddrFromAddrPort(sender), nil
		}
	}
}

// WriteTo implements net.PacketConn.
func (a *allocation) WriteTo(b []byte, peer net.Addr) (int, error) {
	udp, ok := peer.(*net.UDPAddr)
	if !ok {
		return 0, errTCP
	}
	ap := udp.AddrPort()
	to, ok := a.allowed.to(netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
	if !ok || !a.out.AllowN(time.Now(), len(b)) {
		return len(b), nil
	}
	return a.WriteToUDPAddrPort(b, to)
}

// Close implements net.PacketConn.
func (a *allocation) Close() error {
	a.release()
	return a.UDPConn.Close()
}
