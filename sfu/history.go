package sfu

import (
	"sync"
)

// How many packets are kept for retransmission: about 1.5 to 3 s.
const (
	videoHistory = 512
	audioHistory = 128
)

// history is the newest packets of one publication, as they came, for retransmission to all its subscribers. One copy serves
// them all. The reader writes; goroutines that read subscribers' RTCP look up.
type history struct {
	mu    sync.Mutex
	slots []stored // by sequence number modulo the length, a power of two
}

// stored is one packet. Its payload's memory is used again.
type stored struct {
	valid     bool
	marker    bool
	seq       uint16
	epoch     uint32
	timestamp uint32
	vp8       vp8Descriptor
	payload   []byte
}

func newHistory(video bool) history {
	if video {
		return history{slots: make([]stored, videoHistory)}
	}
	return history{slots: make([]stored, audioHistory)}
}

func (h *history) put(p *packet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(p.rtp.SequenceNumber)&(len(h.slots)-1)]
	s.valid, s.marker, s.seq, s.epoch = true, p.rtp.Marker, p.rtp.SequenceNumber, p.epoch
	s.timestamp, s.vp8 = p.rtp.Timestamp, p.vp8
	s.payload = append(s.payload[:0], p.rtp.Payload...)
}

// get copies a packet into dst, whose payload's memory is used.
func (h *history) get(seq uint16, epoch uint32, dst *stored) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.slots[int(seq)&(len(h.slots)-1)]
	if !s.valid || s.seq != seq || s.epoch != epoch {
		return false
	}
	payload := append(dst.payload[:0], s.payload...)
	*dst = *s
	dst.payload = payload
	return true
}
