package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

var metricsAt = regexp.MustCompile(`serving metrics" addr=(\S+)`)

// figure reads one line of what Prometheus gets, "" if it is not there.
func figure(t *testing.T, addr, name string) (value, all string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", res.StatusCode, err)
	}
	for line := range strings.Lines(string(text)) {
		if after, ok := strings.CutPrefix(line, name+" "); ok {
			value = strings.TrimSpace(after)
		}
	}
	return value, string(text)
}

// metrics is where a server serves its figures.
func (s *server) metrics(t *testing.T) (addr string) {
	t.Helper()
	found := s.stderr.match(metricsAt, s.ended)
	if found == nil {
		t.Fatal("the address is not logged")
	}
	return found[1]
}

// awaitFigure waits until a figure is good.
func awaitFigure(t *testing.T, addr, name string, good func(value string) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		value, all := figure(t, addr, name)
		if good(value) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s stays %q\n%s", name, value, all)
		}
	}
}

func isFigure(want string) func(string) bool { return func(value string) bool { return value == want } }

// What goes on in a call is seen in the figures, on their own address only, and nobody in it is.
func TestMetrics(t *testing.T) {
	s := startFilled(t, "--metrics-addr", "127.0.0.1:0")
	addr := s.metrics(t)
	awaits := func(name string, good func(value string) bool) {
		t.Helper()
		awaitFigure(t, addr, name, good)
	}
	is := isFigure
	some := func(value string) bool { return value != "" && value != "0" }

	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Coach), "Benedikta")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.do(event.RecordingStart{})
	a.answered(a.publish())
	b.subscribe()
	awaits("pausepoint_sessions", is("1"))
	awaits(`pausepoint_members{presence="present"}`, is("2"))
	awaits("pausepoint_websockets", is("2"))
	awaits("pausepoint_media_peers", is("2"))
	awaits(`pausepoint_media_publications{codec="opus",source="audio"}`, is("1"))
	awaits(`pausepoint_media_subscriptions{state="sent"}`, is("1"))
	awaits(`pausepoint_media_packets_total{direction="sent"}`, some)
	awaits("pausepoint_recorder_tracks", is("1"))
	awaits("pausepoint_recorder_frames_total", some)
	awaits("pausepoint_journal_events_total", some)
	awaits("pausepoint_journal_commit_seconds_count", some)
	awaits("pausepoint_journal_queue_events", is("0"))
	awaits(`pausepoint_websocket_messages_total{direction="received"}`, some)
	awaits(`pausepoint_http_requests_total{code="200",method="POST",route="/api/signin"}`, is("1"))

	_, all := figure(t, addr, "")
	for _, name := range []string{id, benID, "Benedikta", adminName, adminEmail} {
		if strings.Contains(all, name) {
			t.Errorf("the figures tell of %s", name)
		}
	}
	if _, text := amara.request("GET", "/metrics", nil, nil); strings.Contains(string(text), "pausepoint_") {
		t.Error("the figures are on the public address")
	}
	res, _ := amara.request("GET", "/readyz", nil, nil)
	if res.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d", res.StatusCode)
	}
}
