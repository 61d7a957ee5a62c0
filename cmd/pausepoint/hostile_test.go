package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/room/event"
)

// A WebSocket is opened by our own page only: with a cookie, no other site's page may, nor one that hides where it is.
func TestForeignOrigin(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	for name, header := range map[string]http.Header{
		"foreign": {"Origin": {"https://evil.example"}},
		"none":    {"X": {"y"}},
		"null":    {"Origin": {"null"}},
		"similar": {"Origin": {s.url + ".evil.example"}},
		"twice":   {"Origin": {s.url, "https://evil.example"}},
	} {
		_, res, err := amara.dial(id, header)
		if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s origin: %v %v", name, res, err)
		}
	}
	for _, header := range []map[string]string{{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}} {
		res, text := amara.request("POST", "/api/sessions", strings.NewReader(`{"practice":true}`), header)
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d %s", header, res.StatusCode, text)
		}
	}
}

// A message that is too large ends the connection, also one that is so only once it is inflated.
func TestOversizeFrames(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	for name, send := range map[string]func(*websocket.Conn){
		"one byte": func(ws *websocket.Conn) {
			ws.EnableWriteCompression(false)
			_ = ws.WriteMessage(websocket.TextMessage, note(event.MaxFrame+1))
		},
		"one byte, compressed": func(ws *websocket.Conn) { _ = ws.WriteMessage(websocket.TextMessage, note(event.MaxFrame+1)) },
		"3 MiB": func(ws *websocket.Conn) {
			ws.EnableWriteCompression(false)
			_ = ws.WriteMessage(websocket.TextMessage, note(3<<20)) // the server may close before it has all of it
		},
		"3 MiB that do not compress": func(ws *websocket.Conn) {
			noise := make([]byte, 3<<20)
			_, _ = rand.Read(noise)
			_ = ws.WriteMessage(websocket.BinaryMessage, noise)
		},
		"an offer of 1 MiB": func(ws *websocket.Conn) {
			sdp := strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 1<<20/32)
			_ = ws.WriteJSON(map[string]any{"type": "rtc.offer", "data": map[string]string{"pc": "publish", "sdp": sdp}})
		},
		"a bomb": func(ws *websocket.Conn) { inflate(ws, 256<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			c := amara.connect(id, agreed)
			c.t = t
			send(c.ws)
			_, code := c.bye()
			if code != websocket.CloseMessageTooBig && !(strings.Contains(name, "MiB") && reset(c.closed)) {
				t.Errorf("code %d: %v", code, c.closed)
			}
		})
	}
	amara.connect(id, agreed).do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "still here"})
}

// note is a message of so many bytes.
func note(size int) []byte {
	const before, after = `{"type":"note.add","data":{"text":"`, `"}}`
	return []byte(before + strings.Repeat("x", size-len(before)-len(after)) + after)
}

// inflate sends one compressed message of so many bytes, as far as the server takes it. On the wire it is a thousandth of that.
func inflate(ws *websocket.Conn, size int) {
	w, err := ws.NextWriter(websocket.TextMessage)
	if err != nil {
		return
	}
	for spaces := bytes.Repeat([]byte(" "), 1<<20); size > 0; size -= len(spaces) {
		if _, err := w.Write(spaces); err != nil {
			return
		}
	}
	_ = w.Close()
}

// A message that is well within the limits may be compressed; what cannot be inflated, or was compressed though nobody agreed
// to that, ends the connection.
func TestCompressedFrames(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ws, res, err := amara.dial(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	if agreement := res.Header.Get("Sec-WebSocket-Extensions"); !strings.Contains(agreement, "permessage-deflate") ||
		!strings.Contains(agreement, "server_no_context_takeover") || !strings.Contains(agreement, "client_no_context_takeover") {
		t.Errorf("agreed to: %q", agreement)
	}
	amara.connect(id, agreed).do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: strings.Repeat("long ", 1500)})

	// Masked text frames with RSV1 (RFC 7692 section 6): one that is no deflate stream, one where it was not agreed to.
	rude := []byte{0xc1, 0x82, 0, 0, 0, 0, 0xff, 0xff}
	if _, err := ws.NetConn().Write(rude); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = ws.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("what cannot be inflated: %v", err)
	}
	plain := amara.openPlainly(id)
	if _, err := plain.NetConn().Write(rude); err != nil {
		t.Fatal(err)
	}
	if _, _, err = plain.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseProtocolError) {
		t.Errorf("a compressed frame that was not agreed to: %v", err)
	}
}

