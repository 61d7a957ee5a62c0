package sfu

import "time"

const (
	keyframeFresh = keyframeGap + 100*time.Millisecond // a younger key frame need not be asked for again

	// How long the link may be busy with what has come already: a key frame of its own may be had sooner, and what the
	// subscriber has meanwhile must not wait long.
	catchUpBegin  = 250 * time.Millisecond
	catchUpSwitch = 50 * time.Millisecond
	catchUpPace   = 2 // times the estimate; less than the pacer's
)

// catchUp lets a track begin, or change, with the newest key frame of the layer it is to have, if that is fresh: all that came since
// then goes into the queue, and what comes from now on follows it. It reports false if only a new key frame helps. mu is held.
//
// A reader keeps a packet before it passes it, so one packet may be in the stretch and yet to come by: the last one kept.
func (e *egress) catchUp(t *downTrack, now time.Time) bool {
	layer := t.out.want
	if layer == t.out.layer {
		return false
	}
	if layer == t.coming {
		return true
	}
	s, ok := t.pub.layers[layer].history.fresh(now.Add(-keyframeFresh), e.sizes)
	e.sizes = s.sizes
	if !ok || t.has(layer, s.from) || !e.soon(t, s.bytes) || len(s.sizes) > queueCapacity-e.queue.size {
		return false
	}
	// Without a key frame, what waits of the layer is of no use; and no packet may be there twice.
	e.discard(t, layer)
	t.skip[layer] = s.last
	for i, size := range s.sizes {
		e.push(queued{
			track: t, layer: uint8(layer), seq: s.from.seq + uint16(i), epoch: s.from.epoch, //nolint:gosec // bounded
			size: int(size) + overhead, at: now, key: i == 0,
		})
	}
	return true
}

// abandon takes the beginning of a layer back that is no longer wanted: what comes of it meanwhile is not queued. mu is held.
func (e *egress) abandon(t *downTrack) {
	e.discard(t, t.coming)
	t.coming = -1
}

func (e *egress) discard(t *downTrack, layer int) {
	e.queue.discard(func(q *queued) bool { return q.track == t && int(q.layer) == layer })
}

// soon reports whether so much more leaves soon enough.
func (e *egress) soon(t *downTrack, bytes int) bool {
	if !e.paced {
		return true
	}
	most := catchUpBegin
	if t.out.layer >= 0 {
		most = catchUpSwitch
	}
	return float64(e.queue.bytes+bytes)*8 <= most.Seconds()*catchUpPace*float64(e.estimator.Target())
}

// has reports whether a packet was sent, or a later one: what was sent is not sent again.
func (t *downTrack) has(layer int, p place) bool {
	end := t.ends[layer]
	return end.valid && end.epoch == p.epoch && !end.before(p.seq)
}

// skipped reports whether a packet that comes by was caught up with. Only the first of its layer can be.
func (t *downTrack) skipped(p *packet) bool {
	s := t.skip[p.layer]
	t.skip[p.layer].valid = false
	return s.valid && s.seq == p.seq && s.epoch == p.epoch
}
