package sfu

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// A caller is a client that sends and plays as browsers do: sound with redundancy, a camera in three layers.

const (
	callerOpus   = 111
	callerRED    = 63
	callerFrame  = 0x78 << 24 // how an Opus packet of 20 ms begins (RFC 6716 section 3.1); the rest of the word counts
	soundEvery   = 20 * time.Millisecond
	pictureEvery = time.Second / 30
	soundBytes   = 80
	packetBytes  = 1100
	keyTimes     = 4 // a key frame is so many times larger
	headBytes    = 15
	metaBytes    = 16
)

// callerLayers are the rates of the camera's layers, ascending.
func callerLayers() map[string]int { return map[string]int{"q": 150_000, "h": 400_000, "f": 1_200_000} }

func rids() []string { return []string{"q", "h", "f"} }

// caller makes a client. What it sends goes through l.
func (w *world) caller(id string, l *links) *client { return w.callerOf(id, l, true) }

// plainCaller makes a client that knows no redundancy of sound.
func (w *world) plainCaller(id string, l *links) *client { return w.callerOf(id, l, false) }

func (w *world) callerOf(id string, l *links, red bool) *client {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	c := newClient(w, id)
	c.addr = fmt.Sprintf("10.0.1.%d", w.next)
	var s webrtc.SettingEngine
	s.LoggerFactory = quiet()
	s.SetNet(linkNet{Net: w.host(c.addr), links: l})
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	c.api = callerAPI(w.t, s, red)
	w.members = append(w.members, c)
	return c
}

func callerAPI(t *testing.T, s webrtc.SettingEngine, red bool) *webrtc.API {
	t.Helper()
	var m webrtc.MediaEngine
	opus := webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}},
	}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback}
	rtx := webrtc.RTPCodecCapability{MimeType: "video/rtx", ClockRate: 90000, SDPFmtpLine: "apt=96"}
	if red {
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: callerSound(), PayloadType: callerRED}, webrtc.RTPCodecTypeAudio))
	}
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: callerOpus}, webrtc.RTPCodecTypeAudio))
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8, PayloadType: 96}, webrtc.RTPCodecTypeVideo))
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: rtx, PayloadType: 97}, webrtc.RTPCodecTypeVideo))
	var r interceptor.Registry
	must(t, webrtc.ConfigureRTCPReportsWithOptions(&r, nil))
	must(t, webrtc.ConfigureSimulcastExtensionHeaders(&m))
	must(t, webrtc.ConfigureTWCCSenderWithOptions(&m, &r, twcc.SendInterval(100*time.Millisecond)))
	responder, err := nack.NewResponderInterceptor(nack.WithResponderLoggerFactory(quiet()))
	must(t, err)
	r.Add(responder) // what asks is the viewer
	must(t, s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient))
	return webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithInterceptorRegistry(&r), webrtc.WithSettingEngine(s))
}

func callerSound() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111"}
}

// call publishes a voice and a camera.
func (c *client) call() *broadcast {
	t := c.w.t
	t.Helper()
	pub, err := c.api.NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	c.mu.Lock()
	c.pub = pub
	c.mu.Unlock()
	b := &broadcast{client: c, random: rand.New(rand.NewPCG(*seed, 7)), keys: make(map[string]bool)}
	b.voice, err = webrtc.NewTrackLocalStaticRTP(callerSound(), "audio", "me")
	must(t, err)
	voice, err := pub.AddTrack(b.voice)
	must(t, err)
	for _, rid := range rids() {
		track, err := webrtc.NewTrackLocalStaticRTP(
			webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "camera", "me", webrtc.WithRTPStreamID(rid))
		must(t, err)
		if b.camera == nil {
			b.camera, err = pub.AddTrack(track)
		} else {
			err = b.camera.AddEncoding(track)
		}
		must(t, err)
		b.layers = append(b.layers, &broadcastLayer{rid: rid, track: track, seq: 65400})
	}
	c.mu.Lock()
	c.senders[SourceAudio], c.senders[SourceCamera] = voice, b.camera
	c.mu.Unlock()
	c.wg.Go(func() { b.hear(func() ([]rtcp.Packet, error) { p, _, err := voice.ReadRTCP(); return p, err }, "") })
	for _, l := range b.layers {
		c.wg.Go(func() {
			b.hear(func() ([]rtcp.Packet, error) { p, _, err := b.camera.ReadSimulcastRTCP(l.rid); return p, err }, l.rid)
		})
	}
	must(t, c.offer(nil))
	c.wg.Go(b.talk)
	c.wg.Go(b.film)
	return b
}

