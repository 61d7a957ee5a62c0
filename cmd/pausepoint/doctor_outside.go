package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// port is one that the server will listen at.
type port struct{ what, network, flag, addr string }

func (d doctorFlags) ports() []port {
	list := []port{
		{"The port for pages", "tcp", "addr", d.Addr},
		{"The port for media (UDP)", "udp", "media-addr", d.MediaAddr},
		{"The port for media (TCP)", "tcp", "media-addr", d.MediaAddr},
	}
	if d.TURNAddr != "" {
		list = append(list, port{"The port for TURN (UDP)", "udp", "turn-addr", d.TURNAddr}, port{"The port for TURN (TCP)", "tcp", "turn-addr", d.TURNAddr})
	}
	if d.TURNTLSAddr != "" {
		list = append(list, port{"The port for TURN over TLS", "tcp", "turn-tls-addr", d.TURNTLSAddr})
	}
	return list
}

// wayIn is a port that browsers use from outside, under its own number unless it says another.
type wayIn struct {
	what, flag, addr string
	udp              bool   // besides TCP
	host             string // a name, where it is not --public-ip
	outside          uint16 // the number outside, where it is another
}

func (w wayIn) protocols() string {
	if w.udp {
		return "UDP and TCP"
	}
	return "TCP"
}

// waysIn are those of which the address outside is known: media goes to --public-ip, and who gives certificates looks at port 443 of
// their names. TURN is tried by using it.
func (d doctorFlags) waysIn() (list []wayIn) {
	if len(d.PublicIP) > 0 {
		list = append(list, wayIn{what: "media", flag: "media-addr", addr: d.MediaAddr, udp: true})
	}
	for _, name := range d.ACMEDomain {
		list = append(list, wayIn{what: "pages", flag: "addr", addr: d.Addr, host: name, outside: 443})
	}
	return list
}

// checkName looks the name up that people open. Where it leads is not looked at: it may be a proxy's, or lead to any of several servers.
func checkName(ctx context.Context, host string) error {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return fmt.Errorf("the name %s, which people open, has no address: enter this machine's, or its proxy's, where names of your network are kept (DNS), or give another name with --public-url (or %s)", host, envName("public-url"))
	}
	return nil
}

// checkTURNName looks whether the name by which browsers reach TURN leads to this server.
func checkTURNName(ctx context.Context, host string, d doctorFlags) error {
	if d.Redis != "" && d.TURNHost == "" && len(d.PublicIP) == 0 {
		return fmt.Errorf("browsers are told to reach TURN at %s, which leads to any of several servers, and credentials are good at one: give this server's own name with --turn-host (or %s), or its address with --public-ip", host, envName("turn-host"))
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return fmt.Errorf("the name %s, by which browsers reach TURN, has no address: enter this machine's where names of your network are kept (DNS), or give another name with --turn-host (or %s)", host, envName("turn-host"))
	}
	told, err := d.publicAddrs()
	if err != nil || len(told) == 0 {
		return err
	}
	for _, addr := range found {
		if slices.Contains(told, addr.Unmap()) {
			return nil
		}
	}
	return fmt.Errorf("browsers are told to reach TURN at %s, which is %s and not %s: let the name lead to this machine, or give one that does with --turn-host (or %s)", host, found[0], told[0], envName("turn-host"))
}

// addrsFor are the addresses at which browsers look for a way in.
func (d doctorFlags) addrsFor(ctx context.Context, w wayIn) ([]netip.Addr, error) {
	if w.host == "" {
		return d.publicAddrs()
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", w.host)
	if err != nil || len(found) == 0 {
		return nil, advice{fmt.Sprintf("Whether the port for %s is reached can be tried once %s has an address", w.what, w.host)}
	}
	return found, nil
}

// checkReached sends to the public addresses, and listens whether it comes in at the port. Not every network brings what it
// sends to itself back.
func checkReached(ctx context.Context, d doctorFlags, w wayIn) error {
	addrs, err := d.addrsFor(ctx, w)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", w.addr)
	if err != nil {
		return busy(w.what)
	}
	defer func() { _ = ln.Close() }()
	own, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return busy(w.what)
	}
	at := w.outside
	if at == 0 {
		at = uint16(own.Port) //nolint:gosec // a port
	}
	if !w.udp {
		return reached(ctx, nil, ln, at, addrs)
	}
	conn, err := net.ListenPacket("udp", net.JoinHostPort(hostOf(w.addr), strconv.Itoa(own.Port)))
	if err != nil {
		return busy(w.what)
	}
	defer func() { _ = conn.Close() }()
	return reached(ctx, conn, ln, at, addrs)
}

func busy(what string) error {
	return advice{fmt.Sprintf("Whether the port for %s is reached at its public address can be tried while no server uses it", what)}
}

// reached sends to a port of the addresses what should come in at conn, if there is one, and ln.
func reached(ctx context.Context, conn net.PacketConn, ln net.Listener, port uint16, addrs []netip.Addr) error {
	for _, addr := range addrs {
		at := netip.AddrPortFrom(addr.Unmap(), port).String()
		if conn != nil && !comesInUDP(ctx, conn, at) {
			return unreached("UDP", at)
		}
		if !comesInTCP(ctx, ln, at) {
			return unreached("TCP", at)
		}
	}
	return nil
}

func unreached(protocol, at string) error {
	return advice{fmt.Sprintf("From this machine, %s is not reached over %s: either the firewall keeps it out, which you should change, or the network does not bring back what it sends to itself, which does no harm; doctor --from on a machine elsewhere tells which", at, protocol)}
}

func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	return host
}

func comesInUDP(ctx context.Context, in net.PacketConn, at string) bool {
	out, err := dialUDP(ctx, at)
	if err != nil {
		return false
	}
	defer func() { _ = out.Close() }()
	token := make([]byte, 16)
	if _, err := rand.Read(token); err != nil {
		return false
	}
	b := make([]byte, 1500)
	_, err = ask(anyone{in}, func() error { _, err := out.Write(token); return err }, b, func(b []byte) bool {
		return string(b) == string(token)
	})
	return err == nil
}

// anyone is a socket that reads what anybody sends.
type anyone struct{ net.PacketConn }

func (a anyone) Read(b []byte) (int, error) { n, _, err := a.ReadFrom(b); return n, err }
func (a anyone) Write([]byte) (int, error)  { return 0, errors.ErrUnsupported }
func (a anyone) RemoteAddr() net.Addr       { return nil }

func comesInTCP(ctx context.Context, ln net.Listener, at string) bool {
	token := make([]byte, 16)
	if _, err := rand.Read(token); err != nil {
		return false
	}
	if l, ok := ln.(*net.TCPListener); ok {
		_ = l.SetDeadline(time.Now().Add(answerWithin * askTimes))
	}
	out, err := (&net.Dialer{Timeout: answerWithin * askTimes}).DialContext(ctx, "tcp", at)
	if err != nil {
		return false
	}
	defer func() { _ = out.Close() }()
	if _, err := out.Write(token); err != nil {
		return false
	}
	for {
		in, err := ln.Accept()
		if err != nil {
			return false
		}
		got := make([]byte, len(token))
		_ = in.SetReadDeadline(time.Now().Add(answerWithin))
		_, err = io.ReadFull(in, got)
		_ = in.Close()
		if err == nil && string(got) == string(token) {
			return true
		}
	}
}
