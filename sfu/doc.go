// Package sfu is the media plane: a selective forwarding unit for rooms of people. It knows no session, clip or note.
//
// # Connections
//
// A member has two connections, as browsers make them with RTCPeerConnection. On the publish connection the member always
// offers, on the subscribe connection the server does, so offers never cross. Signals travel through Peer.Handle and PeerConfig.Send.
// All connections share the sockets of package transport; the server is ICE-lite and the DTLS server. Session descriptions are
// read and written by package negotiate.
//
// A publish offer names the source of each mid. A member publishes each source at most once; what is published again replaces what
// was there. A publication starts with its first packet and ends once: when it is no longer offered, when nothing came for 4 seconds,
// or with its connection. If packets come again before the connection is given up, after 12 seconds, a new one starts.
//
// A subscribe offer names the publication of each mid. A subscriber is never handed a change: whenever a room's publications
// change it compares what it has with what there is, and offers the difference. One offer is in flight at a time, and
// what changes meanwhile is in the next. So no interleaving of joins and leaves loses a track.
//
// A connection that fails is dropped and the member is told to restart it (KindRestart): it closes its own and, for publish, makes a
// new one and offers; for subscribe the server's new offer follows. Both sides may restart ICE instead.
//
// # The way of a packet
//
//	socket → ICE, DTLS, SRTP (transport) → publishConn.HandleRTP, in the socket's goroutine
//	         → stream: whose SSRC it is; retransmissions are unwrapped
//	         → layer.accept     rate cap, size, padding, payload (codec), place in the stream, what is missing
//	         → publishConn.mend  missing sound is made of what the packet repeats
//	         → history.put      one copy of it for all subscribers
//	         → downTrack.forward for each subscriber: layer, sequence number, timestamp, picture id (outStream)
//	                             → egress: pacing, transport-wide number → SRTP → the socket's batch
//	         → TapTrack.push     for each recorder: a copy into a bounded ring, or dropped and counted
//
// No goroutine is woken on the way and, for subscribers, nothing is allocated. Video that the pacer does not let go waits as a
// reference into the history. The metronome, one goroutine for all connections, does what no packet gives occasion to: it drains
// those queues, sends probes, feedback, reports and requests for missing packets, and lets bandwidth be allocated. NACKs are
// answered from the history, and so is what transport-wide feedback reports as lost (egress.mend). Requests for key frames meet in a keyframer for each layer, which asks the publisher at most once in
// 300 ms and again until a key frame begins. A subscriber that begins, or changes its layer, while the newest key frame is
// fresh is sent what came since then out of the history (egress.catchUp), so that a crowd needs one key frame. Sender reports of the publisher are translated for each subscriber, so that a member's
// audio and video play in sync.
//
// # Sound
//
// Sound is rather not sent again when it is lost: later packets repeat it (RED, RFC 2198), and the server mends each way by itself. Redundancy is
// taken apart where it comes in (layer.unwrap); what is missing of the stream is made of it, under its own number, before the
// packet that repeats it, and the original is dropped if it comes after all (publishConn.mend). A block that may be another packet
// is not used. Towards each subscriber that takes RED, redundancy is composed anew: one earlier packet, two where 3 % are
// lost, none where the bandwidth is hardly enough for sound. A subscriber that takes none (Firefox) is sent each packet of sound a second
// time while 1 % is lost, a third time while 3 % are, unchanged to the last byte (downTrack.follow). A publisher that has none is asked for
// what is missing, as for pictures: Firefox answers that, although it offers nothing of it (negotiate.Codec, Kept).
// Recorders get plain Opus, with what was made.
//
// # Layers and bandwidth
//
// A picture may be sent in up to three layers: as simulcast, listed in the offer from the smallest to the largest, or as the spatial
// layers of one stream. An outStream makes one continuous stream of them; it goes up at a key frame. The bandwidth to each
// subscriber is estimated from what it reports (bwe), and ten times a second the layers are chosen anew (allocate), by what the
// member's client displays (Peer.SetViews) and who speaks. Sound always goes, and goes first. Recorders get the best layer that is
// sent. A publisher who lacks bandwidth sends the largest layer no more, without a word: when that shows by the pictures of the smaller
// ones, which go on (presence), everybody goes on with one of those at once. The publisher is told how tall the tallest place is in
// which anybody shows a picture (KindWanted), so that it need not encode layers that nobody sees.
//
// # Between servers
//
// Another server may fetch a publication (Room.Fetch there, Room.Feed here) to serve members of its own with it. The fetch offers to
// receive, the feed answers: each is one publication in one connection, so nothing is ever negotiated again. The one that fetches calls,
// from a socket of its own, since both are ICE-lite (transport, Conn.Dial); what comes then takes the way of a member's packets. A feed
// is not paced, and has a downTrack for each layer, up to the one that fills the tallest place there (Feed.SetHeight); the publisher is
// told of that place, too.
//
// # Who owns what
//
//   - Peer.run, one goroutine per peer, owns the negotiation of both connections and the bookkeeping of publisher and subscriber.
//     Signals, states of connections and first packets reach it through its mailbox, which never blocks.
//   - Feed.run, one goroutine per feed, owns its connection's life.
//   - publishConn.mu guards what arrives on a publish connection, its layers included; egress.mu what leaves on a subscribe
//     connection, its downTracks included. Each is held for one packet at a time.
//   - liveRoom.listen, one goroutine per room, owns who speaks, the qualities and how large pictures are wanted; it sleeps while nothing is published.
//   - Tap.run, one goroutine per tap, calls the sink, in order and without a lock.
//   - The lists of a room are guarded by liveRoom.mu, those of a publication by Publication.mu; the reader goes through the latter
//     without a lock, they are never changed in place.
//
// Locks are taken in the order SFU, room, publication, tap; and on the way of a packet publishConn, egress or TapTrack, then those
// of a history, a keyframer, control or a connection. All goroutines end with Peer.Close, Tap.Close or SFU.Close, which wait for them.
package sfu
