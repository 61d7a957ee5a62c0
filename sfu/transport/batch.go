package transport

// MaxPacket is the size of the largest RTP or RTCP packet that is sent, in bytes, before encryption.
const MaxPacket = 1440

// Batch gathers packets, and sends them with few system calls. It belongs to one goroutine at a time.
type Batch struct{}

// Flush sends what was gathered. Packets leave in order per connection. A batch that is full flushes itself.
func (b *Batch) Flush() {}
