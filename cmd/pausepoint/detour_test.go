package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// Redis goes away in the middle of a call, to which Ben came by a node that does not run it. His page goes to that node again and again, as
// behind our balancer: it lets him in, and somebody new, by handing them to the other one. When Redis is back, they stay, and lines do it again.
func TestRedisGoesInACall(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	d := newDeployment(t)
	d.args = append(d.args, "--node-host", "127.0.0.1", "--metrics-addr", "127.0.0.1:0")
	one := d.add("one")
	amara := founded(t, one)
	id := amara.plainSession()
	a := amara.connect(id, agreed) // while there is no other node
	two := d.add("two")
	link := amara.link(id, event.Coach)
	ben, benID := two.guest(t, id, link, "Ben")
	eve, _ := two.guest(t, id, link, "Eve")
	b := ben.connect(id, agreed)
	a.awaitThat("Ben", func(frame) bool { _, there := a.view.Member(benID); return there })

	d.check(d.redis.Kill())
	gone := time.Now()
	if reason, _ := b.bye(); reason != "restarting" {
		t.Errorf("the way that is gone ends with %q", reason)
	}
	b = ben.connectSoon(id)
	if took := time.Since(gone); took > liveWithin {
		t.Errorf("Ben is back after %v", took)
	} else {
		t.Logf("Ben is back after %v", took)
	}
	e := eve.connectSoon(id)
	said := 0
	everybodyIsThere := func() {
		t.Helper()
		for _, c := range []*connection{a, b, e} {
			c.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "heard?"})
			said++
		}
		for _, c := range []*connection{a, b, e} {
			if len(c.view.Notes) < said {
				c.awaitThat("every note", func(frame) bool { return len(c.view.Notes) == said })
			}
		}
	}
	everybodyIsThere()
	b.answered(b.publish())
	a.hears(benID)
	if m, _ := a.view.Member(benID); m.Presence != event.Here {
		t.Errorf("Ben is %s", m.Presence)
	}

	d.check(d.redis.Start())
	for _, s := range d.nodes {
		awaitFigure(t, s.metrics(t), `pausepoint_cluster_nodes{state="running"}`, isFigure("2"))
	}
	rob, _ := two.guest(t, id, link, "Rob")
	r := rob.connectSoon(id)
	for _, s := range d.nodes {
		awaitFigure(t, s.metrics(t), "pausepoint_cluster_lines", isFigure("1"))
	}
	r.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "back"})
	said++
	everybodyIsThere()
	eve.must(204, "POST", "/api/signout", map[string]any{}, nil) // where her call is not
	if reason, _ := e.bye(); reason != "signed_out" {
		t.Errorf("the call of somebody who came by another node ends with %q", reason)
	}
	two.cancel() // who came by it comes back elsewhere
	b.bye()
	ben.goesTo(one)
	b = ben.connectSoon(id)
	b.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "by the other node"})
}

// Nobody but a node says where a request comes from.
func TestNobodyForgesAnOrigin(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	one := d.add("one")
	amara := founded(t, one)
	id := amara.plainSession()
	for _, forged := range []string{
		"1", "10 192.0.2.1 true", "1800000000 192.0.2.1 true AAAA",
	} {
		header := http.Header{"Origin": {one.url}, "Pausepoint-Origin": {forged}}
		if _, res, err := amara.dial(id, header); err == nil || res == nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%q: %v %v", forged, res, err)
		}
	}
}
