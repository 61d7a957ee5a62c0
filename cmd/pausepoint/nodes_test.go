package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// deployment is several servers on one PostgreSQL, one Redis and one bucket, all real.
type deployment struct {
	t      *testing.T
	db     *storetest.Postgres
	redis  *storetest.Redis
	bucket string   // its address
	args   []string // of every server
	nodes  []*server
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{t: t}
	var err error
	if d.db, err = storetest.StartPostgres(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.check(d.db.Stop()) })
	if d.redis, err = storetest.StartRedis(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.check(d.redis.Stop()) })
	address, err := d.db.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, d.bucket = realBucket(t)
	d.args = []string{"--database", address, "--redis", d.redis.URL(), "--blobs", d.bucket}
	return d
}

// byLine lets servers that are added from now on reach the bucket over a line.
func (d *deployment) byLine() *storetest.Line {
	d.t.Helper()
	line, address, err := storetest.NewLine(d.bucket)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { d.check(line.Close()) })
	d.args[slices.Index(d.args, d.bucket)] = address
	return line
}

func (d *deployment) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Error(err)
	}
}

// add starts another node.
func (d *deployment) add(name string) *server {
	d.t.Helper()
	s := start(d.t, d.t.TempDir(), append([]string{"--node", name}, d.args...)...)
	d.nodes = append(d.nodes, s)
	return s
}

// founded is the browser of the first account, made at a node.
func founded(t *testing.T, s *server) *browser {
	t.Helper()
	b := newBrowser(t, s)
	b.must(200, "POST", "/api/setup", map[string]string{
		"token": s.printed(t, firstLink)[1], "name": adminName, "email": adminEmail, "password": adminPassword,
	}, nil)
	return b
}

func (b *browser) plainSession() string {
	b.t.Helper()
	var plan struct{ ID string }
	b.must(201, "POST", "/api/sessions", map[string]any{"title": "On many nodes"}, &plan)
	return plan.ID
}

// goesTo makes a browser use another node from now on, as a balancer may at any time.
func (b *browser) goesTo(s *server) {
	b.t.Helper()
	b.moveCookies(b.server.url, s.url)
	b.server = s
}

// Two come to two nodes: one of them to the wrong one. They hear each other, write, and ask about the session wherever they like.
func TestAnyNodeWillDo(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.args = append(d.args, "--metrics-addr", "127.0.0.1:0")
	one := d.add("one")
	amara := founded(t, one)
	two := d.add("two")
	id := amara.plainSession()
	ben, benID := two.guest(t, id, amara.link(id, event.Coach), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "from one"})
	b.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "from two"})
	a.awaitThat("the note from two", func(frame) bool { return len(a.view.Notes) == 2 })
	if len(b.view.Notes) != 2 {
		t.Errorf("Ben sees %+v", b.view.Notes)
	}

	a.answered(a.publish())
	_, heard := b.subscribe()
	if _, _, err := (<-heard).ReadRTP(); err != nil {
		t.Fatal(err)
	}

	for _, s := range d.nodes {
		var card struct{ Inside int }
		amara.goesTo(s)
		amara.must(200, "GET", "/api/sessions/"+id, nil, &card)
		if card.Inside != 2 {
			t.Errorf("%d inside, says %s", card.Inside, s.data)
		}
		figures := s.metrics(t)
		awaitFigure(t, figures, `pausepoint_cluster_nodes{state="running"}`, isFigure("2"))
		awaitFigure(t, figures, "pausepoint_cluster_lines", isFigure("1")) // Ben's: each has an end of it
		amara.refused(409, "conflict", "POST", "/api/sessions/"+id+"/measures", map[string]any{})
	}
	ben.must(204, "POST", "/api/sessions/"+id+"/withdrawal", map[string]any{"removeNotes": true}, nil)
	a.awaitThat("Ben's withdrawal", func(f frame) bool { return f.Type == "member.withdrew" })
	ben.goesTo(one)
	ben.must(204, "POST", "/api/signout", map[string]any{}, nil)
	if reason, _ := b.bye(); reason != "signed_out" {
		t.Errorf("the call at another node than where Ben signed out ended with %q", reason)
	}
	a.lost(benID)
	a.do(event.SessionEnd{})
	for _, s := range d.nodes {
		amara.goesTo(s)
		amara.must(200, "POST", "/api/sessions/"+id+"/measures", map[string]any{}, nil)
	}
}

