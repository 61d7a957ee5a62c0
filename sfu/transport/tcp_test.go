package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func dialTCP(t testing.TB, n *Network) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.Port())))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func frame(raw []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...)
}

func write(t testing.TB, conn net.Conn, raw []byte) {
	t.Helper()
	_, err := conn.Write(raw)
	must(t, err)
}

// checkTCP sends a check and wants its answer.
func checkTCP(t testing.TB, conn net.Conn, request *stun.Message) {
	t.Helper()
	write(t, conn, frame(request.Raw))
	raw := readFrame(t, conn)
	m := stun.New()
	must(t, stun.Decode(raw, m))
	if m.TransactionID != request.TransactionID || m.Type != stun.BindingSuccess {
		t.Fatalf("got %v", m)
	}
}

func readFrame(t testing.TB, conn net.Conn) []byte {
	t.Helper()
	var header [2]byte
	_, err := io.ReadFull(conn, header[:])
	must(t, err)
	raw := make([]byte, binary.BigEndian.Uint16(header[:]))
	_, err = io.ReadFull(conn, raw)
	must(t, err)
	return raw
}

func wantClosed(t testing.TB, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestHostileTCP(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	conn := dialTCP(t, n)
	write(t, conn, frame(nil))
	write(t, conn, frame([]byte{0}))
	write(t, conn, frame(clientHello()))
	write(t, conn, frame(signed(t, "nobody12", "0123456789012345678901").Raw))
	for _, b := range frame(request(t, c).Raw) { // byte by byte
		write(t, conn, []byte{b})
	}
	readFrame(t, conn)
	checkTCP(t, conn, request(t, c))

	other := n.NewConn(newEvents())
	write(t, conn, frame(request(t, other).Raw)) // belongs to c
	checkTCP(t, conn, request(t, c))

	write(t, conn, []byte{255, 255, 1, 2, 3})
	wantClosed(t, conn)
}

func TestStrangersOverTCPAreBounded(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	var conns []net.Conn
	for range maxStrangersAddr {
		conns = append(conns, dialTCP(t, n))
	}
	wantClosed(t, dialTCP(t, n))
	checkTCP(t, conns[0], request(t, c)) // no stranger any more
	checkTCP(t, dialTCP(t, n), request(t, c))
	now := n.instant(time.Now())
	n.tcp.closeIdle(now)
	checkTCP(t, conns[0], request(t, c))
	n.tcp.closeIdle(now + tcpIdle + int64(time.Minute))
	for _, conn := range conns {
		wantClosed(t, conn)
	}
}

func TestConnClosesItsTCPConnection(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	conn := dialTCP(t, n)
	checkTCP(t, conn, request(t, c))
	c.Close()
	wantClosed(t, conn)
}

// A member that does not read loses packets; nobody waits for it.
func TestSlowTCPReader(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	conn := dialTCP(t, n)
	checkTCP(t, conn, request(t, c, attribute(stun.AttrUseCandidate)))
	p := c.selected.Load()
	b := n.NewBatch()
	raw := make([]byte, 1000)
	sent := 0
	for ; n.Stats().DroppedSend == 0; sent++ {
		binary.BigEndian.PutUint32(raw, uint32(sent))
		b.commit(p, append(b.room(len(raw)), raw...))
		b.Flush()
	}
	p.tcp.mu.Lock()
	waiting := len(p.tcp.waiting)
	p.tcp.mu.Unlock()
	if waiting > tcpQueue {
		t.Errorf("%d bytes wait", waiting)
	}
	for i := range sent - 1 { // whole frames, in order
		if got := readFrame(t, conn); binary.BigEndian.Uint32(got) != uint32(i) {
			t.Fatalf("frame %d is %d", i, binary.BigEndian.Uint32(got))
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 1, 5, 0, 0, 0, 2, 1, 2})
	f.Add([]byte{255, 255})
	f.Add(frame(bytes.Repeat([]byte{7}, maxDatagram)))
	f.Fuzz(func(t *testing.T, in []byte) {
		var got []byte
		err := readFrames(bytes.NewReader(in), func(raw []byte) {
			if len(raw) > maxDatagram {
				t.Fatalf("a frame of %d bytes", len(raw))
			}
			got = append(got, frame(raw)...)
		})
		if err == nil || !bytes.HasPrefix(in, got) {
			t.Fatalf("%v: %x of %x", err, got, in)
		}
	})
}
