package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/encoding/protowire"
)

// What LiveKit is told about who may come in.
const (
	livekitKey    = "bench"
	livekitSecret = "a secret of at least thirty-two characters"
)

const livekitPing = 5 * time.Second // as LiveKit asks its clients to

// Numbers of fields in livekit_rtc.proto of SignalRequest, and of SignalResponse as far as they are the same there.
const (
	livekitRequestOffer    = 1
	livekitRequestAnswer   = 2
	livekitRequestAddTrack = 4
	livekitRequestPing     = 16

	livekitJoin      = 1
	livekitAnswer    = 2
	livekitOffer     = 3
	livekitTrickle   = 4
	livekitPublished = 6
	livekitLeave     = 8
)

// livekitSeat is a place in a room of LiveKit: a token. There is a connection for what is published and one for what is watched.
type livekitSeat struct{ address, token string }

// livekitToken lets a person into a room.
func livekitToken(room, person string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": livekitKey, "sub": person, "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
		"video": map[string]any{"room": room, "roomJoin": true},
	})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(livekitSecret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// livekitCall is the talk with a server. Attend's goroutine owns it; another one pings.
type livekitCall struct {
	*line

	member    *member
	pub, sub  trickled
	published int // tracks that the server knows
}

func (s livekitSeat) attend(ctx context.Context, m *member) error {
	q := url.Values{"access_token": {s.token}, "auto_subscribe": {"1"}, "protocol": {"16"}, "sdk": {"go"}}
	l, err := dial(ctx, "ws://"+s.address+"/rtc?"+q.Encode())
	if err != nil {
		return err
	}
	c := &livekitCall{line: l, member: m}
	go every(ctx, livekitPing, func() error {
		return c.say(livekitRequestPing, appendNumber(nil, 1, uint64(time.Now().UnixMilli()))) //nolint:gosec // after 1970
	})
	for {
		_, b, err := l.ws.ReadMessage()
		if err != nil {
			return err
		}
		if err = fields(b, c.hear); err != nil {
			return err
		}
	}
}

// say sends a SignalRequest with one field.
func (c *livekitCall) say(field protowire.Number, body []byte) error {
	return c.write(websocket.BinaryMessage, appendBytes(nil, field, body))
}

// hear takes the field of a SignalResponse.
func (c *livekitCall) hear(field protowire.Number, v value) error {
	switch field {
	case livekitJoin:
		return c.publish()
	case livekitPublished:
		return c.offer()
	case livekitAnswer:
		d, err := description(v.bytes)
		if err != nil {
			return err
		}
		return c.pub.described(func(pc *webrtc.PeerConnection) error { return answered(pc, d) })
	case livekitOffer:
		return c.offered(v.bytes)
	case livekitTrickle:
		return c.trickled(v.bytes)
	case livekitLeave:
		return errors.New("the server ends the call")
	}
	return nil
}

// publish tells which tracks there will be; the offer follows when the server knows them.
func (c *livekitCall) publish() (err error) {
	if !c.member.publishes {
		return nil
	}
	if c.pub.pc, err = c.member.publish(c.ctx); err != nil {
		return err
	}
	return errors.Join(c.addTrack(microphone, 0, 2, false), c.addTrack(camera, 1, 1, true))
}

// addTrack announces a track of livekit.TrackType and livekit.TrackSource. A camera has one layer, of high quality.
func (c *livekitCall) addTrack(name string, kind, source uint64, layer bool) error {
	b := appendBytes(nil, 1, []byte(name))
	b = appendBytes(b, 2, []byte(name))
	b = appendNumber(b, 3, kind)
	b = appendNumber(b, 8, source)
	if layer {
		const width, height = 640, 360
		b = appendNumber(appendNumber(b, 4, width), 5, height)
		b = appendBytes(b, 9, appendNumber(appendNumber(appendNumber(nil, 1, 2), 2, width), 3, height))
	}
	return c.say(livekitRequestAddTrack, b)
}

func (c *livekitCall) offer() error {
	if c.published++; c.published < 2 {
		return nil
	}
	sdp, err := propose(c.pub.pc)
	if err != nil {
		return err
	}
	return c.say(livekitRequestOffer, appendBytes(appendBytes(nil, 1, []byte("offer")), 2, []byte(sdp)))
}

func (c *livekitCall) offered(b []byte) error {
	var id uint64
	err := fields(b, func(n protowire.Number, v value) error {
		if n == 3 {
			id = v.number
		}
		return nil
	})
	if err != nil {
		return err
	}
	d, err := description(b)
	if err != nil {
		return err
	}
	if c.sub.pc == nil {
		if c.sub.pc, err = c.member.watch(); err != nil {
			return err
		}
	}
	var sdp string
	err = c.sub.described(func(pc *webrtc.PeerConnection) (err error) {
		sdp, err = accept(pc, d)
		return err
	})
	if err != nil {
		return err
	}
	return c.say(livekitRequestAnswer, appendNumber(appendBytes(appendBytes(nil, 1, []byte("answer")), 2, []byte(sdp)), 3, id))
}

// trickled takes a TrickleRequest: a candidate as JSON, of the connection that it is for.
func (c *livekitCall) trickled(b []byte) error {
	var candidate webrtc.ICECandidateInit
	to := &c.pub
	err := fields(b, func(n protowire.Number, v value) error {
		switch {
		case n == 1:
			return json.Unmarshal(v.bytes, &candidate)
		case n == 2 && v.number == 1:
			to = &c.sub
		}
		return nil
	})
	if err != nil {
		return err
	}
	return to.candidate(&candidate)
}

// description is the SDP of a SessionDescription.
func description(b []byte) (sdp string, err error) {
	err = fields(b, func(n protowire.Number, v value) error {
		if n == 2 {
			sdp = string(v.bytes)
		}
		return nil
	})
	return sdp, err
}

// value is what a field holds: a number, or bytes.
type value struct {
	number uint64
	bytes  []byte
}

// fields gives each field of a message to f.
func fields(b []byte, f func(protowire.Number, value) error) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return fmt.Errorf("a message cannot be read: %w", protowire.ParseError(size))
		}
		b = b[size:]
		var v value
		switch kind {
		case protowire.VarintType:
			v.number, size = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			v.bytes, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return fmt.Errorf("a message cannot be read: %w", protowire.ParseError(size))
		}
		b = b[size:]
		if err := f(n, v); err != nil {
			return err
		}
	}
	return nil
}

func appendBytes(b []byte, n protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func appendNumber(b []byte, n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}
