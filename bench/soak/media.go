package main

import (
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/load/shape"
	"github.com/pausepoint/pausepoint/load/stats"
	"github.com/pausepoint/pausepoint/sfu"
)

const (
	audioEvery = 20 * time.Millisecond
	askEvery   = 200 * time.Millisecond // for a key frame
	lightVideo = 60_000                 // bit/s of the camera where it is not the load that counts
)

// publisher is a publish connection and what plays on it.
type publisher struct {
	pc      *webrtc.PeerConnection
	sound   *webrtc.TrackLocalStaticRTP
	layers  []*layer
	sources map[string]sfu.Source
	offered atomic.Uint32 // the newest offer
	stop    chan struct{}
}

// layer is one encoding of the camera.
type layer struct {
	rid    string
	rate   int // bit/s
	track  *webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	key    atomic.Bool
	seq    uint16
	named  int // packets that said which layer they are of
}

// namedFor is how many packets say which layer they are of, as browsers do until they get reports.
const namedFor = 200

// publish makes a publish connection and offers a voice and a camera, which has three layers if simulcast.
func (c *client) publish(simulcast bool) error {
	pc, err := c.connection()
	if err != nil {
		return err
	}
	p := &publisher{pc: pc, stop: make(chan struct{})}
	c.mu.Lock()
	c.pub = p
	c.mu.Unlock()
	if p.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "me"); err != nil {
		return err
	}
	voice, err := pc.AddTrack(p.sound)
	if err != nil {
		return err
	}
	if err = p.addCamera(simulcast); err != nil {
		return err
	}
	c.media.Go(func() { drain(voice) })
	for _, l := range p.layers {
		c.media.Go(func() { p.hear(l) })
	}
	c.media.Go(func() { p.play() })
	return c.offer(p, nil)
}

// drain lets the interceptors of a sender see RTCP.
func drain(s *webrtc.RTPSender) {
	for {
		if _, _, err := s.ReadRTCP(); err != nil {
			return
		}
	}
}

func (p *publisher) addCamera(simulcast bool) error {
	rates := map[string]int{"": lightVideo}
	rids := []string{""}
	if simulcast {
		all := shape.Layers()
		rids, rates = []string{"q", "h", "f"}, map[string]int{"q": all[0], "h": all[1], "f": all[2]}
	}
	var sender *webrtc.RTPSender
	for _, rid := range rids {
		l := &layer{rid: rid, rate: rates[rid]}
		var options []func(*webrtc.TrackLocalStaticRTP)
		if rid != "" {
			options = append(options, webrtc.WithRTPStreamID(rid))
		}
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "camera", "me", options...)
		if err != nil {
			return err
		}
		l.track = track
		if sender == nil {
			sender, err = p.pc.AddTrack(track)
		} else {
			err = sender.AddEncoding(track)
		}
		if err != nil {
			return err
		}
		l.sender = sender
		l.key.Store(true)
		p.layers = append(p.layers, l)
	}
	return nil
}

// offer sends a publish offer; the server is ICE-lite and needs no candidates.
func (c *client) offer(p *publisher, options *webrtc.OfferOptions) error {
	offer, err := p.pc.CreateOffer(options)
	if err != nil {
		return err
	}
	if err = p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	p.sources = make(map[string]sfu.Source)
	for _, t := range p.pc.GetTransceivers() {
		if t.Kind() == webrtc.RTPCodecTypeAudio {
			p.sources[t.Mid()] = sfu.SourceAudio
		} else {
			p.sources[t.Mid()] = sfu.SourceCamera
		}
	}
	p.offered.Store(c.offers.Add(1))
	return c.server.say(sfu.Signal{
		Kind: sfu.KindOffer, PC: sfu.Publish, SDP: p.pc.LocalDescription().SDP, Offer: p.offered.Load(), Sources: p.sources,
	})
}

// unpublish closes the publish connection.
func (c *client) unpublish() error {
	c.mu.Lock()
	p := c.pub
	c.pub = nil
	c.mu.Unlock()
	if p == nil {
		return nil
	}
	close(p.stop)
	return p.pc.GracefulClose()
}

func (c *client) republish() error {
	c.mu.Lock()
	simulcast := c.pub != nil && len(c.pub.layers) > 1
	c.mu.Unlock()
	if err := c.unpublish(); err != nil {
		return err
	}
	return c.publish(simulcast)
}

// restart does what a browser does when its network has changed: an ICE restart on both connections.
func (c *client) restart() error {
	c.mu.Lock()
	p := c.pub
	c.mu.Unlock()
	if p == nil {
		return errors.New("nothing is published")
	}
	if err := c.offer(p, &webrtc.OfferOptions{ICERestart: true}); err != nil {
		return err
	}
	return c.server.say(sfu.Signal{Kind: sfu.KindRestart, PC: sfu.Subscribe})
}

// renew does what the page does when a restart does not help: it gives both connections up.
func (c *client) renew() error {
	if err := c.unpublish(); err != nil {
		return err
	}
	return errors.Join(
		c.server.say(sfu.Signal{Kind: sfu.KindRestart, PC: sfu.Publish}),
		c.publish(false),
		c.server.say(sfu.Signal{Kind: sfu.KindRestart, PC: sfu.Subscribe}),
	)
}

