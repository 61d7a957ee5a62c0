package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/pausepoint/pausepoint/load/visit"
	"github.com/pausepoint/pausepoint/room/event"
)

const here = "127.0.0.1" // where signaling listens

// server is a kind of server under test.
type server interface {
	// start runs it on its core, in an empty folder, with so many rooms. What it returns is to be stopped, also if there is an error.
	start(ctx context.Context, folder string, rooms int) (deployment, error)
}

// deployment is a server that runs.
type deployment interface {
	// seat gets a person what they need before they come in: an invitation that was accepted, a token.
	seat(ctx context.Context, room, person int, publishes bool) (seat, error)
	running() *process
}

// address is one of loopback that nobody listens on, for signaling.
func address() (string, error) {
	port, err := freePort(here)
	return net.JoinHostPort(here, strconv.Itoa(port)), err
}

// livekit is LiveKit's server on one node, with one UDP port for media as its documentation advises.
type livekit struct{ program, mediaHost string }

type livekitNode struct {
	*process

	address string
}

func (l livekit) start(ctx context.Context, folder string, _ int) (deployment, error) {
	signal, err := freePort(here)
	if err != nil {
		return nil, err
	}
	udp, err := freePort(l.mediaHost)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("port: %d\nbind_addresses: [%s]\nkeys: {%s: %q}\nrtc: {udp_port: %d, use_external_ip: false, node_ip: %s}\n",
		signal, here, livekitKey, livekitSecret, udp, l.mediaHost)
	p, err := launch(folder, l.program, "--config-body", config)
	if err != nil {
		return nil, err
	}
	n := livekitNode{process: p, address: net.JoinHostPort(here, strconv.Itoa(signal))}
	return n, p.answers(ctx, n.address)
}

func (n livekitNode) running() *process { return n.process }

func (n livekitNode) seat(_ context.Context, room, person int, _ bool) (seat, error) {
	token, err := livekitToken(roomName(room), fmt.Sprintf("person%d", person), time.Now())
	return livekitSeat{address: n.address, token: token}, err
}

func roomName(room int) string { return fmt.Sprintf("room%d", room) }

// galene is Galène with groups that anybody may come into.
type galene struct{ program string }

type galeneNode struct {
	*process

	address string
}

func (g galene) start(ctx context.Context, folder string, rooms int) (deployment, error) {
	group := []byte(`{"wildcard-user": {"password": {"type": "wildcard"}, "permissions": "present"}}`)
	for _, f := range []string{"groups", "data", "static"} {
		if err := os.Mkdir(filepath.Join(folder, f), 0o700); err != nil {
			return nil, err
		}
	}
	for room := range rooms {
		if err := os.WriteFile(filepath.Join(folder, "groups", roomName(room)+".json"), group, 0o600); err != nil {
			return nil, err
		}
	}
	address, err := address()
	if err != nil {
		return nil, err
	}
	p, err := launch(folder, g.program, "-http", address, "-insecure", "-turn", "")
	if err != nil {
		return nil, err
	}
	return galeneNode{process: p, address: address}, p.answers(ctx, address)
}

func (n galeneNode) running() *process { return n.process }

func (n galeneNode) seat(_ context.Context, room, person int, _ bool) (seat, error) {
	return galeneSeat{address: n.address, group: roomName(room), name: fmt.Sprintf("person%d", person)}, nil
}

// pausepoint is the whole server with all that it does by default. Its data stay from start to start, so that it makes the practice
// clip once, before anything is measured.
type pausepoint struct{ program, mediaHost, data string }

type pausepointNode struct {
	*process

	host     *visit.Visitor
	sessions []*visit.Session
}

var setupLink = regexp.MustCompile(`http://\S*/setup#\S+`)

func (s pausepoint) account() visit.Account {
	return visit.Account{Email: "bench@pausepoint.example", Password: "made for this bench"}
}

// prepare makes the account and the practice clip.
func (s pausepoint) prepare(ctx context.Context, folder string) error {
	n, err := s.run(ctx, folder)
	if err != nil {
		return err
	}
	a := s.account()
	err = n.until(ctx, func() bool {
		a.SignUp = setupLink.FindString(n.said())
		return a.SignUp != ""
	})
	if err == nil {
		err = n.host.SignIn(ctx, a)
	}
	if err == nil {
		err = n.until(ctx, func() bool { return n.ready(ctx) })
	}
	if stopped := n.stop(); err == nil {
		err = stopped
	}
	return err
}

// ready reports whether there is a practice clip.
func (n *pausepointNode) ready(ctx context.Context) bool {
	var list struct {
		Clips []struct {
			Practice bool
			State    string
		}
	}
	if n.host.Call(ctx, http.MethodGet, "/api/clips", nil, &list) != nil {
		return false
	}
	for _, c := range list.Clips {
		if c.Practice && c.State == "ready" {
			return true
		}
	}
	return false
}

func (s pausepoint) run(ctx context.Context, folder string) (*pausepointNode, error) {
	address, err := address()
	if err != nil {
		return nil, err
	}
	host, err := visit.New(&url.URL{Scheme: "http", Host: address}, http.DefaultTransport)
	if err != nil {
		return nil, err
	}
	p, err := launch(folder, s.program, "serve", "--addr", address, "--media-addr", net.JoinHostPort(s.mediaHost, "0"),
		"--data", s.data, "--max-connections-per-address", "1000")
	if err != nil {
		return nil, err
	}
	return &pausepointNode{process: p, host: host}, p.answers(ctx, address)
}

func (s pausepoint) start(ctx context.Context, folder string, rooms int) (deployment, error) {
	n, err := s.run(ctx, folder)
	if n == nil {
		return nil, err
	}
	if err != nil {
		return n, err
	}
	if err = n.host.SignIn(ctx, s.account()); err != nil {
		return n, err
	}
	for range rooms {
		made, err := n.host.Make(ctx)
		if err != nil {
			return n, err
		}
		n.sessions = append(n.sessions, made)
	}
	return n, nil
}

func (n *pausepointNode) running() *process { return n.process }

// seat lets a person in as a guest: by an invitation for peers, or for observers.
func (n *pausepointNode) seat(ctx context.Context, room, person int, publishes bool) (seat, error) {
	v, err := n.host.Another()
	if err != nil {
		return nil, err
	}
	role := event.Observer
	if publishes {
		role = event.Peer
	}
	s := n.sessions[room]
	err = v.Enter(ctx, s.ID, s.Tokens[role], fmt.Sprintf("Person %d", person))
	return pausepointSeat{visitor: v, session: s.ID}, err
}
