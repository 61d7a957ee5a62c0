package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// What the whole server does in a call is traced, and nothing of what people are called or write.
func TestServerIsTraced(t *testing.T) {
	var mu sync.Mutex
	var got strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := io.Copy(&got, r.Body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(collector.Close)
	s := start(t, t.TempDir(), "--otlp", collector.URL)
	amara := founded(t, s)
	id := amara.plainSession()
	amara.connect(id, agreed).do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "What we wrote"})
	s.stop(t)

	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{"POST /api/setup", "room own", "room load", "journal append", id} {
		if !strings.Contains(got.String(), name) {
			t.Errorf("%s is not traced", name)
		}
	}
	for _, private := range []string{adminName, adminEmail, adminPassword, "What we wrote", s.printed(t, firstLink)[1]} {
		if strings.Contains(got.String(), private) {
			t.Errorf("%s is traced", private)
		}
	}
}
