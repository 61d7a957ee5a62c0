package transport

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stampControl is the control message in which the kernel says when a datagram arrived: struct __kernel_timespec of CLOCK_REALTIME, with
// 64 bits on every machine (SO_TIMESTAMPNS_NEW, Linux 5.1).
type stampControl struct {
	header               unix.Cmsghdr
	seconds, nanoseconds int64
}

const stampSpace = int(unsafe.Sizeof(stampControl{})) // CMSG_SPACE(sizeof(struct __kernel_timespec))

// stamp asks the kernel to say when datagrams arrive. It reports false if the kernel does not.
func (s *socket) stamp() bool {
	var failed error
	err := s.raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	})
	return err == nil && failed == nil
}

// read is the stamp in nanoseconds since 1970, if size bytes of control messages hold one.
func (c *stampControl) read(size uint64) (int64, bool) {
	h := &c.header
	if size < uint64(stampSpace) || h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS_NEW {
		return 0, false
	}
	return c.seconds*int64(time.Second) + c.nanoseconds, true
}
