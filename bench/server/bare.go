package server

import (
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/pausepoint/pausepoint/bench/wire"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// bare is an SFU as pion's examples write it: the default codecs and interceptors, one TrackLocalStaticRTP per publication, sockets
// of its own for each PeerConnection. Of simulcast it forwards the best layer.
type bare struct {
	settings webrtc.SettingEngine

	mu    sync.Mutex
	rooms map[string]*bareRoom
}

// bareRoom is guarded by bare.mu.
type bareRoom struct {
	peers []*barePeer
	pubs  []*barePublication
}

type barePublication struct {
	owner *barePeer
	track *webrtc.TrackLocalStaticRTP
	pli   func() // asks for a key frame; nil for audio
}

func newBare() (*bare, error) {
	b := &bare{rooms: make(map[string]*bareRoom)}
	loggers := logging.NewDefaultLoggerFactory()
	loggers.DefaultLogLevel = logging.LogLevelDisabled
	b.settings.LoggerFactory = loggers
	b.settings.SetIncludeLoopbackCandidate(true)
	b.settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	b.settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	b.settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	return b, nil
}

func (b *bare) close() error { return nil }

func (b *bare) connection() (*webrtc.PeerConnection, error) {
	var media webrtc.MediaEngine
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	var registry interceptor.Registry
	quiet := webrtc.WithInterceptorLoggerFactory(b.settings.LoggerFactory)
	if err := webrtc.RegisterDefaultInterceptorsWithOptions(&media, &registry, quiet); err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(
		webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(&registry), webrtc.WithSettingEngine(b.settings),
	)
	return api.NewPeerConnection(webrtc.Configuration{})
}

func (b *bare) join(j *wire.Join, send func(wire.Message)) (participant, error) {
	p := &barePeer{
		bare: b, room: j.Room, subscribes: j.Subscribe, send: send,
		senders: make(map[*barePublication]*webrtc.RTPSender), work: make(chan func()), dirty: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go p.run()
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rooms[j.Room]
	if r == nil {
		r = &bareRoom{}
		b.rooms[j.Room] = r
	}
	r.peers = append(r.peers, p)
	p.poke()
	return p, nil
}

// publications returns what there is for p.
func (b *bare) publications(p *barePeer) []*barePublication {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.rooms[p.room].pubs), func(o *barePublication) bool { return o.owner == p })
}

// change replaces a room's publications and lets everybody reconcile.
func (b *bare) change(room string, f func(*bareRoom)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rooms[room]
	f(r)
	for _, p := range r.peers {
		p.poke()
	}
}

// barePeer is a participant. Its goroutine, run, owns the connections.
type barePeer struct {
	bare       *bare
	room       string
	subscribes bool
	send       func(wire.Message)
	work       chan func()
	dirty      chan struct{} // capacity 1: reconcile
	done       chan struct{}

	pub, sub *webrtc.PeerConnection
	senders  map[*barePublication]*webrtc.RTPSender
	offering bool
	stale    bool
}

func (p *barePeer) run() {
	for {
		select {
		case f := <-p.work:
			f()
		case <-p.dirty:
			p.reconcile()
		case <-p.done:
			for _, pc := range []*webrtc.PeerConnection{p.pub, p.sub} {
				if pc != nil {
					_ = pc.Close()
				}
			}
			return
		}
	}
}

func (p *barePeer) do(f func()) {
	select {
	case p.work <- f:
	case <-p.done:
	}
}

func (p *barePeer) poke() {
	select {
	case p.dirty <- struct{}{}:
	default:
	}
}

func (p *barePeer) leave() {
	b := p.bare
	b.mu.Lock()
	r := b.rooms[p.room]
	r.peers = slices.DeleteFunc(r.peers, func(o *barePeer) bool { return o == p })
	b.mu.Unlock()
	b.change(p.room, func(r *bareRoom) {
		r.pubs = slices.DeleteFunc(r.pubs, func(o *barePublication) bool { return o.owner == p })
	})
	close(p.done)
}

