// Package load plays the participants of a call towards a server: light clients on UDP sockets that do what a browser does on the
// wire (ICE, DTLS-SRTP, reception reports, retransmission requests, transport-wide feedback), and no more, so that one core can
// play 300 of them.
package load
