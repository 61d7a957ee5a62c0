package transport

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// refuseSegments makes the kernel refuse UDP_SEGMENT, as it does where a device cannot compute checksums.
func refuseSegments(t testing.TB, n *Network) {
	t.Helper()
	for _, s := range n.locals[0].sockets {
		must(t, s.raw.Control(func(fd uintptr) {
			must(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1))
		}))
	}
}

// plain makes a network send each packet with its own system call.
func plain(n *Network) {
	for _, s := range n.locals[0].sockets {
		s.raw = nil
	}
}

// cpuTime is what the process has used so far.
func cpuTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
