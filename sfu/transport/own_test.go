package transport

import (
	"net/netip"
	"testing"
)

// A relay on this machine is answered where members with such an address would not be, and only if there is one.
func TestOwnAddresses(t *testing.T) {
	own, neighbour := netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("10.0.0.6")
	for _, relay := range []bool{true, false} {
		n := &Network{
			allow: func(netip.Addr) bool { return false }, allowOwn: relay,
			locals: []*local{{addr: netip.AddrPortFrom(own, 7882)}},
		}
		if n.answers(own) != relay || n.answers(neighbour) || n.answers(netip.MustParseAddr("127.0.0.1")) {
			t.Errorf("with a relay %v: own %v, neighbour %v", relay, n.answers(own), n.answers(neighbour))
		}
	}
}
