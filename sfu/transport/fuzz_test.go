package transport

import (
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// fuzzed is a reader, and a source whose path is known if member is true.
func fuzzed(f *testing.F, member bool) (*reader, source, *Conn) {
	f.Helper()
	n := listen(f)
	s := newSink(f)
	from := source{local: n.locals[0], remote: s.addr()}
	if !member {
		return n.newReader(0), from, n.NewConn(newEvents())
	}
	return n.newReader(0), from, connected(f, n, s.addr())
}

// Without the password nothing is answered.
func FuzzSTUN(f *testing.F) {
	r, from, c := fuzzed(f, false)
	f.Add(signed(f, "nobody12", "0123456789012345678901").Raw)
	f.Add(signed(f, ufragOf(c), "0123456789012345678901").Raw)
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufragOf(c)+":x"), stun.Fingerprint).Raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r.check(raw, from, time.Now()) || len(r.batch.packets) != 0 || from.path() != nil {
			t.Fatalf("%x is answered", raw)
		}
	})
}

// A stranger's packets are not answered.
func FuzzDatagram(f *testing.F) {
	r, from, _ := fuzzed(f, false)
	addDatagrams(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r.dispatch(raw, from, time.Now()) || len(r.batch.packets) != 0 {
			t.Fatalf("%x is answered", raw)
		}
	})
}

// A member's packets reach the handler only if they are authentic.
func FuzzMemberDatagram(f *testing.F) {
	r, from, c := fuzzed(f, true)
	e, ok := c.handler.(*events)
	if !ok {
		f.Fatal("another handler")
	}
	<-e.states
	addDatagrams(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r.dispatch(raw, from, time.Now())
		if len(e.rtp) != 0 || len(e.rtcp) != 0 || len(r.batch.packets) != 0 || len(e.states) != 0 {
			t.Fatalf("%x is handled", raw)
		}
	})
}

func addDatagrams(f *testing.F) {
	f.Helper()
	f.Add(clientHello())
	f.Add(append([]byte{128, 96}, make([]byte, 100)...))
	f.Add(append([]byte{0x9f, 96}, make([]byte, 100)...))
	f.Add(append([]byte{128, 200}, make([]byte, 100)...))
	f.Add([]byte{128, 200, 0})
	f.Add([]byte{})
}
