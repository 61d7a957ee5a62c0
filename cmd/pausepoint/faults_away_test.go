package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/room/event"
)

// What the toll of the databases' return is called.
const (
	redisBack    = "Redis is back"
	postgresBack = "PostgreSQL is back"
)

// withoutRedis is a time without Redis. Calls go on; new sessions are opened meanwhile, or refused in a sentence; once Redis is back, each
// node lets people into each session again without having been started anew.
func (c *class) withoutRedis(ctx context.Context, f *fleet, lasts time.Duration, costs *toll) error {
	guests, err := c.guests(f)
	if err != nil {
		return err
	}
	if err := f.redis.Kill(); err != nil {
		return err
	}
	for _, n := range f.nodes {
		if err := f.opensOrRefuses(ctx, n); err != nil {
			return err
		}
	}
	pause(ctx, lasts)
	if _, err := c.live(ctx, c.now()); err != nil {
		return err
	}
	if err := f.redis.Start(); err != nil {
		return err
	}
	back := time.Now()
	for session, guest := range guests {
		for _, n := range f.nodes {
			if err := guest.getsIn(ctx, n, session); err != nil {
				return err
			}
		}
	}
	costs.add(redisBack, time.Since(back))
	return nil
}

// withoutPostgres is a time without PostgreSQL. What members ask for meanwhile waits, or is refused as not saved, and is asked for again.
func (c *class) withoutPostgres(ctx context.Context, f *fleet, lasts time.Duration, costs *toll) error {
	if err := f.db.Kill(); err != nil {
		return err
	}
	pause(ctx, lasts)
	if err := f.db.Start(); err != nil {
		return err
	}
	took, err := c.live(ctx, c.now())
	costs.add(postgresBack, took)
	return err
}

// guests are somebody more for each session.
func (c *class) guests(f *fleet) (map[string]*browser, error) {
	url := f.anywhere()
	if url == "" {
		return nil, errors.New("no node runs")
	}
	amara := *f.amara
	amara.server = &server{url: url}
	guests := map[string]*browser{}
	for session := range c.histories {
		guests[session], _ = amara.server.guest(f.t, session, amara.link(session, event.Observer), "Eve")
	}
	return guests, nil
}

func (f *fleet) anywhere() string {
	for _, n := range f.nodes {
		if url := n.where(); url != "" {
			return url
		}
	}
	return ""
}

// getsIn tries until somebody is let into a session by way of a node.
func (b *browser) getsIn(ctx context.Context, n *node, session string) error {
	_, err := b.tries(ctx, n, session, func(refused *event.Problem) bool { return refused == nil })
	return err
}

// tries goes to a session by way of a node, again and again as our page does, until what it is answered will do.
func (b *browser) tries(ctx context.Context, n *node, session string, willDo func(*event.Problem) bool) (*event.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		refused, err := b.enters(ctx, n, session)
		if err == nil && willDo(refused) {
			return refused, nil
		}
		select {
		case <-time.After(firstWait):
		case <-ctx.Done():
			return nil, fmt.Errorf("not let in by %s: %w (%v, %w)", n.name, ctx.Err(), refused, err)
		}
	}
}

// enters comes into a session by way of a node, and goes. It returns with which words that was refused.
func (b *browser) enters(ctx context.Context, n *node, session string) (*event.Problem, error) {
	b.server = &server{url: n.where()}
	dialer := websocket.Dialer{Jar: b.client.Jar, HandshakeTimeout: silent}
	ws, _, err := dialer.DialContext(ctx, b.callURL(session), http.Header{"Origin": {b.server.url}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = ws.Close() }()
	hello, err := event.Encode("", agreed)
	if err == nil {
		err = errors.Join(ws.WriteMessage(websocket.TextMessage, hello), ws.SetReadDeadline(time.Now().Add(silent)))
	}
	for err == nil {
		var f frame
		var answer event.Answered
		if err = ws.ReadJSON(&f); err == nil && f.Type == "reply" {
			err = json.Unmarshal(f.Data, &answer)
			return answer.Error, err
		}
		if f.Type == "welcome" {
			return nil, nil
		}
	}
	return nil, err
}

// opensOrRefuses plans a session by way of a node and goes there: it is open, or people read why not.
func (f *fleet) opensOrRefuses(ctx context.Context, n *node) error {
	b := *f.amara
	b.server = &server{url: n.where()}
	refused, err := b.tries(ctx, n, b.practiceSession(), func(*event.Problem) bool { return true })
	f.t.Logf("a new session at %s without Redis: %v", n.name, refused)
	return err
}
