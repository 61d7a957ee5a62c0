package load

import (
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/load/stats"
)

// kind is what sort of a message's answer is awaited.
type kind int

const (
	driving   kind = iota // play, stop, seek, pauses
	noting                // notes
	following             // being ready, and on a pause's frame
	closing               // the end, which is not reported
	pinging
	kinds
)

// board is where all members write down how long answers took. The zero value is empty.
type board struct {
	mu    sync.Mutex
	times [kinds]stats.Histogram
}

func (b *board) add(k kind, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.times[k].Add(d)
}

func (b *board) of(k kind) Times {
	b.mu.Lock()
	defer b.mu.Unlock()
	return timesOf(&b.times[k])
}

// acknowledged is how many commands were answered so far.
func (b *board) acknowledged() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.times[driving].Count() + b.times[noting].Count() + b.times[following].Count()) //nolint:gosec // it fits
}
