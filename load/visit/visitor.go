// Package visit is how people get to a deployment, by HTTP alone: they sign in and make sessions, or come in as guests with an
// invitation, and open the WebSocket.
package visit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	handshakeWithin = 30 * time.Second
	maxAnswer       = 1 << 20 // bytes
	maxRetryAfter   = time.Minute
)

// Visitor is a browser: cookies of its own, at one deployment.
type Visitor struct {
	server *url.URL
	client *http.Client
}

// New is a browser that knows nobody. Visitors may share a transport.
func New(server *url.URL, transport http.RoundTripper) (*Visitor, error) {
	jar, err := cookiejar.New(nil)
	return &Visitor{server: server, client: &http.Client{Jar: jar, Transport: transport}}, err
}

// Another is another person's browser at the same deployment.
func (v *Visitor) Another() (*Visitor, error) { return New(v.server, v.client.Transport) }

func (v *Visitor) origin() string { return v.server.Scheme + "://" + v.server.Host }

// refusal is an answer that is not the one that was asked for.
type refusal struct {
	status  int
	message string
	after   time.Duration // come back then; 0 is never
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s (%d)", strings.TrimSuffix(r.message, "."), r.status)
}

// Call makes a request, and makes it again where the server says when to; out may be nil.
func (v *Visitor) Call(ctx context.Context, method, path string, in, out any) error {
	for {
		err := v.try(ctx, method, path, in, out)
		r, ok := err.(*refusal) //nolint:errorlint // as try returns it
		if !ok || r.status != http.StatusTooManyRequests || r.after == 0 || r.after > maxRetryAfter {
			return err
		}
		if err := Pause(ctx, r.after); err != nil {
			return err
		}
	}
}

func (v *Visitor) try(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, v.origin()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Origin", v.origin())
	req.Header.Set("Content-Type", "application/json")
	res, err := v.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // it has been read
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return refused(res, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func refused(res *http.Response, text []byte) *refusal {
	var e struct{ Error event.Problem }
	if json.Unmarshal(text, &e) != nil || e.Error.Message == "" {
		e.Error.Message = "the server answers " + res.Status
	}
	after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // 0 if there is none
	return &refusal{status: res.StatusCode, message: e.Error.Message, after: time.Duration(after) * time.Second}
}

// Enter becomes a member of a session as a guest.
func (v *Visitor) Enter(ctx context.Context, session, token, name string) error {
	return v.Call(ctx, http.MethodPost, "/api/sessions/"+session+"/door", map[string]string{"token": token, "name": name}, nil)
}

// Dial opens the WebSocket of a session.
func (v *Visitor) Dial(ctx context.Context, session string) (*websocket.Conn, error) {
	d := websocket.Dialer{Jar: v.client.Jar, HandshakeTimeout: handshakeWithin}
	address := strings.Replace(v.origin(), "http", "ws", 1) + "/api/sessions/" + session + "/ws"
	ws, res, err := d.DialContext(ctx, address, http.Header{"Origin": {v.origin()}})
	if err == nil || res == nil {
		return ws, err
	}
	defer res.Body.Close() //nolint:errcheck // the handshake's error is the one that counts
	text, _ := io.ReadAll(res.Body)
	return nil, refused(res, text)
}

// Pause waits, or returns why ctx has ended.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
