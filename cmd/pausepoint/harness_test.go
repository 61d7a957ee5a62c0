package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// output is a writer that can be read while it is written to.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
	set chan struct{} // closed and made anew with each write
}

func newOutput() *output { return &output{set: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.set)
	o.set = make(chan struct{})
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await waits until what was written matches.
func (o *output) await(t *testing.T, re *regexp.Regexp) []string {
	t.Helper()
	timeout := time.After(patience)
	for {
		o.mu.Lock()
		found, set := re.FindStringSubmatch(o.buf.String()), o.set
		o.mu.Unlock()
		if found != nil {
			return found
		}
		select {
		case <-set:
		case <-timeout:
			t.Fatalf("never printed: %v\nprinted: %s", re, o)
		}
	}
}

// server is a running Pausepoint: run itself, with a real database.
type server struct {
	url    string
	data   string
	stdout *output
	stderr *output
	cancel context.CancelFunc
	ended  chan error
}

var announced = regexp.MustCompile(`(https?://127\.0\.0\.1:\d+)  on this computer`)

// start runs the server on a data folder until the test ends.
func start(t *testing.T, data string, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{data: data, stdout: newOutput(), stderr: newOutput(), cancel: cancel, ended: make(chan error, 1)}
	args = append([]string{"--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0", "--data", data, "--log-level", "debug"}, args...)
	go func() { s.ended <- run(ctx, args, noEnv, s.stdout, s.stderr) }()
	t.Cleanup(func() { s.stop(t) })
	select {
	case err := <-s.ended:
		s.ended <- err
		t.Fatalf("the server does not start: %v\n%s", err, s.stderr)
	case found := <-waitFor(t, s.stdout, announced):
		s.url = found[1]
	}
	s.awaitReady(t)
	return s
}

func waitFor(t *testing.T, o *output, re *regexp.Regexp) <-chan []string {
	found := make(chan []string, 1)
	go func() {
		for ctx := t.Context(); ctx.Err() == nil; {
			o.mu.Lock()
			m, set := re.FindStringSubmatch(o.buf.String()), o.set
			o.mu.Unlock()
			if m != nil {
				found <- m
				return
			}
			select {
			case <-set:
			case <-ctx.Done():
			}
		}
	}()
	return found
}

func (s *server) awaitReady(t *testing.T) {
	t.Helper()
	c := newBrowser(t, s)
	c.poll("/healthz", func(status int, _ []byte) bool { return status == http.StatusOK })
}

// stop ends the server, and checks that it ends well.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.cancel()
	select {
	case err := <-s.ended:
		s.ended <- err
		if err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	case <-time.After(stopWithin + time.Second):
		t.Fatalf("the server does not stop\n%s", s.stderr)
	}
}

func noEnv(string) (string, bool) { return "", false }

var templateDir string // for TestMain to remove

// template is a data folder with the first account in it and the practice clip prepared, made once.
var template = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pausepoint-test-*")
	if err != nil {
		return "", err
	}
	templateDir = dir
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stdout, ended := newOutput(), make(chan error, 1)
	args := []string{"--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0", "--data", dir, "--log-level", "error"}
	go func() { ended <- run(ctx, args, noEnv, stdout, io.Discard) }()
	if err := fill(stdout, ended); err != nil {
		return dir, err
	}
	cancel()
	return dir, <-ended
})

const (
	adminName     = "Amara Osei"
	adminEmail    = "amara@school.example"
	adminPassword = "correct horse battery"
)

var firstLink = regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/setup#(\S+)`)

// fill makes the first account and waits for the practice clip.
func fill(stdout *output, ended <-chan error) error {
	var link []string
	for link == nil {
		stdout.mu.Lock()
		set := stdout.set
		link = firstLink.FindStringSubmatch(stdout.buf.String())
		stdout.mu.Unlock()
		if link != nil {
			break
		}
		select {
		case <-set:
		case err := <-ended:
			return errors.Join(errors.New("the server does not start"), err)
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar}
	body, err := json.Marshal(map[string]string{"token": link[2], "name": adminName, "email": adminEmail, "password": adminPassword})
	if err != nil {
		return err
	}
	res, err := client.Post(link[1]+"/api/setup", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	for tick := time.NewTicker(200 * time.Millisecond); ; <-tick.C {
		res, err := client.Get(link[1] + "/api/clips/" + clip.PracticeID)
		if err != nil {
			return err
		}
		var c struct{ State, Refusal string }
		err = json.NewDecoder(res.Body).Decode(&c)
		_ = res.Body.Close()
		if err != nil || c.State == "refused" {
			return errors.Join(errors.New("no practice clip: "+c.Refusal), err)
		}
		if c.State == "ready" {
			return nil
		}
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if templateDir != "" {
		_ = os.RemoveAll(templateDir)
	}
	os.Exit(code)
}

// startFilled runs a server on a copy of the template.
func startFilled(t *testing.T, args ...string) *server {
	t.Helper()
	return start(t, filledData(t), args...)
}

func filledData(t *testing.T) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return data
}

// browser is a person's browser: a cookie jar, and requests like those of our own pages. It remembers all that it was told.
type browser struct {
	t      *testing.T
	server *server
	client *http.Client
	heard  *output
}

func newBrowser(t *testing.T, s *server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: insecure}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, server: s, client: &http.Client{Jar: jar, Transport: transport}, heard: newOutput()}
}

