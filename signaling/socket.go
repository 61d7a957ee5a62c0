package signaling

import (
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/pausepoint/pausepoint/room/event"
)

// Limits of one WebSocket.
const (
	messagesPerSecond = 100
	messageBurst      = 300
	bytesPerSecond    = 64 << 10 // of messages: what they write is kept, so it fills the disk no faster
	byteBurst         = 1 << 20
	maxGarbage        = 50                     // messages that cannot be understood
	maxQueued         = 512                    // frames that wait to be sent
	maxQueuedBytes    = 8 << 20                // of them; one frame alone may be larger
	maxWire           = event.MaxFrame + 1<<10 // of a message before it is inflated: what does not compress grows a little
	lingerFor         = time.Second
	lingerBytes       = 16 << 20
)

// timings of a WebSocket; a test may wish them shorter.
type timings struct {
	silence time.Duration // nothing heard for so long: gone
	ping    time.Duration // a control ping is sent so often
	hello   time.Duration // the first frame comes within
	write   time.Duration // a frame is written within
}

var usualTimings = timings{silence: 15 * time.Second, ping: 5 * time.Second, hello: 10 * time.Second, write: 10 * time.Second}

// newUpgrader accepts WebSockets of our own pages only (RFC 6455 section 10.2): a page of another site could otherwise
// speak with the cookie of whoever looks at it. Browsers may compress what they send (RFC 7692, each message for itself);
// what counts against every limit is what a message inflates to.
func newUpgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		EnableCompression: true,
		HandshakeTimeout:  10 * time.Second,
		ReadBufferSize:    4 << 10,
		WriteBufferSize:   4 << 10,
		WriteBufferPool:   &sync.Pool{},
		CheckOrigin:       func(*http.Request) bool { return true }, // sameOrigin was asked before
	}
}

// sameOrigin reports whether a WebSocket comes from a page of this server. The scheme is compared only where the browser is known to
// speak TLS: behind a proxy that is not believed, the server does not know its own.
func (s *Server) sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return false
	}
	if u.Scheme == "http" && s.forward.secure(r) {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || s.publicURL != "" && strings.EqualFold(origins[0], s.publicURL)
}

// socket is one WebSocket of a member. The goroutine that calls read owns reading, the one of write owns writing; Send and
// Close may be called from anywhere and never block.
type socket struct {
	ws      *websocket.Conn
	timings timings
	limit   *rate.Limiter // of messages and control frames
	volume  *rate.Limiter // of messages' bytes
	garbage int           // messages that could not be understood; of the reading goroutine
	traffic *traffic      // of the server

	queue   chan outgoing
	bytes   atomic.Int64 // in queue
	closing chan struct{}
	once    sync.Once
	bye     event.Bye // why it closes, and with which code; set before closing is closed
	code    int
	done    chan struct{}
}

// outgoing is a frame that waits to be written: bytes, or something whose content is known only when it is.
type outgoing struct {
	frame []byte
	late  func() ([]byte, error)
}

// newSocket does not compress what the server sends: nearly all of it is smaller than a packet, a compressor takes a megabyte
// while it works, and welcome, the one large frame, holds what several people wrote, whose size should tell nothing of it.
func newSocket(ws *websocket.Conn, t timings, count *traffic) *socket {
	ws.EnableWriteCompression(false)
	return &socket{
		ws: ws, timings: t, traffic: count, limit: rate.NewLimiter(messagesPerSecond, messageBurst),
		volume: rate.NewLimiter(bytesPerSecond, byteBurst),
		queue:  make(chan outgoing, maxQueued), closing: make(chan struct{}), done: make(chan struct{}),
	}
}

// Send queues a frame. It reports false when the socket is closed, or is so far behind that it closes now.
func (c *socket) Send(frame []byte) bool { return c.push(outgoing{frame: frame}) }

