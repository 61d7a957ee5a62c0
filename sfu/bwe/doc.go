// Package bwe estimates how much can be sent to one subscriber, from what it says of the packets that arrived.
//
// It is Google congestion control (draft-ietf-rmcat-gcc-02) on transport-wide feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01): a trend of the one-way delay says when a queue grows, additive and
// multiplicative steps follow what was delivered, and losses lower the target when they are more than a lossy radio's.
// Probes, short bursts above the target, find bandwidth that nobody uses at the time.
//
// Everything here is pure: the time is passed in, nothing blocks, and nothing is shared. Its owner calls one method at a time.
// All rates are in bit/s and count RTP headers and payloads, but not UDP and IP.
package bwe