func (p *barePeer) signal(s *wire.Signal) error {
	failed := make(chan error, 1)
	p.do(func() {
		switch {
		case s.PC == "publish" && s.Kind == "offer":
			failed <- p.publish(s.SDP)
		case s.PC == "subscribe" && s.Kind == "answer":
			failed <- p.answered(s.SDP)
		default:
			failed <- fmt.Errorf("unexpected %s of %s", s.Kind, s.PC)
		}
	})
	select {
	case err := <-failed:
		return err
	case <-p.done:
		return nil
	}
}

func (p *barePeer) publish(offer string) error {
	pc, err := p.bare.connection()
	if err != nil {
		return err
	}
	p.pub = pc
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.forward(pc, t) })
	if err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err = pc.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	p.send(wire.Message{Signal: &wire.Signal{Kind: "answer", PC: "publish", SDP: pc.LocalDescription().SDP}})
	return nil
}

// forward reads a track until its end. Only the best layer of simulcast goes anywhere.
func (p *barePeer) forward(pc *webrtc.PeerConnection, remote *webrtc.TrackRemote) {
	if rid := remote.RID(); rid != "" && rid != "f" {
		for {
			if _, _, err := remote.ReadRTP(); err != nil {
				return
			}
		}
	}
	local, err := webrtc.NewTrackLocalStaticRTP(remote.Codec().RTPCodecCapability, remote.Kind().String(), fmt.Sprintf("%p", p))
	if err != nil {
		return
	}
	pub := &barePublication{owner: p, track: local}
	if remote.Kind() == webrtc.RTPCodecTypeVideo {
		pub.pli = func() {
			_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}})
		}
	}
	p.bare.change(p.room, func(r *bareRoom) { r.pubs = append(r.pubs, pub) })
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		// As in pion's example: the extensions are those of the publisher's connection.
		packet.Extension, packet.Extensions = false, nil
		if err = local.WriteRTP(packet); err != nil {
			return
		}
	}
}

// reconcile adds and removes tracks until they are the room's, and offers that.
func (p *barePeer) reconcile() {
	pubs := p.bare.publications(p)
	if !p.subscribes || (p.sub == nil && len(pubs) == 0) {
		return
	}
	if p.offering {
		p.stale = true
		return
	}
	p.stale = false
	if changed, err := p.tracks(pubs); err != nil || !changed {
		return
	}
	if err := p.offer(); err != nil {
		p.send(wire.Message{Error: err.Error()})
	}
}

func (p *barePeer) tracks(pubs []*barePublication) (changed bool, err error) {
	if p.sub == nil {
		if p.sub, err = p.bare.connection(); err != nil {
			return false, err
		}
		p.sub.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
			if s == webrtc.PeerConnectionStateConnected {
				p.askKeyframes()
			}
		})
	}
	for pub, sender := range p.senders {
		if !slices.Contains(pubs, pub) {
			delete(p.senders, pub)
			changed = true
			if err = p.sub.RemoveTrack(sender); err != nil {
				return changed, err
			}
		}
	}
	for _, pub := range pubs {
		if p.senders[pub] != nil {
			continue
		}
		changed = true
		sender, err := p.sub.AddTrack(pub.track)
		if err != nil {
			return changed, err
		}
		p.senders[pub] = sender
		go p.hear(pub, sender)
	}
	return changed, nil
}

// hear drains a subscriber's RTCP, without which no interceptor would see it, and passes key-frame requests on.
func (p *barePeer) hear(pub *barePublication, sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				if pub.pli != nil {
					pub.pli()
				}
			}
		}
	}
}

func (p *barePeer) offer() error {
	offer, err := p.sub.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.sub)
	if err = p.sub.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	p.offering = true
	p.send(wire.Message{Signal: &wire.Signal{Kind: "offer", PC: "subscribe", SDP: p.sub.LocalDescription().SDP}})
	return nil
}

func (p *barePeer) answered(sdp string) error {
	if err := p.sub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		return err
	}
	p.offering = false
	if p.sub.ConnectionState() == webrtc.PeerConnectionStateConnected {
		p.askKeyframes()
	}
	if p.stale {
		p.reconcile()
	}
	return nil
}

// askKeyframes lets a subscriber that is connected begin.
func (p *barePeer) askKeyframes() {
	for _, pub := range p.bare.publications(p) {
		if pub.pli != nil {
			pub.pli()
		}
	}
}
