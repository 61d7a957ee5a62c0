package clip

import (
	"context"
	"errors"
	"time"
)

// leaseFor is how long a server that is not heard of keeps a preparation that another one could do.
const leaseFor = 30 * time.Second

// errTaken says that a clip is not this server's to prepare, or not any more.
var errTaken = errors.New("another server prepares the clip")

// mine reports whether this server goes on with a clip: it is the only one, or it has the file. The practice clip needs no file, any
// server prepares it that finds nobody at it.
func (l *Library) mine(c Clip) bool {
	switch {
	case l.node == "" || c.Node == l.node:
		return true
	case c.Practice:
		return !l.now().Before(c.Leased)
	}
	return c.Node == "" && l.uploads.has(c.ID) // begun when there was one server
}

// claim makes this server the one that prepares a clip.
func (l *Library) claim(ctx context.Context, id string) (Clip, error) {
	return l.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		if !l.mine(*c) || c.State != Waiting && c.State != Preparing {
			return errTaken
		}
		c.State, c.Progress, c.Node, c.Leased = Preparing, 0, l.node, l.leaseEnd()
		c.Attempts++
		return nil
	})
}

// keep changes a clip that this server prepares, and renews its lease; errTaken if another one does, errTakenBack if none shall.
func (l *Library) keep(ctx context.Context, id string, change func(*Clip)) error {
	_, err := l.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		if c.Node == l.node && c.State == Refused {
			return errTakenBack
		}
		if c.Node != l.node || c.State != Preparing {
			return errTaken
		}
		c.Leased = l.leaseEnd()
		change(c)
		if c.State != Preparing {
			c.Leased = time.Time{}
		}
		return nil
	})
	return err
}

func (l *Library) leaseEnd() time.Time { return l.now().Add(leaseFor).UTC() }
