package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errSilent = errors.New("no answer")

func TestSightCutOff(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		err             error
		redis, database time.Duration // since they answered
		want            bool
	}{
		"both are there":          {nil, 0, 0, false},
		"Redis is away":           {errSilent, 10 * time.Minute, 0, false},
		"the database is away":    {nil, 0, time.Minute, false},
		"a moment of silence":     {errSilent, 4 * time.Second, 4 * time.Second, false},
		"silence":                 {errSilent, 6 * time.Second, 7 * time.Second, true},
		"one went after another":  {errSilent, 10 * time.Minute, 6 * time.Second, false},
		"the other one was first": {errSilent, 6 * time.Second, time.Minute, false},
	} {
		s := sight{err: c.err, at: ago(c.redis)}
		if got := s.cutOff(ago(c.database), now); got != c.want {
			t.Errorf("%s: cut off is %v", name, got)
		}
	}
}

// unreachable are the leases of a database that does not answer.
type unreachable struct{ holders }

func (unreachable) Held(context.Context) (map[string]int64, error) { return nil, errSilent }

// abandoning is a handler that tells what it abandons.
type abandoning struct {
	guests

	abandoned chan string
}

func (a *abandoning) Abandon(session string) { a.abandoned <- session }

// A node that hears of nobody any more lets go of its sessions about when others take them: whoever is in them comes back there. Time
// is virtual.
func TestNodeThatIsCutOffLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, "redis://127.0.0.1:1", "a", "")
		at := &abandoning{abandoned: make(chan string, 1)}
		handler := Handler(at)
		n.handler.Store(&handler)
		n.leases = unreachable{}
		n.seen.Store(&sight{err: errSilent, at: time.Now()})
		n.take("s", 1)
		ctx, stop := context.WithCancel(t.Context())
		n.stop = stop
		n.ran.Go(func() { n.watchOn(ctx) })
		began := time.Now()
		<-at.abandoned
		if took := time.Since(began); took <= forgotten || took > forgotten+2*watchEvery || n.owns("s") {
			t.Errorf("it lets go after %v", took)
		}
		if err := n.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