// hear takes requests for key frames of one layer.
func (p *publisher) hear(l *layer) {
	for {
		var packets []rtcp.Packet
		var err error
		if l.rid == "" {
			packets, _, err = l.sender.ReadRTCP()
		} else {
			packets, _, err = l.sender.ReadSimulcastRTCP(l.rid)
		}
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				l.key.Store(true)
			}
		}
	}
}

// play sends a packet of sound every 20 ms and a picture about every 33 ms.
func (p *publisher) play() {
	ticker := time.NewTicker(audioEvery)
	defer ticker.Stop()
	frames := shape.NewFrames(uint64(time.Now().UnixNano())) //nolint:gosec // any number
	pictures := 0
	for n := 1; ; n++ {
		select {
		case <-ticker.C:
		case <-p.stop:
			return
		}
		payload := make([]byte, shape.OpusBytes)
		stamp(payload, 0)
		p.write(p.sound, uint16(n&0xffff), uint32(n*960), true, payload, nil) //nolint:gosec // modulo 2^32
		if at := n * shape.FrameRate / shape.AudioRate; at == pictures {
			continue
		}
		pictures++
		frames.Next()
		for _, l := range p.layers {
			p.picture(l, frames, uint32(n*1800)) //nolint:gosec // modulo 2^32
		}
	}
}

func (p *publisher) picture(l *layer, frames *shape.Frames, ts uint32) {
	key := l.key.Swap(false)
	payloads := frames.Payloads(l.rate, key)
	for i, payload := range payloads {
		stamp(payload, stampAt)
		l.seq++
		p.write(l.track, l.seq, ts, i == len(payloads)-1, payload, l)
	}
}

func (p *publisher) write(track *webrtc.TrackLocalStaticRTP, seq uint16, ts uint32, marker bool, payload []byte, l *layer) {
	packet := &rtp.Packet{
		Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, Marker: marker}, Payload: payload,
	}
	if l != nil && l.rid != "" && l.named < namedFor {
		l.named++
		for _, e := range l.sender.GetParameters().HeaderExtensions {
			switch e.URI {
			case "urn:ietf:params:rtp-hdrext:sdes:mid":
				_ = packet.SetExtension(uint8(e.ID), []byte(p.mid(l))) //nolint:gosec // below 15
			case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":
				_ = packet.SetExtension(uint8(e.ID), []byte(l.rid)) //nolint:gosec // below 15
			}
		}
	}
	_ = track.WriteRTP(packet) // an error says that the connection is not ready, or is closed
}

func (p *publisher) mid(l *layer) string {
	for _, t := range p.pc.GetTransceivers() {
		if t.Sender() == l.sender {
			return t.Mid()
		}
	}
	return ""
}

// stamp writes the time of sending.
func stamp(payload []byte, at int) {
	binary.BigEndian.PutUint64(payload[at:], uint64(time.Now().UnixNano())) //nolint:gosec // positive
}

// stampAt is where a packet of video has room: behind the descriptor, and the header of a key frame.
const stampAt = 16

// stream is what arrives of one track. Its goroutine writes, anybody reads.
type stream struct {
	newest   atomic.Int64 // when the newest packet was sent, ns since 1970
	begun    atomic.Bool  // of video, a key frame has come
	unique   atomic.Int64 // packets
	expected atomic.Int64
	octets   atomic.Int64
}

// listen receives a track. While there is no key frame it asks for one, as browsers do: the first packets of a track may come before
// pion is ready for them.
func (c *client) listen(pc *webrtc.PeerConnection, track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	s := &stream{}
	video := track.Kind() == webrtc.RTPCodecTypeVideo
	s.begun.Store(!video)
	c.mu.Lock()
	c.heard[name(track.StreamID(), video)] = s
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.media.Go(func() {
		for {
			if _, _, err := r.ReadRTCP(); err != nil {
				return
			}
		}
	})
	c.mu.Unlock()
	var received stats.Received
	var asked time.Time
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if fresh, _ := received.Note(p.SequenceNumber); !fresh {
			continue // sent again, to find out how much bandwidth there is
		}
		s.unique.Store(int64(received.Unique()))     //nolint:gosec // far from that many
		s.expected.Store(int64(received.Expected())) //nolint:gosec // far from that many
		s.octets.Add(int64(len(p.Payload)))
		s.note(p, video)
		if now := time.Now(); !s.begun.Load() && now.Sub(asked) >= askEvery {
			asked = now
			// An error says that the connection is closing.
			_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
		}
	}
}

func (s *stream) note(p *rtp.Packet, video bool) {
	at := 0
	if video {
		at = stampAt
		if shape.IsKeyframe(p.Payload) {
			s.begun.Store(true)
		}
	}
	if len(p.Payload) < at+8 || !s.begun.Load() {
		return
	}
	sent := int64(binary.BigEndian.Uint64(p.Payload[at:])) //nolint:gosec // a time
	if sent > s.newest.Load() {
		s.newest.Store(sent)
	}
}

func name(member string, video bool) string {
	if video {
		return member + "/camera"
	}
	return member + "/audio"
}

// missing lists what of the others has not arrived since.
func (c *client) missing(since time.Time, others ...string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, o := range others {
		for _, video := range []bool{false, true} {
			if s := c.heard[name(o, video)]; o != c.id && (s == nil || s.newest.Load() <= since.UnixNano()) {
				list = append(list, c.id+" hears no "+name(o, video))
			}
		}
	}
	return strings.Join(list, ", ")
}
