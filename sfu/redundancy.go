package sfu

import (
	"time"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// Sound is not sent again when it is lost: later packets repeat it (RFC 2198). The server takes the redundancy apart where it
// comes in, makes what is missing of it, and puts redundancy of its own around what goes out: so each way mends its own losses.

const (
	maxRepeats   = 2
	maxMade      = 4    // packets that one packet can mend; browsers repeat one or two
	soundsKept   = 16   // packets, a power of two: what is repeated, and what a late packet follows
	lossyFrom    = 0.03 // from such a loss on, more is repeated
	lossyFor     = 10 * time.Second
	shareOfSound = 2      // sound with its redundancy takes at most this part of the bandwidth, as a divisor
	repeatedPart = 2. / 3 // of a packet of speech; the rest is around its payload
)

// soundRing is what the newest packets of a sound carry. It is pure.
type soundRing struct{ slots [soundsKept]keptSound }

type keptSound struct {
	valid     bool
	seq       uint16
	epoch     uint32
	timestamp uint32
	payload   []byte // reused
}

// put keeps a packet, unless it comes so late that a newer one has its place.
func (r *soundRing) put(p *packet) {
	s := &r.slots[p.seq%soundsKept]
	if s.valid && s.epoch == p.epoch && p.seq-s.seq >= 1<<15 {
		return
	}
	s.valid, s.seq, s.epoch, s.timestamp = true, p.seq, p.epoch, p.timestamp
	s.payload = append(s.payload[:0], p.payload...)
}

// get returns a packet, or nil.
func (r *soundRing) get(seq uint16, epoch uint32) *keptSound {
	if s := &r.slots[seq%soundsKept]; s.valid && s.seq == seq && s.epoch == epoch {
		return s
	}
	return nil
}

// earlier appends what a packet may repeat, the oldest first.
func (r *soundRing) earlier(dst []codec.REDBlock, p *packet) []codec.REDBlock {
	for back := uint16(maxRepeats); back > 0; back-- {
		s := r.get(p.seq-back, p.epoch)
		if s != nil && len(s.payload) != 0 && newer(p.timestamp, s.timestamp) {
			dst = append(dst, codec.REDBlock{Offset: p.timestamp - s.timestamp, Payload: s.payload})
		}
	}
	return dst
}

// unwrap replaces a payload of redundant audio by what the packet itself carries; the rest is in blocks. It reports false if it cannot be
// read.
func (l *layer) unwrap(p *packet) bool {
	var err error
	if l.blocks, err = codec.REDBlocks(l.blocks, p.payload); err != nil {
		return false
	}
	p.kind, p.payload = codec.Opus, l.blocks[len(l.blocks)-1].Payload
	return true
}

// recoverable is how many of the blocks before the primary can be told to be the packets just before p. A block says when it is played,
// not which packet it was (RFC 2198 section 3): it is the one before if it ends where that begins, or if no other is missing
// between two that are known. After a silence that was not sent, neither may hold.
func (l *layer) recoverable(p *packet) (n int) {
	next := p.timestamp
	for n < min(len(l.blocks)-1, maxMade) {
		block, primary := &l.blocks[len(l.blocks)-2-n], &l.blocks[len(l.blocks)-1]
		seq, at := p.seq-uint16(n)-1, p.timestamp-block.Offset //nolint:gosec // at most maxMade
		if len(block.Payload) == 0 || block.PayloadType != primary.PayloadType || !newer(next, at) || !l.fits(seq, at, next, block.Payload) {
			return n
		}
		next = at
		n++
	}
	return n
}

// fits reports whether a block that is played at a time is the packet seq, when the one after it is played at next.
func (l *layer) fits(seq uint16, at, next uint32, payload []byte) bool {
	if known := l.sounds.get(seq, l.epoch); known != nil {
		return known.timestamp == at
	}
	before := l.sounds.get(seq-1, l.epoch)
	if before != nil {
		return newer(at, before.timestamp)
	}
	length, ok := codec.OpusTicks(payload)
	return ok && at+length == next
}

// mend makes the missing packets that p repeats, and passes them on before it.
func (c *publishConn) mend(b *transport.Batch, l *layer, p *packet) {
	for n := l.recoverable(p); n > 0; n-- {
		block := &l.blocks[len(l.blocks)-1-n]
		seq := p.seq - uint16(n) //nolint:gosec // at most maxMade
		if !l.missing.lacks(seq) {
			continue
		}
		if !l.limiter.allow(p.arrival) {
			l.pub.counts.excess.Add(1)
			return
		}
		m := &c.made
		*m = packet{
			kind: codec.Opus, seq: seq, timestamp: p.timestamp - block.Offset, arrival: p.arrival, handled: p.handled,
			payload: block.Payload, made: true,
		}
		if l.enter(m, true) {
			l.pass(b, m)
		}
	}
}

// pass keeps a packet and hands it to everybody.
func (l *layer) pass(b *transport.Batch, p *packet) {
	if !l.pub.video {
		l.repeated = l.sounds.earlier(l.repeated[:0], p)
		p.earlier = l.repeated
		l.sounds.put(p)
	}
	l.history.put(p)
	l.pub.pass(b, p)
}

// repeated is what a packet repeats, at most n earlier ones, as far as it fits with it.
func repeated(p *packet, n int) []codec.REDBlock {
	blocks := p.earlier[max(len(p.earlier)-n, 0):]
	size := len(p.payload) + 1
	for _, b := range blocks {
		size += len(b.Payload) + 4
	}
	for len(blocks) > 0 && size > maxPayload {
		size -= len(blocks[0].Payload) + 4
		blocks = blocks[1:]
	}
	return blocks
}

// protect decides how much sound is repeated, and how often it is copied, and returns the rate of all sound with it. Both are in bit/s without redundancy: of sound
// that goes out plain, and of sound that can be repeated. mu is held.
func (e *egress) protect(plain, sound int, now time.Time) int {
	if e.estimator.Loss() >= lossyFrom {
		e.lossyAt = now
	}
	estimate := e.estimator.Estimate()
	e.repeats = repeats(e.lossyLately(now), estimate-shareOfSound*plain, sound)
	sound = withRepeats(sound, e.repeats)
	e.copies = copies(e.copying(now), estimate-shareOfSound*sound, plain)
	return (1+e.copies)*plain + sound
}

// lossyLately reports whether two packets in a row may well be lost. mu is held.
func (e *egress) lossyLately(now time.Time) bool {
	return !e.lossyAt.IsZero() && now.Sub(e.lossyAt) < lossyFor
}

// repeats is how many earlier packets each packet of sound is to repeat: one, and one more where two in a row are lost often; but less
// where the bandwidth is hardly enough for sound. estimate and sound, without redundancy, are in bit/s.
func repeats(lossy bool, estimate, sound int) int {
	n := 1
	if lossy {
		n = maxRepeats
	}
	for n > 0 && withRepeats(sound, n) > estimate/shareOfSound {
		n--
	}
	return n
}

// withRepeats is the rate of sound with its redundancy, about.
func withRepeats(sound, n int) int { return sound + int(float64(n*sound)*repeatedPart) }
