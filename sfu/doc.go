// Package sfu is the media plane: a selective forwarding unit for rooms of people. It knows no session, clip or note.
//
// # Connections
//
// A member has two PeerConnections. On the publish connection the member always offers, on the subscribe connection the server
// does, so offers never cross. Signals travel through Peer.Handle and PeerConfig.Send. All connections share one UDP socket (per
// address of the machine) and one TCP listener on the same port number; the server is ICE-lite.
//
// A publish offer names the source of each mid. A member publishes each source at most once; what is published again replaces what
// was there. A publication starts with its first packet and ends once.
//
// A subscribe offer names the publication of each mid. A subscriber is never handed a change: whenever a room's publications
// change it compares what it has with what there is, and offers the difference. One offer is in flight at a time, and
// what changes meanwhile is in the next. So no interleaving of joins and leaves loses a track.
//
// A connection that fails is dropped and the member is told to restart it (KindRestart): it closes its own and, for publish, makes a
// new one and offers; for subscribe the server's new offer follows.
//
// # The way of a packet
//
//	socket → ICE, DTLS, SRTP (pion) → inbound.readRTP → Publication.receive
//	         → ingress.check     rate cap, size, padding, VP8 descriptor, place in the stream
//	         → history.put       for retransmission, one copy for all subscribers
//	         → downTrack.forward for each subscriber: sequence number, timestamp, picture id (rtpmap) → SRTP → socket
//	         → TapTrack.push     for each recorder: a copy into a bounded ring, or dropped and counted
//
// The reader goes through immutable lists of subscribers and taps behind atomic pointers; there is no channel on the way, and
// for subscribers no allocation. NACKs are answered by downTrack.resend from the history. Requests for key frames meet in
// keyframer, which asks the publisher at most once in 300 ms and again until a key frame begins. Sender reports of the publisher are
// translated for each subscriber, so that a member's audio and video play in sync.
//
// # Who owns what
//
//   - Peer.run, one goroutine per peer, owns both connections and the bookkeeping of publisher and subscriber. Signals, connection states and
//     new tracks reach it through its mailbox, which never blocks.
//   - inbound.readRTP, one goroutine per incoming track, owns the publication's ingress.
//   - inbound.readRTCP and downTrack.readRTCP, one goroutine each per track, hear the other side's RTCP.
//   - liveRoom.listen, one goroutine per room, owns who speaks and the qualities; it sleeps while nothing is published.
//   - Tap.run, one goroutine per tap, calls the sink, in order and without a lock.
//   - The lists of a room are guarded by liveRoom.mu; locks are taken in the order SFU, room, publication, tap.
//
// All of them end with Peer.Close, Tap.Close or SFU.Close, which wait for them.
package sfu
