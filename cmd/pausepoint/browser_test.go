package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

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

// poll asks until the answer is good. Its patience begins anew as long as the answer changes: that of a long preparation does.
func (b *browser) poll(path string, good func(status int, body []byte) bool) {
	b.t.Helper()
	var last []byte
	for deadline := time.Now(); ; <-time.After(20 * time.Millisecond) {
		res, text := b.request("GET", path, nil, nil)
		if good(res.StatusCode, text) {
			return
		}
		if !bytes.Equal(text, last) {
			last, deadline = text, time.Now().Add(patience)
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
