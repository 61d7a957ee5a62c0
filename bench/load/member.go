package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/bench/wire"
	"github.com/pausepoint/pausepoint/load/media"
)

// member is one participant: its signaling and its media. One goroutine, hear, negotiates.
type member struct {
	name   string
	server *Load
	addr   string
	join   wire.Join
	config media.Config
	peer   *media.Peer
	conn   *wire.Conn
	ctx    context.Context //nolint:containedctx // the life of the member
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	failures []error
}

// enter connects, joins and offers what is published.
func (m *member) enter() error {
	m.config.Began = time.Now()
	m.peer = m.server.engine.Peer(m.ctx, m.config)
	c, err := net.Dial("tcp", m.addr)
	if err != nil {
		return err
	}
	m.conn = wire.NewConn(c)
	if m.server.plain {
		var p wire.Plain
		if p.Addr, p.Key, p.Salt, err = m.peer.Plain(); err != nil {
			return err
		}
		m.join.Plain = &p
	}
	if err = m.conn.Write(wire.Message{Join: &m.join}); err != nil {
		return err
	}
	m.wg.Go(func() {
		err := m.hear()
		if m.ctx.Err() == nil {
			m.fail(err)
		}
	})
	return nil
}

// hear plays the browser's part of the negotiation until the connection ends; it returns why.
func (m *member) hear() error {
	for {
		msg, err := m.conn.Read()
		switch {
		case err != nil:
			return fmt.Errorf("signaling: %w", err)
		case msg.Error != "":
			return errors.New("the server: " + msg.Error)
		case msg.Joined != nil && m.join.Publish && !msg.Joined.Plain:
			err = m.offer()
		case msg.Signal != nil:
			err = m.signal(msg.Signal)
		}
		if err != nil {
			return err
		}
	}
}

// offer begins to publish.
func (m *member) offer() error {
	sdp, sources, err := m.peer.Offer()
	if err != nil {
		return err
	}
	return m.conn.Write(wire.Message{Signal: &wire.Signal{Kind: "offer", PC: "publish", SDP: sdp, Sources: sources}})
}

func (m *member) signal(s *wire.Signal) error {
	switch {
	case s.PC == "publish" && s.Kind == "answer":
		return m.peer.Answered(s.SDP)
	case s.PC == "subscribe" && s.Kind == "offer":
		sdp, err := m.peer.Answer(s.SDP)
		if err != nil {
			return err
		}
		return m.conn.Write(wire.Message{Signal: &wire.Signal{Kind: "answer", PC: "subscribe", SDP: sdp, Offer: s.Offer}})
	case s.Kind == "wanted":
		return nil // all layers are sent all the time, so that every server gets the same
	}
	return fmt.Errorf("the server gave up the %s connection", s.PC)
}

func (m *member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures = append(m.failures, err)
}

// err is what went wrong so far.
func (m *member) err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(append([]error{m.peer.Err()}, m.failures...)...); err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	return nil
}

func (m *member) leave() {
	m.cancel()
	if m.conn != nil {
		_ = m.conn.Close()
	}
	m.wg.Wait()
	m.peer.Close()
}
