package signaling

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/cluster"
)

// vouching is a server that is one of those with a key.
func vouching(t *testing.T, key string) *Server {
	t.Helper()
	n, err := cluster.New(cluster.Config{URL: "redis://127.0.0.1:1", Name: "a", Capacity: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	n.Trust([]byte(key))
	t.Cleanup(func() {
		if err := n.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &Server{nodes: n, forward: forwarding{trusted: true}}
}

// Where a request came from is believed of a node of the same deployment, for that request and for a minute, and of nobody else: a node's
// own address, and what the proxy before it says, count no more then.
func TestOriginOfARequest(t *testing.T) {
	edge, owner, stranger := vouching(t, "ours"), vouching(t, "ours"), vouching(t, "another")
	request := func(path, from, forwarded, proto string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "http://calls.example.org"+path, nil)
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-For", forwarded)
		r.Header.Set("X-Forwarded-Proto", proto)
		return r
	}
	came := request("/api/sessions/s/ws", "10.0.0.2:4000", "203.0.113.9", "https")
	arrives := func(path, value string) *http.Request {
		r := request(path, "10.0.0.7:5000", "192.0.2.1", "http")
		r.Header.Set(originHeader, value)
		return r
	}
	good := edge.vouch(came, time.Now())
	r, err := owner.believe(arrives("/api/sessions/s/ws", good))
	if err != nil {
		t.Fatal(err)
	}
	if client := owner.forward.client(r); client.String() != "203.0.113.9" || !owner.forward.secure(r) {
		t.Errorf("it came from %v, by TLS: %v", client, owner.forward.secure(r))
	}
	for name, c := range map[string]struct {
		by          *Server
		path, value string
	}{
		"another path":       {owner, "/api/sessions/other/ws", good},
		"another deployment": {owner, "/api/sessions/s/ws", stranger.vouch(came, time.Now())},
		"the only server":    {&Server{}, "/api/sessions/s/ws", good},
		"long ago":           {owner, "/api/sessions/s/ws", edge.vouch(came, time.Now().Add(-2*originLife))},
		"yet to come":        {owner, "/api/sessions/s/ws", edge.vouch(came, time.Now().Add(2*originLife))},
		"something added":    {owner, "/api/sessions/s/ws", "1" + good},
		"nothing":            {owner, "/api/sessions/s/ws", " "},
	} {
		if _, err := c.by.believe(arrives(c.path, c.value)); err == nil {
			t.Errorf("%s is believed", name)
		}
	}
	plain, err := owner.believe(came)
	if _, again := sentOn(plain); err != nil || again {
		t.Errorf("who came by no node is taken for somebody who did: %v", err)
	}
}
