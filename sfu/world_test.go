package sfu

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"
)

// world is an SFU and its members on a virtual network.
type world struct {
	t       *testing.T
	router  *vnet.Router
	sfu     *SFU
	mu      sync.Mutex
	next    int
	loss    float64
	jitter  time.Duration
	cut     map[string]bool // addresses that nothing goes to or comes from
	random  *rand.Rand
	members []*client
}

// conditions describe the network, each way between a member and the SFU.
type conditions struct {
	loss          float64
	delay, jitter time.Duration
}

func newWorld(t *testing.T, c conditions, configure ...func(*Config)) *world {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/16", MinDelay: c.delay, QueueSize: 1 << 16, LoggerFactory: quiet(),
	})
	must(t, err)
	w := &world{t: t, router: router, cut: make(map[string]bool), random: rand.New(rand.NewPCG(1, 2))}
	router.AddChunkFilter(w.pass)
	w.jitter = c.jitter
	server := w.host("10.0.0.1")
	cfg := Config{UDPAddr: "10.0.0.1:7882", Net: server}
	for _, f := range configure {
		f(&cfg)
	}
	w.sfu, err = New(cfg)
	must(t, err)
	must(t, router.Start())
	w.loss = c.loss
	return w
}

// close ends everything; in a synctest bubble, a goroutine that is left then fails the test.
func (w *world) close() {
	w.t.Helper()
	for _, m := range w.members {
		m.leave()
	}
	must(w.t, w.sfu.Close())
	must(w.t, w.router.Stop())
}

func (w *world) pass(c vnet.Chunk) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, to := c.SourceAddr().(hasIP), c.DestinationAddr().(hasIP)
	if w.cut[from.String()] || w.cut[to.String()] || w.cut[hostOf(from)] || w.cut[hostOf(to)] {
		return false
	}
	return w.random.Float64() >= w.loss
}

type hasIP interface{ String() string }

func hostOf(a hasIP) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// vanish cuts a member's cable.
func (w *world) vanish(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[c.addr] = true
}

func (w *world) back(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.cut, c.addr)
}

func (w *world) host(addr string) transport.Net {
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{addr}})
	must(w.t, err)
	must(w.t, w.router.AddNet(n))
	if w.jitter > 0 {
		return jitterNet{Net: n, most: w.jitter}
	}
	return n
}

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
	level    uint8 // of the microphone, 0 to send none
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

func (w *world) client(id string) *client {
	w.mu.Lock()
	w.next++
	n := w.next
	w.mu.Unlock()
	c := newClient(w, id)
	c.addr = fmt.Sprintf("10.0.%d.%d", 1+n/200, 1+n%200)
	var s webrtc.SettingEngine
	s.LoggerFactory = quiet()
	s.SetNet(w.host(c.addr))
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	c.api = clientAPI(w.t, s)
	w.mu.Lock()
	w.members = append(w.members, c)
	w.mu.Unlock()
	return c
}

func newClient(w *world, id string) *client {
	return &client{
		w: w, id: id, signals: make(chan Signal, 1000), stopped: make(chan struct{}),
		senders: make(map[Source]*webrtc.RTPSender), streams: make(map[string]*stream),
	}
}

func clientAPI(t *testing.T, s webrtc.SettingEngine) *webrtc.API {
	t.Helper()
	var m webrtc.MediaEngine
	must(t, m.RegisterDefaultCodecs())
	must(t, m.RegisterHeaderExtension(
		webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"}, webrtc.RTPCodecTypeAudio))
	var r interceptor.Registry
	must(t, webrtc.RegisterDefaultInterceptors(&m, &r))
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
		sub.OnTrack(func(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) { c.listen(track, r) })
		c.sub = sub
	}
	sub := c.sub
	c.tracks = s.Tracks
	c.offers++
	c.mu.Unlock()
	// A browser needs no such help: see publisher.offer.
	offer := strings.ReplaceAll(s.SDP, "a=inactive", "a=recvonly")
	must(t, sub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	answer, err := sub.CreateAnswer(nil)
	must(t, err)
	gathered := webrtc.GatheringCompletePromise(sub)
	must(t, sub.SetLocalDescription(answer))
	<-gathered
	// The peer may have ended meanwhile.
	_ = c.peer.Handle(Signal{Kind: KindAnswer, PC: Subscribe, SDP: sub.LocalDescription().SDP, Offer: s.Offer})
}

// listen counts what arrives on a track.
func (c *client) listen(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
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
		c.mu.Unlock()
	}
}

func (s *stream) note(p *rtp.Packet) {
	s.packets++
	s.seqs[p.SequenceNumber]++
	body := p.Payload
	if d, ok := parseVP8(p.Payload); s.mime == webrtc.MimeTypeVP8 && ok {
		body = p.Payload[d.size+1:]
		if d.keyframe {
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
	gathered := webrtc.GatheringCompletePromise(c.pub)
	must(t, c.pub.SetLocalDescription(offer))
	<-gathered
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
	silent bool
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
			out[info.Member+"/"+string(info.Source)] = s
		}
	}
	return out
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

func itoa(n int) string { return strconv.Itoa(n) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
}

func trickle(candidate string) string {
	mid := "0"
	b, err := json.Marshal(webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid})
	if err != nil {
		panic(err)
	}
	return string(b)
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

// lose sets the loss on all ways.
func (w *world) lose(fraction float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = fraction
}
