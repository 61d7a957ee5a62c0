package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// A password cannot be tried out.
func TestBruteForce(t *testing.T) {
	s := startFilled(t)
	b := newBrowser(t, s)
	for try := range 40 {
		res, text := b.do("POST", "/api/signin", map[string]string{"email": adminEmail, "password": fmt.Sprintf("guess number %d", try)})
		switch res.StatusCode {
		case http.StatusUnauthorized:
		case http.StatusTooManyRequests:
			if res.Header.Get("Retry-After") == "" {
				t.Error("nobody says when to come back")
			}
			return
		default:
			t.Fatalf("try %d: %d %s", try, res.StatusCode, text)
		}
	}
	t.Error("40 tries were let through")
}

// raw asks for a path as it is written: a client would clean it.
func (b *browser) raw(path string) string {
	b.t.Helper()
	req, err := http.NewRequest("GET", b.server.url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range b.client.Jar.Cookies(req.URL) {
		req.AddCookie(cookie)
	}
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nConnection: close\r\n\r\n", path, req.URL.Host, req.Header.Get("Cookie"))
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		b.t.Fatal(err)
	}
	status, _, _ := strings.Cut(string(answer), "\r\n")
	return status
}

// Paths that mean something else to whoever reads them once more lead nowhere.
func TestPaths(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	amara.connect(id, agreed)
	media := "/api/clips/" + clip.PracticeID + "/media/"
	if status := amara.raw(media + "720p.mp4"); !strings.HasPrefix(status, "HTTP/1.1 200") {
		t.Fatalf("the clip itself: %s", status)
	}
	for _, path := range []string{
		media + "../../../pausepoint.db", media + "%2e%2e%2fpausepoint.db", media + "..%2f..%2fpausepoint.db", media + "720p.mp4%00.jpg",
		media + "%5c..%5cpausepoint.db", media + "secret.mp4", "/api//me", "/api/sessions/" + id + "/segments/..%2f..%2fpausepoint.db",
		"/api/sessions/" + id + "/segments/%00", "/api/clips/..%2fme", "/assets/../../pausepoint.db", "/api/nothing", "/api/uploads/..%2fx",
	} {
		if status := amara.raw(path); !strings.HasPrefix(status, "HTTP/1.1 404") && !strings.HasPrefix(status, "HTTP/1.1 400") {
			t.Errorf("%s: %s", path, status)
		}
	}
}

func TestRanges(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	media := "/api/clips/" + clip.PracticeID + "/media/720p.mp4"
	for _, ranges := range []string{"bytes=" + strings.Repeat("0-1,", 7_000) + "5-6", "bytes=999999999999-"} {
		res, _ := amara.request("GET", media, nil, map[string]string{"Range": ranges})
		if res.StatusCode != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("%.20s…: %d", ranges, res.StatusCode)
		}
	}
	res, _ := amara.request("GET", media, nil, map[string]string{"Range": "bytes=10-19"})
	if res.StatusCode != http.StatusPartialContent || res.ContentLength != 10 {
		t.Errorf("an honest range: %d, %d bytes", res.StatusCode, res.ContentLength)
	}
}

// Notes are text: they come back as they were written but for what disguises, and pages could not run them anyway.
func TestHostileNotes(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	c := amara.connect(id, agreed)
	c.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "<svg onload=alert(1)> javascript:alert(2) \u202egnp.exe"})
	res, text := amara.do("GET", "/api/sessions/"+id+"/notes.json", nil)
	if res.StatusCode != 200 || strings.Contains(string(text), "\u202e") || strings.Contains(string(text), `\u202e`) || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v %s", res.Header, text)
	}
	page, _ := amara.request("GET", "/", nil, nil)
	for _, h := range []http.Header{res.Header, page.Header} {
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "script-src 'self' 'unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("policy: %q", policy)
		}
	}
	if p := c.ask(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: strings.Repeat("long ", 10_000)}); p == nil {
		t.Error("a note of 50,000 characters was taken")
	}
	body := `{"title":"` + strings.Repeat("x", 1<<20) + `"}`
	if res, _ := amara.request("PATCH", "/api/sessions/"+id+"/plan", strings.NewReader(body), nil); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("1 MiB: %d", res.StatusCode)
	}
	if res, _ := amara.request("POST", "/api/sessions", strings.NewReader(`{"practice":true}`), map[string]string{"Content-Type": "text/plain"}); res.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain: %d", res.StatusCode)
	}
}

