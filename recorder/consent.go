package recorder

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Consent is who has agreed to being recorded in a session. What others send passes by: it is not kept, however the recording
// goes on. Its methods may be called from any goroutine.
type Consent struct {
	mu    sync.RWMutex
	given map[string][]given // by member, in order of time
}

// given is a stretch of time in which a member has agreed.
type given struct {
	since, until time.Time // until is zero while it lasts
}

// Set says who is there and has agreed, from now on. Who agreed before stays so without a break; of whom is not there any more, what
// arrived before is still kept.
func (c *Consent) Set(members []string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for m, all := range c.given {
		if last := &all[len(all)-1]; last.until.IsZero() && !slices.Contains(members, m) {
			last.until = now
		}
	}
	if c.given == nil {
		c.given = map[string][]given{}
	}
	for _, m := range members {
		if all := c.given[m]; len(all) == 0 || !all[len(all)-1].until.IsZero() {
			c.given[m] = append(all, given{since: now})
		}
	}
}

// Withdraw says that a member does not agree to anything any more, also to what has arrived but is not kept yet.
func (c *Consent) Withdraw(member string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.given, member)
}

// covers reports whether a member had agreed at a moment, and has not taken that back.
func (c *Consent) covers(member string, at time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.ContainsFunc(c.given[member], func(g given) bool {
		return !at.Before(g.since) && (g.until.IsZero() || !at.After(g.until))
	})
}

// Of is a room of which only that is heard and seen to which its publisher has agreed.
func (c *Consent) Of(r Room) Room { return consentingRoom{r, c} }

type consentingRoom struct {
	room    Room
	consent *Consent
}

func (r consentingRoom) Tap(started func(Track)) (stop func(), err error) {
	return r.room.Tap(func(t Track) { started(&consentingTrack{t, t.Info().Member, r.consent}) })
}

type consentingTrack struct {
	Track
	member  string
	consent *Consent
}

// Next implements [Track]: what its member has not agreed to is dropped here, before anything is done with it.
func (t *consentingTrack) Next(ctx context.Context) (Item, error) {
	for {
		i, err := t.Track.Next(ctx)
		if err != nil || t.consent.covers(t.member, i.Arrival) {
			return i, err
		}
	}
}
