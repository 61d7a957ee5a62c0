package transport

import (
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// prober speaks STUN by hand from a socket of its own.
type prober struct {
	t    testing.TB
	conn *net.UDPConn
}

func newProber(t testing.TB, n *Network) *prober {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n.Port()})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &prober{t: t, conn: conn}
}

func (p *prober) send(raw []byte) {
	p.t.Helper()
	_, err := p.conn.Write(raw)
	must(p.t, err)
}

// receive is the next STUN message.
func (p *prober) receive() *stun.Message {
	p.t.Helper()
	must(p.t, p.conn.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 2048)
	size, err := p.conn.Read(buf)
	must(p.t, err)
	m := stun.New()
	must(p.t, stun.Decode(buf[:size], m))
	return m
}

// roundTrip sends a check and wants the next thing that comes to be its answer: what was sent before was not answered.
func (p *prober) roundTrip(request *stun.Message) *stun.Message {
	p.t.Helper()
	p.send(request.Raw)
	m := p.receive()
	if m.TransactionID != request.TransactionID {
		p.t.Fatalf("an answer to something else: %v", m)
	}
	return m
}

func request(t testing.TB, c *Conn, more ...stun.Setter) *stun.Message {
	t.Helper()
	ufrag, pwd := c.Credentials()
	return signed(t, ufrag, pwd, more...)
}

func signed(t testing.TB, ufrag, pwd string, more ...stun.Setter) *stun.Message {
	t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufrag + ":them"), attribute(stun.AttrPriority, 0, 0, 0, 1)}, more...)
	return build(t, append(setters, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...)
}

func build(t testing.TB, setters ...stun.Setter) *stun.Message {
	t.Helper()
	m, err := stun.Build(setters...)
	must(t, err)
	return m
}

func attribute(kind stun.AttrType, value ...byte) stun.Setter {
	return stun.RawAttribute{Type: kind, Value: value}
}

// clientHello is enough of one: a handshake record of epoch 0.
func clientHello() []byte {
	raw := make([]byte, 200)
	copy(raw, []byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 187, 1, 0, 0, 175, 0, 0, 0, 0, 0, 0, 175, 254, 253})
	return raw
}

