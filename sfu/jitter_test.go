package sfu

import (
	"math/rand/v2"
	"net"
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
