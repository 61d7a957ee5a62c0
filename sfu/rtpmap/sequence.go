package rtpmap

import "math"

// maxSpans bounds how many changes of the offset are remembered for late packets and retransmissions.
const maxSpans = 64

// origin keeps unwrapped numbers far from zero, so that early reordered packets stay positive.
const origin = int64(1) << 32

// Sequence maps incoming 16-bit sequence numbers to outgoing ones (RFC 3550 section 5.1).
//
// Packets that are mapped keep their distance, so a loss on the way in stays visible as a gap on the way out; packets that are
// dropped on purpose leave none. Numbers before the first mapped packet, or before the last Rebase, have no mapping.
type Sequence struct {
	spans      []span // oldest first; the last is open-ended
	highestIn  int64  // unwrapped
	highestOut int64  // unwrapped
}

// span says that incoming numbers in [from, to) go out reduced by delta.
type span struct {
	from, to, delta int64
}

// Map returns the outgoing number of the packet in. It reports false for a packet that must not be sent: it was dropped, or is
// older than what is remembered.
func (s *Sequence) Map(in uint16) (out uint16, ok bool) {
	if len(s.spans) == 0 {
		s.start(in, int64(in)+origin)
	}
	v := unwrap(in, s.highestIn)
	if v > s.highestIn {
		s.highestIn = v
	}
	for i := len(s.spans) - 1; i >= 0; i-- {
		if sp := s.spans[i]; v >= sp.from {
			if v >= sp.to {
				return 0, false
			}
			o := v - sp.delta
			s.highestOut = max(s.highestOut, o)
			return wrap(o), true
		}
	}
	return 0, false
}

// Drop says that the packet in is not sent: later packets close up. It reports false, and changes nothing, for a packet
// that is not newer than all packets seen: its number has been given away already.
func (s *Sequence) Drop(in uint16) bool {
	if len(s.spans) == 0 {
		return false
	}
	v := unwrap(in, s.highestIn)
	if v <= s.highestIn {
		return false
	}
	last := &s.spans[len(s.spans)-1]
	s.highestIn = v
	s.highestOut = max(s.highestOut, v-1-last.delta)
	if last.from == v {
		last.from, last.delta = v+1, last.delta+1
		return true
	}
	last.to = v
	s.push(span{from: v + 1, to: math.MaxInt64, delta: last.delta + 1})
	return true
}

// Rebase says that the source was changed: the packet in, which is mapped next, follows the highest number sent.
func (s *Sequence) Rebase(in uint16) {
	if len(s.spans) == 0 {
		return
	}
	s.start(in, s.highestOut+1)
}

// Original returns the incoming number of the packet that was sent as out, for a retransmission. It reports false for a number that
// was not sent, or is older than what is remembered.
func (s *Sequence) Original(out uint16) (in uint16, ok bool) {
	if len(s.spans) == 0 {
		return 0, false
	}
	o := unwrap(out, s.highestOut)
	if o > s.highestOut {
		return 0, false
	}
	for i := len(s.spans) - 1; i >= 0; i-- {
		sp := s.spans[i]
		if v := o + sp.delta; v >= sp.from && v < sp.to {
			return wrap(v), true
		}
	}
	return 0, false
}

// start forgets all spans and begins one in which in goes out as out.
func (s *Sequence) start(in uint16, out int64) {
	v := int64(in) + origin
	s.spans = append(s.spans[:0], span{from: v, to: math.MaxInt64, delta: v - out})
	s.highestIn = v - 1
	s.highestOut = out - 1
}

func (s *Sequence) push(sp span) {
	if len(s.spans) == maxSpans {
		copy(s.spans, s.spans[1:])
		s.spans = s.spans[:maxSpans-1]
	}
	s.spans = append(s.spans, sp)
}

// unwrap returns the number nearest to reference that is congruent to seq modulo 2^16.
func unwrap(seq uint16, reference int64) int64 {
	return reference + int64(int16(seq-wrap(reference))) //nolint:gosec // the difference is signed modulo 2^16
}

func wrap(v int64) uint16 { return uint16(v & 0xffff) } //nolint:gosec // masked
