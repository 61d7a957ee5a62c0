package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/sfu"
)

// maker makes clients that share a certificate.
type maker struct{ certificate webrtc.Certificate }

func newMaker() (*maker, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	return &maker{certificate: *c}, nil
}

// client is a member's browser. One goroutine, negotiate, answers signals; it ends with close.
type client struct {
	id      string
	maker   *maker
	api     *webrtc.API
	cable   *cable
	server  *line
	signals chan sfu.Signal
	ctx     context.Context //nolint:containedctx // the life of the client
	cancel  context.CancelFunc
	talk    sync.WaitGroup // negotiate
	media   sync.WaitGroup // what sends and receives

	overflow atomic.Bool
	offers   atomic.Uint32 // of publish connections

	mu      sync.Mutex
	pub     *publisher
	sub     *webrtc.PeerConnection
	heard   map[string]*stream // newest stream by member and kind
	err     error
	closing bool
}

// client makes a client that uses one kind of network.
func (m *maker) client(id string, network webrtc.NetworkType) (*client, error) {
	c := &client{id: id, maker: m, signals: make(chan sfu.Signal, 4096), heard: make(map[string]*stream)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	std, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	c.cable = &cable{Net: std}
	var s webrtc.SettingEngine
	s.LoggerFactory = quiet()
	s.SetNet(c.cable)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	s.SetNetworkTypes([]webrtc.NetworkType{network})
	// Browsers take the client's part; pion would wait for an ICE-lite server to begin.
	if err = s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
		return nil, err
	}
	var e webrtc.MediaEngine
	if err = e.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	var r interceptor.Registry
	if err = webrtc.RegisterDefaultInterceptorsWithOptions(&e, &r, webrtc.WithInterceptorLoggerFactory(quiet())); err != nil {
		return nil, err
	}
	c.api = webrtc.NewAPI(webrtc.WithMediaEngine(&e), webrtc.WithInterceptorRegistry(&r), webrtc.WithSettingEngine(s))
	return c, nil
}

func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
}

func (c *client) connection() (*webrtc.PeerConnection, error) {
	return c.api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{c.maker.certificate}})
}

// dial enters a room of a server. A member who is there already is replaced.
func (c *client) dial(addr, room string) (*line, error) {
	l, err := dial(addr, room, c.id, c.receive)
	if err != nil {
		return nil, err
	}
	c.server = l
	c.talk.Go(c.negotiate)
	go l.hear(c)
	return l, nil
}

// receive is told signals by the server.
func (c *client) receive(s sfu.Signal) {
	select {
	case c.signals <- s:
	default:
		c.overflow.Store(true)
	}
}

func (c *client) negotiate() {
	for {
		select {
		case s := <-c.signals:
			if err := c.answer(s); err != nil {
				c.fail(fmt.Errorf("%s of %s: %w", s.Kind, s.PC, err))
			}
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && c.ctx.Err() == nil {
		c.err = errors.Join(c.err, err)
	}
}

// failure is what went wrong so far.
func (c *client) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.overflow.Load() {
		return errors.Join(c.err, errors.New("signals were lost"))
	}
	return c.err
}

func (c *client) answer(s sfu.Signal) error {
	switch {
	case s.PC == sfu.Publish && s.Kind == sfu.KindAnswer:
		c.mu.Lock()
		pub := c.pub
		c.mu.Unlock()
		if pub == nil || s.Offer != pub.offered.Load() {
			return nil // given up meanwhile
		}
		err := pub.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: s.SDP})
		if errors.Is(err, webrtc.ErrConnectionClosed) {
			return nil // given up in this instant
		}
		return err
	case s.PC == sfu.Subscribe && s.Kind == sfu.KindOffer:
		return c.subscribe(s)
	case s.PC == sfu.Subscribe && s.Kind == sfu.KindRestart:
		return c.unsubscribe()
	case s.PC == sfu.Publish && s.Kind == sfu.KindRestart:
		return c.republish()
	}
	return nil
}

func (c *client) subscribe(s sfu.Signal) error {
	c.mu.Lock()
	sub := c.sub
	c.mu.Unlock()
	if sub == nil {
		var err error
		if sub, err = c.connection(); err != nil {
			return err
		}
		sub.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { c.listen(sub, t, r) })
		c.mu.Lock()
		c.sub = sub
		c.mu.Unlock()
	}
	answer, err := accept(sub, forPion(s.SDP))
	if errors.Is(err, webrtc.ErrConnectionClosed) {
		return nil // by the server, meanwhile: another offer follows
	}
	if err != nil {
		return err
	}
	return c.server.say(sfu.Signal{Kind: sfu.KindAnswer, PC: sfu.Subscribe, SDP: answer, Offer: s.Offer})
}

// accept answers an offer. The server needs no candidates of its members.
func accept(pc *webrtc.PeerConnection, offer string) (string, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
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

func (c *client) unsubscribe() error {
	c.mu.Lock()
	sub := c.sub
	c.sub = nil
	c.mu.Unlock()
	if sub == nil {
		return nil
	}
	return sub.GracefulClose()
}

// close ends everything of the client, and waits for it.
func (c *client) close() error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.cancel()
	c.talk.Wait()
	err := errors.Join(c.unpublish(), c.unsubscribe())
	c.media.Wait()
	return err
}

// cable is the machine's network, which can be pulled out: the sockets that are open then send and receive nothing any more.
type cable struct {
	transport.Net

	mu    sync.Mutex
	socks []*sock
}

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.socks {
		s.dead.Store(true)
	}
	c.socks = nil
}

func (c *cable) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	u, err := c.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	s := &sock{UDPConn: u}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socks = append(c.socks, s)
	return s, nil
}

type sock struct {
	transport.UDPConn

	dead atomic.Bool
}

func (s *sock) WriteTo(b []byte, to net.Addr) (int, error) {
	if s.dead.Load() {
		return len(b), nil
	}
	return s.UDPConn.WriteTo(b, to)
}

func (s *sock) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := s.UDPConn.ReadFrom(b)
		if err != nil || !s.dead.Load() {
			return n, from, err
		}
	}
}

// forPion changes what pion, unlike browsers, takes to mean that it may not receive when a section is used again.
func forPion(sdp string) string { return strings.ReplaceAll(sdp, "a=inactive", "a=recvonly") }