func TestNodesSayThatTheyHaveNoBucket(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.args = d.args[:slices.Index(d.args, "--blobs")]
	if s := d.add("one"); !strings.Contains(s.stderr.String(), "without a bucket") {
		t.Errorf("it says: %s", s.stderr)
	}
}

// What a server recorded, and brought to the bucket before it died, another one shows as it was recorded.
func TestAReplayOutlivesItsServer(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	line := d.byLine()
	one := d.spawn("one")
	amara := founded(t, &one.server)
	id := amara.plainSession()
	path := "/api/sessions/" + id
	a := amara.connect(id, agreed) // while there is no other node
	two := d.add("two")
	line.Cut(true) // so that it can be seen on the disk, what is recorded
	a.do(event.RecordingStart{})
	a.appear()
	filled(t, &one.server, id, 2)
	a.do(event.RecordingStop{})
	amara.poll(path+"/replay", func(int, []byte) bool { return len(amara.replay(path).Segments) == 2 })
	recorded := sumsOnDisk(t, &one.server, id)
	a.do(event.SessionEnd{})
	line.Cut(false)
	awaits(t, "all of it is in the bucket", func() bool { return len(sumsOnDisk(t, &one.server, id)) == 0 })
	one.signal(t, syscall.SIGKILL)
	amara.goesTo(two)
	checkPlays(t, amara, path, recorded)
}

// servesEnv makes the test's program serve, with what it is, as its arguments.
const servesEnv = "PAUSEPOINT_TEST_SERVES"

// process is a node in a process of its own, which can die.
type process struct {
	server

	cmd *exec.Cmd
}

// spawn starts another node in a process of its own.
func (d *deployment) spawn(name string) *process {
	d.t.Helper()
	p := &process{server: server{data: d.t.TempDir(), stdout: newOutput(), stderr: newOutput(), ended: make(chan struct{})}}
	p.cmd = exec.CommandContext(d.t.Context(), os.Args[0], append([]string{
		"--node", name, "--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0", "--data", p.data, "--log-level", "debug",
	}, d.args...)...)
	p.cmd.Env = append(os.Environ(), servesEnv+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // it is killed
	}()
	d.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	p.url = p.printed(d.t, announced)[1]
	return p
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// A node dies, and another one only seems to: their calls go on elsewhere, with all that was said, and the clip where it is by then.
// The one that was stopped lets go of what it had once it goes on.
func TestTakingOver(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	d := newDeployment(t)
	one := d.spawn("one")
	amara := founded(t, &one.server)
	for i, fault := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		id := amara.plainSession()
		a := amara.connect(id, agreed)
		a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "before"})
		two := d.add([]string{"two", "three"}[i])
		one.signal(t, fault)
		amara.goesTo(two)
		again := amara.connectSoon(id)
		if len(again.view.Notes) != 1 || again.welcome.You != a.welcome.You {
			t.Fatalf("after %v it is %+v", fault, again.view)
		}
		again.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "after"})
		if fault == syscall.SIGSTOP {
			one.signal(t, syscall.SIGCONT)
			if reason, _ := a.bye(); reason != "restarting" {
				t.Errorf("the node that was stopped ends its call with %q", reason)
			}
		}
		again.do(event.SessionEnd{})
		two.stop(t)
		amara.goesTo(&one.server)
	}
}

// connectSoon comes in as a browser does that is told to come again.
func (b *browser) connectSoon(session string) *connection {
	b.t.Helper()
	for {
		c := b.open(session)
		c.send("", agreed)
		for {
			f, ok := c.next()
			if !ok {
				break
			}
			if f.Type == "welcome" {
				c.decode(f, &c.welcome)
				c.view = c.welcome.View
				return c
			}
		}
	}
}

// A node that stops hands its sessions over: who was in them comes back without being asked for anything.
func TestDraining(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	one := d.add("one")
	amara := founded(t, one)
	id := amara.plainSession()
	a := amara.connect(id, agreed) // while there is nobody else
	two := d.add("two")
	one.cancel()
	if reason, _ := a.bye(); reason != "restarting" {
		t.Errorf("the call ended with %q", reason)
	}
	amara.goesTo(two)
	a = amara.connect(id, agreed)
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "still here"})
	one.stop(t)
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "and now"})
}
