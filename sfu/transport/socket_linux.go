package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	receiveBatch   = 32
	sendBatch      = 128  // messages in one system call
	maxSegments    = 64   // UDP_MAX_SEGMENTS of the kernel
	maxSegmentSize = 1400 // bytes: a segment must fit into one IP packet
	maxMessage     = 64000
)

// socket is one UDP socket. raw is nil on an injected network.
type socket struct {
	conn    net.PacketConn
	raw     syscall.RawConn
	stamped bool // the kernel says when datagrams arrived
}

// listenUDP opens sockets that share an address. SO_REUSEPORT would let a second server steal half of the packets: the address must be
// free without that option first.
func listenUDP(addr netip.AddrPort, count int) ([]*net.UDPConn, error) {
	first, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil || count == 1 {
		return []*net.UDPConn{first}, err
	}
	addr = netip.AddrPortFrom(addr.Addr(), portOf(first.LocalAddr()))
	if err = first.Close(); err != nil {
		return nil, err
	}
	share := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
		return errors.Join(err, failed)
	}}
	var conns []*net.UDPConn
	for range count {
		c, err := share.ListenPacket(context.Background(), "udp", addr.String())
		if err != nil {
			for _, c := range conns {
				err = errors.Join(err, c.Close())
			}
			return nil, err
		}
		conns = append(conns, c.(*net.UDPConn)) //nolint:forcetypeassert // it is UDP
	}
	return conns, nil
}

func newSocket(c *net.UDPConn) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{conn: c, raw: raw}
	s.stamped = s.stamp()
	return s, nil
}

// canSegment asks the kernel whether it knows UDP_SEGMENT (Linux 4.18).
func (s *socket) canSegment() bool {
	var failed error
	err := s.raw.Control(func(fd uintptr) {
		_, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	})
	return err == nil && failed == nil
}

func (s *socket) writeOne(raw []byte, p *path) error {
	if u, ok := s.conn.(*net.UDPConn); ok {
		_, err := u.WriteToUDPAddrPort(raw, p.remote)
		return err
	}
	_, err := s.conn.WriteTo(raw, p.addr)
	return err
}

// sockaddr is an address as the kernel wants it.
type sockaddr struct {
	raw  unix.RawSockaddrInet6 // or an Inet4 at its beginning
	size uint32
}

func newSockaddr(a netip.AddrPort) sockaddr {
	var s sockaddr
	var port [2]byte
	binary.BigEndian.PutUint16(port[:], a.Port())
	if a.Addr().Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw)) //nolint:gosec // the smaller one
		v4.Family, v4.Addr = unix.AF_INET, a.Addr().As4()
		v4.Port = binary.NativeEndian.Uint16(port[:])
		s.size = unix.SizeofSockaddrInet4
		return s
	}
	s.raw.Family, s.raw.Addr = unix.AF_INET6, a.Addr().As16()
	s.raw.Port = binary.NativeEndian.Uint16(port[:])
	s.size = unix.SizeofSockaddrInet6
	return s
}

func (s *sockaddr) addrPort() netip.AddrPort {
	var port [2]byte
	if s.raw.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw)) //nolint:gosec // the family says so
		binary.NativeEndian.PutUint16(port[:], v4.Port)
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), binary.BigEndian.Uint16(port[:]))
	}
	binary.NativeEndian.PutUint16(port[:], s.raw.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(s.raw.Addr).Unmap(), binary.BigEndian.Uint16(port[:]))
}

// message is struct mmsghdr.
type message struct {
	header unix.Msghdr
	size   uint32
}

// receiver reads datagrams with one system call.
type receiver interface {
	// receive waits for datagrams and returns their number.
	receive() (int, error)
	// packet is one of them, valid until the next receive.
	packet(i int) ([]byte, netip.AddrPort)
	// arrival is when it arrived, if receive returned at now. It is asked for each packet in turn.
	arrival(i int, now time.Time) time.Time
}

func (s *socket) newReceiver() receiver {
	if s.raw == nil {
		return &plainReceiver{conn: s.conn}
	}
	b := &batchReceiver{raw: s.raw, stamped: s.stamped}
	b.call = b.recvmmsg
	for i := range b.messages {
		b.iovecs[i].Base = &b.buffers[i][0]
		b.iovecs[i].SetLen(maxDatagram)
		h := &b.messages[i].header
		h.Iov = &b.iovecs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&b.from[i].raw)) //nolint:gosec // for the kernel
		if b.stamped {
			h.Control = (*byte)(unsafe.Pointer(&b.controls[i])) //nolint:gosec // for the kernel
		}
	}
	return b
}

type batchReceiver struct {
	raw      syscall.RawConn
	call     func(fd uintptr) bool
	count    int
	failed   error
	stamped  bool
	arrivals arrivals
	messages [receiveBatch]message
	controls [receiveBatch]stampControl
	iovecs   [receiveBatch]unix.Iovec
	from     [receiveBatch]sockaddr
	buffers  [receiveBatch][maxDatagram]byte
}

func (b *batchReceiver) receive() (int, error) {
	for i := range b.messages {
		h := &b.messages[i].header
		h.Namelen = unix.SizeofSockaddrInet6
		if b.stamped {
			h.SetControllen(stampSpace)
		}
	}
	b.count, b.failed = 0, nil
	if err := b.raw.Read(b.call); err != nil {
		return 0, err
	}
	return b.count, b.failed
}

func (b *batchReceiver) recvmmsg(fd uintptr) bool {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.messages[0])), receiveBatch, 0, 0, 0) //nolint:gosec
	switch errno {
	case 0:
		b.count = int(n)
	case unix.EAGAIN:
		return false
	case unix.EINTR:
	default:
		b.failed = errno
	}
	return true
}

func (b *batchReceiver) packet(i int) ([]byte, netip.AddrPort) {
	return b.buffers[i][:min(b.messages[i].size, maxDatagram)], b.from[i].addrPort()
}

func (b *batchReceiver) arrival(i int, now time.Time) time.Time {
	if stamp, ok := b.controls[i].read(uint64(b.messages[i].header.Controllen)); ok {
		return b.arrivals.at(now, stamp)
	}
	return now
}
