package sfu

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// client is a member's browser: two PeerConnections and what they receive.
type client struct {
	w       *world
	id      string
	addr    string
	api     *webrtc.API
	peer    *Peer
	signals chan Signal
	stopped chan struct{}
	wg      sync.WaitGroup // media

	negotiated sync.WaitGroup

	mu       sync.Mutex
	pub, sub *webrtc.PeerConnection
	senders  map[Source]*webrtc.RTPSender
	tracks   map[string]TrackInfo // newest offer's, by mid
	streams  map[string]*stream   // by publication
	offers   int
	restarts []PC
	sizes    [2]int         // packets of a layered camera
	level    uint8          // of the microphone, 0 to send none
	heights  map[Source]int // that are wanted
	obeys    atomic.Bool    // sends no layer that is not wanted
}

// stream is what a subscriber received of a publication.
type stream struct {
	info    TrackInfo
	packets int
	seqs    map[uint16]int
	numbers map[uint32]bool // of the publisher's own count
	first   uint32
	last    uint32
	keys    int
	mime    string
	reports int
}

func newClient(w *world, id string) *client {
	return &client{
		w: w, id: id, signals: make(chan Signal, 1000), stopped: make(chan struct{}),
		senders: make(map[Source]*webrtc.RTPSender), streams: make(map[string]*stream), heights: make(map[Source]int),
	}
}

func clientAPI(t *testing.T, s webrtc.SettingEngine) *webrtc.API {
	t.Helper()
	var m webrtc.MediaEngine
	must(t, m.RegisterDefaultCodecs())
	must(t, m.RegisterHeaderExtension(
		webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"}, webrtc.RTPCodecTypeAudio))
	var r interceptor.Registry
	must(t, webrtc.ConfigureSimulcastExtensionHeaders(&m))
	must(t, webrtc.RegisterDefaultInterceptors(&m, &r))
	// Browsers take the client's part; pion would wait for an ICE-lite server to begin.
	return webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithInterceptorRegistry(&r), webrtc.WithSettingEngine(s))
}

// join enters the room and plays the browser's part in the negotiation until leave.
func (c *client) join(room string, publish, subscribe bool) *client {
	c.w.t.Helper()
	p, err := c.w.sfu.Room(room).Join(PeerConfig{ID: c.id, Publish: publish, Subscribe: subscribe, Send: c.receive})
	must(c.w.t, err)
	c.peer = p
	c.negotiated.Go(c.negotiate)
	return c
}

func (c *client) receive(s Signal) {
	select {
	case c.signals <- s:
	default:
		panic("a client does not read its signals")
	}
}

// leave closes the peer at the server, and then everything of the client.
func (c *client) leave() {
	select {
	case <-c.stopped:
		return
	default:
	}
	if c.peer != nil {
		c.peer.Close()
	}
	close(c.stopped)
	c.negotiated.Wait()
	c.mu.Lock()
	pub, sub := c.pub, c.sub
	c.mu.Unlock()
	if pub != nil {
		must(c.w.t, pub.GracefulClose())
	}
	if sub != nil {
		must(c.w.t, sub.GracefulClose())
	}
	c.wg.Wait()
}

func (c *client) negotiate() {
	for {
		select {
		case s := <-c.signals:
			c.answer(s)
		case <-c.stopped:
			return
		}
	}
}

func (c *client) answer(s Signal) {
	switch {
	case s.PC == Publish && s.Kind == KindAnswer:
		c.mu.Lock()
		pub := c.pub
		c.mu.Unlock()
		must(c.w.t, pub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: s.SDP}))
	case s.PC == Subscribe && s.Kind == KindOffer:
		c.subscribe(s)
	case s.Kind == KindWanted:
		c.mu.Lock()
		c.heights[s.Source] = s.Height
		c.mu.Unlock()
	case s.Kind == KindRestart:
		c.mu.Lock()
		c.restarts = append(c.restarts, s.PC)
		old := c.sub
		if s.PC == Subscribe {
			c.sub = nil
		}
		c.mu.Unlock()
		if s.PC == Subscribe && old != nil {
			must(c.w.t, old.GracefulClose())
		}
	}
}

