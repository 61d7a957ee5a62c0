// Package negotiate reads and writes the session descriptions of a forwarding server (RFC 8829, RFC 8866).
//
// [ReadOffer] reads what a member wants to send, [Offer.Answer] answers it. [Sections] are the media sections of a connection
// on which the server sends: it makes the offers and reads the answers.
//
// The server is an ICE-lite agent at addresses that are known beforehand (RFC 8445 section 2.5), everything goes through one
// transport (BUNDLE, RFC 9143), RTCP with it (RFC 5761), and the server is always the DTLS server, since that side chooses the encryption.
// What a member offers beyond Opus, RED, VP8, VP9, H.264 and AV1 is left out of the answer.
//
// Everything is text in, text out: no clock, no goroutine, no network. Nothing that a member writes makes it panic; the
// cost is linear in the length of the text, which is limited.
package negotiate
