package load

import (
	"fmt"

	"github.com/pausepoint/pausepoint/load/visit"
	"github.com/pausepoint/pausepoint/room/event"
)

// place is a member's part in a test.
type place struct {
	session   *visit.Session
	name      string
	role      event.Role // of a guest; empty for who has made the session
	publishes bool
	drives    bool // the player
	hears     bool // somebody else publishes
}

// places says who there will be. Who has made a session is its first member, and drives.
func (c Config) places(sessions []*visit.Session) []place {
	talkers := c.publishers()
	var all []place
	for i := range c.Members {
		for _, s := range sessions {
			p := place{session: s, name: fmt.Sprintf("Load %d", i+1), publishes: i < talkers, drives: i == 0, role: event.Observer}
			p.hears = talkers > 1 || talkers == 1 && i > 0
			switch {
			case i == 0 && s.Made:
				p.role = ""
			case p.publishes:
				p.role = event.Peer
			}
			all = append(all, p)
		}
	}
	return all
}
