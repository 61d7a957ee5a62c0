package transport

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"golang.org/x/sys/unix"
)

// machineV4 is an address of the machine that is not loopback: Allow is not asked about loopback.
func machineV4(t *testing.T) netip.Addr {
	t.Helper()
	addrs, loopback, err := machineAddrs(nil)
	must(t, err)
	for _, a := range addrs {
		if a.Is4() && !loopback {
			return a
		}
	}
	t.Fatal("this test needs an IPv4 address besides loopback: give an interface one")
	return netip.Addr{}
}

// mappedSocket is a UDP socket of IPv6 that is bound to an IPv4 address, as ::ffff:a.b.c.d.
func mappedSocket(t *testing.T, addr netip.Addr) *net.UDPConn {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	must(t, err)
	file := os.NewFile(uintptr(fd), "attacker")
	defer func() { must(t, file.Close()) }()
	must(t, unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0))
	must(t, unix.Bind(fd, &unix.SockaddrInet6{Addr: addr.As16()}))
	conn, err := net.FilePacketConn(file)
	must(t, err)
	return conn.(*net.UDPConn)
}

func plainSocket(t *testing.T, addr netip.Addr) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	must(t, err)
	return conn
}

// A member with the right credentials, at an address that the policy refuses, gets not one byte; at one that it allows, an answer. An
// IPv4 address is one also where it comes in the clothes of IPv6.
func TestRefusedAddressesGetNothing(t *testing.T) {
	addr := machineV4(t)
	sockets := map[string]func(*testing.T, netip.Addr) *net.UDPConn{"IPv4": plainSocket, "IPv4-mapped IPv6": mappedSocket}
	for name, open := range sockets {
		for _, allowed := range []bool{false, true} {
			t.Run(map[bool]string{false: "refused ", true: "allowed "}[allowed]+name, func(t *testing.T) {
				asked := make(chan netip.Addr, 8)
				n := listen(t, func(c *Config) {
					c.DisableTCP = true
					c.Allow = func(a netip.Addr) bool {
						asked <- a
						return allowed && a == addr
					}
				})
				ufrag, pwd := n.NewConn(newEvents()).Credentials()
				conn := open(t, addr)
				defer func() { must(t, conn.Close()) }()
				must(t, conn.SetDeadline(time.Now().Add(patience)))
				check := signed(t, ufrag, pwd, attribute(stun.AttrUseCandidate)).Raw
				for range 2 { // when the second is read, the answer to the first has left
					_, err := conn.WriteToUDPAddrPort(check, addrPort("127.0.0.1", n.Port()))
					must(t, err)
					select {
					case a := <-asked:
						if a != addr {
							t.Errorf("the policy is asked about %v, not %v", a, addr)
						}
					case <-time.After(patience):
						t.Fatal("the policy is not asked")
					}
				}
				// What the attacker tells itself comes behind any answer.
				own := netip.AddrPortFrom(addr, addrOf(conn).Port())
				marker := []byte("nothing else came")
				_, err := conn.WriteToUDPAddrPort(marker, own)
				must(t, err)
				buf := make([]byte, 2048)
				size, err := conn.Read(buf)
				must(t, err)
				must(t, n.Close())
				s := n.Stats()
				if !allowed {
					if !bytes.Equal(buf[:size], marker) || s.PacketsSent != 0 || s.DroppedReceive != 2 {
						t.Errorf("answered %q; %+v", buf[:size], s)
					}
					return
				}
				m := stun.New()
				must(t, stun.Decode(buf[:size], m))
				var mapped stun.XORMappedAddress
				must(t, mapped.GetFrom(m))
				if mapped.String() != own.String() || len(mapped.IP) != net.IPv4len {
					t.Errorf("mapped to %v", mapped)
				}
			})
		}
	}
}

// The kernel may write an IPv4 address as IPv6.
func TestMappedSocketAddress(t *testing.T) {
	s := newSockaddr(netip.MustParseAddrPort("[::ffff:192.0.2.1]:258"))
	if got := s.addrPort(); got != netip.MustParseAddrPort("192.0.2.1:258") {
		t.Errorf("it became %v", got)
	}
}
