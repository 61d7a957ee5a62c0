package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pion/webrtc/v4"
)

// galeneSeat is a place in a group of Galène, by version 2 of its protocol: a connection for each stream, in each direction.
type galeneSeat struct{ address, group, name string }

// galeneMessage is a message in either direction, as far as it is used.
type galeneMessage struct {
	Type      string                   `json:"type"`
	Version   []string                 `json:"version,omitempty"`
	Kind      string                   `json:"kind,omitempty"`
	ID        string                   `json:"id,omitempty"`
	Group     string                   `json:"group,omitempty"`
	Username  string                   `json:"username,omitempty"`
	Password  string                   `json:"password,omitempty"`
	Label     string                   `json:"label,omitempty"`
	Request   map[string][]string      `json:"request,omitempty"`
	SDP       string                   `json:"sdp,omitempty"`
	Candidate *webrtc.ICECandidateInit `json:"candidate,omitempty"`
	Value     json.RawMessage          `json:"value,omitempty"`
}

// galeneCall is the talk with a server. One goroutine owns it.
type galeneCall struct {
	*line

	member  *member
	seat    galeneSeat
	streams map[string]*trickled // by id
}

func (s galeneSeat) attend(ctx context.Context, m *member) error {
	l, err := dial(ctx, "ws://"+s.address+"/ws")
	if err != nil {
		return err
	}
	c := &galeneCall{line: l, member: m, seat: s, streams: make(map[string]*trickled)}
	if err = c.writeJSON(galeneMessage{Type: "handshake", Version: []string{"2"}, ID: s.name}); err != nil {
		return err
	}
	if err = c.writeJSON(galeneMessage{Type: "join", Kind: "join", Group: s.group, Username: s.name, Password: "any"}); err != nil {
		return err
	}
	for {
		var in galeneMessage
		if err = l.ws.ReadJSON(&in); err != nil {
			return err
		}
		if err = c.hear(in); err != nil {
			return fmt.Errorf("%s: %w", in.Type, err)
		}
	}
}

func (c *galeneCall) hear(in galeneMessage) error {
	switch in.Type {
	case "ping":
		return c.writeJSON(galeneMessage{Type: "pong"})
	case "joined":
		return c.joined(in)
	case "offer":
		return c.offered(in)
	case "answer":
		return c.stream(in.ID).described(func(pc *webrtc.PeerConnection) error { return answered(pc, in.SDP) })
	case "ice":
		return c.stream(in.ID).candidate(in.Candidate)
	case "close":
		return c.closed(in.ID)
	case "abort":
		return fmt.Errorf("the server does not take stream %s", in.ID)
	case "usermessage":
		if in.Kind == "error" {
			return fmt.Errorf("the server says %s", in.Value)
		}
	}
	return nil
}

// joined asks for everything there is, and begins to publish.
func (c *galeneCall) joined(in galeneMessage) error {
	switch in.Kind {
	case "fail":
		return fmt.Errorf("the server says %s", in.Value)
	case "join":
	default:
		return nil
	}
	if err := c.writeJSON(galeneMessage{Type: "request", Request: map[string][]string{"": {"audio", "video"}}}); err != nil {
		return err
	}
	if !c.member.publishes {
		return nil
	}
	pc, err := c.member.publish(c.ctx)
	if err != nil {
		return err
	}
	id := c.seat.name + "-camera"
	c.stream(id).pc = pc
	sdp, err := propose(pc)
	if err != nil {
		return err
	}
	return c.writeJSON(galeneMessage{Type: "offer", ID: id, Label: camera, SDP: sdp})
}

// offered answers: each stream of another member is a connection of its own.
func (c *galeneCall) offered(in galeneMessage) error {
	s := c.stream(in.ID)
	if s.pc == nil {
		var err error
		if s.pc, err = c.member.watch(); err != nil {
			return err
		}
	}
	var sdp string
	err := s.described(func(pc *webrtc.PeerConnection) (err error) {
		sdp, err = accept(pc, in.SDP)
		return err
	})
	if err != nil {
		return err
	}
	return c.writeJSON(galeneMessage{Type: "answer", ID: in.ID, SDP: sdp})
}

// closed forgets a stream of another member. Galène makes it anew when its tracks have changed.
func (c *galeneCall) closed(id string) error {
	s := c.stream(id)
	delete(c.streams, id)
	if s.pc == nil {
		return nil
	}
	return s.pc.Close()
}

func (c *galeneCall) stream(id string) *trickled {
	s := c.streams[id]
	if s == nil {
		s = &trickled{}
		c.streams[id] = s
	}
	return s
}
