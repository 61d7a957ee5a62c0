package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/load/visit"
	"github.com/pausepoint/pausepoint/room/event"
)

const pingEvery = time.Second // as the browser client does

// pausepointSeat is a place in a session: a visitor who may open its WebSocket.
type pausepointSeat struct {
	visitor *visit.Visitor
	session string
}

// pausepointCall is the talk with a server. Attend's goroutine owns it; another one pings.
type pausepointCall struct {
	*line

	member *member
	pub    *webrtc.PeerConnection
	sub    *webrtc.PeerConnection
}

func (s pausepointSeat) attend(ctx context.Context, m *member) error {
	ws, err := s.visitor.Dial(ctx, s.session)
	if err != nil {
		return err
	}
	c := &pausepointCall{line: newLine(ctx, ws), member: m}
	if err = c.say(event.Hello{Consent: event.Agreed, Mic: m.publishes, Camera: m.publishes}); err != nil {
		return err
	}
	go every(ctx, pingEvery, func() error { return c.say(event.Ping{T0: float64(time.Since(m.meter.began).Milliseconds())}) })
	for {
		var in struct {
			Type string
			Data json.RawMessage
		}
		if err = ws.ReadJSON(&in); err != nil {
			return err
		}
		if err = c.hear(in.Type, in.Data); err != nil {
			return fmt.Errorf("%s: %w", in.Type, err)
		}
	}
}

func (c *pausepointCall) say(body any) error {
	text, err := event.Encode("", body)
	if err != nil {
		return err
	}
	return c.write(websocket.TextMessage, text)
}

func (c *pausepointCall) hear(kind string, data []byte) error {
	switch kind {
	case "welcome":
		return c.publish()
	case "rtc.offer":
		return take(data, c.offered)
	case "rtc.answer":
		return take(data, func(a event.RTCAnswer) error { return answered(c.pub, a.SDP) })
	case "rtc.restart":
		return errors.New("the server has given a connection up")
	case "bye":
		return take(data, func(b event.Bye) error { return errors.New(b.Message) })
	}
	return nil
}

func take[T any](data []byte, f func(T) error) error {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	return f(v)
}

func (c *pausepointCall) publish() (err error) {
	if !c.member.publishes {
		return nil
	}
	if c.pub, err = c.member.publish(c.ctx); err != nil {
		return err
	}
	sdp, err := propose(c.pub)
	if err != nil {
		return err
	}
	return c.say(event.RTCOffer{PC: event.PublishPC, Offer: 1, SDP: sdp, Sources: map[string]string{"0": "audio", "1": "camera"}})
}

func (c *pausepointCall) offered(o event.RTCOffer) (err error) {
	if c.sub == nil {
		if c.sub, err = c.member.watch(); err != nil {
			return err
		}
	}
	sdp, err := accept(c.sub, o.SDP)
	if err != nil {
		return err
	}
	return c.say(event.RTCAnswer{PC: event.SubscribePC, Offer: o.Offer, SDP: sdp})
}
