package main

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/load/shape"
)

// seat is a member's place in a room of a server, before it comes in.
type seat interface {
	// attend opens the signaling and negotiates until ctx ends, or returns why it cannot go on.
	attend(ctx context.Context, m *member) error
}

// member is one person: its connections, and what it publishes and receives. Attend's goroutine negotiates; pion's report tracks.
type member struct {
	index     int
	room      int
	publishes bool
	meter     *meter
	sent      atomic.Uint64 // packets of the period
	key       atomic.Bool   // a key frame is wanted
	playing   atomic.Bool   // what it publishes goes out
	seat      seat
	api       *webrtc.API
	cancel    context.CancelFunc
	done      chan struct{} // closed when attend has returned
	err       error         // of attend

	connections []*webrtc.PeerConnection // attend's, then leave's
}

// newAPI makes pion's API as it comes, without mDNS, IPv6, ICE-TCP and a log. As browsers do, members take the client's part in DTLS.
func newAPI(s webrtc.SettingEngine) (*webrtc.API, error) {
	s.LoggerFactory = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(s)), nil
}

// come begins the member's life, which ends with leave.
func (m *member) come(ctx context.Context) {
	ctx, m.cancel = context.WithCancel(ctx)
	m.done = make(chan struct{})
	m.meter.began = time.Now()
	go func() {
		defer close(m.done)
		if err := m.seat.attend(ctx, m); ctx.Err() == nil {
			m.err = fmt.Errorf("member %d: %w", m.index, err)
		}
	}()
}

// trouble is why the member is gone, if it is.
func (m *member) trouble() error {
	select {
	case <-m.done:
		return m.err
	default:
		return nil
	}
}

func (m *member) leave() {
	m.cancel()
	<-m.done
	for _, pc := range m.connections {
		_ = pc.Close()
	}
}

func (m *member) connect() (*webrtc.PeerConnection, error) {
	pc, err := m.api.NewPeerConnection(webrtc.Configuration{})
	if err == nil {
		m.connections = append(m.connections, pc)
	}
	return pc, err
}

// watch makes a connection for what others publish.
func (m *member) watch() (*webrtc.PeerConnection, error) {
	pc, err := m.connect()
	if err != nil {
		return nil, err
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		m.meter.mu.Lock()
		m.meter.profile = profileOf(r.Transport())
		m.meter.mu.Unlock()
		go drain(r)
		go m.hear(t)
	})
	return pc, nil
}

func (m *member) hear(t *webrtc.TrackRemote) {
	video := t.Kind() == webrtc.RTPCodecTypeVideo
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		if s, ok := shape.ReadStamp(p.Payload); ok {
			m.meter.note(s, time.Now(), video)
		}
	}
}

// profileOf is the SRTP profile of a connection that is there, by its number in the registry of IANA; pion keeps it to itself.
func profileOf(t *webrtc.DTLSTransport) string {
	switch n := reflect.ValueOf(t).Elem().FieldByName("srtpProtectionProfile").Uint(); n {
	case 1:
		return "AES-CM-128"
	case 7:
		return "AES-GCM-128"
	case 8:
		return "AES-GCM-256"
	default:
		return fmt.Sprintf("profile %d", n)
	}
}

// accept answers an offer of the server, with all candidates.
func accept(pc *webrtc.PeerConnection, offer string) (string, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return settle(pc, answer)
}

// propose makes an offer, with all candidates.
func propose(pc *webrtc.PeerConnection) (string, error) {
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	return settle(pc, offer)
}

func settle(pc *webrtc.PeerConnection, d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

// answered takes the server's answer to an offer.
func answered(pc *webrtc.PeerConnection, sdp string) error {
	return pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
}
