package signaling

import (
	"sync"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// What the node that runs a session says to the one that a member is connected to, besides frames for the member, which begin
// with a brace.
const (
	lendFrame     = "lend"      // sound and pictures come from your audience, from now on
	takeBackFrame = "take back" // and no more
)

// declineFrame is what the other node says, besides frames of the member: it cannot fetch the session.
const declineFrame = "decline"

// declined is what came when that was said.
type declined struct{}

// lentOffers is more than the offers that a member gets while they are lent.
const lentOffers = 1 << 16

// seat is where a member's sound and pictures come from: a peer here, or, while they are lent, the audience of the node that they are
// connected to. Its methods may be called from any goroutine.
type seat struct {
	mu    sync.Mutex    // guards below
	known chan struct{} // closed when there is a peer, or the member is lent
	peer  *sfu.Peer     // nil while lent
	lent  bool
}

func (s *seat) isLent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lent
}

// take is called once.
func (s *seat) take(peer *sfu.Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peer = peer
	close(s.known)
}

// peerOf waits until it is known where the seat is. It returns nil if it is not here, or if closing is closed before.
func (s *seat) peerOf(closing <-chan struct{}) *sfu.Peer {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	select {
	case <-known:
	case <-closing:
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peer
}

// lend leaves a member who only watches to the node that they are connected to, if that has an audience. It reports whether it did.
func (c *call) lend() bool {
	c.seat.mu.Lock()
	defer c.seat.mu.Unlock()
	if !c.lends || c.mayPublish() {
		return false
	}
	c.seat.lent = true
	close(c.seat.known)
	c.socket.Send([]byte(lendFrame))
	return true
}

// takeBack ends the loan of a member who does not only watch any more. What the member may do now, they are told after that.
func (c *call) takeBack() {
	if c.mayPublish() {
		c.endLoan()
	}
}

// declined takes back a member whose node cannot fetch the session: they get sound and pictures from here.
func (c *call) declined() {
	c.log.Warn("another node cannot fetch the session: somebody who watches there is served from here")
	c.endLoan()
	c.stir()
}

func (c *call) endLoan() {
	c.seat.mu.Lock()
	defer c.seat.mu.Unlock()
	if !c.seat.lent {
		return
	}
	c.seat.lent, c.seat.known = false, make(chan struct{})
	c.socket.Send([]byte(takeBackFrame))
	c.calls.tellRelays(c.socket, c.who.ID, c.host)
	sendFrame(c.socket, "", event.RTCRestart{PC: event.SubscribePC})
}
