// Package rtpmap rewrites the numbers of RTP streams: sequence numbers, timestamps and picture ids.
//
// A forwarder sends one continuous stream to a subscriber although what it receives is not: packets are dropped on
// purpose, the sender restarts, or the stream pauses. The types here keep the outgoing numbers gapless where packets were dropped
// and continuous where the source was changed, and map them back when a subscriber asks for a retransmission.
//
// Everything is arithmetic on integers: no clock, no goroutine, no packet type. A value belongs to one goroutine at a time; its zero
// value is ready for use.
package rtpmap
