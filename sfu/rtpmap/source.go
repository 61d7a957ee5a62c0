package rtpmap

// Limits of RFC 3550 appendix A.1. Late packets are tolerated further back than there, since retransmissions come late.
const (
	maxDropout  = 3000
	maxMisorder = 1000
)

// Verdict says what to do with a received packet.
type Verdict int

// The verdicts of Source.Check.
const (
	// Accept: the packet is the newest of its stream.
	Accept Verdict = iota
	// Late: the packet belongs to the stream and is older than the newest.
	Late
	// Reject: the packet is far from the stream; drop it.
	Reject
	// Restart: the stream goes on from this packet, far from where it was.
	Restart
)

// Source tells packets of a running stream from stray ones, by sequence number (RFC 3550 appendix A.1). A jump is believed when two
// packets in sequence agree on it.
type Source struct {
	started bool
	highest uint16
	jumped  bool
	next    uint16 // the number that would confirm the jump
	missed  uint64
}

// Check judges the packet with the number seq.
func (s *Source) Check(seq uint16) Verdict {
	if !s.started {
		s.started, s.highest = true, seq
		return Accept
	}
	ahead := seq - s.highest
	switch {
	case ahead != 0 && ahead < maxDropout:
		s.missed += uint64(ahead - 1)
		s.highest, s.jumped = seq, false
		return Accept
	case -ahead <= maxMisorder:
		return Late
	case s.jumped && seq == s.next:
		s.highest, s.jumped = seq, false
		return Restart
	}
	s.jumped, s.next = true, seq+1
	return Reject
}

// Missed returns how many numbers were skipped by accepted packets: what was lost before repair, and what came out of order.
func (s *Source) Missed() uint64 { return s.missed }
