package traces_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/signaling"
	"github.com/pausepoint/pausepoint/store"
	"github.com/pausepoint/pausepoint/traces"
)

// collector takes traces as a collector does.
type collector struct {
	t   *testing.T
	url string
	ill atomic.Bool // it refuses what it gets

	mu    sync.Mutex // guards below
	spans map[string]*trace.Span
	of    string // the resource
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{t: t, spans: map[string]*trace.Span{}}
	s := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method+r.URL.Path != "POST/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("got %s %s, %v", r.Method, r.URL, err)
	}
	if c.ill.Load() {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var got coltrace.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &got); err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range got.GetResourceSpans() {
		c.of = of.GetResource().String()
		for _, scope := range of.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans[span.GetName()] = span
			}
		}
	}
}

// got is what the collector has of a span.
func (c *collector) got(name string) *trace.Span {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	span := c.spans[name]
	if span == nil || span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() {
		c.t.Fatalf("%q is %v", name, span)
	}
	return span
}

func open(t *testing.T, url string, log io.Writer) *traces.Traces {
	t.Helper()
	tr, err := traces.Open(t.Context(), traces.Config{URL: url, Node: "north", Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// What a request leads to is told as part of it, what a room does by itself, and what failed as failed.
func TestTraces(t *testing.T) {
	c := newCollector(t)
	tr := open(t, c.url, io.Discard)
	st, err := store.Open(t.Context(), store.Config{Folder: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	journal, blobs := tr.Journal(st), tr.Blobs(st)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("blob"), 0o600); err != nil {
		t.Fatal(err)
	}
	requests := tr.Requests(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := journal.Load(r.Context(), "nobody's"); err != nil {
			t.Error(err)
		}
		if err := blobs.PutFile(r.Context(), "clips/c/file", file); err != nil {
			t.Error(err)
		}
		tr.Answered(r.Context(), signaling.Request{Method: "GET", Route: "/api/clips/{id}", Status: 503})
	}))
	requests.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/clips/secret", nil))
	if _, err := journal.Own(t.Context(), "nobody's"); err == nil {
		t.Error("a session that is not there is owned")
	}
	stored := make(chan error, 1)
	journal.Append("nobody's", 1, []event.Event{{}}, func(err error) { stored <- err })
	if err := <-stored; err == nil {
		t.Error("an event of a session that is not there is stored")
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Error(err)
	}

	request := c.got("GET /api/clips/{id}")
	if request.GetKind() != trace.Span_SPAN_KIND_SERVER || request.GetStatus().GetCode() != trace.Status_STATUS_CODE_ERROR {
		t.Errorf("the request is %v", request)
	}
	for _, name := range []string{"room load", "blob put"} {
		if span := c.got(name); !bytes.Equal(span.GetParentSpanId(), request.GetSpanId()) || span.GetStatus().GetCode() != trace.Status_STATUS_CODE_UNSET {
			t.Errorf("what the request led to is %v", span)
		}
	}
	for _, name := range []string{"room own", "journal append"} {
		if span := c.got(name); len(span.GetParentSpanId()) != 0 || span.GetStatus().GetCode() != trace.Status_STATUS_CODE_ERROR {
			t.Errorf("what failed is %v", span)
		}
	}
	if !strings.Contains(c.of, "pausepoint") || !strings.Contains(c.of, "north") {
		t.Errorf("the spans are of %s", c.of)
	}
}

// Without a collector everything stays what it is.
func TestNone(t *testing.T) {
	var none *traces.Traces
	st := &store.Store{}
	if none.Journal(st) != st || none.Blobs(st) != st {
		t.Error("something is traced")
	}
	asked := false
	none.Requests(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })).ServeHTTP(nil, nil)
	none.Answered(t.Context(), signaling.Request{})
	if !asked {
		t.Error("the request did not arrive")
	}
}

// A collector that takes nothing is told of, and does not keep anybody from stopping.
func TestIllCollector(t *testing.T) {
	c, log := newCollector(t), &bytes.Buffer{}
	c.ill.Store(true)
	tr := open(t, c.url, log)
	tr.Requests(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if err := tr.Close(context.Background()); err != nil || strings.Count(log.String(), "traces are lost") != 1 {
		t.Errorf("%v, logged %s", err, log)
	}
	for _, address := range []string{"127.0.0.1:4318", "ftp://here", "http://user:hidden@here", "http://[", ""} {
		if err := traces.CheckURL(address); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
