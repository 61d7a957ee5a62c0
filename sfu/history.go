package sfu

import (
	"sync"
	"time"
)

// How many packets are kept for retransmission: about 1.5 to 3 s. The lower layers of simulcast have fewer packets.
const (
	videoHistory = 512
	audioHistory = 128
	leastHistory = 128
)

// history is the newest packets of one layer, as they came, for retransmission to all its subscribers, and for those that are sent
// later because a subscriber's link is busy. One copy serves them all. The publisher's reader writes; anyone looks up.
type history struct {
	mu     sync.Mutex
	slots  []stored // by sequence number modulo the length, a power of two
	newest place    // the highest number
	last   place    // what was put last: a late packet is not the newest
	key    keyframeStart
}

// place is one packet of a layer.
type place struct {
	valid bool
	seq   uint16
	epoch uint32
}

// before reports whether a packet of the same epoch has a lower number.
func (p place) before(seq uint16) bool { return int16(p.seq-seq) < 0 } //nolint:gosec // sequence numbers compare modulo 2^16

// keyframeStart is where the newest key frame begins.
type keyframeStart struct {
	place
	timestamp uint32
	arrival   time.Time
}

// stretch is the packets from the beginning of a key frame to the newest.
type stretch struct {
	from  place
	sizes []uint16 // of the payloads, in bytes, in order
	bytes int      // with what each packet has around its payload
	last  place    // what was put last
}

// stored is one packet. Its payload's memory is used again.
type stored struct {
	valid bool
	packet
}

// newHistory makes the history of one of count layers.
func newHistory(video bool, layer, count int) history {
	if !video {
		return history{slots: make([]stored, audioHistory)}
	}
	return history{slots: make([]stored, max(videoHistory>>(count-1-layer), leastHistory))}
}

func (h *history) put(p *packet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(p.seq)&(len(h.slots)-1)]
	payload := append(s.payload[:0], p.payload...)
	s.valid, s.packet = true, *p
	s.payload, s.earlier = payload, nil
	h.note(p)
}

// note keeps book of the newest packet and the newest key frame.
func (h *history) note(p *packet) {
	h.last = place{valid: true, seq: p.seq, epoch: p.epoch}
	if n := h.newest; !n.valid || n.epoch != p.epoch || n.before(p.seq) {
		h.newest = h.last
	}
	k := &h.key
	if k.epoch != p.epoch || int(h.newest.seq-k.seq) >= len(h.slots) {
		k.valid = false
	}
	switch {
	case p.padding() || !p.frame.Keyframe:
	case !k.valid || k.timestamp != p.timestamp && k.before(p.seq):
		*k = keyframeStart{place: h.last, timestamp: p.timestamp, arrival: p.arrival}
	case k.timestamp == p.timestamp && !k.before(p.seq): // H.264 has several packets that begin one; the first has the parameters
		k.seq = p.seq
	}
}

// fresh is the stretch from the newest key frame on, if that came since then and nothing is missing. The sizes are put into sizes.
func (h *history) fresh(since time.Time, sizes []uint16) (s stretch, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.key.valid || h.key.arrival.Before(since) {
		return s, false
	}
	s = stretch{from: h.key.place, sizes: sizes[:0], last: h.last}
	for i := range h.newest.seq - h.key.seq + 1 {
		seq := h.key.seq + i
		slot := &h.slots[int(seq)&(len(h.slots)-1)]
		if !slot.valid || slot.seq != seq || slot.epoch != s.from.epoch {
			return s, false
		}
		s.sizes = append(s.sizes, uint16(len(slot.payload))) //nolint:gosec // at most maxPayload
		s.bytes += len(slot.payload) + overhead
	}
	return s, true
}

// forgotten reports whether a late packet is older than all that is kept: whether it came before cannot be told.
func (h *history) forgotten(seq uint16) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest.valid && int(int16(h.newest.seq-seq)) >= len(h.slots) //nolint:gosec // modulo 2^16
}

// has reports whether a packet is there.
func (h *history) has(seq uint16, epoch uint32) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(seq)&(len(h.slots)-1)]
	return s.valid && s.seq == seq && s.epoch == epoch
}

// claim reports whether a packet was made, and not claimed since.
func (h *history) claim(seq uint16, epoch uint32) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(seq)&(len(h.slots)-1)]
	if !s.valid || !s.made || s.seq != seq || s.epoch != epoch {
		return false
	}
	s.made = false
	return true
}

// get copies a packet into dst, whose payload's memory is used.
func (h *history) get(seq uint16, epoch uint32, dst *packet) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(seq)&(len(h.slots)-1)]
	if !s.valid || s.seq != seq || s.epoch != epoch {
		return false
	}
	payload := append(dst.payload[:0], s.payload...)
	*dst = s.packet
	dst.payload = payload
	return true
}