// broadcast is what a caller sends.
type broadcast struct {
	client *client
	voice  *webrtc.TrackLocalStaticRTP
	camera *webrtc.RTPSender
	layers []*broadcastLayer

	mu     sync.Mutex
	random *rand.Rand
	keys   map[string]bool // layers that are asked for a key frame
	off    int             // how many of the largest layers are not sent
}

type broadcastLayer struct {
	rid   string
	track *webrtc.TrackLocalStaticRTP
	seq   uint16
	tl0   uint8
}

func (b *broadcast) hear(read func() ([]rtcp.Packet, error), rid string) {
	for {
		packets, err := read()
		if err != nil {
			return
		}
		for _, p := range packets {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				b.mu.Lock()
				b.keys[rid] = true
				b.mu.Unlock()
			}
		}
	}
}

// talk sends a packet of sound with the one before it (RFC 2198) every 20 ms.
func (b *broadcast) talk() {
	ticker := time.NewTicker(soundEvery)
	defer ticker.Stop()
	var before []byte
	for n := uint32(1); ; n++ {
		select {
		case <-ticker.C:
		case <-b.client.stopped:
			return
		}
		block := make([]byte, soundBytes)
		binary.BigEndian.PutUint32(block, callerFrame|n)
		binary.BigEndian.PutUint64(block[4:], uint64(time.Now().UnixNano()))
		payload := []byte{callerOpus}
		if before != nil {
			head := uint32(1)<<31 | callerOpus<<24 | 960<<10 | soundBytes
			payload = append(binary.BigEndian.AppendUint32(nil, head), callerOpus)
			payload = append(payload, before...)
		}
		before = block
		_ = b.voice.WriteRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n + 65500), Timestamp: n * 960, Marker: n == 1},
			Payload: append(payload, block...),
		})
	}
}

// film sends a picture of each layer 30 times a second.
func (b *broadcast) film() {
	ticker := time.NewTicker(pictureEvery)
	defer ticker.Stop()
	for n := uint32(1); ; n++ {
		select {
		case <-ticker.C:
		case <-b.client.stopped:
			return
		}
		size := 0.75 + 0.5*b.random.Float64()
		for i, l := range b.layers {
			b.mu.Lock()
			off := i >= len(b.layers)-b.off
			key := b.keys[l.rid] || n == 1
			b.keys[l.rid] = off // what begins anew begins with a key frame
			b.mu.Unlock()
			if off {
				continue
			}
			bytes := int(size * float64(callerLayers()[l.rid]/8/30))
			if key {
				bytes *= keyTimes
			}
			l.picture(b, n, i, bytes, key)
		}
	}
}

// turnOff sends so many of the largest layers no more.
func (b *broadcast) turnOff(layers int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.off = layers
}

// picture sends one frame: each packet says which one it is of how many.
func (l *broadcastLayer) picture(b *broadcast, n uint32, layer, bytes int, key bool) {
	count := max((bytes+packetBytes-1)/packetBytes, 1)
	l.tl0++
	for i := range count {
		p := make([]byte, max(headBytes+metaBytes, bytes/count))
		p[0], p[1], p[2], p[3], p[4] = 0x80, 0xc0, 0x80|byte(n>>8&0x7f), byte(n), l.tl0
		if i == 0 {
			p[0] |= 0x10
		}
		switch {
		case i == 0 && key:
			height := 180 << layer
			copy(p[5:], []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, byte(height & 0xff), byte(height >> 8)})
		default:
			p[5] = 1
		}
		meta := p[headBytes:]
		binary.BigEndian.PutUint32(meta, n)
		meta[4], meta[5], meta[6], meta[7] = byte(i), byte(count), byte(layer), 0
		if key {
			meta[7] = 1
		}
		binary.BigEndian.PutUint64(meta[8:], uint64(time.Now().UnixNano()))
		l.seq++
		packet := &rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: l.seq, Timestamp: n * 3000, Marker: i == count-1},
			Payload: p,
		}
		l.name(b, packet)
		_ = l.track.WriteRTP(packet)
	}
}

// name adds the extensions by which the server knows the layer. Browsers leave them out once they are known, but not on the
// retransmission stream, where pion sends a packet as it was.
func (l *broadcastLayer) name(b *broadcast, p *rtp.Packet) {
	for _, e := range b.camera.GetParameters().HeaderExtensions {
		switch e.URI {
		case "urn:ietf:params:rtp-hdrext:sdes:mid":
			for _, tr := range b.client.pub.GetTransceivers() {
				if tr.Sender() == b.camera {
					_ = p.SetExtension(uint8(e.ID), []byte(tr.Mid()))
				}
			}
		case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":
			_ = p.SetExtension(uint8(e.ID), []byte(l.rid))
		}
	}
}