func (c *client) subscribe(s Signal) {
	t := c.w.t
	c.mu.Lock()
	if c.sub == nil {
		sub, err := c.api.NewPeerConnection(webrtc.Configuration{})
		must(t, err)
		sub.OnTrack(func(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) { c.listen(sub, track, r) })
		c.sub = sub
	}
	sub := c.sub
	c.tracks = s.Tracks
	c.offers++
	c.mu.Unlock()
	// A browser needs no such help: see publisher.offer.
	offer := strings.ReplaceAll(s.SDP, "a=inactive", "a=recvonly")
	text, err := accept(sub, webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if errors.Is(err, webrtc.ErrConnectionClosed) {
		return // by the server, meanwhile
	}
	must(t, err)
	// The peer may have ended meanwhile.
	_ = c.peer.Handle(Signal{Kind: KindAnswer, PC: Subscribe, SDP: text, Offer: s.Offer})
}

// accept answers an offer. The server needs no candidates of its members.
func accept(pc *webrtc.PeerConnection, offer webrtc.SessionDescription) (string, error) {
	if err := pc.SetRemoteDescription(offer); err != nil {
		return "", err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	if err = pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	return pc.LocalDescription().SDP, nil
}

// listen counts what arrives on a track. Like a browser it asks for a key frame while there is none.
func (c *client) listen(pc *webrtc.PeerConnection, track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	c.mu.Lock()
	s := c.streams[track.ID()]
	if s == nil {
		s = &stream{seqs: make(map[uint16]int), numbers: make(map[uint32]bool), first: ^uint32(0)}
		c.streams[track.ID()] = s
	}
	for _, info := range c.tracks {
		if info.Publication == track.ID() {
			s.info = info
		}
	}
	s.mime = track.Codec().MimeType
	c.mu.Unlock()
	c.wg.Go(func() {
		for {
			packets, _, err := r.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if _, ok := p.(*rtcp.SenderReport); ok {
					c.mu.Lock()
					s.reports++
					c.mu.Unlock()
				}
			}
		}
	})
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		s.note(p)
		c.noteSize(p)
		blind := s.mime == webrtc.MimeTypeVP8 && s.keys == 0 && s.packets%30 == 1
		c.mu.Unlock()
		if blind {
			// It fails when the connection is closing.
			_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
		}
	}
}

func (s *stream) note(p *rtp.Packet) {
	s.packets++
	s.seqs[p.SequenceNumber]++
	body := p.Payload
	if f, err := codec.Parse(codec.VP8, p.Payload, p.Marker, nil); s.mime == webrtc.MimeTypeVP8 && err == nil {
		body = p.Payload[min(5, len(p.Payload)):] // see media.frame
		if f.Keyframe {
			s.keys++
		}
	}
	if len(body) >= 4 {
		n := binary.BigEndian.Uint32(body)
		s.numbers[n] = true
		s.first, s.last = min(s.first, n), max(s.last, n)
	}
}

// publish adds sources and offers; it returns the server's error.
func (c *client) publish(sources ...Source) error {
	t := c.w.t
	t.Helper()
	c.mu.Lock()
	if c.pub == nil {
		pub, err := c.api.NewPeerConnection(webrtc.Configuration{})
		must(t, err)
		c.pub = pub
	}
	c.mu.Unlock()
	for _, s := range sources {
		c.add(s)
	}
	return c.offer(nil)
}

func (c *client) add(s Source) {
	mime := webrtc.MimeTypeOpus
	if s.Video() {
		mime = webrtc.MimeTypeVP8
	}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, string(s), "me")
	must(c.w.t, err)
	sender, err := c.pub.AddTrack(track)
	must(c.w.t, err)
	c.mu.Lock()
	c.senders[s] = sender
	c.mu.Unlock()
	m := &media{client: c, track: track, source: s, key: make(chan struct{}, 1)}
	c.wg.Go(func() { m.run(sender) })
	c.wg.Go(func() { m.hear(sender) })
}

// unpublish removes a source and offers.
func (c *client) unpublish(s Source) {
	c.mu.Lock()
	sender := c.senders[s]
	delete(c.senders, s)
	c.mu.Unlock()
	must(c.w.t, c.pub.RemoveTrack(sender))
	must(c.w.t, c.offer(nil))
}

