package clip

import "sync/atomic"

// Stats count preparations since the library was opened.
type Stats struct {
	Preparing int64  // now
	Ready     uint64 // that came to a good end
	Refused   uint64 // whose file cannot be used
	Failed    uint64 // that have to be tried again
}

type counters struct {
	preparing              atomic.Int64
	ready, refused, failed atomic.Uint64
}

// Stats returns the counters of now.
func (l *Library) Stats() Stats {
	c := &l.stats
	return Stats{Preparing: c.preparing.Load(), Ready: c.ready.Load(), Refused: c.refused.Load(), Failed: c.failed.Load()}
}
