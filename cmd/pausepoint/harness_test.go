package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// patience is how long a test waits for what must come, on a machine that has much else to do.
const patience = 4 * time.Minute

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

// match waits until what was written matches; nil if it does not before whoever writes has ended.
func (o *output) match(re *regexp.Regexp, ended <-chan struct{}) []string {
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
		case <-ended:
			return nil
		case <-timeout:
			return nil
		}
	}
}

// server is a running Pausepoint: run itself, with a real database.
type server struct {
	url    string
	data   string
	args   []string // as given to start
	stdout *output
	stderr *output
	cancel context.CancelFunc
	ended  chan struct{} // closed when run has returned
	err    error         // what it returned
}

var announced = regexp.MustCompile(`(https?://127\.0\.0\.1:\d+)  on this computer`)

// start runs the server on a data folder until the test ends.
func start(t *testing.T, data string, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{data: data, args: args, stdout: newOutput(), stderr: newOutput(), cancel: cancel, ended: make(chan struct{})}
	args = append([]string{"--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0", "--data", data, "--log-level", "debug"}, args...)
	go func() {
		defer close(s.ended)
		s.err = run(ctx, args, noEnv, s.stdout, s.stderr)
	}()
	t.Cleanup(func() { s.stop(t) })
	s.url = s.printed(t, announced)[1]
	newBrowser(t, s).poll("/readyz", func(status int, _ []byte) bool { return status == http.StatusOK })
	return s
}

// printed waits until the server prints what matches.
func (s *server) printed(t *testing.T, re *regexp.Regexp) []string {
	t.Helper()
	found := s.stdout.match(re, s.ended)
	if found == nil {
		t.Fatalf("never printed: %v\nprinted: %s\nlogged: %s", re, s.stdout, s.stderr)
	}
	return found
}

// stop ends the server, and checks that it ends well.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.cancel()
	select {
	case <-s.ended:
		if s.err != nil {
			t.Errorf("the server ended with: %v", s.err)
		}
	case <-time.After(patience):
		t.Fatalf("the server does not stop\n%s", s.stderr)
	}
}

func noEnv(string) (string, bool) { return "", false }

const (
	adminName     = "Amara Osei"
	adminEmail    = "amara@school.example"
	adminPassword = "correct horse battery"
)

var firstLink = regexp.MustCompile(`http://127\.0\.0\.1:\d+/setup#(\S+)`)

// template is a data folder with the first account in it and the practice clip prepared.
var template struct {
	made sync.Once
	dir  string
	full bool
}

// fill makes the template.
func fill(t *testing.T) {
	t.Helper()
	var err error
	if template.dir, err = os.MkdirTemp("", "pausepoint-test-*"); err != nil {
		t.Fatal(err)
	}
	s := start(t, template.dir)
	b := newBrowser(t, s)
	account := map[string]string{"token": s.printed(t, firstLink)[1], "name": adminName, "email": adminEmail, "password": adminPassword}
	b.must(200, "POST", "/api/setup", account, nil)
	if state, refusal := b.prepared(clip.PracticeID); state != "ready" {
		t.Fatalf("the practice clip is %s: %s", state, refusal)
	}
	s.stop(t)
	template.full = true
}

func TestMain(m *testing.M) {
	if os.Getenv(servesEnv) != "" {
		main()
		return
	}
	if err := storetest.KeepS3Keys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if template.dir != "" {
		_ = os.RemoveAll(template.dir)
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
	template.made.Do(func() { fill(t) })
	if !template.full {
		t.Fatal("there is no template")
	}
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(template.dir)); err != nil {
		t.Fatal(err)
	}
	return data
}
