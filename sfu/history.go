package sfu

import "sync"

// How many packets are kept for retransmission: about 1.5 to 3 s. The lower layers of simulcast have fewer packets.
const (
	videoHistory = 512
	audioHistory = 128
	leastHistory = 128
)

// history is the newest packets of one layer, as they came, for retransmission to all its subscribers, and for those that are sent
// later because a subscriber's link is busy. One copy serves them all. The publisher's reader writes; anyone looks up.
type history struct {
	mu    sync.Mutex
	slots []stored // by sequence number modulo the length, a power of two
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
	s.payload = payload
}

// has reports whether a packet is there.
func (h *history) has(seq uint16, epoch uint32) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(seq)&(len(h.slots)-1)]
	return s.valid && s.seq == seq && s.epoch == epoch
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
