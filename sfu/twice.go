package sfu

import (
	"time"

	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// To a subscriber who takes no RED, sound is sent a second time while packets are lost: after the packet that follows it, so that one
// short gap does not take both. A copy is the same to the last byte, transport-wide number included: under a number nothing else may go out,
// for it is part of the cipher's nonce (RFC 7714 section 8.1), and the receiver drops the second one that comes (RFC 3711 section 3.3.2).

const (
	maxCopies  = 2
	copiesFor  = 2 * time.Minute        // after a loss was measured, which the copies may hide
	copyAfter  = 25 * time.Millisecond  // at the latest, if no packet follows
	copyLife   = 200 * time.Millisecond // what is older comes too late
	soundsHead = 32                     // bytes of a header with all that sound has
)

// sentSounds are the newest packets of a sound, as they went out.
type sentSounds struct {
	slots [maxCopies]sentSound
	next  int // the slot of the oldest
}

type sentSound struct {
	copies  int // that are to follow
	at      time.Time
	number  uint16 // transport-wide
	size    int    // of the header
	head    [soundsHead]byte
	payload []byte // reused
}

// keep keeps what has just been sent, for so many copies. It takes the place of the oldest.
func (s *sentSounds) keep(h *rtp.Header, payload []byte, number uint16, copies int, now time.Time) {
	k := &s.slots[s.next]
	size, err := h.MarshalTo(k.head[:])
	if err != nil {
		copies = 0
	}
	k.copies, k.at, k.number, k.size = copies, now, number, size
	k.payload = append(k.payload[:0], payload...)
	s.next = (s.next + 1) % maxCopies
}

// follow is called when a packet of sound was sent: it is the time for copies of those before it.
func (t *downTrack) follow(b *transport.Batch, payload []byte, now time.Time) {
	t.copy(b, now, 0)
	if n := t.egress.copies; n != 0 && t.to.red == 0 {
		t.sounds.keep(&t.header, payload, t.egress.sequence, n, now)
	}
}

// copy sends the copies of what was sent so long ago.
func (t *downTrack) copy(b *transport.Batch, now time.Time, age time.Duration) {
	for i := range maxCopies {
		k := &t.sounds.slots[(t.sounds.next+i)%maxCopies]
		since := now.Sub(k.at)
		switch {
		case k.copies == 0 || since < age:
			continue
		case t.egress.copies == 0 || since > copyLife || t.egress.congested():
			k.copies = 0
			continue
		}
		k.copies--
		k.at = now
		t.egress.writeCopy(b, t, k, now)
	}
}

// writeCopy sends a packet of sound once more. mu is held.
func (e *egress) writeCopy(b *transport.Batch, t *downTrack, k *sentSound, now time.Time) {
	if _, err := e.copied.Unmarshal(k.head[:k.size]); err != nil {
		return
	}
	size := len(k.payload) + overhead
	if t.to.transportCC != 0 {
		e.estimator.Again(k.number, size)
	}
	if e.paced {
		e.pacer.Spend(size, now)
	}
	e.out.SendRTP(b, &e.copied, k.payload)
}

// copyLate sends the copies that no packet gives occasion to.
func (e *egress) copyLate(b *transport.Batch, now time.Time) {
	if e.copies == 0 {
		return
	}
	for _, t := range e.tracks {
		t.copy(b, now, copyAfter)
	}
}

// copying is how many copies of sound the losses ask for. Where sound is all that is sent, its copies hide the losses: then they are
// measured anew after each copiesFor, while nothing is copied.
func (e *egress) copying(now time.Time) int {
	if at := e.estimator.LossAt(); e.estimator.Loss() >= twiceFrom && at.After(e.lostAt) {
		e.lostAt = at
	}
	switch {
	case e.lostAt.IsZero() || now.Sub(e.lostAt) >= copiesFor:
		return 0
	case e.lossyLately(now):
		return maxCopies
	}
	return 1
}

// copies is how many copies fit: sound with its copies takes a part of the bandwidth at most. estimate and sound, without copies, are in
// bit/s.
func copies(n, estimate, sound int) int {
	for n > 0 && (1+n)*sound > estimate/shareOfSound {
		n--
	}
	return n
}
