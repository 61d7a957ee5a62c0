package sfu

import "time"

// Event is something that happened in a room: one of PublicationStarted, PublicationEnded, SpeakersChanged, PeerStateChanged and
// QualityChanged.
type Event interface{ event() }

// PublicationStarted says that a member publishes, and that media has arrived.
type PublicationStarted struct{ Publication *Publication }

// PublicationEnded is told once for each PublicationStarted, unless the tap is closed before.
type PublicationEnded struct{ Publication *Publication }

// SpeakersChanged lists the members who speak now, sorted.
type SpeakersChanged struct {
	Members []string
	Levels  map[string]int // how loud each of them is, in dBov: 0 is the loudest, -127 silence
}

// PeerState is the state of one PeerConnection of a member.
type PeerState string

// The states. Disconnected: nothing came from the member for 4 seconds; its publications have ended, and begin anew if something
// comes. Failed: nothing came for 12 seconds, or the member has closed the connection; the server has dropped it.
const (
	StateConnected    PeerState = "connected"
	StateDisconnected PeerState = "disconnected"
	StateFailed       PeerState = "failed"
	StateClosed       PeerState = "closed"
)

// PeerStateChanged tells the state of a connection. When the peer ends, each of its connections is told closed.
type PeerStateChanged struct {
	Member string
	PC     PC
	State  PeerState
}

// Quality is how well media gets to and from a member.
type Quality string

// The qualities, from loss, round-trip time, and the bandwidth against what is wanted: good is below 2 % and 250 ms with at least
// three quarters, fair below 8 % and 500 ms with at least a third.
const (
	QualityGood Quality = "good"
	QualityFair Quality = "fair"
	QualityPoor Quality = "poor"
)

// QualityChanged tells the quality of a member's connections: the worse of the last two intervals of 2 seconds. An interval without a
// measurement of loss counts the newest one, up to three intervals long; one without any measurement tells nothing. When somebody comes
// it is told again of everybody whose connection is not good, or of whom something was lost.
type QualityChanged struct {
	Member  string
	Quality Quality
	// Late is how much later than the rest comes what the member sent and was lost on the way to the server, in steps of 50 ms: they send
	// it again. 0 if nothing was lost for half a minute.
	Late time.Duration
}

func (PublicationStarted) event() {}
func (PublicationEnded) event()   {}
func (SpeakersChanged) event()    {}
func (PeerStateChanged) event()   {}
func (QualityChanged) event()     {}
