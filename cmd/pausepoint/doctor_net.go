package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/pion/stun/v4"
)

// How long an answer over the network is waited for, and how often it is asked for: a datagram may be lost.
const (
	answerWithin = time.Second
	askTimes     = 3
)

// clockTolerance is how wrong a clock may be.
const clockTolerance = 5 * time.Second

// checkClock compares the clock with a time server's, if there is one; otherwise it asks the system whether something keeps it right.
func checkClock(ctx context.Context, server string, kept func() (bool, error)) error {
	if server == "" {
		if ok, err := kept(); err != nil {
			return advice{"Whether something keeps the clock right is not known here: compare it with --time-server pool.ntp.org"}
		} else if !ok {
			return advice{"Nothing keeps this machine's clock right: start a time service (on Debian: apt install systemd-timesyncd), or compare it with --time-server pool.ntp.org"}
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, "123")
	}
	off, err := clockOffset(ctx, server)
	if err != nil {
		return advice{fmt.Sprintf("The time server %s does not answer, so the clock could not be compared: %v", server, err)}
	}
	if off.Abs() > clockTolerance {
		return fmt.Errorf("this machine's clock is wrong by %s: set it, and start a time service (on Debian: apt install systemd-timesyncd)", off.Abs().Round(time.Second))
	}
	return nil
}

// clockOffset is how far the server's clock is ahead of this one (SNTP, RFC 5905 section 14).
func clockOffset(ctx context.Context, server string) (time.Duration, error) {
	conn, err := dialUDP(ctx, server)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	request := make([]byte, 48)
	request[0] = 4<<3 | 3 // version 4, client
	if _, err := rand.Read(request[40:]); err != nil {
		return 0, err
	}
	var sent time.Time
	answer := make([]byte, 512)
	n, err := ask(conn, func() error { sent = time.Now(); _, err := conn.Write(request); return err }, answer, func(b []byte) bool {
		return len(b) >= 48 && b[0]&7 == 4 && b[1] != 0 && string(b[24:32]) == string(request[40:])
	})
	if err != nil {
		return 0, err
	}
	received := time.Now()
	t2, t3 := ntpTime(answer[:n][32:]), ntpTime(answer[:n][40:])
	return (t2.Sub(sent) + t3.Sub(received)) / 2, nil
}

// ntpTime reads a timestamp of era 0: seconds since 1900 and a fraction.
func ntpTime(b []byte) time.Time {
	const since1900 = 2_208_988_800
	seconds, fraction := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return time.Unix(int64(seconds)-since1900, int64(uint64(fraction)*uint64(time.Second)>>32)) //nolint:gosec // below a second
}

func dialUDP(ctx context.Context, addr string) (net.Conn, error) {
	return (&net.Dialer{Timeout: answerWithin * askTimes}).DialContext(ctx, "udp", addr)
}

// ask sends until something good comes back.
func ask(conn net.Conn, send func() error, answer []byte, good func([]byte) bool) (n int, err error) {
	for range askTimes {
		if err = send(); err != nil {
			return 0, err
		}
		_ = conn.SetReadDeadline(time.Now().Add(answerWithin))
		for {
			if n, err = conn.Read(answer); err != nil {
				break
			}
			if good(answer[:n]) {
				return n, nil
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			return 0, err
		}
	}
	return 0, err
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// checkSeen asks a STUN server (RFC 8489) as which address the media port is seen, and whether browsers will be told that one.
func checkSeen(ctx context.Context, d doctorFlags) error {
	conn, err := net.ListenPacket("udp4", d.MediaAddr)
	if err != nil {
		return advice{"As what the media port is seen from outside can be asked while no server uses it"}
	}
	defer func() { _ = conn.Close() }()
	seen, err := seenAs(ctx, conn, d.STUNServer)
	if err != nil {
		return fmt.Errorf("the STUN server %s does not answer the media port: let UDP out in the firewall, or name another server with --stun-server (or %s): %w", d.STUNServer, envName("stun-server"), err)
	}
	told, err := d.publicAddrs()
	if err != nil {
		return err
	}
	if len(told) == 0 {
		for _, text := range machineAddrs() {
			told = append(told, netip.MustParseAddr(text))
		}
		told = append(told, netip.MustParseAddr("127.0.0.1"))
	}
	if !slices.Contains(told, seen.Addr()) {
		return fmt.Errorf("this machine is seen from outside as %s, and browsers are not told so: start with --public-ip %s (or %s)", seen.Addr(), seen.Addr(), envName("public-ip"))
	}
	own, ok := conn.LocalAddr().(*net.UDPAddr)
	if ok && int(seen.Port()) != own.Port {
		return fmt.Errorf("the network gives the media port %d another number outside, %d: forward %d to this machine under the same number, UDP and TCP", own.Port, seen.Port(), own.Port)
	}
	return nil
}

func seenAs(ctx context.Context, conn net.PacketConn, server string) (netip.AddrPort, error) {
	to, err := resolveUDP(ctx, server)
	if err != nil {
		return netip.AddrPort{}, err
	}
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}, err
	}
	var seen stun.XORMappedAddress
	b := make([]byte, 1500)
	_, err = ask(packets{conn, to}, func() error { _, err := conn.WriteTo(request.Raw, to); return err }, b, func(b []byte) bool {
		m := &stun.Message{Raw: slices.Clone(b)}
		return m.Decode() == nil && m.TransactionID == request.TransactionID && m.Type == stun.BindingSuccess && seen.GetFrom(m) == nil
	})
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, _ := netip.AddrFromSlice(seen.IP)
	return netip.AddrPortFrom(addr.Unmap(), uint16(seen.Port)), nil //nolint:gosec // 16 bits on the wire
}

func resolveUDP(ctx context.Context, server string) (*net.UDPAddr, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = server, "3478"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("the port %q is no number", port)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(ips) == 0 {
		return nil, fmt.Errorf("the name %s has no address: %w", host, err)
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ips[0].Unmap(), uint16(n))), nil
}

// packets is a socket that reads what one remote address sends.
type packets struct {
	net.PacketConn

	from *net.UDPAddr
}

func (p packets) Read(b []byte) (int, error) {
	for {
		n, addr, err := p.ReadFrom(b)
		if from, ok := addr.(*net.UDPAddr); err != nil || ok && from.AddrPort() == p.from.AddrPort() {
			return n, err
		}
	}
}

func (p packets) Write(b []byte) (int, error) { return p.WriteTo(b, p.from) }
func (p packets) RemoteAddr() net.Addr        { return p.from }
