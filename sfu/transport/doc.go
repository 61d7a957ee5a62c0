// Package transport carries encrypted media between one server and its members: UDP and TCP sockets, ICE-lite (RFC 8445
// section 2.5), DTLS-SRTP (RFC 5764), and sending in batches. It knows no rooms, no codecs and no SDP.
//
// A packet is handled to its end in the goroutine that read it. Each socket has one reader: it takes what the kernel holds, up to
// 32 packets; decrypts each in place and gives it to the Handler of its Conn; what the handlers send goes, encrypted, into the
// reader's Batch; and when all have been handled the batch leaves, with as few system calls as the kernel allows. There is no timer
// in this way, no channel and no allocation.
package transport
