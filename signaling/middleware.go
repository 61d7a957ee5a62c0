package signaling

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// contentSecurity lets a page use what this server serves, and nothing else: a note that found its way into markup
// could neither run nor call home. Blobs are what MediaSource and tus-js-client make.
const contentSecurity = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"media-src 'self' blob: mediastream:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

var securityHeaders = map[string]string{
	"Content-Security-Policy":    contentSecurity,
	"Cross-Origin-Opener-Policy": "same-origin",
	"Permissions-Policy":         "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), geolocation=(), payment=(), usb=()",
	"Referrer-Policy":            "same-origin",
	"X-Content-Type-Options":     "nosniff",
	"X-Frame-Options":            "DENY",
}

// withHeaders sets what every answer carries; a handler may set its own.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range securityHeaders {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

// withRecover answers 500 for a handler that panics, and says so in the log. The server goes on.
func (s *Server) withRecover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recordedWriter{ResponseWriter: w}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.log.Error("handler panicked", slog.String("route", r.Pattern), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			if rec.status == 0 {
				writeJSON(rec, http.StatusInternalServerError, errorBody{errSomething})
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// withLog logs requests by route, and tells them to whoever counts: neither addresses nor cookies nor bodies are ever logged, since
// they may carry what is not for a log.
func (s *Server) withLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.answered == nil && !s.log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		began, rec := time.Now(), &recordedWriter{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		s.log.Debug("request", slog.String("method", r.Method), slog.String("route", r.Pattern),
			slog.Int("status", rec.status), slog.Duration("took", time.Since(began)))
		if s.answered != nil {
			s.answered(r.Context(), Request{Method: knownMethod(r.Method), Route: routeOf(r.Pattern), Status: rec.status, Took: time.Since(began)})
		}
	})
}

// knownMethod keeps what anybody may write into a request out of what is counted.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func routeOf(pattern string) string {
	if pattern == "" {
		return "refused"
	}
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return pattern
}

// withDeadlines lets nobody hold a connection for long by sending a body or taking an answer byte by byte: net/http itself reads
// what a handler has left of a body before it answers. Files are taken as slowly as they are watched, by members alone;
// uploads have deadlines of their own from when they are let begin.
func withDeadlines(body, answer time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w) // it fails where there is no connection, as in tests
		if r.ContentLength != 0 {
			_ = control.SetReadDeadline(time.Now().Add(body))
		}
		until := time.Now().Add(answer)
		if watched(r.URL.Path) {
			until = time.Time{}
		}
		_ = control.SetWriteDeadline(until)
		next.ServeHTTP(w, r)
	})
}

// watched reports whether a path is that of a file that players read, of a call, or of an upload.
func watched(path string) bool {
	return strings.HasPrefix(path, "/api/uploads/") || strings.HasPrefix(path, "/api/clips/") && strings.Contains(path, "/media/") ||
		strings.HasPrefix(path, "/api/sessions/") && (strings.Contains(path, "/segments/") || strings.Contains(path, "/tracks/") || strings.HasSuffix(path, "/film.mp4") || strings.HasSuffix(path, "/ws"))
}

// withOrigin refuses requests that change something and come from another site's page. A proxy may hide the host that
// people open, which is then public.
func withOrigin(public string, next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if public != "" {
		if err := protection.AddTrustedOrigin(public); err != nil {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				writeJSON(w, http.StatusInternalServerError, errorBody{errSomething})
			})
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusForbidden, errorBody{event.Errorf("forbidden", "This request came from another site. Open the page of this server and try again there.")})
	}))
	return protection.Handler(next)
}

// withCleanPath refuses paths that mean something else once cleaned, or that hold what no address of ours holds:
// http.ServeMux would redirect some of them, and what is behind it could read others differently.
func withCleanPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cleanPath(r.URL.Path) || strings.Contains(strings.ToLower(r.URL.EscapedPath()), "%2e") {
			writeJSON(w, http.StatusNotFound, errorBody{errNotFound})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func cleanPath(path string) bool {
	if len(path) > 1024 || !strings.HasPrefix(path, "/") {
		return false
	}
	for _, c := range path {
		if c < ' ' || c == 0x7f || c == '\\' || c == 0xfffd {
			return false
		}
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		if part == "." || part == ".." {
			return false
		}
	}
	return !strings.Contains(path, "//")
}

func isJSON(contentType string) error {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/json" {
		return event.Errorf("bad_type", "Send this request as application/json.")
	}
	return nil
}

// recordedWriter remembers the status of an answer.
type recordedWriter struct {
	http.ResponseWriter

	status int
}

func (w *recordedWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recordedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// ReadFrom lets files go out without being copied through this program.
func (w *recordedWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return io.Copy(w.ResponseWriter, r)
}

// Unwrap lets http.ResponseController reach what is below.
func (w *recordedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is for WebSockets, which take the connection over.
func (w *recordedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take the connection over: %w", err)
	}
	w.status = http.StatusSwitchingProtocols
	return conn, rw, nil
}

// withClipID tells the clip's id beside the Location of an upload that began: it is the last part of that.
func withClipID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w = &clipIDWriter{w}
		}
		next.ServeHTTP(w, r)
	})
}

type clipIDWriter struct{ http.ResponseWriter }

func (w *clipIDWriter) WriteHeader(status int) {
	if location := w.Header().Get("Location"); status == http.StatusCreated && location != "" {
		w.Header().Set("X-Clip-Id", path.Base(location))
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (w *clipIDWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
