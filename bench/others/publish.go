package main

import (
	"context"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/load/shape"
)

// The names of tracks, and of the stream they are in.
const (
	microphone = "microphone"
	camera     = "camera"
)

// publish makes a connection with a microphone (mid 0) and a camera (mid 1), which play once it is there, until ctx ends.
func (m *member) publish(ctx context.Context) (*webrtc.PeerConnection, error) {
	pc, err := m.connect()
	if err != nil {
		return nil, err
	}
	sound, err := addTrack(m, pc, webrtc.MimeTypeOpus, microphone)
	if err != nil {
		return nil, err
	}
	picture, err := addTrack(m, pc, webrtc.MimeTypeVP8, camera)
	if err != nil {
		return nil, err
	}
	var begin sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s != webrtc.PeerConnectionStateConnected {
			return
		}
		begin.Do(func() {
			m.key.Store(true)
			m.playing.Store(true)
			go every(ctx, time.Second/shape.AudioRate, m.speak(sound))
			go every(ctx, time.Second/shape.FrameRate, m.film(picture))
		})
	})
	return pc, nil
}

func addTrack(m *member, pc *webrtc.PeerConnection, codec, name string) (*webrtc.TrackLocalStaticRTP, error) {
	t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: codec}, name, "me")
	if err != nil {
		return nil, err
	}
	s, err := pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err == nil {
		go m.heed(s.Sender())
	}
	return t, err
}

// heed answers requests for key frames.
func (m *member) heed(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				m.key.Store(true)
			}
		}
	}
}

// drain lets pion's interceptors see the reports of whoever sends.
func drain(r *webrtc.RTPReceiver) {
	for {
		if _, _, err := r.ReadRTCP(); err != nil {
			return
		}
	}
}

// stream is what goes out on a track.
type stream struct {
	member *member
	track  *webrtc.TrackLocalStaticRTP
	id     uint32 // of no other track in the run
	number uint32 // of the next packet
}

// send stamps a payload and sends it. A packet that pion cannot send counts too: it is missing then.
func (s *stream) send(payload []byte, timestamp uint32, last bool) {
	now := time.Now().UnixNano()
	shape.Stamp{Stream: s.id, Number: s.number, Sent: now}.Put(payload)
	header := rtp.Header{Version: 2, SequenceNumber: uint16(s.number), Timestamp: timestamp, Marker: last} //nolint:gosec // modulo 2^16
	s.number++
	if s.member.meter.period.contains(now) {
		s.member.sent.Add(1)
	}
	_ = s.track.WriteRTP(&rtp.Packet{Header: header, Payload: payload})
}

func (m *member) stream(t *webrtc.TrackLocalStaticRTP, kind int) *stream {
	return &stream{member: m, track: t, id: uint32(2*m.index + kind)} //nolint:gosec // small
}

func (m *member) speak(t *webrtc.TrackLocalStaticRTP) func() error {
	s := m.stream(t, 0)
	return func() error {
		s.send(make([]byte, shape.OpusBytes), s.number*(48_000/shape.AudioRate), false)
		return nil
	}
}

func (m *member) film(t *webrtc.TrackLocalStaticRTP) func() error {
	s := m.stream(t, 1)
	frames, timestamp := shape.NewFrames(uint64(m.index)), uint32(0) //nolint:gosec // small
	layers := shape.Layers()
	return func() error {
		frames.Next()
		timestamp += 90_000 / shape.FrameRate
		payloads := frames.Payloads(layers[len(layers)-1], m.key.Swap(false))
		for i, p := range payloads {
			s.send(p, timestamp, i == len(payloads)-1)
		}
		return nil
	}
}
