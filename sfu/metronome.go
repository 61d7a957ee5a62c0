package sfu

import (
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// How often connections are looked after; those that send in portions more often.
const (
	slowBeat = 25 * time.Millisecond
	fastBeat = 5 * time.Millisecond
)

// beater is looked after by the metronome. beat reports whether it wants the next fast beat.
type beater interface {
	beat(b *transport.Batch, now time.Time) (hurry bool)
}

// metronome is the one timer of all connections: it sends what no packet gives occasion to. Its goroutine owns a batch; it sleeps while
// there is no connection.
type metronome struct {
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	all     map[beater]struct{}
	hurried map[beater]struct{}
}

func newMetronome() *metronome {
	return &metronome{
		wake: make(chan struct{}, 1), all: make(map[beater]struct{}), hurried: make(map[beater]struct{}),
	}
}

func (m *metronome) add(b beater) {
	m.mu.Lock()
	m.all[b] = struct{}{}
	first := len(m.all) == 1
	m.mu.Unlock()
	if first {
		poke(m.wake)
	}
}

func (m *metronome) remove(b beater) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, b)
	delete(m.hurried, b)
}

// hurry gives b fast beats until it wants no more.
func (m *metronome) hurry(b beater) {
	m.mu.Lock()
	_, known := m.all[b]
	first := known && len(m.hurried) == 0
	if known {
		m.hurried[b] = struct{}{}
	}
	m.mu.Unlock()
	if first {
		poke(m.wake)
	}
}

// run is the goroutine.
func (m *metronome) run(batch *transport.Batch, quit <-chan struct{}) {
	timer := time.NewTimer(slowBeat)
	defer timer.Stop()
	slow := time.Now().Add(slowBeat)
	var list []beater
	for {
		select {
		case <-timer.C:
		case <-m.wake:
		case <-quit:
			return
		}
		now := time.Now()
		everybody := !now.Before(slow)
		if everybody {
			slow = now.Add(slowBeat)
		}
		list = m.due(everybody, list[:0])
		for _, b := range list {
			m.rest(b) // before it beats: whoever hurries it meanwhile is heard
			if b.beat(batch, now) {
				m.goOn(b)
			}
		}
		clear(list)
		batch.Flush()
		m.plan(timer, slow)
	}
}

func (m *metronome) due(everybody bool, list []beater) []beater {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := m.hurried
	if everybody {
		from = m.all
	}
	for b := range from {
		list = append(list, b)
	}
	return list
}

// goOn keeps the fast beats of one that wants more.
func (m *metronome) goOn(b beater) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.all[b]; known {
		m.hurried[b] = struct{}{}
	}
}

func (m *metronome) rest(b beater) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.hurried, b)
}

// plan sets the timer for the next beat; without connections there is none.
func (m *metronome) plan(timer *time.Timer, slow time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case len(m.hurried) != 0:
		timer.Reset(fastBeat)
	case len(m.all) != 0:
		timer.Reset(max(time.Until(slow), 0))
	default:
		timer.Stop()
	}
}
