package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pion/stun/v4"

	"github.com/pausepoint/pausepoint/load/visit"
	"github.com/pausepoint/pausepoint/relay"
	"github.com/pausepoint/pausepoint/room/event"
)

// comeInWithin is how long a server may take to let somebody in and to answer their offer.
const comeInWithin = 30 * time.Second

// microphone is what a browser offers that has one. No connection is made of it, so nobody holds its keys.
const microphone = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=setup:actpass\r\na=ice-ufrag:doctor\r\na=ice-pwd:doctordoctordoctordoctor\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=ssrc:1 cname:doctor\r\na=msid:doctor doctor\r\n"

// told is what a deployment tells a member of the ways that media may go.
type told struct {
	relays     []event.RTCRelay
	candidates []candidate
	ufrag, pwd string
}

type candidate struct {
	network string // udp or tcp
	at      netip.AddrPort
}

// wire is a WebSocket.
type wire interface {
	ReadJSON(v any) error
	WriteJSON(v any) error
	SetReadDeadline(at time.Time) error
	Close() error
}

// doctorFrom comes into a session of a deployment, as a browser on this machine would, and tries each way that it is told of.
func doctorFrom(ctx context.Context, link string, out io.Writer) error {
	ws, t, err := comeIn(ctx, link)
	if err != nil {
		_, _ = fmt.Fprintf(out, "missing  Nobody comes in by %s: %v.\n", strings.Split(link, "#")[0], err)
		return errUnwell
	}
	defer func() {
		if text, err := event.Encode(strings.ToLower(rand.Text()), event.MemberLeave{}); err == nil {
			_ = ws.WriteJSON(json.RawMessage(text))
		}
		_ = ws.Close()
	}()
	list := []check{{"People come in by this link, and the server answers what they offer.", func(context.Context) error { return nil }}}
	passed := 0
	for _, w := range t.ways(&tls.Config{MinVersion: tls.VersionTLS12}) {
		list = append(list, check{"Media passes by " + w.what + ".", func(ctx context.Context) error {
			err := w.try(ctx)
			if err == nil {
				passed++
			}
			return err
		}})
	}
	list = append(list, check{"Members in this network can take part.", func(context.Context) error {
		if passed == 0 {
			return errors.New("media gets to the server by no way at all from this network: see above, and --media-addr, --public-ip and --turn-tls-addr of the server")
		}
		return nil
	}})
	return report(ctx, list, out)
}

// comeIn comes into a session with an invitation, offers a microphone, and returns what it is told.
func comeIn(ctx context.Context, link string) (wire, *told, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, nil, errors.New("give the link of an invitation, https://…/s/…#…")
	}
	session, err := visit.Invited(link)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, comeInWithin)
	defer cancel()
	v, err := visit.New(&url.URL{Scheme: u.Scheme, Host: u.Host}, nil)
	if err == nil {
		err = v.Enter(ctx, session.ID, session.Tokens[event.Peer], "Doctor")
	}
	if err != nil {
		return nil, nil, err
	}
	ws, err := v.Dial(ctx, session.ID)
	if err != nil {
		return nil, nil, err
	}
	t := &told{}
	_ = ws.SetReadDeadline(time.Now().Add(comeInWithin))
	if err := t.listen(ws); err != nil {
		return nil, nil, errors.Join(err, ws.Close())
	}
	return ws, t, nil
}

