// Package load plays members towards a running deployment, by its protocol alone: they come in with an invitation over HTTP, hold a
// WebSocket, publish and receive made-up media over ICE, DTLS and SRTP, drive the player, stop at pauses and write notes. It
// measures what they see, and what a server uses for it, and takes away what it has made.
package load
