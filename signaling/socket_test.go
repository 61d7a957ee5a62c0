package signaling

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/room/event"
)

// pair is a socket and the client at its other end. in gets what the socket hands on.
func pair(t *testing.T, times timings) (c *socket, client *websocket.Conn, in chan event.Incoming) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return pairOver(t, times, ln, func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", ln.Addr().String())
	})
}

// pairInTime is a pair without a network, for virtual time.
func pairInTime(t *testing.T, times timings) (c *socket, client *websocket.Conn, in chan event.Incoming) {
	t.Helper()
	p := make(pipes)
	return pairOver(t, times, p, p.dial)
}

// pipes is a listener to which connections come through memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p <- far
	return near, nil
}

func pairOver(
	t *testing.T, times timings, ln net.Listener, dial func(context.Context, string, string) (net.Conn, error),
) (c *socket, client *websocket.Conn, in chan event.Incoming) {
	t.Helper()
	made, in := make(chan *socket, 1), make(chan event.Incoming, 1000)
	upgrader := newUpgrader()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c := newSocket(ws, times, new(traffic))
		go c.write()
		made <- c
		c.read(func(h heard) { in <- h.Incoming })
		<-c.Done()
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	dialer := websocket.Dialer{NetDialContext: dial}
	client, _, err := dialer.DialContext(t.Context(), "ws://calls.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return <-made, client, in
}

const never = time.Hour

func hello(t *testing.T, client *websocket.Conn) {
	t.Helper()
	if err := client.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","data":{}}`)); err != nil {
		t.Fatal(err)
	}
}

// Whoever is not heard of any more is given up, with or without having come in.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c, client, in := pairInTime(t, usualTimings)
		hello(t, client)
		<-in
		<-c.Done()
		if lasted := time.Since(began); lasted < usualTimings.silence || lasted > 20*time.Second {
			t.Errorf("given up after %v", lasted)
		}

		// This one answers pings, but never says hello.
		c, client, _ = pairInTime(t, usualTimings)
		go func() { _, _ = closing(client) }()
		<-c.Done()
	})
}

// Answering pings is a sign of life: a hidden tab sends nothing else.
func TestPingsKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, client, in := pairInTime(t, usualTimings)
		hello(t, client)
		<-in
		go func() { _, _ = closing(client) }()
		time.Sleep(10 * usualTimings.silence)
		synctest.Wait()
		if !c.Send([]byte(`{}`)) {
			t.Error("closed in spite of signs of life")
		}
	})
}

// A slow reader is disconnected as soon as its queue is full, and nobody waits for it.
func TestSlowReader(t *testing.T) {
	c, client, in := pair(t, timings{silence: never, ping: never, hello: never, write: never})
	hello(t, client)
	<-in
	if tcp, ok := client.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
	frame := []byte(strings.Repeat("x", 64<<10))
	sent := 0
	for c.Send(frame) {
		if sent++; sent > 10*maxQueued {
			t.Fatal("the queue has no end")
		}
	}
	<-c.Done()
	if c.bye.Reason != "too_slow" || c.bytes.Load() > maxQueuedBytes+int64(len(frame)) {
		t.Errorf("bye %+v with %d bytes", c.bye, c.bytes.Load())
	}
	if c.Send(frame) {
		t.Error("a closed socket takes frames")
	}
}

// What was queued before the end is still sent, and then why it ended.
func TestFarewell(t *testing.T) {
	c, client, in := pair(t, timings{silence: never, ping: never, hello: never, write: time.Second})
	hello(t, client)
	<-in
	for range 100 {
		c.Send([]byte(`{"type":"reply"}`))
	}
	c.Close(event.Bye{Reason: "removed", Message: "You were removed."})
	c.Close(event.Bye{Reason: "ended"})
	var got []string
	for {
		_, text, err := client.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
				t.Errorf("closed with %v", err)
			}
			break
		}
		got = append(got, string(text))
	}
	if len(got) != 101 || !strings.Contains(got[100], `"removed"`) {
		t.Errorf("%d frames, the last is %s", len(got), got[len(got)-1])
	}
}

// A binary message is no frame of the protocol.
func TestBinary(t *testing.T) {
	_, client, in := pair(t, timings{silence: never, ping: never, hello: never, write: time.Second})
	if err := client.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"hello","data":{}}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := client.ReadMessage(); err != nil || !strings.Contains(string(text), `"invalid"`) {
		t.Errorf("%s %v", text, err)
	}
	hello(t, client)
	<-in
}

// closing reads to the end and returns the close code and the last frame.
func closing(client *websocket.Conn) (code int, last string) {
	for {
		_, text, err := client.ReadMessage()
		if err != nil {
			var e *websocket.CloseError
			if errors.As(err, &e) {
				code = e.Code
			}
			return code, last
		}
		last = string(text)
	}
}

// Whoever sends more than a browser has to say is closed, and learns why although they do not stop.
func TestTooFast(t *testing.T) {
	big := []byte(`{"type":"hello","id":"` + strings.Repeat("x", event.MaxFrame-100) + `"}`)
	for name, send := range map[string]func(*websocket.Conn) error{
		"messages": func(c *websocket.Conn) error {
			return c.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","data":{}}`))
		},
		"bytes": func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, big) },
		"pings": func(c *websocket.Conn) error { return c.WriteControl(websocket.PingMessage, nil, time.Time{}) },
		"pongs": func(c *websocket.Conn) error { return c.WriteControl(websocket.PongMessage, nil, time.Time{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each lingers for a second
			c, client, in := pair(t, timings{silence: never, ping: never, hello: never, write: time.Second})
			go func() {
				for range in { //nolint:revive // what is understood is of no interest
				}
			}()
			t.Cleanup(func() { close(in) })
			go func() {
				for send(client) == nil {
				}
			}()
			if code, last := closing(client); code != websocket.ClosePolicyViolation || !strings.Contains(last, "too_fast") {
				t.Errorf("closed with %d after %.100s", code, last)
			}
			<-c.Done()
		})
	}
}
