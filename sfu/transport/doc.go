// Package transport carries encrypted media between one server and its members: UDP and TCP sockets, ICE-lite (RFC 8445
// section 2.5), DTLS-SRTP (RFC 5764), and sending in batches. It knows no rooms, no codecs and no SDP.
//
// A packet is handled to its end in the goroutine that read it. Each socket has one reader: it takes what the kernel holds, up to
// 32 packets; decrypts each in place and gives it to the Handler of its Conn; what the handlers send goes, encrypted, into the
// reader's Batch; and when all have been handled the batch leaves, with as few system calls as the kernel allows. There is no timer
// in this way, no channel and no allocation.
//
// Between servers, one calls the other (Conn.Dial): it sends the checks that an ICE-lite agent leaves to the other side, and begins
// the handshake.
//
// # What an address is worth
//
// Nothing is sent to an address but after a check from it that is signed with the connection's password; DTLS and SRTP go to the
// path that such checks have nominated, and the handshake shows that the member receives there. A later nomination shows less:
// ICE-lite sends no checks of its own (RFC 8445 section 2.5, RFC 7675 section 1), so who signed the check is known, but not that
// they receive where it seems to come from. A member whose network lets forged sources out could have the media of this one
// connection sent to a stranger. Waiting for SRTP from the new address would prove no more, since the same member could forge
// that, and browsers that change over would lose time. What limits it: Config.Allow; addresses of other connections cannot be
// taken while they are alive; and a path from which nothing authentic came for 4 s is left for any other that is alive, so that
// forging must go on for as long as the damage.
package transport
