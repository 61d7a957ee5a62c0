//go:build linux

package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/bench/wire"
)

// member is one participant: its signaling, and a link for each direction. One goroutine, hear, owns the negotiation.
type member struct {
	name      string
	server    *Load
	addr      string
	join      wire.Join
	simulcast bool
	loss      float64
	index     int
	meter     *meter
	conn      *wire.Conn
	ctx       context.Context //nolint:containedctx // the life of the member
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu       sync.Mutex
	pub      *publisher
	sub      *receiver
	failures []error
}

// enter connects, joins and offers what is published.
func (m *member) enter() error {
	m.meter.began = time.Now()
	c, err := net.Dial("tcp", m.addr)
	if err != nil {
		return err
	}
	m.conn = wire.NewConn(c)
	if m.server.plain {
		if err = m.enterPlain(); err != nil {
			return err
		}
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

// enterPlain makes the keys for a server without WebRTC.
func (m *member) enterPlain() error {
	key, salt := make([]byte, 16), make([]byte, 12)
	_, _ = rand.Read(key)
	_, _ = rand.Read(salt)
	sub, err := m.receiver()
	if err != nil {
		return err
	}
	sub.codecs[ptOpus], sub.kinds[ptOpus] = &codec{name: "OPUS"}, "audio"
	sub.codecs[ptVP8], sub.kinds[ptVP8] = &codec{name: "VP8"}, "video"
	m.join.Plain = &wire.Plain{Addr: sub.link.local.addr.String(), Key: key, Salt: salt}
	return sub.link.plain(key, salt)
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
	pub := newPublisher(&m.server.period, m.index, m.simulcast)
	link, err := newLink(m.ctx, m.server.id, pub)
	if err != nil {
		return err
	}
	pub.link = link
	m.mu.Lock()
	m.pub = pub
	m.mu.Unlock()
	m.server.watch(link)
	m.wg.Go(pub.play)
	return m.conn.Write(wire.Message{Signal: &wire.Signal{
		Kind: "offer", PC: "publish", SDP: pub.offer(), Sources: map[string]string{"0": "audio", "1": "camera"},
	}})
}

func (m *member) signal(s *wire.Signal) error {
	switch {
	case s.PC == "publish" && s.Kind == "answer":
		d, err := parseSDP(s.SDP)
		if err != nil {
			return err
		}
		pub := m.publisher()
		if pub == nil {
			return errors.New("an answer without an offer")
		}
		pub.negotiated(d)
		// The client offered actpass: it is the DTLS client unless the server wants to be.
		pub.link.start(d, true, d.setup != "active")
		return nil
	case s.PC == "subscribe" && s.Kind == "offer":
		return m.answer(s)
	case s.Kind == "wanted":
		return nil // all layers are sent all the time, so that every server gets the same
	}
	return fmt.Errorf("the server gave up the %s connection", s.PC)
}

// answer accepts an offer, on the connection there is or a new one.
func (m *member) answer(s *wire.Signal) error {
	d, err := parseSDP(s.SDP)
	if err != nil {
		return err
	}
	sub, err := m.receiver()
	if err != nil {
		return err
	}
	sub.link.mu.Lock()
	sub.negotiated(d)
	sub.link.mu.Unlock()
	err = m.conn.Write(wire.Message{Signal: &wire.Signal{
		Kind: "answer", PC: "subscribe", SDP: answerSDP(d, sub.link.local), Offer: s.Offer,
	}})
	sub.link.start(d, false, true)
	return err
}

// receiver returns the subscribe side; the first call makes it.
func (m *member) receiver() (*receiver, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sub != nil {
		return m.sub, nil
	}
	sub := newReceiver(m.meter, m.loss, uint64(m.index)) //nolint:gosec // an index
	link, err := newLink(m.ctx, m.server.id, sub)
	if err != nil {
		return nil, err
	}
	sub.link = link
	m.sub = sub
	m.server.watch(link)
	return sub, nil
}

func (m *member) publisher() *publisher {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pub
}

func (m *member) links() []*link {
	m.mu.Lock()
	defer m.mu.Unlock()
	var links []*link
	if m.pub != nil {
		links = append(links, m.pub.link)
	}
	if m.sub != nil {
		links = append(links, m.sub.link)
	}
	return links
}

func (m *member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures = append(m.failures, fmt.Errorf("%s: %w", m.name, err))
}

// err is what went wrong so far.
func (m *member) err() error {
	var errs []error
	for _, l := range m.links() {
		if _, err := l.state(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(append(errs, m.failures...)...)
}

// publishing reports whether the publish link is connected.
func (m *member) publishing() bool {
	p := m.publisher()
	if p == nil {
		return false
	}
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	return p.ready
}

func (m *member) leave() {
	m.cancel()
	if m.conn != nil {
		_ = m.conn.Close()
	}
	m.wg.Wait()
	for _, l := range m.links() {
		m.server.unwatch(l)
		l.close()
	}
}
