// Command soak puts package sfu through what a long term does to a server: thousands of joins, leaves and aborts, reconnects while the
// CPU is busy, a room full of people who send in three layers, and people who come in the same instant. The clients are pion/webrtc's,
// on real sockets of the loopback interface.
//
//	soak            the long form of everything, as a table; exits with 1 if something is not as it must be
//	soak -only churn -n 2000
//
// The tests of this package are its short form.
package main
