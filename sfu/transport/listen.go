package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"github.com/pion/transport/v4"
)

const (
	socketBuffer     = 4 << 20 // bytes; the kernel may grant less
	listenAttempts   = 8       // to find one number that is free for UDP and TCP
	maxSocketsPerIP  = 4
	componentRTP     = 1
	typePreferenceU  = 126 // host candidates, RFC 8445 section 5.1.2.2
	typePreferenceT  = 90  // below every UDP candidate of the other side too (RFC 6544 section 4.2)
	directionPassive = 4   // RFC 6544 section 4.2
)

var errNoAddress = errors.New("the machine has no address")

// open opens the sockets and fills in port, loopback, locals, tcp and candidates. With port 0 it looks for a number that is free for
// both protocols.
func (n *Network) open(cfg Config) error {
	bound, port, err := parseAddr(cfg.Addr)
	if err != nil {
		return err
	}
	n.machine, n.bound = cfg.Net, bound
	for attempt := 1; ; attempt++ {
		err = n.tryOpen(cfg, bound, port)
		if err == nil {
			n.candidates = n.describe(cfg.PublicAddrs)
			return nil
		}
		err = errors.Join(err, n.closeSockets())
		n.locals, n.tcp = nil, nil
		if port != 0 || attempt == listenAttempts {
			return fmt.Errorf("transport: listen for media on %q: %w", cfg.Addr, err)
		}
	}
}

// parseAddr reads "host:port"; the address is not valid if all of the machine's are meant.
func parseAddr(text string) (netip.Addr, int, error) {
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("transport: media address %q: give it as host:port or :port: %w", text, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("transport: media address %q: the port is a number from 0 to 65535: %w", text, err)
	}
	if host == "" {
		return netip.Addr{}, int(port), nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("transport: media address %q: the host is an IP address: %w", text, err)
	}
	if addr = addr.Unmap(); addr.IsUnspecified() {
		return netip.Addr{}, int(port), nil
	}
	return addr, int(port), nil
}

func (n *Network) tryOpen(cfg Config, bound netip.Addr, port int) error {
	if cfg.Net == nil && !cfg.DisableTCP {
		host := ""
		if bound.IsValid() {
			host = bound.String()
		}
		l := cfg.TCP
		if l == nil {
			var err error
			if l, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err != nil {
				return err
			}
		}
		n.tcp = newTCPListener(n, l)
		if addr, ok := l.Addr().(*net.TCPAddr); ok {
			port = addr.Port
		}
	}
	addrs := []netip.Addr{bound}
	if bound.IsValid() {
		n.loopback = bound.IsLoopback()
	} else {
		var err error
		if addrs, n.loopback, err = machineAddrs(cfg.Net); err != nil {
			return err
		}
	}
	for _, addr := range addrs {
		l, err := openLocal(cfg.Net, netip.AddrPortFrom(addr, uint16(port)), min(runtime.GOMAXPROCS(0), maxSocketsPerIP)) //nolint:gosec // a port
		if errors.Is(err, syscall.EADDRNOTAVAIL) && !bound.IsValid() {
			n.log.Warn("no media over an address of the machine: it is not ready", "address", addr.String())
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", addr, err)
		}
		n.locals = append(n.locals, l)
		port = int(l.addr.Port())
	}
	if len(n.locals) == 0 {
		return errNoAddress
	}
	n.port = port
	return nil
}

// machineAddrs are the addresses of the machine, IPv6 first, and whether they are loopback, which they are only where there is nothing
// else. An answer must leave from the address that was asked, so each gets a socket.
func machineAddrs(network transport.Net) ([]netip.Addr, bool, error) {
	all, err := interfaceAddrs(network)
	if err != nil {
		return nil, false, err
	}
	var global, loopback []netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		addr := prefix.Addr().Unmap()
		switch {
		case addr.IsLoopback():
			loopback = append(loopback, addr)
		case addr.IsGlobalUnicast():
			global = append(global, addr)
		}
	}
	addrs := global
	if len(global) == 0 {
		addrs = loopback
	}
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int { return b.BitLen() - a.BitLen() })
	addrs = slices.Compact(addrs)
	if len(addrs) == 0 {
		return nil, false, errNoAddress
	}
	return addrs, len(global) == 0, nil
}

func interfaceAddrs(network transport.Net) ([]net.Addr, error) {
	if network == nil {
		return net.InterfaceAddrs()
	}
	interfaces, err := network.Interfaces()
	if err != nil {
		return nil, err
	}
	var all []net.Addr
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue // an interface without addresses
		}
		all = append(all, addrs...)
	}
	return all, nil
}

// openLocal opens count sockets that share an address, or one on an injected network.
func openLocal(network transport.Net, addr netip.AddrPort, count int) (*local, error) {
	l := &local{addr: addr, paths: make(map[netip.AddrPort]*path)}
	if network != nil {
		conn, err := network.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		if err != nil {
			return nil, err
		}
		l.sockets = []*socket{{conn: conn}}
		l.addr = netip.AddrPortFrom(addr.Addr(), portOf(conn.LocalAddr()))
		return l, nil
	}
	conns, err := listenUDP(addr, count)
	if err != nil {
		return nil, err
	}
	l.addr = netip.AddrPortFrom(addr.Addr(), portOf(conns[0].LocalAddr()))
	for _, c := range conns {
		// Buffers are a wish: the kernel caps them.
		_, _ = c.SetReadBuffer(socketBuffer), c.SetWriteBuffer(socketBuffer)
		s, err := newSocket(c)
		if err != nil {
			return nil, errors.Join(err, c.Close(), l.close())
		}
		l.sockets = append(l.sockets, s)
	}
	l.segments.Store(l.sockets[0].canSegment())
	return l, nil
}

func portOf(a net.Addr) uint16 {
	if u, ok := a.(*net.UDPAddr); ok {
		return u.AddrPort().Port()
	}
	return 0
}

// describe makes the candidate lines: UDP before TCP.
func (n *Network) describe(public []netip.Addr) []string {
	var addrs []netip.Addr
	for _, l := range n.locals {
		for _, a := range advertised(l.addr.Addr(), public) {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	var lines []string
	for i, a := range addrs {
		priority := typePreferenceU<<24 | (65535-i)<<8 | (256 - componentRTP)
		lines = append(lines, fmt.Sprintf("udp%d %d udp %d %s %d typ host", i+1, componentRTP, priority, a, n.port))
	}
	if n.tcp == nil {
		return lines
	}
	for i, a := range addrs {
		priority := typePreferenceT<<24 | (directionPassive<<13|(8191-i))<<8 | (256 - componentRTP)
		lines = append(lines, fmt.Sprintf("tcp%d %d tcp %d %s %d typ host tcptype passive", i+1, componentRTP, priority, a, n.port))
	}
	return lines
}

// advertised is what members are told instead of an address.
func advertised(addr netip.Addr, public []netip.Addr) []netip.Addr {
	var same []netip.Addr
	for _, p := range public {
		if p = p.Unmap(); p.Is4() == addr.Is4() {
			same = append(same, p)
		}
	}
	if len(same) == 0 {
		return []netip.Addr{addr}
	}
	return same
}

func (n *Network) closeSockets() error {
	var errs []error
	for _, l := range n.locals {
		errs = append(errs, l.close())
	}
	if n.tcp != nil {
		errs = append(errs, n.tcp.close())
	}
	return errors.Join(errs...)
}
