package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// lost waits until the others are told that a member is away.
func (c *connection) lost(member string) {
	c.t.Helper()
	c.awaitThat("the loss of a member", func(frame) bool {
		m, _ := c.view.Member(member)
		return m.Presence == event.Away
	})
}

// Whoever comes in and is not heard of any more is away after a while; that they are in nobody's way until then is seen as well.
func TestHalfOpenPeer(t *testing.T) {
	t.Parallel() // it lasts as long as silence is borne
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Coach), "Ben")
	a := amara.connect(id, agreed)
	if err := ben.openPlainly(id).WriteMessage(websocket.TextMessage, helloText(t)); err != nil { // and reads nothing: pings stay unanswered
		t.Fatal(err)
	}
	a.do(event.PlaybackSeek{Position: 1_000_000})
	a.lost(benID)
	a.do(event.PlaybackSeek{Position: 2_000_000})
}

// A place in a call is that of the cookie alone: nothing that a browser says gets it another member's.
func TestNobodyTakesAnothersPlace(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id, other := amara.practiceSession(), amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	rob, robID := s.guest(t, id, amara.link(id, event.Peer), "Rob")
	eve, _ := s.guest(t, other, amara.link(other, event.Facilitator), "Eve")
	a := amara.connect(id, agreed)
	rob.connect(id, agreed)
	a.do(event.MemberRemove{Member: robID})

	for who, want := range map[*browser]int{rob: http.StatusForbidden, eve: http.StatusNotFound, newBrowser(t, s): http.StatusNotFound} {
		if _, res, err := who.dial(id, nil); err == nil || res == nil || res.StatusCode != want {
			t.Errorf("a call: %v %v, want %d", res, err, want)
		}
	}

	for _, claim := range []string{
		`"member":"` + a.welcome.You + `"`, `"you":"` + a.welcome.You + `"`, `"id":"` + a.welcome.You + `"`, `"role":"facilitator"`,
	} {
		c := ben.open(id)
		if err := c.ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","data":{"consent":"agreed",`+claim+`}}`)); err != nil {
			t.Fatal(err)
		}
		f, ok := c.next()
		if !ok || f.Type != "welcome" {
			continue // refused
		}
		if c.decode(f, &c.welcome); c.welcome.You != benID {
			t.Fatalf("with %s Ben came in as %s", claim, c.welcome.You)
		}
		if m, _ := c.welcome.View.Member(benID); m.Role != event.Peer || m.Name != "Ben" {
			t.Fatalf("with %s Ben came in as %+v", claim, m)
		}
	}
	a.do(event.PlaybackSeek{Position: 1_000_000}) // nobody has replaced her
}

// What stands on one line stays on one line, wherever it is shown.
func TestNamesOfOneLine(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	const evil = "Ana\r\nSet-Cookie: a=b\r\nATTENDEE:x\x00\u2028<b>"
	var p struct{ ID, Title string }
	amara.must(201, "POST", "/api/sessions", map[string]any{"kind": "conversation", "title": evil, "scheduled": "2031-05-04T10:00:00Z"}, &p)
	path := "/api/sessions/" + p.ID
	ben, _ := s.guest(t, p.ID, amara.link(p.ID, event.Coach), evil)
	c := ben.connect(p.ID, agreed)
	m, _ := c.view.Member(c.welcome.You)
	for what, text := range map[string]string{"title": p.Title, "title in the call": c.view.Session.Title, "name in the call": m.Name} {
		if text == "" || strings.ContainsAny(text, "\r\n\x00\u2028") {
			t.Errorf("the %s is %q", what, text)
		}
	}
	res, text := amara.do("GET", path+"/calendar.ics", nil)
	if res.StatusCode != http.StatusOK || strings.Count(string(text), "\nSUMMARY:") != 1 || strings.Contains(string(text), "\nATTENDEE") {
		t.Errorf("calendar: %d %s", res.StatusCode, text)
	}
	res, text = ben.do("GET", path+"/notes.csv", nil)
	if res.StatusCode != http.StatusOK || len(res.Cookies()) > 0 {
		t.Errorf("notes: %d %v %s", res.StatusCode, res.Header, text)
	}
}

// refusesAnswer answers the offer in flight with a description that is read, and refused for what it says.
func (c *connection) refusesAnswer(name string, offer uint32, sdp string) {
	c.t.Helper()
	p := c.ask(event.RTCAnswer{PC: event.SubscribePC, Offer: offer, SDP: sdp})
	if p == nil || p.Code != "invalid" && p.Code != "too_large" || !strings.HasSuffix(p.Message, ".") {
		c.t.Errorf("%s, answered to the offer: %v", name, p)
	}
}

