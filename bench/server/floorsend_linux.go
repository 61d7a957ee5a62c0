package server

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	floorSlots    = 1280               // bytes for a packet
	floorCapacity = 2 * floorBatchSize // packets
	segmentCmsg   = 24                 // a cmsghdr and a uint16, aligned
)

// floorBatch is packets that were encrypted and are to be sent, those to one subscriber next to each other.
type floorBatch struct {
	fd   int
	n    int
	slab []byte
	size [floorCapacity]int
	at   [floorCapacity]int // in slab
	to   [floorCapacity]*unix.RawSockaddrInet4
	hdrs [floorBatchSize]floorMsg
	iovs [floorBatchSize]unix.Iovec
	cmsg [segmentCmsg]byte
}

// floorMsg is struct mmsghdr of sendmmsg(2).
type floorMsg struct {
	hdr unix.Msghdr
	_   uint32
	_   [4]byte
}

func newFloorBatch(fd int) *floorBatch {
	b := &floorBatch{fd: fd, slab: make([]byte, floorCapacity*floorSlots)}
	for i := range b.hdrs {
		b.hdrs[i].hdr.Iov = &b.iovs[i]
		b.hdrs[i].hdr.SetIovlen(1)
		b.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet4
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(&b.cmsg[0]))
	c.Level, c.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	c.SetLen(unix.CmsgLen(2))
	return b
}

// full reports whether as many packets again may not fit.
func (b *floorBatch) full(more int) bool { return b.n+more > floorCapacity || b.n >= floorBatchSize }

// add encrypts a packet behind the last one: a run of them is one piece of memory, as UDP_SEGMENT wants it.
func (b *floorBatch) add(s *floorSub, packet []byte) {
	at := 0
	if b.n > 0 {
		at = b.at[b.n-1] + b.size[b.n-1]
	}
	out, err := s.ctx.EncryptRTP(b.slab[at:at:len(b.slab)], packet, nil)
	if err != nil || b.n == floorCapacity {
		return
	}
	b.at[b.n], b.size[b.n], b.to[b.n] = at, len(out), &s.to
	b.n++
}

// sendto makes a system call for each packet. A packet that cannot be sent is a lost one, here and below.
func (b *floorBatch) sendto() {
	for i := range b.n {
		_, _, _ = unix.Syscall6(unix.SYS_SENDTO, uintptr(b.fd), uintptr(unsafe.Pointer(&b.slab[b.at[i]])), uintptr(b.size[i]), 0,
			uintptr(unsafe.Pointer(b.to[i])), unix.SizeofSockaddrInet4)
	}
}

// sendmmsg makes a system call for each floorBatchSize packets.
func (b *floorBatch) sendmmsg() { b.mmsg(0, b.n) }

func (b *floorBatch) mmsg(from, to int) {
	for from < to {
		n := min(to-from, floorBatchSize)
		for i := range n {
			b.message(i, from+i, b.size[from+i])
		}
		_, _, _ = unix.Syscall6(unix.SYS_SENDMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.hdrs[0])), uintptr(n), 0, 0, 0)
		from += n
	}
}

// message makes slot i send size bytes from the packet on.
func (b *floorBatch) message(i, packet, size int) {
	b.iovs[i].Base = &b.slab[b.at[packet]]
	b.iovs[i].SetLen(size)
	h := &b.hdrs[i].hdr
	h.Name = (*byte)(unsafe.Pointer(b.to[packet]))
	h.Control = nil
	h.SetControllen(0)
}

// gso makes a system call for each run of packets of equal size, of which the last may be shorter, to one subscriber; packets alone
// go together.
func (b *floorBatch) gso() {
	alone := 0 // first of the packets alone that were not sent yet
	for i := 0; i < b.n; {
		n, bytes := b.segments(i)
		if n > 1 {
			b.mmsg(alone, i)
			b.segment(i, bytes)
			alone = i + n
		}
		i += n
	}
	b.mmsg(alone, b.n)
}

// segments is how many packets from i on make a run, and of how many bytes.
func (b *floorBatch) segments(i int) (n, bytes int) {
	for k := i; k < b.n && b.to[k] == b.to[i] && b.size[k] <= b.size[i]; k++ {
		n++
		bytes += b.size[k]
		if b.size[k] < b.size[i] {
			break
		}
	}
	return n, bytes
}

func (b *floorBatch) segment(i, bytes int) {
	b.message(0, i, bytes)
	binary.NativeEndian.PutUint16(b.cmsg[unix.CmsgLen(0):], uint16(b.size[i])) //nolint:gosec // below floorSlots
	h := &b.hdrs[0].hdr
	h.Control = &b.cmsg[0]
	h.SetControllen(segmentCmsg)
	_, _, _ = unix.Syscall(unix.SYS_SENDMSG, uintptr(b.fd), uintptr(unsafe.Pointer(h)), 0)
}
