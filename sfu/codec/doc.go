// Package codec reads what RTP payloads say of themselves, as far as a forwarder needs it: where frames begin and end, which of them
// are key frames, to which layer they belong, and the counters that must stay continuous when packets are left out.
//
// VP8 (RFC 7741), VP9 (RFC 9628), H.264 (RFC 6184), AV1 (the AV1 RTP payload specification 1.0, with its dependency descriptor),
// Opus (RFC 7587) and redundant audio (RFC 2198) are known. Pictures are never decoded.
//
// Everything is a function of bytes: no clock, no goroutine. Reading allocates nothing and panics on no input; what is cut short
// is an error.
package codec
