package main

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/load"
	"github.com/pausepoint/pausepoint/room/event"
)

var accountFlags = []string{"--email", adminEmail, "--password", adminPassword}

// loadtest runs the command to its end.
func (s *server) loadtest(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return runWith(t, nil, append([]string{"loadtest", s.url, "--ramp", "100ms", "--duration", "900ms"}, args...)...)
}

// sessionsOf lists the sessions that somebody has.
func (b *browser) sessionsOf() []struct{ ID string } {
	b.t.Helper()
	var list struct{ Sessions []struct{ ID string } }
	b.must(200, "GET", "/api/sessions", nil, &list)
	return list.Sessions
}

// Members come into sessions of their own, and are gone with them.
func TestLoadtest(t *testing.T) {
	s := startFilled(t, "--metrics-addr", "127.0.0.1:0")
	metrics := s.stderr.match(metricsAt, s.ended)
	if metrics == nil {
		t.Fatal("the address is not logged")
	}
	args := []string{"--sessions", "2", "--members", "3", "--publishers", "0.67", "--record", "--server-metrics", metrics[1], "--json"}
	args = append(args, accountFlags...)
	stdout, stderr, err := s.loadtest(t, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var r load.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if r.Inside != 6 || r.Stayed != 6 || r.Sighted != 6 || r.Publishers != 4 {
		t.Errorf("%s", stdout)
	}
	for what, n := range map[string]uint64{
		"commands": r.Commands.Count, "notes": r.Notes.Count, "answers": r.Followed.Count, "joins": r.Join.Count,
		"first pictures": r.FirstVideo.Count, "packets": r.Media.Count, "delivered": r.Delivered, "expected": r.Expected,
	} {
		if n == 0 {
			t.Errorf("no %s: %s", what, stdout)
		}
	}
	if r.Server == nil || r.Server.Memory == 0 || r.Server.CPU <= 0 {
		t.Errorf("the server's cost: %+v", r.Server)
	}
	if !strings.Contains(stderr, "coming in: ") {
		t.Errorf("no progress: %q", stderr)
	}
	if left := signedIn(t, s).sessionsOf(); len(left) != 0 {
		t.Errorf("sessions are left: %v", left)
	}
}

// Guests come into a session that there is, and leave it as it was.
func TestLoadtestByInvitation(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	link := s.url + "/s/" + id + "#" + amara.link(id, event.Coach)
	stdout, stderr, err := s.loadtest(t, "--members", "2", "--publishers", "1", "--invitation", link)
	if err != nil || !strings.Contains(stdout, "\ncame in, stayed, saw somebody") || !strings.Contains(stdout, "2, 2, 2\n") {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	var card struct{ Inside int }
	amara.must(200, "GET", "/api/sessions/"+id, nil, &card)
	if len(amara.sessionsOf()) != 1 || card.Inside != 0 {
		t.Errorf("%d people are inside of %v", card.Inside, amara.sessionsOf())
	}
}

// Who ends it meanwhile leaves nothing behind either.
func TestLoadtestIsInterrupted(t *testing.T) {
	s := startFilled(t)
	ctx, interrupt := context.WithCancel(t.Context())
	errs, ended := newOutput(), make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		args := append([]string{"loadtest", s.url, "--ramp", "0s", "--duration", "1h", "--members", "2"}, accountFlags...)
		err = run(ctx, args, noEnv, newOutput(), errs)
	}()
	if errs.match(regexp.MustCompile(`measuring: 2 of 2 in`), ended) == nil {
		t.Errorf("it does not begin: %s", errs)
	}
	interrupt()
	<-ended
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := signedIn(t, s).sessionsOf(); len(left) != 0 {
		t.Errorf("sessions are left: %v", left)
	}
}

// What cannot be is said in a sentence.
func TestLoadtestRefusals(t *testing.T) {
	s := startFilled(t)
	const link = "https://calls.example.org/s/1#x"
	for want, args := range map[string][]string{
		"an account, or an invitation":  nil,
		"do not match":                  {"--email", adminEmail, "--password", "wrong wrong wrong"},
		"not one of /join#":             {"--email", adminEmail, "--password", adminPassword, "--sign-up", link},
		"either an invitation or an":    append([]string{"--invitation", link}, accountFlags...),
		"leads into one session":        {"--invitation", link, "--sessions", "2"},
		"between 0 and 1":               append([]string{"--publishers", "1.5"}, accountFlags...),
		"is it the address of":          append([]string{"--server-metrics", strings.TrimPrefix(s.url, "http://")}, accountFlags...),
		"either --server-metrics or --": append([]string{"--server-metrics", "x:1", "--server-pid", "1"}, accountFlags...),
	} {
		if _, stderr, err := s.loadtest(t, args...); err == nil || !strings.Contains(stderr, want) {
			t.Errorf("%v: %v, want %q in %q", args, err, want, stderr)
		}
	}
}