func (c *socket) push(o outgoing) bool {
	select {
	case <-c.closing:
		return false
	default:
	}
	size := int64(len(o.frame))
	if before := c.bytes.Add(size) - size; before > 0 && before+size > maxQueuedBytes {
		return c.overflow()
	}
	select {
	case c.queue <- o:
		return true
	default:
		return c.overflow()
	}
}

func (c *socket) overflow() bool {
	c.Close(event.Bye{Reason: "too_slow", Message: "Your connection is too slow to keep up. Trying again brings you back."})
	return false
}

// Close says bye and closes; the first call counts. It does not wait, see Done.
func (c *socket) Close(bye event.Bye) { c.closeWith(bye, codeOf(bye.Reason)) }

func (c *socket) closeWith(bye event.Bye, code int) {
	c.once.Do(func() {
		c.bye, c.code = bye, code
		c.traffic.closed(bye.Reason)
		close(c.closing)
		if bye.Reason == "too_slow" { // a write may hang
			_ = c.ws.NetConn().SetWriteDeadline(time.Now().Add(time.Second))
		}
	})
}

// Done is closed once the socket is closed and nothing is written any more.
func (c *socket) Done() <-chan struct{} { return c.done }

// Closing implements wire.
func (c *socket) Closing() <-chan struct{} { return c.closing }

// read hands on what arrives, until the socket ends; it always closes it. The deadline of the first frame is another one
// than that of those which follow.
func (c *socket) read(handle func(heard)) {
	defer c.Close(event.Bye{})
	c.ws.SetReadLimit(maxWire)
	c.expect(c.timings.hello)
	spoke := false
	c.ws.SetPongHandler(func(string) error {
		if spoke { // whoever only answers pings has not come in
			c.expect(c.timings.silence)
		}
		return c.admit(time.Now(), 0)
	})
	answer := c.ws.PingHandler()
	c.ws.SetPingHandler(func(data string) error {
		if err := c.admit(time.Now(), 0); err != nil {
			return err
		}
		return answer(data)
	})
	for {
		kind, b, err := c.message()
		if err != nil {
			c.explain(err)
			return
		}
		received := time.Now()
		c.traffic.received.Add(1)
		spoke = true
		c.expect(c.timings.silence)
		if err := c.admit(received, len(b)); err != nil {
			c.explain(err)
			return
		}
		in, err := event.Parse(b)
		if err == nil && kind != websocket.TextMessage {
			err = event.Errorf("invalid", "Messages are text.")
		}
		if err == nil {
			handle(heard{in, b, received})
		} else if !c.refuse(in.ID, err) {
			return
		}
	}
}

var (
	errTooFast  = errors.New("more than a browser has to say")
	errTooLarge = errors.New("more than a message may have")
)

// message reads one message whole. The limit of the WebSocket itself counts bytes as they come over the wire, of which a few
// can inflate to gigabytes: so no more is inflated than a message may have.
func (c *socket) message() (kind int, b []byte, err error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return kind, nil, err
	}
	b, err = io.ReadAll(io.LimitReader(r, event.MaxFrame+1))
	if err == nil && len(b) > event.MaxFrame {
		err = errTooLarge
	}
	return kind, b, err
}

// admit takes a message or a control frame of a size, if it comes within the limits.
func (c *socket) admit(at time.Time, size int) error {
	if !c.limit.AllowN(at, 1) || !c.volume.AllowN(at, size) {
		return errTooFast
	}
	return nil
}

// expect sets the time until which something must be heard, unless the socket is closing, which has a time of its own.
func (c *socket) expect(within time.Duration) {
	select {
	case <-c.closing:
	default:
		_ = c.ws.SetReadDeadline(time.Now().Add(within))
	}
}

// explain closes with a reason that fits why reading ended. A message over maxWire was answered with 1009 by then.
func (c *socket) explain(err error) {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, errTooFast):
		c.Close(event.Bye{Reason: "too_fast", Message: "Your browser sends more than this server takes. Reload the page."})
	case errors.Is(err, errTooLarge), errors.Is(err, websocket.ErrReadLimit):
		bye := event.Bye{Reason: "invalid", Message: fmt.Sprintf("A message may have at most %d bytes.", event.MaxFrame)}
		c.closeWith(bye, websocket.CloseMessageTooBig)
	case errors.As(err, &corrupt):
		c.Close(event.Bye{Reason: "invalid", Message: "Your browser sends what cannot be unpacked. Reload the page."})
	}
}

