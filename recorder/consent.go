package recorder

import (
	"context"
	"sync"
	"time"
)

// Consent is who has agreed to being recorded in a session. What others send passes by: it is not kept, however the recording
// goes on. Its methods may be called from any goroutine.
type Consent struct {
	mu    sync.RWMutex
	since map[string]time.Time // by member
}

// Set says who has agreed, from now on. Who agreed before stays so without a break.
func (c *Consent) Set(members []string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[string]time.Time, len(members))
	for _, m := range members {
		next[m] = now
		if since, ok := c.since[m]; ok {
			next[m] = since
		}
	}
	c.since = next
}

// covers reports whether a member had agreed at a moment, and still does.
func (c *Consent) covers(member string, at time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	since, ok := c.since[member]
	return ok && !at.Before(since)
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