// Secrets are in no log, and in no answer but the one that gives them to whom they belong.
func TestSecretsStayPut(t *testing.T) {
	s := startFilled(t, "--log-format", "json")
	amara := signedIn(t, s)
	id := amara.practiceSession()
	token := amara.link(id, event.Coach)
	var house struct{ URL string }
	amara.must(200, "POST", "/api/invitations", map[string]string{"email": "x@y.example"}, &house)
	_, houseToken, _ := strings.Cut(house.URL, "#")
	ben, _ := s.guest(t, id, token, "Ben")
	newBrowser(t, s).do("POST", "/api/signin", map[string]string{"email": adminEmail, "password": "a wrong password"})
	newBrowser(t, s).do("POST", "/api/sessions/"+id+"/door", map[string]string{"token": "stolen-" + token})
	c := ben.connect(id, agreed)
	c.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Private, Text: "what I think of it"})
	for _, path := range []string{"", "/door", "/replay", "/notes.json", "/notes.csv", "/notes.vtt"} {
		ben.do("GET", "/api/sessions/"+id+path, nil)
	}
	amara.do("GET", "/api/sessions", nil)
	amara.do("GET", "/api/me", nil)
	s.stop(t)

	logs := s.stderr.String()
	if !strings.Contains(logs, "/api/sessions/{id}/door") {
		t.Fatalf("requests are not logged: %s", logs)
	}
	secrets := map[string]string{
		"password": adminPassword, "wrong password": "a wrong password", "hash": "$argon2id$", "invitation": token, "house invitation": houseToken,
		"email": adminEmail, "note": "what I think of it",
	}
	cookies := append(amara.cookies(), ben.cookies()...)
	if len(cookies) != 2 {
		t.Fatalf("cookies: %d", len(cookies))
	}
	for i, cookie := range cookies {
		secrets[fmt.Sprint("cookie ", i)] = cookie
		if strings.Contains(amara.heard.String()+ben.heard.String(), cookie) {
			t.Error("an answer has a cookie")
		}
	}
	for name, secret := range secrets {
		if strings.Contains(logs, secret) {
			t.Errorf("the log has the %s", name)
		}
	}
	for _, name := range []string{"password", "hash", "invitation", "house invitation", "email"} {
		if strings.Contains(ben.heard.String(), secrets[name]) {
			t.Errorf("a guest is told the %s", name)
		}
	}
	for _, name := range []string{"password", "hash"} {
		if strings.Contains(amara.heard.String(), secrets[name]) {
			t.Errorf("an answer has the %s", name)
		}
	}
}

func (b *browser) cookies() []string {
	b.t.Helper()
	req, err := http.NewRequest("GET", b.server.url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	var values []string
	for _, cookie := range b.client.Jar.Cookies(req.URL) {
		values = append(values, cookie.Value)
	}
	return values
}

// Many come at the same moment, some leave rudely: nobody stays behind as a ghost.
func TestCrowd(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	token := amara.link(id, event.Peer)
	a := amara.connect(id, agreed)
	const crowd = 8
	hello := helloText(t)
	conns := make([]*websocket.Conn, crowd)
	var wg sync.WaitGroup
	for i := range crowd {
		g, _ := s.guest(t, id, token, fmt.Sprintf("Guest %d", i))
		wg.Go(func() {
			ws, _, err := g.dial(id, nil)
			if err == nil {
				conns[i] = ws
				err = ws.WriteMessage(websocket.TextMessage, hello)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	here := func(want int) func(frame) bool {
		return func(frame) bool {
			n := 0
			for _, m := range a.view.Members {
				if m.Presence == event.Here {
					n++
				}
			}
			return n == want
		}
	}
	a.awaitThat("everybody", here(crowd+1))
	for _, ws := range conns {
		_ = ws.NetConn().Close() // without a word
	}
	a.awaitThat("nobody else", here(1))
}

// One address cannot hold more calls than a school needs.
func TestTooManyConnections(t *testing.T) {
	s := startFilled(t, "--max-connections-per-address", "3")
	amara := signedIn(t, s)
	id := amara.practiceSession()
	for range 3 {
		amara.open(id)
	}
	_, res, err := amara.dial(id, nil)
	if err == nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Fatalf("a fourth: %v %v", res, err)
	}
	var e struct{ Error event.Problem }
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil || e.Error.Code != "too_many" {
		t.Errorf("%+v %v", e, err)
	}
}

// A call that is under way does not keep the server from stopping, and stopping is no error.
func TestStopsInTime(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	c := amara.connect(amara.practiceSession(), agreed)
	amara.open(amara.practiceSession()) // never says hello
	s.stop(t)                           // which fails after a while
	if reason, _ := c.bye(); reason != "restarting" {
		t.Errorf("bye %q", reason)
	}
	if logs := s.stderr.String(); strings.Contains(logs, "level=ERROR") || strings.Contains(logs, "panic") {
		t.Errorf("logged: %s", logs)
	}
}
