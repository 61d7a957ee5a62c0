// Package recorder stores what is said and shown in a session, and makes replays and exports of it.
//
// While a session is on the record, the recorder reads every publication of its media room through a bounded queue. Each
// publication becomes a row of segments: WebM files with one track, a minute of Opus or about ten seconds of VP8 with one key frame at
// the begin: that is what a browser decodes at most to show a moment. A file needs no finishing step: it is written in clusters of at
// most a second, each synced, and is playable when it is cut at any byte.
//
//	packets → reorder → Opus packets or VP8 frames → timeline → segmenter → segment file, Index
//
// Each publication has one goroutine that owns all of this; what it waits for (the disk, the Index) never delays forwarding. If
// its queue overflows, what was lost is counted and told as a [Notice].
//
// Time in a file counts from its segment's start, and a segment's start is session time: durations are never summed, so what is
// lost or silent is a gap and shifts nothing. See timeline for how RTP time becomes session time.
//
// A picture stands until the next one, for up to three seconds, and the file says so: browsers leave out all that follows an unexplained step
// in time, up to the next key frame. What is longer, and what was lost for longer than a second and a half, is a gap.
//
// The second half of the package is pure: [NewReplay] puts a journal and segments together, and [Export] with its writers carries
// out what was written.
package recorder
