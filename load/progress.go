package load

import (
	"context"
	"time"

	"github.com/pausepoint/pausepoint/load/visit"
)

// Progress is how far a load test is. Members is how many it will have.
type Progress struct {
	Phase        string // a word or two for people
	Members      int
	Inside       int // came in
	Failed       int // could not come in, or did not stay
	Seeing       int // got a first picture
	Acknowledged int // commands
	Left         time.Duration
}

const tellEvery = time.Second

// wait goes on after d, and tells meanwhile.
func (t *test) wait(ctx context.Context, phase string, d time.Duration) error {
	for until := time.Now().Add(d); ; {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		t.tell(phase, left)
		if err := visit.Pause(ctx, min(left, tellEvery)); err != nil {
			return err
		}
	}
}

// tell reports progress, once in a while.
func (t *test) tell(phase string, left time.Duration) {
	if t.config.Progress == nil || time.Since(t.told) < tellEvery {
		return
	}
	t.told = time.Now()
	p := Progress{
		Phase: phase, Members: t.config.Sessions * t.config.Members, Acknowledged: t.board.acknowledged(), Left: left.Round(time.Second),
	}
	for _, m := range t.members {
		switch {
		case done(m.ended):
			p.Failed++
		case done(m.inside):
			p.Inside++
		}
		if m.peer.FirstVideo() != 0 {
			p.Seeing++
		}
	}
	t.config.Progress(p)
}

// pending reports whether a member may yet come in, or see somebody.
func (m *member) pending() bool {
	return !done(m.ended) && (!done(m.inside) || m.hears && m.peer.FirstVideo() == 0)
}

func done(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
