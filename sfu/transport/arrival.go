package transport

import "time"

// maxLate is how long a packet can have waited for its reader. More is a clock that was set meanwhile.
const maxLate = 2 * time.Second

// arrivals turns the kernel's times of arrival, which follow the wall clock, into times of the monotonic clock. It belongs to one
// reader.
type arrivals struct {
	newest time.Time
}

// at is when a packet arrived that the kernel stamped, in nanoseconds since 1970, and that was read at now. The result is from
// now-maxLate to now, and never before the result for an earlier packet: a clock that is set shifts at most what waits at that moment.
func (a *arrivals) at(now time.Time, stamp int64) time.Time {
	arrival := now
	if late := time.Duration(now.UnixNano() - stamp); late > 0 && late <= maxLate {
		arrival = now.Add(-late)
	}
	if arrival.Before(a.newest) {
		return a.newest
	}
	a.newest = arrival
	return arrival
}
