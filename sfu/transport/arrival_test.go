package transport

import (
	"testing"
	"time"
)

// The kernel's stamps follow the wall clock, which may be set at any time.
func TestArrivalsSurviveASetClock(t *testing.T) {
	now := time.Now()
	steps := []struct {
		name       string
		read, late time.Duration // since now; before it was read, says the stamp
		want       time.Duration // since now
	}{
		{"waited", 100, 60, 40},
		{"behind it", 100, 50, 50},
		{"stamped before an earlier one", 100, 55, 50},
		{"not at all", 100, 0, 100},
		{"the clock was set back", 200 * time.Millisecond, -time.Hour, 200 * time.Millisecond},
		{"it was set forward a little", 300 * time.Millisecond, time.Second, 200 * time.Millisecond},
		{"it was set forward by far", 400 * time.Millisecond, time.Hour, 400 * time.Millisecond},
		{"the longest wait", 10 * time.Second, maxLate, 8 * time.Second},
		{"no stamp at all", 20 * time.Second, time.Duration(now.UnixNano()), 20 * time.Second},
	}
	var a arrivals
	for _, s := range steps {
		read := now.Add(s.read)
		if got := a.at(read, read.Add(-s.late).UnixNano()).Sub(now); got != s.want {
			t.Errorf("%s: %v, want %v", s.name, got, s.want)
		}
	}
}
