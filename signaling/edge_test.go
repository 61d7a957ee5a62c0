package signaling

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/ctxio"
	"github.com/pausepoint/pausepoint/room/event"
)

// fieldsOf lists the names on the wire of a struct's fields.
func fieldsOf(v any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestLimiter(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := newLimiter(1, 3, func() time.Time { return now })
	school, home := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")
	neighbour := netip.MustParseAddr("2001:db8::2") // of the same customer
	for range 3 {
		if _, ok := l.take(school); !ok {
			t.Fatal("refused within the burst")
		}
	}
	if wait, ok := l.take(neighbour); ok || wait <= 0 || wait > time.Second {
		t.Errorf("a fourth: %v %v", wait, ok)
	}
	if _, ok := l.take(home); !ok {
		t.Error("another address pays for the first")
	}
	now = now.Add(time.Second)
	if _, ok := l.take(school); !ok {
		t.Error("a token does not come back")
	}
	now = now.Add(time.Hour)
	l.take(home)
	if len(l.buckets) != 1 {
		t.Errorf("%d buckets are kept", len(l.buckets))
	}
}

func TestForwarding(t *testing.T) {
	for _, c := range []struct {
		trusted       bool
		remote        string
		forwarded     []string
		proto, client string
		secure        bool
	}{
		{false, "127.0.0.1:5", []string{"198.51.100.7"}, "https", "127.0.0.1", false},
		{true, "127.0.0.1:5", []string{"198.51.100.7"}, "https", "198.51.100.7", true},
		{true, "127.0.0.1:5", []string{"203.0.113.9, 198.51.100.7"}, "http", "198.51.100.7", false},
		{true, "[::1]:5", []string{"203.0.113.9", "2001:db8::7"}, "https", "2001:db8::7", true},
		{true, "10.0.0.2:5", []string{"nonsense"}, "https", "10.0.0.2", true},
		{true, "203.0.113.80:5", []string{"198.51.100.7"}, "https", "203.0.113.80", false},
		{true, "[::ffff:203.0.113.80]:5", nil, "", "203.0.113.80", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.forwarded
		r.Header.Set("X-Forwarded-Proto", c.proto)
		f := forwarding{c.trusted}
		if got := f.client(r).String(); got != c.client || f.secure(r) != c.secure {
			t.Errorf("%+v: %s %v", c, got, f.secure(r))
		}
	}
}

// exchange lets a browser with these cookies do something, and returns its cookies afterwards.
func exchange(t *testing.T, b *browsers, cookies []*http.Cookie, act func(*browser) error) []*http.Cookie {
	t.Helper()
	r, w := httptest.NewRequest("POST", "/", nil), httptest.NewRecorder()
	for _, c := range cookies {
		r.AddCookie(c)
	}
	who, err := b.of(r)
	if err == nil {
		err = errors.Join(act(who), who.save(w, r))
	}
	if err != nil {
		t.Fatal(err)
	}
	if set := w.Result().Cookies(); len(set) > 0 {
		return set
	}
	return cookies
}

// A browser is known by a token that changes with what it is allowed, and that is kept as a hash alone.
func TestBrowsers(t *testing.T) {
	store := memstore.NewWithCleanupInterval(0)
	b := newBrowsers(store, forwarding{})
	planted := []*http.Cookie{{Name: cookieName, Value: "planted"}}
	guest := exchange(t, b, planted, func(w *browser) error { return w.enter("s1", "m1") })
	if guest[0].Value == "planted" || !guest[0].HttpOnly || guest[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("cookie: %+v", guest[0])
	}
	both := exchange(t, b, guest, func(w *browser) error { return w.enter("s2", "m2") })
	signed := exchange(t, b, both, func(w *browser) error { return w.signIn("a1") })
	if signed[0].Value == both[0].Value {
		t.Error("signing in keeps the token")
	}
	exchange(t, b, both, func(w *browser) error {
		if w.account() != "" || len(w.guests()) != 0 {
			t.Error("the old token still opens something")
		}
		return nil
	})
	exchange(t, b, signed, func(w *browser) error {
		if w.account() != "a1" || !maps.Equal(w.guests(), guestings{"s1": "m1", "s2": "m2"}) {
			t.Errorf("known: %q %v", w.account(), w.guests())
		}
		return nil
	})
	if rows, err := store.All(); err != nil || len(rows) != 1 || rows[signed[0].Value] != nil {
		t.Errorf("kept: %d rows, by the token itself: %v", len(rows), rows[signed[0].Value] != nil)
	}
	out := exchange(t, b, signed, (*browser).signOut)
	if out[0].MaxAge >= 0 {
		t.Errorf("signing out keeps the cookie: %+v", out[0])
	}
	exchange(t, b, signed, func(w *browser) error {
		if w.account() != "" || len(w.guests()) != 0 {
			t.Error("signing out forgets nothing")
		}
		return nil
	})
}

// A handler that panics is answered with a sentence, and logged.
func TestPanics(t *testing.T) {
	var log strings.Builder
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	w := httptest.NewRecorder()
	s.withRecover(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh no") })).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"internal"`) || strings.Contains(w.Body.String(), "oh no") || !strings.Contains(log.String(), "oh no") {
		t.Errorf("%d %s; %s", w.Code, w.Body, log.String())
	}
}

func TestReadJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"x"}`: "", `{"name":"x"} `: "", `{"nome":"x"}`: "invalid_json", `{"name":"x"}{}`: "invalid_json", `{"name":3}`: "invalid_json",
		``: "invalid_json", `[]`: "invalid_json", `{"name":"` + strings.Repeat("x", maxBody) + `"}`: "too_large",
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		var v struct {
			Name string `json:"name"`
		}
		err := readJSON(httptest.NewRecorder(), r, &v)
		var p *event.Problem
		if errors.As(err, &p); err == nil && want != "" || err != nil && p.Code != want {
			t.Errorf("%.30q: %v, want %q", body, err, want)
		}
	}
}

// An error that is nobody's business is told as such, and logged with its cause.
func TestUnknownErrors(t *testing.T) {
	var log strings.Builder
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	w := httptest.NewRecorder()
	s.api(func(http.ResponseWriter, *http.Request) error { return io.ErrUnexpectedEOF }).ServeHTTP(w, httptest.NewRequest("GET", "/x?token=secret", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "EOF") || !strings.Contains(log.String(), "EOF") || strings.Contains(log.String(), "secret") {
		t.Errorf("%d %s; %s", w.Code, w.Body, log.String())
	}
}

// Whoever is not let in is told why in a word that the protocol has.
func TestByeReasons(t *testing.T) {
	for code, want := range map[string]string{
		"ended": "ended", "forbidden": "removed", "full": "full", "too_many": "too_fast", "unavailable": "restarting",
		"internal": "restarting", "invalid": "invalid",
	} {
		if got := byeReason(event.Errorf(code, "A sentence.")); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

// Stretches of talk begin and end with who speaks; a cough is none.
func TestTalk(t *testing.T) {
	tk := talk{since: map[string]time.Time{}}
	at := func(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }
	if ended := tk.change([]string{"a"}, at(0)); len(ended) != 0 {
		t.Error("ended before it began")
	}
	if ended := tk.change([]string{"a", "b"}, at(1000)); len(ended) != 0 {
		t.Error("somebody else ends it")
	}
	if ended := tk.change([]string{"a"}, at(1100)); len(ended) != 0 {
		t.Error("a cough counts")
	}
	ended := tk.change(nil, at(2000))
	if len(ended) != 1 || ended[0].member != "a" || !ended[0].since.Equal(at(0)) {
		t.Errorf("ended: %+v", ended)
	}
	if ended := tk.change(nil, at(3000)); len(ended) != 0 {
		t.Error("ended twice")
	}
}

func TestHealth(t *testing.T) {
	var trouble error
	s := &Server{impaired: func() error { return trouble }}
	check := func(want int, text string) {
		t.Helper()
		w := httptest.NewRecorder()
		s.readiness(w, httptest.NewRequest("GET", "/readyz", nil))
		if w.Code != want || w.Body.String() != text+"\n" {
			t.Errorf("%d %q, want %d %q", w.Code, w.Body, want, text)
		}
	}
	check(503, "starting or stopping")
	s.Ready()
	check(200, "ok")
	trouble = errors.New("the disk is full")
	check(503, "the disk is full")
	trouble = nil
	check(200, "ok")

	w := httptest.NewRecorder()
	alive(w, httptest.NewRequest("GET", "/healthz", nil))
	if w.Code != 200 {
		t.Errorf("alive: %d", w.Code)
	}
}

// A server of several that does not reach the database lets nobody wait: a balancer or the next attempt finds another one.
func TestServerWithoutTheDatabaseRefusesAtOnce(t *testing.T) {
	node, err := cluster.New(cluster.Config{URL: "redis://127.0.0.1:1", Name: "a", Log: slog.New(slog.DiscardHandler)}) // it has not started
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close(context.Background()) })
	s := &Server{nodes: node, log: slog.New(slog.DiscardHandler)}
	s.Ready()
	for path, h := range map[string]http.Handler{"/readyz": http.HandlerFunc(s.readiness), "/api/sessions/x/ws": s.api(s.serveCall)} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Origin", "http://"+r.Host)
		h.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "database") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// Every request is told to whoever counts, by what is known beforehand: nothing of what somebody wrote becomes a label.
func TestAnswered(t *testing.T) {
	var seen []Request
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/clips/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("page")) })
	s := &Server{log: slog.New(slog.DiscardHandler), answered: func(_ context.Context, r Request) { r.Took = 0; seen = append(seen, r) }}
	h := s.withLog(withCleanPath(mux))
	for _, r := range [][2]string{{"GET", "/api/clips/secret"}, {"HEAD", "/api/clips/secret"}, {"GET", "/whatever"}, {"GET", "/a/../b"}, {"BREW", "/whatever"}} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(r[0], r[1], nil))
	}
	want := []Request{
		{"GET", "/api/clips/{id}", 404, 0},
		{"HEAD", "/api/clips/{id}", 404, 0},
		{"GET", "/", 200, 0},
		{"GET", "refused", 404, 0},
		{"other", "/", 200, 0},
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%+v", seen)
	}
}

// A file that is being sent stops with the right to it.
func TestWhileAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		ctx, cancel := whileAllowed(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), time.Second, func() error {
			if checks++; checks == 3 {
				return errMember
			}
			return nil
		})
		defer cancel()
		file := ctxio.ReadSeeker(ctx, strings.NewReader(strings.Repeat("x", 100)))
		if n, err := file.Read(make([]byte, 10)); n != 10 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		<-ctx.Done()
		if _, err := file.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) || checks != 3 {
			t.Errorf("%v after %d checks", err, checks)
		}
	})
}

// A body that never ends, and an answer that nobody takes, hold no connection for long.
func TestDeadlines(t *testing.T) {
	const soon = 50 * time.Millisecond
	ended := make(chan error, 1)
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusUnauthorized) // the body is left unread
			return
		}
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		ended <- err
	})
	srv := httptest.NewServer(withDeadlines(soon, soon, endless))
	defer srv.Close()
	send := func(text string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	conn := send("POST /api/signin HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
	if _, err := io.ReadAll(conn); err != nil { // ends with the server's closing it
		t.Error(err)
	}
	send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the answer ended with %v", err)
	}
	for path, want := range map[string]bool{
		"/": false, "/api/sessions/x/replay": false, "/api/sessions/x/ws": true, "/api/sessions/x/segments/y": true,
		"/api/clips/x/media/720p.mp4": true, "/api/clips/x": false, "/api/uploads/x": true, "/assets/ws": false,
	} {
		if watched(path) != want {
			t.Errorf("%s: watched is %v", path, !want)
		}
	}
}

// Whoever loses the right to a file while they take it slowly is not waited for.
func TestAnUnreadFileEndsWithTheRight(t *testing.T) {
	ended := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, cancel := whileAllowed(w, r, 10*time.Millisecond, func() error { return errMember })
		defer cancel()
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		ended <- err
	}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

// A page of the same host that came without TLS may not use a call with it.
func TestSchemeOfTheOrigin(t *testing.T) {
	for _, c := range []struct {
		tls    bool
		origin string
		want   bool
	}{
		{false, "http://calls.example", true},
		{false, "https://calls.example", true},
		{true, "https://calls.example", true},
		{true, "http://calls.example", false},
		{true, "https://eve@calls.example", false},
	} {
		r := httptest.NewRequest("GET", "http://calls.example/api/sessions/x/ws", nil)
		r.Header.Set("Origin", c.origin)
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := new(Server).sameOrigin(r); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