// refuse answers what could not be understood. Who goes on sending such things is closed.
func (c *socket) refuse(id string, err error) bool {
	var p *event.Problem
	if !errors.As(err, &p) {
		p = event.Errorf("invalid", "This server does not understand that message.")
	}
	sendFrame(c, id, event.Answered{Error: p})
	if c.garbage++; c.garbage < maxGarbage {
		return true
	}
	c.Close(event.Bye{Reason: "invalid", Message: "Your browser sends what this server does not understand. Reload the page."})
	return false
}

// write writes what is queued until the socket closes, then says bye. It is the goroutine that ends the connection.
func (c *socket) write() {
	defer close(c.done)
	defer func() { _ = c.ws.Close() }()
	ticker := time.NewTicker(c.timings.ping)
	defer ticker.Stop()
	for {
		select {
		case o := <-c.queue:
			if !c.writeOne(o) {
				c.Close(event.Bye{})
				return
			}
		case <-ticker.C:
			_ = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.timings.write))
		case <-c.closing:
			c.farewell()
			return
		}
	}
}

func (c *socket) writeOne(o outgoing) bool {
	c.bytes.Add(-int64(len(o.frame)))
	if o.late != nil {
		var err error
		if o.frame, err = o.late(); err != nil {
			return true
		}
	}
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.timings.write))
	c.traffic.sent.Add(1)
	return c.ws.WriteMessage(websocket.TextMessage, o.frame) == nil
}

// codeOf is the code of the close frame (RFC 6455 section 7.4.1, and IANA's registry) for a bye's reason.
func codeOf(reason string) int {
	switch reason {
	case "removed", "signed_out", "too_fast", "invalid":
		return websocket.ClosePolicyViolation
	case "too_slow", "full":
		return websocket.CloseTryAgainLater
	case "restarting":
		return websocket.CloseServiceRestart
	}
	return websocket.CloseNormalClosure
}

// farewell writes what was queued before the end, the bye and the close frame, all within a moment.
func (c *socket) farewell() {
	_ = c.ws.SetWriteDeadline(time.Now().Add(2 * time.Second))
	if c.bye.Reason == "too_fast" || c.bye.Reason == "invalid" {
		defer c.linger()
	}
	for c.bye.Reason != "too_slow" && len(c.queue) > 0 {
		o := <-c.queue
		if o.late == nil && c.ws.WriteMessage(websocket.TextMessage, o.frame) != nil {
			return
		}
	}
	if c.bye.Reason != "" {
		if b, err := event.Encode("", c.bye); err == nil && c.ws.WriteMessage(websocket.TextMessage, b) != nil {
			return
		}
	}
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(c.code, c.bye.Reason), time.Now().Add(2*time.Second))
}

// linger takes what still comes for a moment and throws it away: closing a TCP connection with something unread resets it, and
// then the other end never learns why it was closed (RFC 1122 section 4.2.2.13).
func (c *socket) linger() {
	conn := c.ws.NetConn()
	if half, ok := conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(lingerFor))
	_, _ = io.CopyN(io.Discard, conn, lingerBytes)
}

// pong answers a ping: t1 is when it was received, t2 when the answer is written.
func (c *socket) pong(id string, t0 float64, received time.Time, clock func(time.Time) float64) {
	c.push(outgoing{late: func() ([]byte, error) {
		return event.Encode(id, event.Pong{T0: t0, T1: clock(received), T2: clock(time.Now())})
	}})
}

// problemOf makes of any error what people are told.
func problemOf(err error) *event.Problem {
	var p *event.Problem
	if errors.As(err, &p) {
		return p
	}
	return errSomething
}
