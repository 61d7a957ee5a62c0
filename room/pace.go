package room

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/pausepoint/pausepoint/room/event"
)

// What one member may switch on, and how often they may come in, each of which the journal keeps for good: so many times at
// once, and once in a while afterwards.
const (
	paceBurst = 30
	paceEvery = 2 * time.Second
)

// pace counts what members do. It outlives their connections. The zero value is ready for use.
type pace map[string]*rate.Limiter

func (p *pace) allow(member string) bool {
	if *p == nil {
		*p = pace{}
	}
	l := (*p)[member]
	if l == nil {
		l = rate.NewLimiter(rate.Every(paceEvery), paceBurst)
		(*p)[member] = l
	}
	return l.Allow()
}

// switchesOn reports whether a command switches something on that can be switched off and on again. Switching off is never
// refused, least of all one's consent; and it is nothing new for the journal unless something was on.
func switchesOn(cmd event.Command) bool {
	switch c := cmd.(type) {
	case event.MemberDevices:
		return c.Mic || c.Camera || c.Screen
	case event.MemberHand:
		return c.Up
	case event.MemberWatch:
		return c.Watching != event.Along
	case event.MemberConsent:
		return c.Agree
	case event.RecordingStart:
		return true
	}
	return false
}
