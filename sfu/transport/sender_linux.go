package transport

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const segmentSpace = 24 // CMSG_SPACE(sizeof(uint16))

// sender is the memory of sendmmsg. It is made when a batch has more than one packet for the first time.
type sender struct {
	*sending
}

type sending struct {
	call     func(fd uintptr) bool // sendmmsg
	attempt  func(fd uintptr)      // control
	messages [sendBatch]message
	controls [sendBatch]segmentControl
	paths    [sendBatch]*path
	iovecs   [maxPackets]unix.Iovec
	count    int // messages
	vectors  int // iovecs
	next     int // the first message that was not sent
	wait     bool
	failed   syscall.Errno
}

// segmentControl is a control message that says UDP_SEGMENT.
type segmentControl struct {
	header unix.Cmsghdr
	size   uint16
	_      [6]byte
}

// sendUDP sends the packets for one local address. Runs of packets of the same size, of which the last may be shorter, go as one
// message that the kernel cuts into segments; and all messages go with one system call.
func (b *Batch) sendUDP(l *local) {
	s := l.sockets[b.socket%len(l.sockets)]
	if s.raw == nil || len(b.packets) == 1 {
		for i := range b.groups {
			if g := &b.groups[i]; g.path.local == l {
				b.sendPlain(s, g)
			}
		}
		return
	}
	if b.sender.sending == nil {
		b.sender.sending = newSending()
	}
	for i := range b.groups {
		if g := &b.groups[i]; g.path.local == l {
			b.gather(s, l, g)
		}
	}
	b.sendMessages(s, l)
}

func newSending() *sending {
	s := new(sending)
	s.call, s.attempt = s.sendmmsg, s.control
	for i := range s.controls {
		c := &s.controls[i].header
		c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
	}
	return s
}

// gather makes messages of a group.
func (b *Batch) gather(s *socket, l *local, g *group) {
	out := b.sender.sending
	segments := l.segments.Load() && !g.path.whole.Load()
	for i := g.first; i >= 0; {
		if out.count == sendBatch {
			b.sendMessages(s, l)
		}
		first := len(b.packets[i].raw)
		begin, total := out.vectors, 0
		for {
			raw := b.packets[i].raw
			out.iovecs[out.vectors].Base = unsafe.SliceData(raw)
			out.iovecs[out.vectors].SetLen(len(raw))
			out.vectors++
			total += len(raw)
			i = b.packets[i].next
			if i < 0 || !segments || len(raw) < first || first > maxSegmentSize || out.vectors-begin == maxSegments {
				break
			}
			if size := len(b.packets[i].raw); size > first || total+size > maxMessage {
				break
			}
		}
		out.add(g.path, begin, first)
	}
}

// add makes a message of the iovecs from begin on.
func (s *sending) add(p *path, begin, segment int) {
	m := &s.messages[s.count]
	m.header = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&p.sockaddr.raw)), Namelen: p.sockaddr.size} //nolint:gosec // for the kernel
	m.header.Iov = &s.iovecs[begin]
	m.header.SetIovlen(s.vectors - begin)
	if s.vectors-begin > 1 {
		c := &s.controls[s.count]
		c.size = uint16(segment) //nolint:gosec // at most maxSegmentSize
		m.header.Control = (*byte)(unsafe.Pointer(c))
		m.header.SetControllen(segmentSpace)
	}
	s.paths[s.count] = p
	s.count++
}

// sendMessages sends all messages; those that the kernel refuses are sent in pieces, or dropped.
func (b *Batch) sendMessages(s *socket, l *local) {
	out := b.sender.sending
	for out.next = 0; out.next < out.count; {
		from := out.next
		err := out.write(s.raw)
		b.sent.calls++
		for i := from; i < out.next; i++ {
			b.sent.packets += uint64(out.messages[i].header.Iovlen)
			b.sent.bytes += uint64(out.messages[i].size)
		}
		if err != nil { // the socket is closed
			b.sent.dropped += uint64(out.count - out.next) //nolint:gosec // positive
			break
		}
		if out.failed != 0 {
			b.refused(s, l, out.next, out.failed)
			out.next++
		}
	}
	clear(out.paths[:out.count])
	clear(out.messages[:out.count])
	out.count, out.vectors = 0, 0
}

// refused deals with a message that the kernel did not take. EIO says that the device cannot compute checksums, so segments never work
// here; EINVAL and EMSGSIZE that a segment does not fit the path.
func (b *Batch) refused(s *socket, l *local, i int, why syscall.Errno) {
	out := b.sender.sending
	h := &out.messages[i].header
	if h.Iovlen == 1 {
		b.sent.dropped++
		return
	}
	switch why {
	case unix.EIO:
		l.segments.Store(false)
	case unix.EINVAL, unix.EMSGSIZE:
		out.paths[i].whole.Store(true)
	}
	for _, v := range unsafe.Slice(h.Iov, h.Iovlen) {
		b.sendOne(s, unsafe.Slice(v.Base, v.Len), out.paths[i])
	}
}

// write sends messages from next on. Without a wait it does not exclude other goroutines from the socket.
func (s *sending) write(raw syscall.RawConn) error {
	s.wait, s.failed = false, 0
	if err := raw.Control(s.attempt); err != nil || !s.wait {
		return err
	}
	return raw.Write(s.call)
}

func (s *sending) control(fd uintptr) { s.wait = !s.call(fd) }

// sendmmsg reports false if the socket's buffer is full.
func (s *sending) sendmmsg(fd uintptr) bool {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.messages[s.next])), //nolint:gosec // for the kernel
		uintptr(s.count-s.next), 0, 0, 0)
	switch errno {
	case 0:
		s.next += int(n)
	case unix.EAGAIN:
		return false
	case unix.EINTR:
	default:
		s.failed = errno
	}
	return true
}
