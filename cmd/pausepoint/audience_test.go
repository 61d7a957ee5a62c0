package main

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// watches is somebody who only watches, connected to a node, and hears a member.
func (s *server) watches(t *testing.T, session, token, name, member string) (*browser, *connection) {
	t.Helper()
	b, _ := s.guest(t, session, token, name)
	c := b.connect(session, agreed)
	c.hears(member)
	return b, c
}

// Those who only watch hear a session from the node that they came to, which fetches it once for all of them. Whoever is made a peer
// is heard, and hears. The session's node dies: the next one is fetched from.
func TestAudience(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	d := newDeployment(t)
	d.args = append(d.args, "--node-host", "127.0.0.1", "--metrics-addr", "127.0.0.1:0")
	one := d.spawn("one")
	amara := founded(t, &one.server)
	id := amara.plainSession()
	a := amara.connect(id, agreed) // while there is no other node
	a.answered(a.publish())
	speaker, token := a.welcome.You, amara.link(id, event.Observer)

	var browsers []*browser
	var watching []*connection
	for _, name := range []string{"two", "three"} {
		node := d.add(name)
		for i := range 3 {
			b, c := node.watches(t, id, token, fmt.Sprintf("%d at %s", i, name), speaker)
			browsers, watching = append(browsers, b), append(watching, c)
		}
	}
	if res, _ := amara.request("GET", "/whep/"+id, nil, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a browser fetches a session as servers do: %d", res.StatusCode)
	}
	awaitFigure(t, one.metrics(t), "pausepoint_media_feeds", isFigure("2")) // one for each node,
	awaitFigure(t, one.metrics(t), "pausepoint_media_peers", isFigure("1")) // and nobody but Amara

	ben := watching[0]
	a.do(event.MemberRole{Member: ben.welcome.You, Role: event.Peer})
	ben.await("rtc.restart")
	ben.hears(speaker)
	ben.answered(ben.publish())
	a.hears(ben.welcome.You)
	awaitFigure(t, one.metrics(t), "pausepoint_media_peers", isFigure("2"))

	one.signal(t, syscall.SIGKILL)
	amara.goesTo(d.nodes[0])
	a = amara.connectSoon(id)
	a.answered(a.publish())
	for i, c := range watching[1:] {
		if reason, _ := c.bye(); reason != "restarting" {
			t.Errorf("the call of somebody who watches ended with %q", reason)
		}
		browsers[i+1].connectSoon(id).hears(speaker)
	}
	feeds := map[string]bool{}
	for _, node := range d.nodes {
		awaitFigure(t, node.metrics(t), "pausepoint_media_feeds", func(value string) bool {
			feeds[value] = true
			return value == "0" || value == "1"
		})
	}
	if !feeds["0"] || !feeds["1"] {
		t.Errorf("feeds of the two nodes: %v, want one of one node", feeds)
	}
}
