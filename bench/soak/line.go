package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/pausepoint/pausepoint/bench/wire"
	"github.com/pausepoint/pausepoint/sfu"
)

// line is a member's signaling to a server in another process.
type line struct{ conn *wire.Conn }

// dial lets a member into a room. Signals that come before the server says so are given to receive.
func dial(addr, room, member string, receive func(sfu.Signal)) (*line, error) {
	tcp, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &line{conn: wire.NewConn(tcp)}
	if err = l.conn.Write(wire.Message{Join: &wire.Join{Room: room, Member: member, Publish: true, Subscribe: true}}); err != nil {
		return nil, errors.Join(err, l.conn.Close())
	}
	for {
		m, err := l.conn.Read()
		switch {
		case err != nil || m.Error != "":
			return nil, errors.Join(fmt.Errorf("the server does not let %s in: %s", member, m.Error), err, l.conn.Close())
		case m.Joined != nil:
			return l, nil
		case m.Signal != nil:
			receive(signalOf(m.Signal))
		}
	}
}

func signalOf(s *wire.Signal) sfu.Signal {
	return sfu.Signal{Kind: sfu.Kind(s.Kind), PC: sfu.PC(s.PC), SDP: s.SDP, Offer: s.Offer}
}

// say sends a signal. What the server finds wrong with it is heard.
func (l *line) say(s sfu.Signal) error {
	sources := make(map[string]string)
	for mid, source := range s.Sources {
		sources[mid] = string(source)
	}
	return l.conn.Write(wire.Message{Signal: &wire.Signal{
		Kind: string(s.Kind), PC: string(s.PC), SDP: s.SDP, Offer: s.Offer, Sources: sources,
	}})
}

// hear ends with the connection.
func (l *line) hear(c *client) {
	for {
		m, err := l.conn.Read()
		switch {
		case err != nil:
			return
		case m.Error != "":
			c.fail(errors.New(m.Error))
		case m.Signal != nil:
			c.receive(signalOf(m.Signal))
		}
	}
}

// close ends the member's part in the room.
func (l *line) close() { _ = l.conn.Close() }
