package sfu

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/transport/v4"
)

// jitterNet delays each packet that is sent by a time of its own, and so reorders them. (The jitter of vnet sleeps with a lock held,
// which stops the clock of a synctest bubble.)
type jitterNet struct {
	transport.Net
	most time.Duration
}

func (n jitterNet) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return jitterPackets{PacketConn: c, most: n.most}, nil
}

func (n jitterNet) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	return jitterUDP{UDPConn: c, most: n.most}, nil
}

type jitterPackets struct {
	net.PacketConn
	most time.Duration
}

func (c jitterPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	return later(c.PacketConn, c.most, b, to)
}

type jitterUDP struct {
	transport.UDPConn
	most time.Duration
}

func (c jitterUDP) WriteTo(b []byte, to net.Addr) (int, error) {
	return later(c.UDPConn, c.most, b, to)
}

func later(c net.PacketConn, most time.Duration, b []byte, to net.Addr) (int, error) {
	b = append([]byte(nil), b...)
	time.AfterFunc(rand.N(most), func() { _, _ = c.WriteTo(b, to) })
	return len(b), nil
}

// narrow is a network whose link to each address has a rate and a queue of 300 ms; what does not fit is lost.
type narrow struct {
	mu   sync.Mutex
	rate int // bit/s
	free map[string]time.Time
}

const narrowQueue = 300 * time.Millisecond

func (n *narrow) set(rate int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rate = rate
}

// admit returns how long a packet takes, or false if it is lost.
func (n *narrow) admit(size int, to net.Addr) (time.Duration, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	free := n.free[to.String()]
	if free.Before(now) {
		free = now
	}
	if free.Sub(now) > narrowQueue {
		return 0, false
	}
	free = free.Add(time.Duration(float64(size+28) * 8 / float64(n.rate) * float64(time.Second)))
	n.free[to.String()] = free
	return free.Sub(now), true
}

type narrowNet struct {
	transport.Net
	link *narrow
}

func (n narrowNet) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	return narrowUDP{UDPConn: c, link: n.link}, nil
}

func (n narrowNet) ListenPacket(network, address string) (net.PacketConn, error) {
	c, err := n.Net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	return narrowPackets{PacketConn: c, link: n.link}, nil
}

type narrowUDP struct {
	transport.UDPConn
	link *narrow
}

func (c narrowUDP) WriteTo(b []byte, to net.Addr) (int, error) { return c.link.write(c.UDPConn, b, to) }

type narrowPackets struct {
	net.PacketConn
	link *narrow
}

func (c narrowPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	return c.link.write(c.PacketConn, b, to)
}

func (n *narrow) write(c net.PacketConn, b []byte, to net.Addr) (int, error) {
	wait, ok := n.admit(len(b), to)
	if !ok {
		return len(b), nil
	}
	b = append([]byte(nil), b...)
	time.AfterFunc(wait, func() { _, _ = c.WriteTo(b, to) })
	return len(b), nil
}
