package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/load/media"
	"github.com/pausepoint/pausepoint/load/visit"
	"github.com/pausepoint/pausepoint/room/event"
)

const (
	pingEvery   = time.Second
	leaveWithin = 15 * time.Second
)

// member is somebody in a session. One goroutine, live, owns it from when it joins until it has left; afterwards its figures can be
// read. What others may read meanwhile is atomic, a channel, or the peer's.
type member struct {
	place

	test    *test
	visitor *visit.Visitor
	peer    *media.Peer
	began   time.Time
	inside  chan struct{} // closed when it has come in
	ended   chan struct{} // closed when it has left, or could not come in

	ws     *websocket.Conn
	frames chan arrival
	script script
	asked  map[string]asked
	offers uint32
	figures
}

// figures are what a member notes for the report, besides what goes on the board.
type figures struct {
	joined  time.Duration // until welcome; 0 if it did not come in
	refused []error
	err     error // why it did not come in, or did not stay
	renewed int   // media connections that the server gave up
}

// asked is a command that has not been answered.
type asked struct {
	kind kind
	sent time.Time
}

// arrival is a frame, and when it was read; or why there are no more.
type arrival struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
	at   time.Time
	err  error
}

// live is a member's whole life. joining ends the try to come in; the test's leaving sends whoever is inside home.
func (m *member) live(joining, living context.Context) {
	defer close(m.ended)
	defer m.peer.Close()
	if m.err = m.dial(joining); m.err != nil {
		return
	}
	var reader sync.WaitGroup
	done, stop := context.WithCancel(living)
	reader.Go(func() { m.read(done) })
	m.err = m.attend()
	stop()
	_ = m.ws.Close()
	reader.Wait()
}

func (m *member) dial(ctx context.Context) error {
	if m.role != "" {
		if err := m.visitor.Enter(ctx, m.session.ID, m.session.Tokens[m.role], m.name); err != nil {
			return err
		}
	}
	var err error
	if m.ws, err = m.visitor.Dial(ctx, m.session.ID); err != nil {
		return err
	}
	if err = m.send("", event.Hello{Consent: event.Agreed, Mic: m.publishes, Camera: m.publishes}); err != nil {
		_ = m.ws.Close()
	}
	return err
}

// read gives frames to attend until the socket ends, or ctx.
func (m *member) read(ctx context.Context) {
	for {
		var a arrival
		_, text, err := m.ws.ReadMessage()
		a.at = time.Now()
		if err == nil {
			err = json.Unmarshal(text, &a)
		}
		a.err = err
		select {
		case m.frames <- a:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// attend does what a browser does until the member has left; it returns why, unless the member went by itself.
func (m *member) attend() error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	start, leaving := m.test.start, m.test.leaving
	var drive, note, late <-chan time.Time
	for {
		var err error
		select {
		case a := <-m.frames:
			err = m.hear(a)
		case <-ping.C:
			err = m.send("", event.Ping{T0: float64(time.Since(m.began).Microseconds()) / 1000})
		case <-start:
			start = nil
			drive, note = time.Tick(m.test.pace.drive), time.Tick(m.test.pace.note)
			err = m.record()
		case <-drive:
			err = m.drive()
		case <-note:
			err = m.note()
		case <-leaving:
			start, leaving, drive, note, late = nil, nil, nil, nil, time.After(leaveWithin)
			err = m.sayGoodbye()
		case <-late:
			return nil
		}
		switch {
		case err != nil && leaving == nil:
			return nil
		case err != nil:
			return err
		}
	}
}

func (m *member) sayGoodbye() error {
	if m.role == "" {
		return m.do(closing, event.SessionEnd{})
	}
	return m.do(closing, event.MemberLeave{})
}

func (m *member) send(id string, body any) error {
	text, err := event.Encode(id, body)
	if err != nil {
		return err
	}
	return m.ws.WriteMessage(websocket.TextMessage, text)
}

// do sends a command, and measures how long its acknowledgement takes.
func (m *member) do(k kind, c event.Command) error {
	id, err := newID()
	if err != nil {
		return err
	}
	m.asked[id] = asked{kind: k, sent: time.Now()}
	return m.send(id, c)
}

// hear takes one frame.
func (m *member) hear(a arrival) error {
	if a.err != nil {
		return fmt.Errorf("the connection ended: %w", a.err)
	}
	switch a.Type {
	case "welcome":
		return with(a, m.welcomed)
	case "reply":
		return with(a, func(r event.Answered) error { return m.answered(a, r) })
	case "pong":
		return with(a, func(p event.Pong) error {
			m.test.board.add(pinging, a.at.Sub(m.began)-time.Duration(p.T0*float64(time.Millisecond)))
			return nil
		})
	case "bye":
		return with(a, func(b event.Bye) error { return errors.New(b.Message) })
	case "rtc.offer":
		return with(a, m.offered)
	case "rtc.answer":
		return with(a, func(s event.RTCAnswer) error { return m.peer.Answered(s.SDP) })
	case "rtc.restart":
		return with(a, m.renew)
	case "playback.changed":
		return with(a, m.follow)
	case "hold.began":
		return with(a, m.stop)
	}
	return nil
}

// with reads what a frame carries and hands it on.
func with[T any](a arrival, take func(T) error) error {
	var v T
	if err := json.Unmarshal(a.Data, &v); err != nil {
		return fmt.Errorf("%s: %w", a.Type, err)
	}
	return take(v)
}

// welcomed begins the member's media.
func (m *member) welcomed(w event.Welcome) error {
	m.joined = time.Since(m.began)
	m.script.learn(w)
	close(m.inside)
	return m.publish()
}

// renew does what a browser does when the server has given a connection up.
func (m *member) renew(r event.RTCRestart) error {
	m.renewed++
	if r.PC == event.PublishPC {
		return m.publish()
	}
	m.peer.Forget() // the offer of a new one follows
	return nil
}

// publish offers a microphone and a camera, of who has them and may.
func (m *member) publish() error {
	if !m.publishes || !m.script.may(event.Publish) {
		return nil
	}
	sdp, sources, err := m.peer.Offer()
	if err != nil {
		return err
	}
	m.offers++
	return m.send("", event.RTCOffer{PC: event.PublishPC, Offer: m.offers, SDP: sdp, Sources: sources})
}

func (m *member) offered(o event.RTCOffer) error {
	sdp, err := m.peer.Answer(o.SDP)
	if err != nil {
		return err
	}
	return m.send("", event.RTCAnswer{PC: event.SubscribePC, Offer: o.Offer, SDP: sdp})
}

// answered takes the reply to a command, or to what was no command. A conflict is an answer like any: what was asked for, or confirmed,
// crossed a change on its way. At the end it is what crosses the end of the session.
func (m *member) answered(a arrival, r event.Answered) error {
	q, known := m.asked[a.ID]
	delete(m.asked, a.ID)
	if r.Error != nil && r.Error.Code != "conflict" {
		if !done(m.test.leaving) {
			m.refused = append(m.refused, r.Error)
		}
		return nil
	}
	if known {
		m.test.board.add(q.kind, a.at.Sub(q.sent))
	}
	return nil
}
