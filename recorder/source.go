package recorder

import (
	"context"
	"time"

	"github.com/pion/rtp"
)

// Room is what the recorder needs of a session's media room. [RoomOf] makes one of an sfu.Room.
type Room interface {
	// Tap calls started once for every publication that there is and that begins later, from one goroutine at a time,
	// until stop has returned. The tracks live on after stop until they are closed.
	Tap(started func(Track)) (stop func(), err error)
}

// Track is a bounded queue of what arrives for one publication. Forwarding never waits for it: what does not fit is dropped and
// counted. One goroutine calls Next; the other methods may be called from any.
type Track interface {
	Info() TrackInfo

	// Next waits for an item. It returns io.EOF when the publication has ended, or Close was called, and all is read; and the
	// context's error only when no item waits.
	Next(ctx context.Context) (Item, error)

	// RequestKeyFrame asks the publisher for a key frame; it does not wait.
	RequestKeyFrame()

	// RoundTrip is the newest time that the way to the publisher and back took; 0 while it is not known.
	RoundTrip() time.Duration

	// Close stops the queue.
	Close()
}

// TrackInfo says what a track is.
type TrackInfo struct {
	Publication string
	Member      string
	Source      string // audio, camera, screen or screen-audio
	Mime        string // audio/opus or video/VP8, in any case
	ClockRate   uint32 // of RTP timestamps, Hz
	Channels    uint16 // of audio; 0 for video
}

// Item is a packet or a sender report.
type Item struct {
	Arrival time.Time
	Packet  *rtp.Packet   // nil for a report; owned by the receiver; without a payload where it was only padding
	Report  *SenderReport // nil for a packet
	Epoch   uint32        // grows when the publisher's numbering begins anew
	Dropped uint64        // items that did not fit in the queue just before this one
}

// SenderReport relates a sender's wall clock to RTP timestamps (RFC 3550 section 6.4.1).
type SenderReport struct {
	NTP uint64 // 32.32 fixed point, seconds since 1900
	RTP uint32
}
