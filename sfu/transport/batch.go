package transport

import "time"

const (
	chunkSize  = 32 << 10 // bytes
	maxChunks  = 24       // of one batch
	maxPackets = 768      // in one batch
)

// Batch gathers packets, and sends them with few system calls. It belongs to one goroutine at a time.
type Batch struct {
	net     *Network
	socket  int // which of a local's sockets it sends on
	chunks  [][]byte
	chunk   int // that is being filled
	packets []packet
	groups  []group
	index   map[*path]int32 // into groups
	sender  sender
	sent    sent
	began   time.Time // when a reader began to fill it; zero for other goroutines
}

// packet is an encrypted packet in a chunk.
type packet struct {
	raw  []byte
	next int32 // of the same group; -1 ends it
}

// group is the packets of one path, in order.
type group struct {
	path        *path
	first, last int32
	count       int32
}

// sent counts during a Flush.
type sent struct{ packets, bytes, calls, dropped uint64 }

func newBatch(n *Network, socket int) *Batch {
	return &Batch{net: n, socket: socket, index: make(map[*path]int32)}
}

// Now is the time of sending for what goes into the batch, to the accuracy of one batch: in a Handler, when the reader read what is
// being handled, which may be long after it arrived. It costs no look at the clock there.
func (b *Batch) Now() time.Time {
	if b.began.IsZero() {
		return time.Now()
	}
	return b.began
}

// room is an empty slice for a packet of up to size bytes, which must not exceed maxDatagram. It sends what the batch holds if the
// batch is full.
func (b *Batch) room(size int) []byte {
	if len(b.packets) >= maxPackets {
		b.Flush()
	}
	for {
		if b.chunk == len(b.chunks) {
			b.chunks = append(b.chunks, make([]byte, 0, chunkSize))
		}
		chunk := b.chunks[b.chunk]
		if used := len(chunk); used+size <= chunkSize {
			return chunk[used : used : used+size]
		}
		if b.chunk++; b.chunk == maxChunks {
			b.Flush()
		}
	}
}

// commit has the packet in the newest room sent.
func (b *Batch) commit(p *path, raw []byte) {
	chunk := b.chunks[b.chunk]
	b.chunks[b.chunk] = chunk[:len(chunk)+len(raw)]
	at := int32(len(b.packets)) //nolint:gosec // below maxPackets
	b.packets = append(b.packets, packet{raw: raw, next: -1})
	i, ok := b.index[p]
	if !ok {
		b.index[p] = int32(len(b.groups)) //nolint:gosec // below maxPackets
		b.groups = append(b.groups, group{path: p, first: at, last: at, count: 1})
		return
	}
	g := &b.groups[i]
	b.packets[g.last].next = at
	g.last = at
	g.count++
}

// Flush sends what was gathered. Packets leave in order per connection. A batch that is full flushes itself.
func (b *Batch) Flush() {
	if len(b.packets) == 0 {
		b.chunk = 0
		return
	}
	for i := range b.groups {
		switch g := &b.groups[i]; {
		case g.path.tcp != nil:
			b.sendTCP(g)
		case g.path.local.caller != nil:
			b.sendPlain(g.path.local.sockets[0], g)
		}
	}
	for _, l := range b.net.locals {
		b.sendUDP(l)
	}
	for i := range b.chunks {
		b.chunks[i] = b.chunks[i][:0]
	}
	b.chunk = 0
	clear(b.index)
	clear(b.groups) // paths of connections that ended
	b.groups, b.packets = b.groups[:0], b.packets[:0]
	b.count()
}

func (b *Batch) count() {
	c := &b.net.counters
	c.packetsSent.Add(b.sent.packets)
	c.bytesSent.Add(b.sent.bytes)
	c.sendCalls.Add(b.sent.calls)
	if b.sent.dropped != 0 {
		c.droppedSend.Add(b.sent.dropped)
	}
	b.sent = sent{}
}

func (b *Batch) sendTCP(g *group) {
	for i := g.first; i >= 0; i = b.packets[i].next {
		raw := b.packets[i].raw
		if !g.path.tcp.enqueue(raw) {
			b.sent.dropped++
			continue
		}
		b.sent.packets++
		b.sent.bytes += uint64(len(raw))
	}
}

// sendPlain sends the packets of a group one by one.
func (b *Batch) sendPlain(s *socket, g *group) {
	for i := g.first; i >= 0; i = b.packets[i].next {
		b.sendOne(s, b.packets[i].raw, g.path)
	}
}

func (b *Batch) sendOne(s *socket, raw []byte, p *path) {
	b.sent.calls++
	if err := s.writeOne(raw, p); err != nil {
		b.sent.dropped++
		return
	}
	b.sent.packets++
	b.sent.bytes += uint64(len(raw))
}