// offer sends a publish offer with all sources and waits for the server to have acted upon it.
func (c *client) offer(options *webrtc.OfferOptions) error {
	t := c.w.t
	offer, err := c.pub.CreateOffer(options)
	must(t, err)
	must(t, c.pub.SetLocalDescription(offer))
	sources := make(map[string]Source)
	c.mu.Lock()
	for s, sender := range c.senders {
		for _, tr := range c.pub.GetTransceivers() {
			if tr.Sender() == sender {
				sources[tr.Mid()] = s
			}
		}
	}
	c.mu.Unlock()
	return c.peer.Handle(Signal{Kind: KindOffer, PC: Publish, SDP: c.pub.LocalDescription().SDP, Sources: sources})
}

// media plays a source: VP8 frames of three packets, 30 a second, or Opus packets of 20 ms. Each packet carries its number.
type media struct {
	client *client
	track  *webrtc.TrackLocalStaticRTP
	source Source
	key    chan struct{}
	count  uint32
	seq    uint16
	pic    uint16
}

func (m *media) hear(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				poke(m.key)
			}
		}
	}
}

func (m *media) run(sender *webrtc.RTPSender) {
	interval := 20 * time.Millisecond
	if m.source.Video() {
		interval = time.Second / 30
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	m.seq = 65500 // so that it wraps
	for n := uint32(0); ; n++ {
		select {
		case <-ticker.C:
		case <-m.client.stopped:
			return
		}
		m.client.mu.Lock()
		removed := m.client.senders[m.source] != sender
		m.client.mu.Unlock()
		if removed {
			return
		}
		if m.source.Video() {
			m.frame(n)
		} else {
			m.write(n*960, true, m.number(nil))
		}
	}
}

func (m *media) frame(n uint32) {
	key := byte(1)
	select {
	case <-m.key:
		key = 0
	default:
	}
	m.pic++
	for i := range 3 {
		head := []byte{0x80, 0x80, 0x80 | byte(m.pic>>8&0x7f), byte(m.pic), key}
		if i == 0 {
			head[0] |= 0x10
		}
		m.write(n*3000, i == 2, m.number(head))
	}
}

func (m *media) number(head []byte) []byte {
	m.count++
	return append(binary.BigEndian.AppendUint32(head, m.count), make([]byte, 100)...)
}

func (m *media) write(ts uint32, marker bool, payload []byte) {
	m.seq++
	p := &rtp.Packet{
		Header: rtp.Header{Version: 2, SequenceNumber: m.seq, Timestamp: ts, Marker: marker}, Payload: payload,
	}
	if m.source == SourceAudio {
		m.client.setLevel(p)
	}
	_ = m.track.WriteRTP(p)
}

// got returns the streams that the client is offered and has received packets of, by member and source.
func (c *client) got() map[string]*stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]*stream)
	for _, info := range c.tracks {
		if s := c.streams[info.Publication]; s != nil && s.packets > 0 {
			snapshot := *s
			snapshot.seqs, snapshot.numbers = maps.Clone(s.seqs), maps.Clone(s.numbers)
			out[info.Member+"/"+string(info.Source)] = &snapshot
		}
	}
	return out
}

// subscribed is the subscribe connection.
func (c *client) subscribed() *webrtc.PeerConnection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sub
}

// heard is how many publications the client has ever received.
func (c *client) heard() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.streams)
}

func (c *client) offered() map[string]TrackInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]TrackInfo)
	for _, info := range c.tracks {
		out[info.Member+"/"+string(info.Source)] = info
	}
	return out
}

func (c *client) wasRestarted(pc PC) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.restarts, pc)
}

// forget lets the client begin a new publish connection.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pub = nil
	clear(c.senders)
}

// abandon closes the publish connection without a word.
func (c *client) abandon() {
	must(c.w.t, c.pub.GracefulClose())
	c.forget()
}

// speak sets the audio level that the client's microphone tells from now on.
func (c *client) speak(level uint8) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.level = level
}

// setLevel adds the extension under the id that was negotiated.
func (c *client) setLevel(p *rtp.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.level == 0 || c.senders[SourceAudio] == nil {
		return
	}
	for _, e := range c.senders[SourceAudio].GetParameters().HeaderExtensions {
		if e.URI == "urn:ietf:params:rtp-hdrext:ssrc-audio-level" {
			if err := p.SetExtension(uint8(e.ID), []byte{c.level}); err != nil {
				panic(err)
			}
		}
	}
}