// listen says hello, and reads until the offer is answered. It agrees to a recording, in which there will be nothing of it.
func (t *told) listen(ws wire) error {
	say := func(id string, f event.Frame) error {
		text, err := event.Encode(id, f)
		if err != nil {
			return err
		}
		return ws.WriteJSON(json.RawMessage(text))
	}
	if err := say("", event.Hello{Consent: event.Agreed, Mic: true}); err != nil {
		return err
	}
	for {
		var f struct {
			Type string
			Data json.RawMessage
		}
		if err := ws.ReadJSON(&f); err != nil {
			return fmt.Errorf("it is told nothing more: %w", err)
		}
		var err error
		switch f.Type {
		case "rtc.relays":
			var r event.RTCRelays
			err = json.Unmarshal(f.Data, &r)
			t.relays = r.Servers
		case "welcome":
			err = say("00000000-0000-7000-8000-000000000001",
				event.RTCOffer{PC: event.PublishPC, Offer: 1, SDP: microphone, Sources: map[string]string{"0": "audio"}})
		case "reply":
			var a event.Answered
			if err = json.Unmarshal(f.Data, &a); err == nil && a.Error != nil {
				err = fmt.Errorf("%s Use an invitation for peers", a.Error.Message)
			}
		case "bye":
			var b event.Bye
			if err = json.Unmarshal(f.Data, &b); err == nil {
				err = errors.New(strings.TrimSuffix(b.Message, "."))
			}
		case "rtc.answer":
			var a event.RTCAnswer
			if err = json.Unmarshal(f.Data, &a); err == nil {
				t.read(a.SDP)
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// read keeps what an answer says of ICE (RFC 8839).
func (t *told) read(sdp string) {
	for line := range strings.Lines(sdp) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "a=ice-ufrag":
			t.ufrag = value
		case "a=ice-pwd":
			t.pwd = value
		case "a=candidate":
			f := strings.Fields(value)
			if len(f) < 6 {
				continue
			}
			at, err := netip.ParseAddrPort(net.JoinHostPort(f[4], f[5]))
			c := candidate{strings.ToLower(f[2]), at}
			if err == nil && !slices.Contains(t.candidates, c) {
				t.candidates = append(t.candidates, c)
			}
		}
	}
}

// way is one that media may go.
type way struct {
	what string
	try  func(context.Context) error
}

// ways are straight to each candidate, and through each relay to the first that comes over UDP. conf is how certificates are looked at.
func (t *told) ways(conf *tls.Config) (list []way) {
	var peer netip.AddrPort
	for _, c := range t.candidates {
		if !peer.IsValid() && c.network == "udp" && c.at.Addr().Is4() || c.network == "udp" && peer.IsValid() && peer.Addr().Is6() {
			peer = c.at
		}
		list = append(list, way{strings.ToUpper(c.network) + " to " + c.at.String(), func(ctx context.Context) error { return t.straight(ctx, c) }})
	}
	for _, r := range t.relays {
		for _, uri := range r.URLs {
			list = append(list, way{uri, func(ctx context.Context) error { return t.relayed(ctx, uri, r, conf, peer) }})
		}
	}
	return list
}

// straight looks whether what listens for media at a candidate knows us.
func (t *told) straight(ctx context.Context, c candidate) error {
	conn, err := (&net.Dialer{Timeout: answerWithin * askTimes}).DialContext(ctx, c.network, c.at.String())
	if err == nil {
		defer func() { _ = conn.Close() }()
		if c.network == "tcp" {
			conn = framed{conn}
		}
		err = t.known(conn)
	}
	network, addr := strings.ToUpper(c.network), c.at.Addr()
	switch {
	case err == nil:
		return nil
	case addr.IsPrivate() || addr.IsLoopback():
		return advice{fmt.Sprintf("Media does not get over %s to %s, an address of a private network: if browsers elsewhere are to reach the server, start it with --public-ip", network, c.at)}
	}
	return advice{fmt.Sprintf("Media does not get over %s to %s: open that port in the server's firewall; if it is open, this network keeps it in, and members here need another way", network, c.at)}
}

// relayed looks whether what listens for media knows us through a relay.
func (t *told) relayed(ctx context.Context, uri string, r event.RTCRelay, conf *tls.Config, peer netip.AddrPort) error {
	within, cancel := context.WithTimeout(ctx, answerWithin*askTimes)
	defer cancel()
	conn, err := relay.Reach(within, uri, r.Username, r.Credential, conf, peer.Addr())
	var bad *tls.CertificateVerificationError
	var refused tls.AlertError
	switch {
	case errors.As(err, &bad):
		return fmt.Errorf("%s shows a certificate that browsers do not take: get one that is for that name, with its chain, and give the name to the server with --turn-host: %w", uri, bad.Err)
	case errors.As(err, &refused):
		return fmt.Errorf("%s has no certificate for that name: give a name for which there is one to the server with --turn-host: %w", uri, refused)
	case errors.Is(err, relay.ErrUnreached):
		return advice{fmt.Sprintf("%s is not reached: open that port in the server's firewall; if it is open, this network keeps it in, and members here need another way", uri)}
	case err != nil:
		return fmt.Errorf("%s is reached, and does not relay: see that the name leads to the server that runs the session (--turn-host): %w", uri, err)
	}
	defer func() { _ = conn.Close() }()
	if err := t.known(packets{conn, net.UDPAddrFromAddrPort(peer)}); err != nil {
		return fmt.Errorf("%s is reached, and nothing passes through it to media at %s: let UDP through between that address and the server itself, in its own firewall: %w", uri, peer, err)
	}
	return nil
}

// known asks what listens for media, which answers nobody whom it does not know (RFC 8445 section 7).
func (t *told) known(conn net.Conn) error {
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(t.ufrag+":doctor"),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0, 0, 0, 1}}, stun.NewShortTermIntegrity(t.pwd), stun.Fingerprint)
	if err != nil {
		return err
	}
	b := make([]byte, 1500)
	_, err = ask(conn, func() error { _, err := conn.Write(m.Raw); return err }, b, func(b []byte) bool {
		answer := &stun.Message{Raw: slices.Clone(b)}
		return answer.Decode() == nil && answer.TransactionID == m.TransactionID && answer.Type == stun.BindingSuccess
	})
	return err
}

// framed is a TCP connection that carries packets (RFC 4571).
type framed struct{ net.Conn }

// Read implements net.Conn.
func (f framed) Read(b []byte) (int, error) {
	var size [2]byte
	if _, err := io.ReadFull(f.Conn, size[:]); err != nil {
		return 0, err
	}
	n := int(binary.BigEndian.Uint16(size[:]))
	if n > len(b) {
		return 0, io.ErrShortBuffer
	}
	return io.ReadFull(f.Conn, b[:n])
}

// Write implements net.Conn.
func (f framed) Write(b []byte) (int, error) {
	_, err := f.Conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)) //nolint:gosec // a check is short
	return len(b), err
}
