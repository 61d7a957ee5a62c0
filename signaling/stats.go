package signaling

import (
	"sync/atomic"

	"github.com/pausepoint/pausepoint/room"
)

// Stats are what the edge counts since it began, and what goes on now.
type Stats struct {
	room.Totals

	Sockets  int    // open now
	Opened   uint64 // WebSockets that were accepted
	Refused  uint64 // because there were too many
	Slow     uint64 // closed since their member did not read what was sent
	Flooding uint64 // closed since more came than a browser has to say
	Received uint64 // messages of members
	Sent     uint64 // frames to members
}

// traffic counts what passes the WebSockets of one server.
type traffic struct {
	opened, refused, slow, flooding, received, sent atomic.Uint64
}

// closed counts why a WebSocket was closed.
func (t *traffic) closed(reason string) {
	switch reason {
	case "too_slow":
		t.slow.Add(1)
	case "too_fast":
		t.flooding.Add(1)
	}
}

// Stats returns the counters of now.
func (s *Server) Stats() Stats {
	t := &s.traffic
	return Stats{
		Totals: s.calls.house.Totals(), Sockets: s.sockets.Taken(),
		Opened: t.opened.Load(), Refused: t.refused.Load(), Slow: t.slow.Load(), Flooding: t.flooding.Load(),
		Received: t.received.Load(), Sent: t.sent.Load(),
	}
}
