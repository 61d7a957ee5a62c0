//go:build balancer

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// What deploy/haproxy.cfg says, said to a real HAProxy in front of three real servers, does what people need who come by it: calls,
// uploads in several parts, ranges of clips; and nobody notices when the server goes that they had come to.
func TestBalancer(t *testing.T) {
	d := newDeployment(t)
	d.args = append(d.args, "--trust-proxy")
	amara := founded(t, d.add("one"))
	d.add("two")
	d.add("three")
	front := balanced(t, d.nodes, "http://", "")
	amara.goesTo(front)
	id := amara.plainSession()
	ben, _ := front.guest(t, id, amara.link(id, event.Coach), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "by the balancer"})
	b.awaitThat("the note", func(f frame) bool { return len(b.view.Notes) == 1 })

	amara.uploadsAndReads()
	if res, _ := amara.request("GET", "/whep/anything", nil, nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("what is between the servers is to be had from outside: %d", res.StatusCode)
	}
	checkTLS(t, d.nodes)
	amara.outlives(d.used())
	a, b = amara.connectSoon(id), ben.connectSoon(id)
	if len(a.view.Notes) != 1 {
		t.Errorf("afterwards there are %+v", a.view.Notes)
	}
	b.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "afterwards"})
	a.awaitThat("the note afterwards", func(f frame) bool { return len(a.view.Notes) == 2 })
}

// balanced starts HAProxy in front of servers, with the configuration that we ship. More is what follows the address at which it listens.
func balanced(t *testing.T, nodes []*server, scheme, more string) *server {
	t.Helper()
	addr := vacant(t)
	t.Setenv("PAGES", addr+more)
	for i, name := range []string{"ONE", "TWO", "THREE"} {
		t.Setenv(name, strings.TrimPrefix(nodes[i].url, "http://"))
	}
	background(t, "haproxy", "-db", "-f", "../../deploy/haproxy.cfg")
	listened(t, addr)
	return &server{url: scheme + addr}
}

// checkTLS comes in by an HAProxy that is told to listen as the one in Kubernetes. What browsers say of themselves is not believed there.
func checkTLS(t *testing.T, nodes []*server) {
	t.Helper()
	cert, key := certificate(t)
	more := ""
	for _, m := range manifestsIn(t, "../../deploy/kubernetes") {
		for _, c := range m.Spec.Template.Spec.Containers {
			for _, e := range c.Env {
				if _, after, found := strings.Cut(e.Value, " "); found && e.Name == "PAGES" {
					more = " " + strings.ReplaceAll(after, "/certificate/tls.crt", cert)
				}
			}
		}
	}
	if err := os.Rename(key, cert+".key"); err != nil { // as the manifest names it
		t.Fatal(err)
	}
	b := newBrowser(t, balanced(t, nodes, "https://", more))
	said, err := json.Marshal(map[string]string{"email": adminEmail, "password": adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	res, text := b.request("POST", "/api/signin", bytes.NewReader(said), map[string]string{
		"Content-Type": "application/json", "X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.9",
	})
	cookies := res.Cookies()
	if res.StatusCode != http.StatusOK || len(cookies) != 1 || !cookies[0].Secure {
		t.Errorf("signed in with %d, %v: %s", res.StatusCode, cookies, text)
	}
	if res, _ := b.request("GET", "/whep/anything", nil, nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("what is between the servers is to be had from outside: %d", res.StatusCode)
	}
	b.connect(b.plainSession(), agreed).do(event.SessionEnd{})
}

// uploadsAndReads sends a clip in three parts, and reads a range of it.
func (b *browser) uploadsAndReads() {
	b.t.Helper()
	data := encode(b.t, "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "2", "clip.mp4")
	id := b.upload(strconv.Itoa(len(data)))
	for _, part := range [][2]int{{0, 1000}, {1000, len(data) / 2}, {len(data) / 2, len(data)}} {
		res, text := b.request("PATCH", "/api/uploads/"+id, bytes.NewReader(data[part[0]:part[1]]), tus(strconv.Itoa(part[0])))
		if res.StatusCode != http.StatusNoContent {
			b.t.Fatalf("PATCH at %d: %d %s", part[0], res.StatusCode, text)
		}
	}
	if state, refusal := b.prepared(id); state != "ready" {
		b.t.Fatalf("the clip is %s: %s", state, refusal)
	}
	res, _ := b.request("GET", "/api/clips/"+id+"/media/360p.mp4", nil, map[string]string{"Range": "bytes=10-19"})
	if res.StatusCode != http.StatusPartialContent || res.ContentLength != 10 {
		b.t.Errorf("a range: %d, %d bytes", res.StatusCode, res.ContentLength)
	}
}

// used is the one server to which the parts of uploads came.
func (d *deployment) used() (one *server) {
	d.t.Helper()
	for _, s := range d.nodes {
		if !strings.Contains(s.stderr.String(), `"PATCH /api/uploads/{id}"`) {
			continue
		}
		if one != nil {
			d.t.Fatal("the parts of an upload came to several servers")
		}
		one = s
	}
	return one
}

// outlives stops a server while the browser asks for something all the time, and wants each request answered.
func (b *browser) outlives(s *server) {
	b.t.Helper()
	s.cancel()
	for asked := 0; ; asked++ {
		b.must(200, "GET", "/api/sessions", nil, nil)
		select {
		case <-s.ended:
			b.t.Logf("asked %d times", asked)
			return
		default:
		}
	}
}

// Servers that do not reach each other for that send whoever only watches to the one that runs the session.
func TestAudienceThatNothingComesTo(t *testing.T) {
	d := newDeployment(t)
	d.args = append(d.args, "--node-host", "127.0.0.2") // where no server is
	amara := founded(t, d.add("one"))
	id := amara.plainSession()
	a := amara.connect(id, agreed) // while there is no other node
	a.answered(a.publish())
	ben, _ := d.add("two").guest(t, id, amara.link(id, event.Observer), "Ben")
	b := ben.connect(id, agreed)
	b.await("rtc.restart")
	b.hears(a.welcome.You)
}
