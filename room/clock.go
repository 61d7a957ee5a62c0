package room

import "time"

// clock gives session time from the machine's monotonic clock. It never goes back, whatever the wall clock does.
type clock struct {
	base   time.Time
	offset int64 // session time at base, µs
}

// newClock starts a clock that shows at least at (ms) now, and more if the wall clock says that the session, opened at
// opened (Unix ms), is older: that is how session time goes on over a restart.
func newClock(at, opened int64) clock {
	now := time.Now()
	return clock{base: now, offset: max(at, now.UnixMilli()-opened) * 1000}
}

// micros is session time in µs.
func (c clock) micros() int64 { return c.offset + time.Since(c.base).Microseconds() }

// until is how long it takes until session time at (ms).
func (c clock) until(at int64) time.Duration {
	return max(time.Duration(at*1000-c.micros())*time.Microsecond, 0)
}
