package sfu

import (
	"sync"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// RTCP packet types (RFC 3550 section 12.1, RFC 4585 section 6.1).
const (
	typeSenderReport   = 200
	typeReceiverReport = 201
	typeTransport      = 205 // feedback: NACK is format 1, transport-wide congestion control 15
	typePayload        = 206 // feedback: PLI is format 1, FIR 4, REMB 15
)

// eachRTCP goes through a compound packet and stops at what does not fit. Each call has the type, the format or count, and
// the whole packet.
func eachRTCP(raw []byte, f func(kind, format uint8, one []byte)) {
	for len(raw) >= 4 {
		size := (int(raw[2])<<8 | int(raw[3]) + 1) * 4
		if raw[0]>>6 != 2 || size > len(raw) {
			return
		}
		f(raw[1], raw[0]&0x1f, raw[:size])
		raw = raw[size:]
	}
}

// control sends single RTCP packets from any goroutine. It is the last lock that is taken.
type control struct {
	mu    sync.Mutex
	batch *transport.Batch
}

func (c *control) send(to sender, raw []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.SendRTCP(c.batch, raw) {
		c.batch.Flush()
	}
}
