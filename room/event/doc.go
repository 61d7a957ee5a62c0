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
// invitation link, from a page of the same origin. Frames are JSON text messages of at most 64 KiB:
//
//	{"type": "...", "id": "...", "seq": 7, "at": 81234, "by": "...", "data": {...}}
//
// Absent fields are left out. The client's first frame is hello; it says with which answer about recording the
// member enters and whether microphone and camera are on. The server answers welcome: the whole View as this member may see it, who
// the member is and what they may do. Every later event follows in order. After a lost connection the client
// connects again and says hello again; there is no other way back, and none is needed: welcome is the whole
// state. A second connection of the same member replaces the first, which is told bye{replaced}.
//
// A server that hears nothing for 15 s drops the connection; clients ping once a second, which also measures
// the clock: ping{t0} is answered with pong{t0, t1, t2}, where t1 and t2 are session times in milliseconds with
// fractions at receipt and at sending, and t0 is whatever the client wrote. offset = ((t1−t0)+(t2−t3))/2.
// The client tells its round trip in the next ping (rtt), from which the room sets the lead of its starts.
//
// # Commands
//
// {"type": "playback.seek", "id": "<UUIDv7>", "data": {"position": 724500000}} asks for something. The room
// answers reply{id} once what it did is durable, or reply{id, error}. A command that is sent again with the
// same id (after a reconnect) gets the same answer and is not applied twice. Who may do what is decided here
// by role, see Action; a command that is not allowed changes nothing and is answered with the code "forbidden".
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
// at. Modes: "stopped"; "waiting" (a start was asked for, members are getting ready, at most until the
// deadline at); "playing"; "holding" (at a pivotal pause, see Hold). A client answers every new line by
// playback.ready{seq} as soon as it could play from there (readyState ≥ 3 and 2.5 s buffered or the end).
// The latest seq wins. Prepared pauses are part of the View: a client that plays stops by itself in the middle
// of the pause's frame, without waiting for the room, which reaches the same point at the same session time and
// emits hold.began. Each client confirms the frame that it shows with hold.confirm{hold, frame, seq}.
// At the end of the chosen range playback stops by itself in the same way.
//
// # Media
//
// Two PeerConnections per member. "publish": the client offers (rtc.offer with pc "publish", and sources naming
// each m-line's source by mid), the server answers. "subscribe": the server offers (tracks names each m-line's
// member, source and publication by mid), the client answers. Candidates trickle as rtc.candidate. When a
// connection fails, the client sends rtc.restart for it: for "subscribe" the server answers with a new
// offer (restarting ICE), for "publish" the client itself offers with an ICE restart. At most one publication per source and
// member: audio, camera, screen, screen-audio.
package event

//go:generate go run ./gen -o ../../static/src/event.gen.ts
