package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/load/media"
	"github.com/pausepoint/pausepoint/load/visit"
)

const (
	patience    = time.Minute            // with whoever has not come in, or sees nobody, after the ramp
	look        = 50 * time.Millisecond  // how often it is looked who sees somebody
	drain       = 500 * time.Millisecond // for what is still on its way
	cleanWithin = 2 * time.Minute
)

// test is one run. The goroutine of Run owns it; members have their own goroutines.
type test struct {
	config  Config
	pace    pace
	host    *visit.Visitor // who makes the sessions
	engine  *media.Engine
	members []*member
	board   board
	start   chan struct{} // closed when members begin to do things
	leaving chan struct{} // closed when they shall go
	wg      sync.WaitGroup
	told    time.Time
}

// Run plays members towards a deployment and reports what they saw. When it returns, also by the end of ctx, the sessions that it has
// made are deleted, and guests have left. An error besides a report says who did not get in, or what was not cleaned up.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	t := &test{config: c, pace: paceFor(c.Duration), start: make(chan struct{}), leaving: make(chan struct{})}
	var err error
	if t.engine, err = media.New(netip.IPv4Unspecified(), addressOf(ctx, c.Server)); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	defer transport.CloseIdleConnections()
	if t.host, err = visit.New(c.Server, transport); err != nil {
		return nil, err
	}
	sessions, err := t.open(ctx)
	var report *Report
	if err == nil {
		report, err = t.play(ctx, sessions)
	}
	return report, errors.Join(err, t.clean(ctx, sessions))
}

// open makes what members will come into, or finds where the invitation leads. What it returns is to be removed also if it fails
// halfway.
func (t *test) open(ctx context.Context) ([]*visit.Session, error) {
	if t.config.Invitation != "" {
		s, err := visit.Invited(t.config.Invitation)
		if err != nil {
			return nil, err
		}
		return []*visit.Session{s}, nil
	}
	if err := t.host.SignIn(ctx, t.config.Account); err != nil {
		return nil, err
	}
	var sessions []*visit.Session
	for range t.config.Sessions {
		s, err := t.host.Make(ctx)
		if s != nil {
			sessions = append(sessions, s)
		}
		if err != nil {
			return sessions, err
		}
	}
	return sessions, nil
}

// addressOf is a server's address of IPv4; the zero one if it cannot be found, which the first request will tell.
func addressOf(ctx context.Context, server *url.URL) netip.Addr {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", server.Hostname())
	if err != nil {
		return netip.Addr{}
	}
	return addrs[0].Unmap()
}

// play lets members in, measures, and sends them home.
func (t *test) play(ctx context.Context, sessions []*visit.Session) (*Report, error) {
	living, end := context.WithCancel(context.WithoutCancel(ctx))
	var clock sync.WaitGroup
	clock.Go(func() { t.engine.Run(living) })
	uses, err := t.measure(ctx, living, sessions)
	close(t.leaving)
	t.wg.Wait()
	end()
	clock.Wait()
	if err != nil {
		return nil, err
	}
	return t.report(uses), t.troubles()
}

// measure returns what the server had used before anybody came, and at the begin and the end of what is measured.
func (t *test) measure(ctx, living context.Context, sessions []*visit.Session) (uses [3]Usage, err error) {
	if uses[0], err = t.usage(ctx); err != nil {
		return uses, err
	}
	if err = t.admit(ctx, living, sessions); err != nil {
		return uses, err
	}
	if err = t.settle(ctx); err != nil {
		return uses, err
	}
	if uses[1], err = t.usage(ctx); err != nil {
		return uses, err
	}
	t.engine.Measure(t.config.Duration)
	close(t.start)
	if err = t.wait(ctx, "measuring", t.config.Duration); err != nil {
		return uses, err
	}
	if uses[2], err = t.usage(ctx); err != nil {
		return uses, err
	}
	return uses, visit.Pause(ctx, drain)
}

func (t *test) usage(ctx context.Context) (Usage, error) {
	if t.config.Usage == nil {
		return Usage{}, nil
	}
	return t.config.Usage(ctx)
}

// admit lets everybody in within the ramp, each session's first member before its second.
func (t *test) admit(ctx, living context.Context, sessions []*visit.Session) error {
	places := t.config.places(sessions)
	for i, p := range places {
		v := t.host
		if p.role != "" {
			var err error
			if v, err = v.Another(); err != nil {
				return err
			}
		}
		now := time.Now()
		m := &member{
			place: p, test: t, visitor: v, began: now, inside: make(chan struct{}), ended: make(chan struct{}),
			peer:   t.engine.Peer(living, media.Config{Index: i, Began: now}),
			frames: make(chan arrival, 64), asked: make(map[string]asked),
		}
		t.members = append(t.members, m)
		t.wg.Go(func() { m.live(ctx, living) })
		t.tell("coming in", 0)
		if err := visit.Pause(ctx, t.config.Ramp/time.Duration(len(places))); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until everybody is in and sees somebody, as long as that can be hoped for. Who does not is in the report.
func (t *test) settle(ctx context.Context) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if !slices.ContainsFunc(t.members, (*member).pending) {
			return nil
		}
		t.tell("waiting for pictures", 0)
		if err := visit.Pause(ctx, look); err != nil {
			return err
		}
	}
	return nil
}

// clean deletes the sessions that were made.
func (t *test) clean(ctx context.Context, sessions []*visit.Session) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanWithin)
	defer cancel()
	var errs []error
	for _, s := range sessions {
		if s.Made {
			if err := t.host.Remove(ctx, s); err != nil {
				errs = append(errs, fmt.Errorf("session %s is not deleted: %w", s.ID, err))
			}
		}
	}
	return errors.Join(errs...)
}
