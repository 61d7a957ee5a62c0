package rtpmap

// Timestamp maps incoming 32-bit RTP timestamps to outgoing ones, in ticks of the codec's clock rate. Until the first Rebase they
// are the same.
type Timestamp struct {
	started bool
	offset  uint32 // out = in - offset
	last    uint32 // newest timestamp sent
}

// Map returns the outgoing timestamp of a packet.
func (t *Timestamp) Map(in uint32) uint32 {
	out := in - t.offset
	if !t.started || int32(out-t.last) > 0 { //nolint:gosec // RTP timestamps compare modulo 2^32
		t.last = out
	}
	t.started = true
	return out
}

// Sent takes note of a timestamp that was sent although Map did not give it.
func (t *Timestamp) Sent(out uint32) {
	if int32(out-t.last) > 0 { //nolint:gosec // RTP timestamps compare modulo 2^32
		t.last = out
	}
}

// Translate returns what Map would, without taking note of it: for sender reports, which may lie ahead of the media.
func (t *Timestamp) Translate(in uint32) uint32 { return in - t.offset }

// Rebase says that the source was changed: in, which is mapped next, lies elapsed ticks after the newest timestamp sent. An
// elapsed time of zero counts as one tick, so that two frames never share a timestamp.
func (t *Timestamp) Rebase(in, elapsed uint32) {
	if !t.started {
		return
	}
	t.offset = in - (t.last + max(elapsed, 1))
}
