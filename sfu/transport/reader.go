package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

const (
	maxDatagram  = 2048 // bytes; longer ones are cut off, and then not authentic
	readErrorLag = 10 * time.Millisecond
)

// reader handles what comes from one socket. It belongs to the goroutine that reads.
type reader struct {
	net               *Network
	batch             *Batch
	request, response *stun.Message
	packets, bytes    uint64 // received since the batch was flushed
	dropped           uint64
}

func (n *Network) newReader(socket int) *reader {
	return &reader{net: n, batch: newBatch(n, socket), request: stun.New(), response: stun.New()}
}

// read is the goroutine of one socket. quit is closed when that is.
func (n *Network) read(l *local, s *socket, index int, quit <-chan struct{}) {
	r := n.newReader(index)
	in := s.newReceiver()
	for {
		count, err := in.receive()
		if err != nil {
			if ended(err, quit) {
				return
			}
			continue
		}
		now := time.Now()
		r.batch.began = now
		for i := range count {
			raw, remote := in.packet(i)
			r.handle(raw, source{local: l, remote: remote}, in.arrival(i, now))
		}
		r.flush()
	}
}

// ended reports whether a socket has been closed. After other errors, which concern single packets, it waits a little.
func ended(err error, quit <-chan struct{}) bool {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
		return true
	}
	wait := time.NewTimer(readErrorLag)
	defer wait.Stop()
	select {
	case <-quit:
		return true
	case <-wait.C:
		return false
	}
}

// handle handles one packet, and may overwrite it. RFC 7983 says what is what.
func (r *reader) handle(raw []byte, from source, arrival time.Time) {
	r.packets++
	r.bytes += uint64(len(raw))
	if !r.dispatch(raw, from, arrival) {
		r.dropped++
	}
}

func (r *reader) dispatch(raw []byte, from source, arrival time.Time) bool {
	if len(raw) < 2 || len(raw) > maxDatagram {
		return false
	}
	first := raw[0]
	if first < 4 && from.local != nil && from.local.caller != nil {
		return r.answered(raw, from, arrival)
	}
	if first < 4 {
		return r.net.answers(from.remote.Addr()) && r.check(raw, from, arrival)
	}
	p := from.path()
	switch {
	case p == nil:
		return false
	case first >= 20 && first < 64:
		return p.conn.pipe.push(raw)
	case first >= 128 && first < 192:
		return p.conn.receive(r.batch, p, raw, arrival)
	}
	return false
}

// isRTCP tells RTCP from RTP (RFC 5761 section 4).
func isRTCP(raw []byte) bool { return raw[1] >= 192 && raw[1] < 224 }

// flush sends what the handlers sent.
func (r *reader) flush() {
	c := &r.net.counters
	c.packetsReceived.Add(r.packets)
	c.bytesReceived.Add(r.bytes)
	if r.dropped != 0 {
		c.droppedReceive.Add(r.dropped)
	}
	r.packets, r.bytes, r.dropped = 0, 0, 0
	r.batch.Flush()
}

// plainReceiver reads one datagram at a time.
type plainReceiver struct {
	conn net.PacketConn
	buf  [maxDatagram]byte
	n    int
	from netip.AddrPort
}

func (p *plainReceiver) receive() (int, error) {
	n, from, err := p.conn.ReadFrom(p.buf[:])
	if err != nil {
		return 0, err
	}
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return 0, nil
	}
	addr := u.AddrPort()
	p.n, p.from = n, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	return 1, nil
}

func (p *plainReceiver) packet(int) ([]byte, netip.AddrPort) { return p.buf[:p.n], p.from }

func (p *plainReceiver) arrival(_ int, now time.Time) time.Time { return now }
