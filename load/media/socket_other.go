//go:build !linux

package media

import (
	"net"
	"net/netip"
	"time"
)

const (
	mtu        = 1500
	readBuffer = 1 << 20
)

// socket receives one packet at a time; how late this process gets to read counts as latency here.
type socket struct {
	udp  *net.UDPConn
	addr netip.AddrPort
	buf  [mtu]byte
	n    int // packets of the last read
	size int
	at   int64
}

func listenSocket(host netip.Addr) (*socket, error) {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: host.AsSlice()})
	if err != nil {
		return nil, err
	}
	_ = udp.SetReadBuffer(readBuffer)                                              // a wish: the kernel caps it
	return &socket{udp: udp, addr: udp.LocalAddr().(*net.UDPAddr).AddrPort()}, nil //nolint:forcetypeassert // it listens on UDP
}

// read waits for a packet; it is valid until the next call.
func (s *socket) read() error {
	n, _, err := s.udp.ReadFromUDPAddrPort(s.buf[:])
	s.n, s.size, s.at = 1, n, time.Now().UnixNano()
	return err
}

// packet returns the packet of the last read and when it was read, in ns since 1970.
func (s *socket) packet(int) ([]byte, int64) { return s.buf[:s.size], s.at }

func (s *socket) write(b []byte, to netip.AddrPort) { _, _ = s.udp.WriteToUDPAddrPort(b, to) }

func (s *socket) close() error { return s.udp.Close() }
