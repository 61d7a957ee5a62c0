// Package event is Pausepoint's protocol: what members send (commands), what rooms emit (events), and the
// frames that carry both over one WebSocket. JSON on the wire is JSON in the journal. This comment is the
// specification; a client can be written from it and from the types below, from which
// static/src/event.gen.ts is generated (go generate ./room/event).
//
// # Ideas
//
// A session is one journal on one clock. The live state, a late joiner's view, the replay at any moment and
// every export are folds of the journal. A client folds events exactly as the server does (see Fold).
//
// Session time is integer milliseconds since the session was opened. Clip time is integer microseconds in the
// prepared clip, whose frame rate is constant: frame n of a clip with fps = num/den is shown over
// [n·den/num, (n+1)·den/num) seconds. Whoever must show frame n seeks to its middle. Ids are UUIDv7 strings.
//
// # Connection
//
// A client opens GET /api/sessions/{id}/ws with the cookie it got by signing in or by entering with an
// invitation link, and with this server's own Origin. It is refused with an HTTP status and a Problem: 401 without a
// usable cookie, 403 from another origin and for whoever was removed, 404 for whoever is not a member of the session, 429
// with Retry-After when the server is full. Frames are JSON text messages:
//
//	{"type": "...", "id": "...", "seq": 7, "at": 81234, "by": "...", "cmd": "...", "data": {...}}
//
// Absent fields are left out; keys that a receiver does not know are ignored. A client's frame has at most 64 KiB, no key
// twice in one object, and at most 16 levels. The server's frames may be larger (welcome is). A client that offers
// permessage-deflate (RFC 7692) may compress what it sends, each message for itself; all limits count what that inflates to. The
// server does not compress.
//
// The client's first frame is hello, within 10 s; it says with which answer about recording the
// member enters and whether microphone and camera are on. The server answers welcome: the whole View as this member may
// see it, who the member is and what they may do (later changes of that are you.changed). Every later event follows in
// order. Whoever may not come in gets reply{error} and then bye. After a lost connection the client
// connects again and says hello again; there is no other way back, and none is needed: welcome is the whole
// state. A member whose connection is gone is away, and has left after 15 s; hello brings them back from both.
// A second connection of the same member replaces the first, which is told bye{replaced}, unless hello says that it is of the same
// page, and earlier: what was held up on its way takes nobody's place.
//
// A server that hears nothing for 15 s drops the connection; clients ping once a second, which also measures
// the clock: ping{t0} is answered with pong{t0, t1, t2}, where t1 and t2 are session times in milliseconds with
// fractions at receipt and at sending, and t0 is whatever the client wrote. offset = ((t1−t0)+(t2−t3))/2.
// The client tells in the next ping (rtt) what nine in ten of its latest twenty round trips did not exceed, from which the
// room sets the lead of its starts and stops: 70 ms and 0.6 times the worst round trip of anybody, at most 800 ms; a start
// has 80 ms more, since players take a while to start.
//
// The server's last frame is bye{reason, message}; the close frame that follows repeats the reason:
//
//	replaced     the member came in over another connection  1000  stay away: two tabs must not throw each other out
//	left         member.leave was done                       1000  stay away
//	ended        the session has ended                       1000  stay away; there is a replay
//	removed      the member was sent out, or is not let in   1008  stay away
//	signed_out   nobody is signed in with the browser any more 1008 stay away
//	full         the session has as many members as can be   1013  stay away; trying again later is up to people
//	invalid      frames that are not of this protocol        1008  stay away; a frame over 64 KiB closes with 1009
//	too_fast     more than the limits below                  1008  come back
//	too_slow     the member does not read what is sent       1013  come back
//	restarting   the server stops, or the room does          1012  come back
//	unavailable  something could not be stored               1000  come back
//
// A connection that ends without bye is a lost one: come back, with growing waits. Limits are 100 messages (pings and
// pongs of the WebSocket count too) and 64 KiB a second, with bursts of 300 and of 1 MiB, and 50 messages in all that
// cannot be understood; a member may come in, and switch something on, 30 times at once and every 2 s after that (consent to
// be recorded can always be withdrawn); at most 512 frames or 8 MiB wait for a member who reads slowly.
//
// # Commands
//
// {"type": "playback.seek", "id": "<UUIDv7>", "data": {"position": 724500000}} asks for something. The room
// sends the events that came of it, and then reply{id}, once what it did is durable; or reply{id, error}. A command that is
// sent again with the same id (after a reconnect, within 15 minutes) gets the same answer and is not applied twice. Who may
// do what is decided here by role, see Action and May; a command that is not allowed changes nothing and is answered with
// the code "forbidden". While nothing can be stored, a command is answered with "unavailable" after 16 s, or at once: what it asks for may
// have been done, and is done once if it is sent again with the same id. Other frames have no reply unless they are refused; their id is
// optional, and the answer repeats it.
//
// # Events
//
// {"type": "note.added", "seq": 12, "at": 81234, "by": "<member>", "cmd": "<command id>", "data": {"note": {...}}}
// says what happened. seq is dense in the journal; members see gaps where an event is not for them (another
// person's private note). Events carry whole entities, so folding is replacing. Transient events
// (member.typing, member.speaking, member.quality, you.changed) have no seq and are not in the journal.
//
// # Playback
//
// The line {mode, position, rate, at, seq} is always sent whole. While mode is "playing", the position at
// session time t ≥ at is position + rate·(t−at); before at it is position, and everybody starts together at
// at. Modes: "stopped" and "holding" (at a pivotal pause, see Hold): at position from session time at on, which may lie
// a lead ahead while playback still runs; "waiting" (a start was asked for, members are getting ready, at most until the
// deadline at); "playing". A client answers every new line by
// playback.ready{seq} as soon as it could play from there (readyState ≥ 3 and 2.5 s buffered or the end).
// The latest seq wins.
//
// Prepared pauses are part of the View: a client that plays stops by itself in the middle
// of the frame of the next pause, without waiting for the room, which reaches the same point at the same session time and
// emits hold.began. The next pause is the first whose frame comes after the frame of the line's position and that is not
// only proposed; having been passed before does not matter. Each client confirms the frame that it shows with
// hold.confirm{hold, frame, seq}, where seq is the line's; another frame than the hold's is refused.
// In the middle of the last frame of the chosen range playback stops by itself in the same way.
//
// # Drawing
//
// While the line is "stopped" or "holding" and its time at has come, drawing.add draws a stroke on the frame, in parts of the picture
// itself and not of what surrounds it. position is the line's: a stroke that was drawn on another frame is refused. Whoever watches
// on their own draws nothing. A frame holds at most 256 strokes; the View has those of the frame on which the clip
// stands, and none once the line moves, or stands on another one.
//
// # Recording
//
// recording.start begins a recording if everybody in the session has agreed (hello, member.consent); while somebody has not
// answered, the state is "asking" until everybody agrees, somebody does not, or whoever asked takes it back or leaves. While
// it is "on", who has not answered is not recorded; who does not agree, and anybody's recording.stop, takes everybody "off-the-record". Whoever
// agreed takes it back with member.consent{agree false}, after the session by HTTP: member.withdrew, and, once the files of
// that member are removed, recording.erased. Whether the recording may become a clip of its own is asked and answered by HTTP, too, once
// the session is over: reuse.changed.
//
// # Media
//
// Two PeerConnections per member, both built anew after each welcome, with one bundled transport and without data channels:
// Opus, with redundancy (RFC 2198) where it is offered, and VP8, VP9, H.264 or AV1, the first that the client offers. At most
// one publication per source and member: audio, camera, screen, screen-audio. Video may be simulcast (RFC 8853) in up to
// three layers of rising size.
//
// "publish": the client offers (rtc.offer with pc "publish", and sources naming each m-line's source by mid; a mid that is
// left out is not published), the server answers with rtc.answer. The client sends one offer at a time. Members without the
// action "publish" are refused.
//
// "subscribe": the server offers as soon as somebody else publishes, and again with each change, one offer at a time;
// tracks names each m-line's member, source and publication by mid, all of them each time; a mid that is left out is
// unused. The client answers each offer with rtc.answer, and its answer has no tracks.
//
// Offers carry rising numbers, 1 or more, of whoever makes them, for each of the two; a client may count on over its next
// WebSocket. An answer repeats the number of its offer. An answer to any but the newest offer, or to one that was given up,
// is dropped: a connection that took the place of another is never given the other's answer.
//
// The client's candidates trickle as rtc.candidate, before or after the description that they belong to, at most 64 for
// each negotiation. The server's descriptions hold all of its candidates (one UDP port, and the same number over
// ICE-TCP); it trickles none. A description has at most 64 m-lines and fits into a frame.
//
// rtc.views from the client names the pictures that it receives, all of them each time, each with its size on the screen in
// the screen's pixels. One of 0 by 0 is not shown, and not sent; of the others, and of those that are not named, the
// server sends the layer that fits the place and the network. At most 64 are named.
//
// rtc.wanted from the server says how tall the tallest place is in which anybody shows a picture that the member publishes in
// several layers: 0 if nobody does, 16384 where the best is wanted, of a recorder for instance. Layers larger than the smallest one
// that fills the place need not be sent; the smallest layer is always sent. It is told when a publication begins, which sends
// all until then, and when it changes.
//
// member.quality tells how late comes what of a member's sound and pictures was lost on the way to the server, since it is sent
// again; 0 if nothing was lost for half a minute. Whoever plays all of it so much later has no gaps.
//
// rtc.relays comes before welcome, where the server has TURN servers: a client gives them to its connections as iceServers. Their
// credentials are the member's alone, and good for some hours.
//
// rtc.restart from the client says that a connection is lost. For "publish" the server forgets that connection, and the
// client offers on a new one (on one that is alive it may offer with an ICE restart instead). For "subscribe" the server offers
// an ICE restart, or, if an offer was unanswered, says rtc.restart itself and offers a new connection. rtc.restart from
// the server says that it has dropped a connection: the client closes its own; for "publish" it offers on a new one if
// it still may, for "subscribe" an offer follows.
package event

//go:generate go run ./gen -o ../../static/src/event.gen.ts