func TestHostileDatagramsAreNotAnswered(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	ufrag, pwd := c.Credentials()
	user := stun.NewUsername(ufrag + ":them")
	key := stun.NewShortTermIntegrity(pwd)
	begin := []stun.Setter{stun.TransactionID, stun.BindingRequest}
	with := func(s ...stun.Setter) []byte { return build(t, append(begin[:2:2], s...)...).Raw }
	good := request(t, c).Raw
	wrongPrint := append([]byte(nil), good...)
	wrongPrint[len(wrongPrint)-1] ^= 1
	longer := append([]byte(nil), good...)
	binary.BigEndian.PutUint16(longer[2:], 60000)
	cases := map[string][]byte{
		"unknown ufrag":          signed(t, "nobody12", pwd).Raw,
		"wrong password":         signed(t, ufrag, "wrong-wrong-wrong-wrong").Raw,
		"no user name":           with(key, stun.Fingerprint),
		"no colon":               with(stun.NewUsername(ufrag), key, stun.Fingerprint),
		"no integrity":           with(user, stun.Fingerprint),
		"no fingerprint":         with(user, key),
		"wrong fingerprint":      wrongPrint,
		"an indication":          build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication), user, key, stun.Fingerprint).Raw,
		"an answer":              build(t, stun.TransactionID, stun.BindingSuccess, user, key, stun.Fingerprint).Raw,
		"an Allocate":            build(t, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), user, key, stun.Fingerprint).Raw,
		"a bad priority":         with(user, attribute(stun.AttrPriority, 1, 2), key, stun.Fingerprint),
		"cut":                    good[:len(good)-5],
		"header only":            good[:20],
		"too long a length":      longer,
		"bytes behind":           append(append([]byte(nil), good...), 0, 0, 0, 0),
		"user name behind":       with(key, user, stun.Fingerprint),
		"too long a user name":   with(attribute(stun.AttrUsername, make([]byte, 600)...), key, stun.Fingerprint),
		"one byte":               {0},
		"nothing":                {},
		"a ClientHello":          clientHello(),
		"RTP":                    append([]byte{128, 96}, make([]byte, 100)...),
		"RTCP":                   append([]byte{128, 200}, make([]byte, 100)...),
		"neither":                {100, 1, 2, 3},
		"a datagram of 60 kB":    make([]byte, 60000),
		"zeros":                  make([]byte, 100),
		"a channel data message": {64, 0, 0, 4, 1, 2, 3, 4},
	}
	for name, raw := range cases {
		t.Run(name, func(t *testing.T) {
			p := newProber(t, n)
			p.send(raw)
			if m := p.roundTrip(request(t, c)); m.Type != stun.BindingSuccess {
				t.Errorf("%v", m)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	_, pwd := c.Credentials()
	p := newProber(t, n)
	m := p.roundTrip(request(t, c))
	var mapped stun.XORMappedAddress
	must(t, mapped.GetFrom(m))
	if mapped.String() != p.conn.LocalAddr().String() {
		t.Errorf("mapped to %v", mapped)
	}
	must(t, stun.NewShortTermIntegrity(pwd).Check(m))
	must(t, stun.Fingerprint.Check(m))
	if addr, _ := c.RemoteAddr(); addr.IsValid() {
		t.Error("nominated without USE-CANDIDATE")
	}
	behind := build(t, stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufragOf(c)+":them"), stun.NewShortTermIntegrity(pwd),
		attribute(stun.AttrUseCandidate), stun.Fingerprint)
	p.roundTrip(behind)
	if addr, _ := c.RemoteAddr(); addr.IsValid() {
		t.Error("nominated by an attribute that is not authentic")
	}
	p.roundTrip(request(t, c, attribute(stun.AttrUseCandidate)))
	if addr, _ := c.RemoteAddr(); addr.String() != p.conn.LocalAddr().String() {
		t.Errorf("selected: %v", addr)
	}
	for want, setter := range map[stun.ErrorCode]stun.Setter{
		stun.CodeRoleConflict:     attribute(stun.AttrICEControlled, 1, 2, 3, 4, 5, 6, 7, 8),
		stun.CodeUnknownAttribute: attribute(0x7777, 1),
	} {
		m := p.roundTrip(request(t, c, setter))
		var code stun.ErrorCodeAttribute
		must(t, code.GetFrom(m))
		must(t, stun.NewShortTermIntegrity(pwd).Check(m))
		if code.Code != want {
			t.Errorf("%v, want %v", code, want)
		}
	}
}

func ufragOf(c *Conn) string {
	ufrag, _ := c.Credentials()
	return ufrag
}

// A thousand ClientHellos from an address that passed no check cause not one byte, and no handshake.
func TestClientHellosAreNotAmplified(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	must(t, c.Start(Remote{Ufrag: "abcd", Pwd: "0123456789012345678901", Fingerprint: n.Fingerprint()}))
	p := newProber(t, n)
	for range 1000 {
		p.send(clientHello())
	}
	p.roundTrip(request(t, c))
	must(t, n.Close())
	s := n.Stats()
	if s.PacketsSent != 1 || s.BytesSent > 200 {
		t.Errorf("%d packets, %d bytes sent", s.PacketsSent, s.BytesSent)
	}
	if len(c.pipe.in) != 0 {
		t.Error("DTLS was given something")
	}
}

// What passes a check may say anything; it harms only itself.
func TestGarbageFromAMember(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	must(t, c.Start(Remote{Ufrag: "abcd", Pwd: "0123456789012345678901", Fingerprint: n.Fingerprint()}))
	p := newProber(t, n)
	p.roundTrip(request(t, c, attribute(stun.AttrUseCandidate)))
	raw := make([]byte, 300)
	for i := range 256 {
		_, _ = rand.Read(raw)
		raw[0] = byte(i)
		p.send(raw[:1+i])
	}
	ufrag, pwd := c.Credentials()
	for { // DTLS may have answered with alerts
		r := signed(t, ufrag, pwd)
		p.send(r.Raw)
		buf := make([]byte, 2048)
		must(t, p.conn.SetReadDeadline(time.Now().Add(patience)))
		size, err := p.conn.Read(buf)
		must(t, err)
		if stun.IsMessage(buf[:size]) {
			break
		}
	}
	c.Close()
}

func TestRestartToAnotherSocket(t *testing.T) {
	n := listen(t)
	m := newMember(t, memberOptions{})
	defer m.close()
	c, e := meet(t, n, m)
	oldUfrag, oldPwd := c.Credentials()
	c.Restart() // the member may miss one
	missed := ufragOf(c)
	ufrag, pwd := c.Restart()
	if ufrag == oldUfrag || ufrag == missed || ufrag != ufragOf(c) {
		t.Fatal("the credentials are not new")
	}
	must(t, c.Start(m.remote()))
	exchange(t, n, c, e, m) // on the old path

	p := newProber(t, n)
	p.send(signed(t, missed, pwd).Raw) // unknown now
	p.roundTrip(signed(t, ufrag, pwd))
	if addr, _ := c.RemoteAddr(); addr.String() == p.conn.LocalAddr().String() {
		t.Error("changed over without nomination")
	}
	p.roundTrip(signed(t, ufrag, pwd, attribute(stun.AttrUseCandidate)))
	if addr, _ := c.RemoteAddr(); addr.String() != p.conn.LocalAddr().String() {
		t.Errorf("still at %v", addr)
	}
	p.send(signed(t, oldUfrag, oldPwd).Raw) // unknown now
	p.roundTrip(request(t, c))
	if len(n.ufrags) != 1 {
		t.Errorf("%d generations are live", len(n.ufrags))
	}

	p.send(m.seal(video(77, 100)))
	next(t, e.rtp)
	b := n.NewBatch()
	if !c.SendRTP(b, &video(99, 0).Header, []byte("hello")) {
		t.Fatal("not sent")
	}
	b.Flush()
	buf := make([]byte, 2048)
	size, err := p.conn.Read(buf)
	must(t, err)
	plain, err := m.in.DecryptRTP(nil, buf[:size], nil)
	must(t, err)
	if string(plain[12:]) != "hello" {
		t.Errorf("got %q", plain)
	}
	if len(e.states) != 0 {
		t.Errorf("state %v", <-e.states)
	}
}

// An address that stops answering is left for one that does, without a restart.
func TestPathsAreChosen(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	paths := make([]source, 3)
	for i := range paths {
		paths[i] = source{local: n.locals[0], remote: addrPort("192.0.2.1", 1000+i)}
	}
	at := func(i int, nominates bool, priority uint32, second int64) int {
		p := c.checked(c.current, paths[i], check{nominates: nominates, priority: priority}, second*1e9)
		if p == nil {
			t.Fatal("refused")
		}
		for i, s := range paths {
			if sel := c.selected.Load(); sel != nil && sel.source == s {
				return i
			}
		}
		return -1
	}
	steps := []struct {
		path      int
		nominates bool
		priority  uint32
		second    int64
		want      int
	}{
		{0, false, 10, 0, -1},
		{0, true, 10, 0, 0},
		{1, true, 9, 0, 0},   // aggressive: the better one stays
		{1, true, 11, 0, 1},  // and wins
		{0, true, 10, 2, 0},  // later: meant
		{2, false, 99, 3, 0}, // no nomination
		{2, false, 99, 6, 0},
		{2, false, 99, 7, 2}, // nothing was heard on 0 for 4 s
	}
	for i, s := range steps {
		if got := at(s.path, s.nominates, s.priority, s.second); got != s.want {
			t.Errorf("step %d: path %d, want %d", i, got, s.want)
		}
	}
}

func TestPathsAreBounded(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	for i := range 10 * maxPaths {
		from := source{local: n.locals[0], remote: addrPort("192.0.2.1", 1000+i)}
		c.checked(c.current, from, check{nominates: i == 0}, int64(i))
	}
	if len(c.paths) != maxPaths || len(n.locals[0].paths) != maxPaths {
		t.Errorf("%d paths, %d known", len(c.paths), len(n.locals[0].paths))
	}
	if addr, _ := c.RemoteAddr(); addr.Port() != 1000 {
		t.Errorf("the selected path went: %v", addr)
	}
	// Another connection takes an address over only when nothing came from it for a while: checks with a forged source must not.
	other := n.NewConn(newEvents())
	if taken := other.checked(other.current, c.selected.Load().source, check{nominates: true}, 1); taken != nil {
		t.Error("a living address was taken")
	}
	if other.checked(other.current, c.selected.Load().source, check{}, int64(staleAfter)+1) == nil {
		t.Error("a dead address was not given up")
	}
	c.Close()
	if len(n.locals[0].paths) != 1 {
		t.Errorf("%d paths are known", len(n.locals[0].paths))
	}
}

func addrPort(addr string, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(port))
}

func TestManySSRCsFail(t *testing.T) {
	n := listen(t)
	m := newMember(t, memberOptions{})
	defer m.close()
	_, e := meet(t, n, m)
	for ssrc := range uint32(2*maxStreams + 1) {
		p := video(1, 10)
		p.SSRC = ssrc
		m.sendRTP(p)
		next(t, e.rtp)
	}
	e.await(t, Failed)
}

func TestReplaysAreDropped(t *testing.T) {
	n := listen(t)
	m := newMember(t, memberOptions{})
	defer m.close()
	_, e := meet(t, n, m)
	raw := m.seal(video(1, 100))
	altered := append([]byte(nil), m.seal(video(2, 100))...)
	altered[20] ^= 1
	late := m.seal(video(4, 100))
	for _, x := range [][]byte{raw, raw, altered, m.seal(video(500, 100)), late, raw, late, m.seal(video(3, 100))} {
		_, err := m.ice.Write(x)
		must(t, err)
	}
	for _, want := range []uint16{1, 500, 4, 3} {
		if got := binary.BigEndian.Uint16(next(t, e.rtp)[2:]); got != want {
			t.Errorf("packet %d, want %d", got, want)
		}
	}
}
