// Package media plays the media of a call's members towards a server: light clients on UDP sockets that do what a browser does on the
// wire (ICE, DTLS-SRTP, reception reports, retransmission requests, transport-wide feedback), and no more, so that one core can
// play 300 of them. How session descriptions get to the server and back is up to whoever uses it.
package media
