package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/room/event"
)

// connection is a member's WebSocket, read by one goroutine into frames.
type connection struct {
	t       *testing.T
	ws      *websocket.Conn
	welcome event.Welcome
	view    event.View
	frames  chan frame
	ice     webrtc.Configuration     // of connections for media
	network webrtc.NetworkType       // that they go over; 0 is any
	closed  error                    // why reading ended; set before frames is closed
	media   []*webrtc.PeerConnection // until hangUp
}

type frame struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Seq  int64           `json:"seq"`
	Data json.RawMessage `json:"data"`
	raw  []byte
}

// dial opens a WebSocket like our own page.
func (b *browser) dial(session string, header http.Header) (*websocket.Conn, *http.Response, error) {
	if header == nil {
		header = http.Header{"Origin": {b.server.url}}
	}
	d := websocket.Dialer{Jar: b.client.Jar, HandshakeTimeout: patience, TLSClientConfig: insecure, EnableCompression: true}
	return d.DialContext(b.t.Context(), b.callURL(session), header)
}

func (b *browser) callURL(session string) string {
	return "ws" + strings.TrimPrefix(b.server.url, "http") + "/api/sessions/" + session + "/ws"
}

// openPlainly opens a WebSocket without compression.
func (b *browser) openPlainly(session string) *websocket.Conn {
	b.t.Helper()
	d := websocket.Dialer{Jar: b.client.Jar, HandshakeTimeout: patience}
	ws, res, err := d.DialContext(b.t.Context(), b.callURL(session), http.Header{"Origin": {b.server.url}})
	if err != nil {
		b.t.Fatalf("no WebSocket: %v (%v)", err, res)
	}
	b.t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// connect comes into the call, and waits for welcome.
func (b *browser) connect(session string, hello event.Hello) *connection {
	b.t.Helper()
	c := b.open(session)
	c.send("", hello)
	f := c.await("welcome")
	c.decode(f, &c.welcome)
	c.view = c.welcome.View
	return c
}

// open opens a WebSocket without saying hello.
func (b *browser) open(session string) *connection {
	b.t.Helper()
	ws, res, err := b.dial(session, nil)
	if err != nil {
		b.t.Fatalf("no WebSocket: %v (%v)", err, res)
	}
	b.t.Cleanup(func() { _ = ws.Close() })
	c := &connection{t: b.t, ws: ws, frames: make(chan frame, 4096)}
	go c.read(b.heard)
	return c
}

func (c *connection) read(heard io.Writer) {
	defer close(c.frames)
	for {
		_, text, err := c.ws.ReadMessage()
		if err != nil {
			c.closed = err
			return
		}
		_, _ = heard.Write(text)
		f := frame{raw: text}
		if json.Unmarshal(text, &f) == nil {
			c.frames <- f
		}
	}
}

func (c *connection) send(id string, v any) {
	c.t.Helper()
	b, err := event.Encode(id, v)
	if err == nil {
		err = c.ws.WriteMessage(websocket.TextMessage, b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next frame; ok is false once the connection is closed. Events are folded into the view.
func (c *connection) next() (frame, bool) {
	c.t.Helper()
	select {
	case f, ok := <-c.frames:
		if ok && f.Seq > 0 {
			var e event.Event
			if err := json.Unmarshal(f.raw, &e); err != nil {
				c.t.Fatalf("%v: %s", err, f.raw)
			}
			c.view.Fold(e)
		}
		return f, ok
	case <-time.After(patience):
		c.t.Fatal("nothing comes any more")
		return frame{}, false
	}
}

// await reads until a frame of a type comes.
func (c *connection) await(kind string) frame {
	c.t.Helper()
	return c.awaitThat(kind, func(f frame) bool { return f.Type == kind })
}

func (c *connection) awaitThat(what string, good func(frame) bool) frame {
	c.t.Helper()
	var seen []string
	for {
		f, ok := c.next()
		if !ok {
			c.t.Fatalf("closed (%v) while waiting for %s; came: %v", c.closed, what, seen)
		}
		if good(f) {
			return f
		}
		seen = append(seen, f.Type)
	}
}

func (c *connection) decode(f frame, v any) {
	c.t.Helper()
	if err := json.Unmarshal(f.Data, v); err != nil {
		c.t.Fatalf("%v: %s", err, f.Data)
	}
}

// ask sends a command, or another frame that is replied to, and returns what is wrong with it, or nil.
func (c *connection) ask(cmd any) *event.Problem {
	c.t.Helper()
	id := newID(c.t)
	c.send(id, cmd)
	var a event.Answered
	c.decode(c.awaitThat("the reply to "+event.Name(cmd), func(f frame) bool { return f.Type == "reply" && f.ID == id }), &a)
	return a.Error
}

// do sends a command that must be done.
func (c *connection) do(cmd event.Command) {
	c.t.Helper()
	if p := c.ask(cmd); p != nil {
		c.t.Fatalf("%s: %v", event.Name(cmd), p)
	}
}

// bye reads to the end and returns the reason that was given, and the code of the close frame.
func (c *connection) bye() (reason string, code int) {
	c.t.Helper()
	for {
		f, ok := c.next()
		if !ok {
			break
		}
		if f.Type == "bye" {
			var b event.Bye
			c.decode(f, &b)
			reason = b.Reason
		}
	}
	var closed *websocket.CloseError
	if errors.As(c.closed, &closed) {
		code = closed.Code
	}
	return reason, code
}

// helloText is the first frame of somebody who agrees to being recorded, for those who write it without being read.
func helloText(t *testing.T) []byte {
	t.Helper()
	b, err := event.Encode("", agreed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newID(t *testing.T) string {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}