// reset reports whether the connection was closed under the client while it was still writing.
func reset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF) || websocket.IsCloseError(err, websocket.CloseAbnormalClosure)
}

// Whoever sends more than a browser ever would is closed, and comes back like anybody else.
func TestTooManyMessages(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	c := amara.connect(id, agreed)
	ping, err := event.Encode("", event.Ping{T0: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		if c.ws.WriteMessage(websocket.TextMessage, ping) != nil {
			break
		}
	}
	if reason, code := c.bye(); (reason != "too_fast" || code != websocket.ClosePolicyViolation) && !reset(c.closed) {
		t.Errorf("bye %q, %v", reason, c.closed)
	}
	amara.connect(id, agreed)
}

// What cannot be understood is answered, and the connection is kept; who sends nothing else is closed.
func TestGarbage(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	c := amara.connect(id, agreed)
	refused := func(text string) {
		t.Helper()
		if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
		var a event.Answered
		c.decode(c.await("reply"), &a)
		if a.Error == nil || a.Error.Code == "" {
			t.Errorf("%.40q was accepted", text)
		}
	}
	refused(`{"type":"playback.play","type":"playback.stop","id":"` + newID(t) + `"}`)
	refused(`{"type":"playback.play","data":` + strings.Repeat(`[`, 10_000) + strings.Repeat(`]`, 10_000) + `}`)
	refused(`{`)
	refused("\x00\x01")
	refused(`{"type":"welcome","data":{}}`)
	refused(`{"type":"hello","data":{"consent":"agreed"}}`)
	refused(`{"type":"playback.seek","id":"x","data":{"position":1}}`)
	refused(`{"type":"rtc.offer","data":{"pc":"publish","sdp":"v=0"}}`)
	refused(`{"type":"rtc.offer","data":{"pc":"neither","sdp":""}}`)
	refused(`{"type":"rtc.answer","data":{"pc":"subscribe","offer":1,"sdp":"v=0"}}`) // to nothing
	c.do(event.PlaybackSeek{Position: 2_000_000})                                    // the connection is as good as before

	for range 60 {
		_ = c.ws.WriteMessage(websocket.TextMessage, []byte("garbage"))
	}
	if reason, _ := c.bye(); reason != "invalid" && !reset(c.closed) {
		t.Errorf("bye %q, %v", reason, c.closed)
	}

	silent := amara.open(id)
	silent.send("", event.Ping{T0: 1})
	if reason, _ := silent.bye(); reason != "invalid" {
		t.Errorf("a ping before hello: %q", reason)
	}
}

// A clock is measured over the connection that the call uses.
func TestPong(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	c := amara.connect(amara.practiceSession(), agreed)
	before := c.welcome.Now
	for i := range 3 {
		c.send("", event.Ping{T0: float64(i) + 0.25, RTT: 12})
		var p event.Pong
		c.decode(c.await("pong"), &p)
		if p.T0 != float64(i)+0.25 || p.T1 < before || p.T2 < p.T1 {
			t.Fatalf("pong: %+v after %v", p, before)
		}
		before = p.T1
	}
}

// Whoever raises their hand and lowers it again and again, or comes in again and again, writes no endless journal.
func TestEndlessToggles(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	c := amara.connect(id, agreed)
	refused := 0
	for range 100 {
		if p := c.ask(event.MemberHand{Up: true}); p != nil {
			if p.Code != "too_many" || !strings.HasSuffix(p.Message, ".") {
				t.Fatalf("refused with %v", p)
			}
			refused++
		}
		c.do(event.MemberHand{})
	}
	if refused == 0 {
		t.Error("a hand went up a hundred times")
	}
	c.do(event.MemberConsent{}) // is never refused
	for range 100 {
		d := amara.open(id)
		d.send("", agreed)
		f, ok := d.next()
		for ok && f.Type != "welcome" && f.Type != "bye" {
			f, ok = d.next()
		}
		if f.Type != "welcome" {
			var bye event.Bye
			if d.decode(f, &bye); bye.Reason != "too_fast" {
				t.Errorf("bye %q", bye.Reason)
			}
			return
		}
	}
	t.Error("a hundred times the member was let in")
}
