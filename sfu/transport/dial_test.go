package transport

import (
	"net/netip"
	"testing"
	"testing/synctest"
)

// A server calls another one, and is heard and hears.
func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		other, err := Listen(Config{Addr: ":7000", Net: w.host("10.0.9.1")})
		must(t, err)
		callers := make([]*Conn, 3)
		for i := range callers { // all to one socket
			calls, called := newEvents(), newEvents()
			callers[i] = other.NewConn(calls)
			waits := w.net.NewConn(called)
			ufrag, pwd := waits.Credentials()
			mine, secret := callers[i].Credentials()
			must(t, waits.Start(Remote{Ufrag: mine, Pwd: secret, Fingerprint: other.Fingerprint()}))
			must(t, callers[i].Dial(
				Remote{Ufrag: ufrag, Pwd: pwd, Fingerprint: w.net.Fingerprint(), Setup: SetupPassive},
				[]netip.AddrPort{netip.MustParseAddrPort("10.0.77.1:7000"), w.net.Addrs()[0]}))
			calls.await(t, Connected)
			called.await(t, Connected)
			crosses(t, w.net, waits, calls)
			crosses(t, other, callers[i], called)
		}
		callers[0].Close()
		w.setCut(true)
		must(t, other.Close())
	})
}

// crosses sends a packet and waits for it at the other end.
func crosses(t *testing.T, n *Network, from *Conn, to *events) {
	t.Helper()
	b := n.NewBatch()
	p := video(7, 100)
	if !from.SendRTP(b, &p.Header, p.Payload) {
		t.Fatal("a connected server sends nothing")
	}
	b.Flush()
	if got := next(t, to.rtp); len(got) != 112 {
		t.Errorf("%d bytes", len(got))
	}
}
