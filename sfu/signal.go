package sfu

import (
	"errors"
	"fmt"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// Kind says what a Signal is.
type Kind string

// The kinds of signals.
const (
	KindOffer     Kind = "offer"
	KindAnswer    Kind = "answer"
	KindCandidate Kind = "candidate"
	// KindRestart from a member: the connection is lost. For subscribe, the server offers an ICE restart, or builds a new
	// connection; for publish, the server forgets the connection and the member makes a new one.
	//
	// KindRestart from the server: it has dropped that connection. The member closes its own; for publish it makes a new one and
	// offers again if it still publishes, for subscribe the offer of a new one follows.
	KindRestart Kind = "restart"
	// KindWanted from the server: how tall the tallest place is in which somebody shows a picture of the member. Larger layers than
	// fit it are of use to nobody. It is told of pictures in several layers, when they begin and when it changes.
	KindWanted Kind = "wanted"
)

// PC names one of the two PeerConnections of a member.
type PC string

// The two PeerConnections: on publish the member always offers, on subscribe the server does.
const (
	Publish   PC = "publish"
	Subscribe PC = "subscribe"
)

// Source is what a member publishes; at most one publication of each at a time.
type Source string

// The sources.
const (
	SourceAudio       Source = "audio"
	SourceCamera      Source = "camera"
	SourceScreen      Source = "screen"
	SourceScreenAudio Source = "screen-audio"
)

// Video reports whether the source is a picture; the others are sound.
func (s Source) Video() bool { return s == SourceCamera || s == SourceScreen }

// Valid reports whether s is one of the four sources.
func (s Source) Valid() bool {
	return s.Video() || s == SourceAudio || s == SourceScreenAudio
}

// TrackInfo names a publication.
type TrackInfo struct {
	Member      string `json:"member"`
	Source      Source `json:"source"`
	Publication string `json:"publication"`
}

// Signal is one message of the negotiation, in either direction.
type Signal struct {
	Kind Kind
	PC   PC
	// SDP of an offer or answer. The server's own are complete: it trickles no candidates.
	SDP string
	// Candidate is the JSON of an RTCIceCandidateInit: candidate, sdpMid, sdpMLineIndex.
	Candidate string
	// Offer numbers the offers of one side on one connection, and on those that take its place, from 1 on. An answer repeats the number
	// of its offer; it is ignored if that was given up or is not the newest.
	Offer uint32
	// Sources says in a publish offer which source each mid carries. A mid that is left out is not published.
	Sources map[string]Source
	// Tracks says in a subscribe offer which publication each mid carries. A mid that is left out is unused.
	Tracks map[string]TrackInfo
	// Source and Height say what is wanted of which picture: Height is in pixels, 0 if nobody shows it, AnyHeight for the best.
	Source Source
	Height int
}

// Errors of signals. They leave the connections as they were, but for a session description that passes all checks and still cannot
// be applied: its connection is dropped.
var (
	ErrClosed          = errors.New("sfu: the peer is closed")
	ErrBusy            = errors.New("sfu: too many signals are waiting; send fewer")
	ErrMayNotPublish   = errors.New("sfu: the member may not publish")
	ErrNotSubscribed   = errors.New("sfu: the peer does not subscribe")
	ErrSDPTooLarge     = negotiate.ErrTooLarge
	ErrTooManyMedia    = negotiate.ErrTooManyMedia
	ErrBadSDP          = negotiate.ErrBad
	ErrBadSources      = errors.New("sfu: the sources do not match the session description")
	ErrUnsupported     = negotiate.ErrUnsupported
	ErrBadCandidate    = errors.New("sfu: the ICE candidate cannot be read")
	ErrTooManySignals  = negotiate.ErrTooManyCandidates
	ErrUnexpected      = errors.New("sfu: the signal does not fit the state of the connection")
	ErrConnection      = errors.New("sfu: the connection cannot be set up")
	ErrInvalidIdentity = errors.New("sfu: a room and a member need ids of 1 to 128 printable characters without spaces")
)

func wrap(kind error, cause error) error { return fmt.Errorf("%w: %w", kind, cause) }

func validID(id string) bool {
	for _, r := range id {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return len(id) > 0 && len(id) <= 128
}
