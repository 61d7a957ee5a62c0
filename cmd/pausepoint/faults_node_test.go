package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pausepoint/pausepoint/bench/faults"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/store"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// fleet is several servers on one PostgreSQL and one Redis, each a process of its own that can be killed.
type fleet struct {
	t        *testing.T
	db       *storetest.Postgres
	redis    *storetest.Redis
	database string       // URL without any link between
	store    *store.Store // of the test
	nodes    []*node
	amara    *browser // of the first account
}

// node is one of them. What it is linked by can be cut. Its process is started and ended by one goroutine.
type node struct {
	fleet    *fleet
	name     string
	data     string
	redis    *faults.Link
	database *faults.Link
	args     []string

	cmd    *exec.Cmd
	stdout *output
	stderr *output       // of all its runs
	ended  chan struct{} // closed when the run has

	mu     sync.Mutex // guards below
	url    string     // empty while the node does not run
	hidden bool
}

// newFleet starts the databases and nodes, on the first of which the first account is made.
func newFleet(t *testing.T, nodes int) *fleet {
	t.Helper()
	f := &fleet{t: t}
	var err error
	if f.db, err = storetest.StartPostgres(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.check(f.db.Stop()) })
	if f.redis, err = storetest.StartRedis(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.check(f.redis.Stop()) })
	if f.database, err = f.db.NewDatabase(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.open()
	f.provide()
	for i := range nodes {
		if n := f.newNode(fmt.Sprintf("node-%d", i+1)); i == 0 {
			f.found(n)
		}
	}
	var starting errgroup.Group
	for _, n := range f.nodes[1:] {
		starting.Go(n.start)
	}
	if err := starting.Wait(); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fleet) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Error(err)
	}
}

func (f *fleet) newNode(name string) *node {
	f.t.Helper()
	socket, direct, err := throughLink(f.database)
	if err != nil {
		f.t.Fatal(err)
	}
	n := &node{fleet: f, name: name, data: filepath.Join(f.t.TempDir(), name), stderr: newOutput()}
	n.database = f.link("unix", socket)
	n.redis = f.link("tcp", f.redis.Addr())
	direct.Host = n.database.Addr()
	n.args = []string{
		"serve", "--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0", "--data", n.data, "--node", name, "--region", "here", "--node-host", "127.0.0.1",
		"--database", direct.String(), "--redis", "redis://" + n.redis.Addr(),
	}
	f.nodes = append(f.nodes, n)
	f.t.Cleanup(n.discard)
	return n
}

func (f *fleet) link(network, address string) *faults.Link {
	f.t.Helper()
	l, err := faults.NewLink(network, address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.check(l.Close()) })
	return l
}

// throughLink is where PostgreSQL's socket is, and its URL, whose host is still to be set.
func throughLink(database string) (socket string, direct *url.URL, err error) {
	if direct, err = url.Parse(database); err != nil {
		return "", nil, err
	}
	socket = filepath.Join(direct.Query().Get("host"), ".s.PGSQL.5432")
	direct.RawQuery = url.Values{"sslmode": {"disable"}}.Encode()
	return socket, direct, nil
}

// start runs the node's program, and waits until it serves. One that ends instead is started again, as whoever looks after servers
// does: its databases may be away.
func (n *node) start() error {
	for end := time.Now().Add(patience); ; {
		ended, err := n.launch()
		if err != nil {
			return fmt.Errorf("start %s: %w", n.name, err)
		}
		if found := n.stdout.match(announced, ended); found != nil {
			n.at(found[1])
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not start", n.name)
		}
	}
}

func (n *node) launch() (ended <-chan struct{}, err error) {
	n.stdout, n.ended = newOutput(), make(chan struct{})
	n.cmd = exec.Command(os.Args[0], n.args...)
	n.cmd.Env = append(os.Environ(), servesEnv+"=1")
	n.cmd.Stdout, n.cmd.Stderr = n.stdout, n.stderr
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // how it ended is told where that matters
		n.at("")
		close(ended)
	}(n.cmd, n.ended)
	return n.ended, nil
}

func (n *node) at(url string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.url = url
}

func (n *node) hide(hidden bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hidden = hidden
}

// where is the node's address, empty while it does not answer.
func (n *node) where() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hidden {
		return ""
	}
	return n.url
}

func (n *node) signal(s syscall.Signal) error { return n.cmd.Process.Signal(s) }

// kill ends the node without a word.
func (n *node) kill() error {
	err := n.signal(syscall.SIGKILL)
	<-n.ended
	return err
}

// awaitEnd waits until a node has ended that was asked to; an error if it did not end well.
func (n *node) awaitEnd(within time.Duration) error {
	select {
	case <-n.ended:
	case <-time.After(within):
		return errors.Join(fmt.Errorf("%s still runs after %v", n.name, within), n.kill())
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with %d: %s", n.name, code, last(n.stderr.String(), 2000))
	}
	return nil
}

// freeze stops the node in the middle of whatever it does. Whoever sends people to servers sees that this one does not answer.
func (n *node) freeze() error {
	n.hide(true)
	return n.signal(syscall.SIGSTOP)
}

func (n *node) thaw() error {
	defer n.hide(false)
	return n.signal(syscall.SIGCONT)
}

// discard ends what still runs, and shows what it logged if the test failed.
func (n *node) discard() {
	if n.cmd != nil {
		_ = n.kill() // it may have ended
	}
	if logged := n.stderr.String(); n.fleet.t.Failed() {
		n.fleet.t.Logf("%s logged, at last:\n%s", n.name, last(logged, 20_000))
	} else if strings.Contains(logged, "panic:") || strings.Contains(logged, "DATA RACE") {
		n.fleet.t.Errorf("%s logged:\n%s", n.name, logged)
	}
}

func last(text string, n int) string { return text[max(0, len(text)-n):] }

// provide enters a practice clip into the catalog, as if it had been prepared: nobody looks at it here.
func (f *fleet) provide() {
	f.t.Helper()
	const frames, rate = 3000, 25
	f.check(f.store.InsertClip(f.t.Context(), clip.Clip{
		ID: clip.PracticeID, Practice: true, Title: "Practice clip", Created: time.Now().UTC(), State: clip.Ready, Prepared: time.Now().UTC(),
		Frames: frames, FPSNum: rate, FPSDen: 1, Duration: frames * 1_000_000 / rate, To: frames * 1_000_000 / rate, Width: 1280, Height: 720,
	}))
}

// found starts the first node, and makes the first account.
func (f *fleet) found(n *node) {
	f.t.Helper()
	if err := n.start(); err != nil {
		f.t.Fatal(err)
	}
	s := &server{url: n.where(), stdout: n.stdout, stderr: n.stderr, ended: n.ended}
	f.amara = newBrowser(f.t, s)
	account := map[string]string{"token": s.printed(f.t, firstLink)[1], "name": adminName, "email": adminEmail, "password": adminPassword}
	f.amara.must(200, "POST", "/api/setup", account, nil)
}

// open opens the database for the test, which reads in it who has sessions, and journals.
func (f *fleet) open() {
	f.t.Helper()
	config := store.Config{Folder: f.t.TempDir(), Database: f.database, Log: slog.New(slog.DiscardHandler)}
	var err error
	if f.store, err = store.Open(context.WithoutCancel(f.t.Context()), config); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.check(f.store.Close()) })
}