// signedIn is the browser of the first account.
func signedIn(t *testing.T, s *server) *browser {
	t.Helper()
	b := newBrowser(t, s)
	b.must(200, "POST", "/api/signin", map[string]string{"email": adminEmail, "password": adminPassword}, nil)
	return b
}

// request makes a request without following what the test has to see.
func (b *browser) request(method, path string, body io.Reader, header map[string]string) (*http.Response, []byte) {
	b.t.Helper()
	res, text, err := b.try(method, path, body, header)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, text
}

// try is request where the server may cut the connection.
func (b *browser) try(method, path string, body io.Reader, header map[string]string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.server.url+path, body)
	if err != nil {
		return nil, nil, err
	}
	if method != "GET" && method != "HEAD" {
		req.Header.Set("Origin", b.server.url)
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := b.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	_, _ = b.heard.Write(text)
	return res, text, err
}

// do sends v as JSON.
func (b *browser) do(method, path string, v any) (*http.Response, []byte) {
	b.t.Helper()
	if v == nil {
		return b.request(method, path, nil, nil)
	}
	body, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.request(method, path, bytes.NewReader(body), nil)
}

// must sends in, wants a status, and reads the answer into out.
func (b *browser) must(status int, method, path string, in, out any) {
	b.t.Helper()
	res, text := b.do(method, path, in)
	if res.StatusCode != status {
		b.t.Fatalf("%s %s: %d, want %d: %s", method, path, res.StatusCode, status, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			b.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
}

// refused wants an error with a status and a code, and a sentence.
func (b *browser) refused(status int, code, method, path string, in any) string {
	b.t.Helper()
	var e struct{ Error event.Problem }
	b.must(status, method, path, in, &e)
	if e.Error.Code != code || !strings.HasSuffix(e.Error.Message, ".") {
		b.t.Fatalf("%s %s: %+v, want the code %s and a sentence", method, path, e.Error, code)
	}
	return e.Error.Message
}

// poll asks until the answer is good.
func (b *browser) poll(path string, good func(status int, body []byte) bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		res, text := b.request("GET", path, nil, nil)
		if good(res.StatusCode, text) {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("GET %s stays %d: %s", path, res.StatusCode, text)
		}
	}
}

// practiceSession plans a session about the practice clip and returns its id.
func (b *browser) practiceSession() string {
	b.t.Helper()
	var p struct{ ID string }
	b.must(201, "POST", "/api/sessions", map[string]any{"practice": true}, &p)
	return p.ID
}

// link gets the token of a role's invitation.
func (b *browser) link(session string, role event.Role) string {
	b.t.Helper()
	var link struct{ URL string }
	b.must(200, "POST", "/api/sessions/"+session+"/invitations", map[string]any{"role": role}, &link)
	_, token, ok := strings.Cut(link.URL, "#")
	if !ok {
		b.t.Fatalf("no token in %q", link.URL)
	}
	return token
}

// guest is somebody who enters with an invitation and a name.
func (s *server) guest(t *testing.T, session, token, name string) (*browser, string) {
	t.Helper()
	b := newBrowser(t, s)
	var door struct{ Member struct{ ID string } }
	b.must(200, "POST", "/api/sessions/"+session+"/door", map[string]string{"token": token, "name": name}, &door)
	if door.Member.ID == "" {
		t.Fatal("the guest did not become a member")
	}
	return b, door.Member.ID
}

// connection is a member's WebSocket, read by one goroutine into frames.
type connection struct {
	t       *testing.T
	ws      *websocket.Conn
	welcome event.Welcome
	view    event.View
	frames  chan frame
	closed  error // why reading ended; set before frames is closed
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
	d := websocket.Dialer{Jar: b.client.Jar, HandshakeTimeout: patience, EnableCompression: true}
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

// ask sends a command and returns what is wrong with it, or nil.
func (c *connection) ask(cmd event.Command) *event.Problem {
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

func newID(t *testing.T) string {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}
