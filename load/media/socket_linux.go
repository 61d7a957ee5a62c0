package media

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize  = 16
	mtu        = 1500
	readBuffer = 1 << 20
	cmsgSpace  = 32 // a cmsghdr and a timespec, on 64 bits
)

// socket receives in batches, with the kernel's time of arrival: how late this process gets to read does not count as latency.
type socket struct {
	udp  *net.UDPConn
	raw  syscall.RawConn
	addr netip.AddrPort
	hdrs [batchSize]mmsghdr
	iovs [batchSize]unix.Iovec
	ctrl [batchSize][cmsgSpace]byte
	bufs [batchSize][mtu]byte
	n    int
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

func listenSocket(host netip.Addr) (*socket, error) {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: host.AsSlice()})
	if err != nil {
		return nil, err
	}
	// The size is a wish: the kernel caps it.
	_ = udp.SetReadBuffer(readBuffer)
	s := &socket{udp: udp, addr: udp.LocalAddr().(*net.UDPAddr).AddrPort()} //nolint:forcetypeassert // it listens on UDP
	if s.raw, err = udp.SyscallConn(); err != nil {
		return nil, err
	}
	var option error
	err = s.raw.Control(func(fd uintptr) {
		option = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err == nil {
		err = option
	}
	for i := range s.hdrs {
		s.iovs[i].Base = &s.bufs[i][0]
		s.iovs[i].SetLen(mtu)
		s.hdrs[i].hdr.Iov = &s.iovs[i]
		s.hdrs[i].hdr.SetIovlen(1)
		s.hdrs[i].hdr.Control = &s.ctrl[i][0]
	}
	return s, err
}

// read waits for packets; they are valid until the next call.
func (s *socket) read() error {
	var failed error
	err := s.raw.Read(func(fd uintptr) bool {
		for i := range s.hdrs {
			s.hdrs[i].hdr.SetControllen(cmsgSpace)
		}
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&s.hdrs[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			s.n = int(n) //nolint:gosec // at most batchSize
		case unix.EAGAIN, unix.EINTR, unix.ECONNREFUSED:
			return false
		default:
			failed = errno
		}
		return true
	})
	if err != nil {
		return err
	}
	return failed
}

// packet returns the i-th packet of the last read and when it arrived, in ns since 1970.
func (s *socket) packet(i int) ([]byte, int64) {
	at := time.Now().UnixNano()
	if c := s.ctrl[i][:]; s.hdrs[i].hdr.Controllen >= cmsgSpace {
		at = int64(binary.NativeEndian.Uint64(c[16:]))*int64(time.Second) + int64(binary.NativeEndian.Uint64(c[24:])) //nolint:gosec // a time
	}
	return s.bufs[i][:s.hdrs[i].len], at
}

func (s *socket) write(b []byte, to netip.AddrPort) { _, _ = s.udp.WriteToUDPAddrPort(b, to) }

func (s *socket) close() error { return s.udp.Close() }