// Descriptions of sessions that no browser makes are refused with a sentence, and the connection is as good as before.
func TestHostileDescriptions(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, _ := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	c, b := amara.connect(id, agreed), ben.connect(id, agreed)
	b.answered(b.publish())
	_, good, received := c.offered()
	const begin = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
	const media = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
	for name, sdp := range map[string]string{
		"nothing":              "",
		"no description":       "hello",
		"many media lines":     begin + strings.Repeat("m=a 9 X 0\n", 5000),
		"many attributes":      begin + media + strings.Repeat("a=x\n", 12_000),
		"line of one kind":     begin + media + "a=" + strings.Repeat("x", 50_000),
		"NUL":                  begin + strings.Replace(media, "mid:0", "mid:\x00", 1),
		"no fingerprint":       begin + media + "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n",
		"short password":       begin + media + "a=ice-ufrag:a\r\na=ice-pwd:b\r\na=fingerprint:sha-256 00\r\na=setup:actpass\r\n",
		"carriage returns":     strings.ReplaceAll(begin+media, "\r\n", "\r"),
		"numbers that go over": begin + strings.Replace(media, " 9 ", " 99999999999999999999 ", 1),
	} {
		c.refusesAnswer(name, good.Offer, sdp)
		for _, pc := range []event.PC{event.PublishPC, event.SubscribePC} {
			p := c.ask(event.RTCOffer{PC: pc, SDP: sdp, Sources: map[string]string{"0": "audio"}})
			if p == nil || p.Code == "internal" || !strings.HasSuffix(p.Message, ".") {
				t.Errorf("%s, offered to %s: %v", name, pc, p)
			}
		}
	}
	for name, change := range map[string][2]string{
		"another kind": {"m=audio", "m=video"}, "another mid": {"a=mid:", "a=mid:9"}, "malformed setup": {"a=setup:", "a=setup:x"},
		"malformed fingerprint": {"a=fingerprint:sha-256 ", "a=fingerprint:sha-256 :"}, "no ICE": {"a=ice-", "a=nice-"},
	} {
		sdp := strings.ReplaceAll(good.SDP, change[0], change[1])
		if sdp == good.SDP {
			t.Fatalf("%s: nothing is changed in %s", name, sdp)
		}
		c.refusesAnswer(name, good.Offer, sdp)
	}
	c.refusesAnswer("a section more", good.Offer, good.SDP+good.SDP[strings.Index(good.SDP, "m="):])
	c.send("", good)
	select {
	case track := <-received:
		if _, _, err := track.ReadRTP(); err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("nothing is heard after the answer that a browser makes")
	}
	if logs := s.stderr.String(); strings.Contains(logs, "panic") || strings.Contains(logs, "level=ERROR") {
		t.Errorf("logged: %s", logs)
	}
}

// listening is a socket that nobody should send to, and counts what comes there until it is asked.
func listening(t *testing.T) (port string, hits func() int) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	count := make(chan int, 1)
	go func() {
		n := 0
		for {
			if _, _, err := conn.ReadFrom(make([]byte, 1500)); err != nil {
				count <- n
				return
			}
			n++
		}
	}()
	_, port, err = net.SplitHostPort(conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, func() int {
		_ = conn.Close()
		return <-count
	}
}

// trickle sends a candidate of the publish connection.
func (c *connection) trickle(addr string) {
	c.t.Helper()
	c.send("", event.RTCCandidate{PC: event.PublishPC, Candidate: "candidate:1 1 udp 2130706431 " + addr + " typ host", SDPMid: "0"})
}

// The addresses that a member names are of no use to anybody: nothing is sent there, and the call goes on.
func TestHostileCandidates(t *testing.T) {
	port, hits := listening(t)
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, _ := s.guest(t, id, amara.link(id, event.Observer), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	pc := a.publish()
	for _, addr := range []string{
		"127.0.0.1 " + port, "::ffff:127.0.0.1 " + port, "169.254.169.254 80", "10.0.0.1 22", "::1 " + port, "fe80::1 1", "0.0.0.0 " + port,
		"255.255.255.255 " + port, "224.0.0.1 " + port, "localhost " + port, "1d3c5a1e-0000-4000-8000-000000000000.local 9",
	} {
		a.trickle(addr)
	}
	a.answered(pc)
	_, received := b.subscribe()
	if _, _, err := (<-received).ReadRTP(); err != nil {
		t.Fatal(err)
	}
	if n := hits(); n > 0 {
		t.Errorf("%d packets came where candidates pointed to", n)
	}
}

// There may be few candidates. Who sends thousands is closed, and nobody else notices.
func TestTooManyCandidates(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, _ := s.guest(t, id, amara.link(id, event.Observer), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.answered(a.publish())
	for range 80 {
		a.trickle("10.0.0.1 9")
	}
	if p := a.replyTo(); p == nil || p.Code != "too_many" {
		t.Errorf("many candidates: %v", p)
	}
	a.do(event.PlaybackSeek{Position: 1_000_000})
	line, err := event.Encode("", event.RTCCandidate{PC: event.PublishPC, Candidate: "candidate:1 1 udp 1 10.0.0.1 9 typ host", SDPMid: "0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		if a.ws.WriteMessage(websocket.TextMessage, line) != nil {
			break
		}
	}
	if reason, _ := a.bye(); reason != "too_fast" && !reset(a.closed) {
		t.Errorf("ten thousand candidates: bye %q, %v", reason, a.closed)
	}
	b.do(event.MemberHand{Up: true})
}

// A symbolic link among the files of a clip leads nowhere.
func TestLinkAmongFiles(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	poster := filepath.Join(s.data, "blobs", "clips", clip.PracticeID, clip.Poster)
	media := "/api/clips/" + clip.PracticeID + "/media/" + clip.Poster
	amara.must(200, "GET", media, nil, nil)
	for _, target := range []string{"/etc/passwd", "../../../pausepoint.db"} {
		if err := os.Remove(poster); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, poster); err != nil {
			t.Fatal(err)
		}
		if res, text := amara.do("GET", media, nil); res.StatusCode < 400 || strings.Contains(string(text), "root:") {
			t.Errorf("a link to %s: %d %.100q", target, res.StatusCode, text)
		}
	}
}
