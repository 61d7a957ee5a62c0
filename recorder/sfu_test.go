package recorder

import (
	"net"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	pionmedia "github.com/pion/webrtc/v4/pkg/media"

	"github.com/pausepoint/pausepoint/sfu"
)

// publisher is a member with sound and picture on this machine's sockets.
type publisher struct {
	peer         *sfu.Peer
	pc           *webrtc.PeerConnection
	audio, video *webrtc.TrackLocalStaticSample
	connected    chan struct{}
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func localTrack(t testing.TB, mime, id string) *webrtc.TrackLocalStaticSample {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime}, id, "m")
	fatal(t, err)
	return track
}

// loopback is a connection on this machine.
func loopback(t testing.TB) *webrtc.PeerConnection {
	t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	fatal(t, err)
	return pc
}

// publish connects a member who publishes sound and camera.
func publish(t testing.TB, room *sfu.Room, member string) *publisher {
	t.Helper()
	pc := loopback(t)
	p := &publisher{pc: pc, connected: make(chan struct{})}
	var err error
	p.audio, p.video = localTrack(t, webrtc.MimeTypeOpus, "a"), localTrack(t, webrtc.MimeTypeVP8, "v")
	sources := map[string]sfu.Source{}
	for _, track := range []webrtc.TrackLocal{p.audio, p.video} {
		sender, err := pc.AddTrack(track)
		fatal(t, err)
		go drain(sender)
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(p.connected)
		}
	})
	answers := make(chan sfu.Signal, 8)
	p.peer, err = room.Join(sfu.PeerConfig{ID: member, Publish: true, Send: func(s sfu.Signal) { answers <- s }})
	fatal(t, err)
	offer, err := pc.CreateOffer(nil)
	fatal(t, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	fatal(t, pc.SetLocalDescription(offer))
	<-gathered
	for i, tr := range pc.GetTransceivers() {
		sources[tr.Mid()] = []sfu.Source{sfu.SourceAudio, sfu.SourceCamera}[i]
	}
	fatal(t, p.peer.Handle(sfu.Signal{Kind: sfu.KindOffer, PC: sfu.Publish, SDP: pc.LocalDescription().SDP, Sources: sources}))
	for s := range answers {
		if s.Kind == sfu.KindAnswer {
			fatal(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: s.SDP}))
			break
		}
	}
	<-p.connected
	return p
}

// drain reads the receiver's reports: this is what makes retransmission work.
func drain(s *webrtc.RTPSender) {
	b := make([]byte, 1500)
	for {
		if _, _, err := s.Read(b); err != nil {
			return
		}
	}
}

// send sends at the pace of the media.
func send(track *webrtc.TrackLocalStaticSample, samples []sample, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for _, s := range samples {
		if err := track.WriteSample(pionmedia.Sample{Data: s.data, Duration: every}); err != nil {
			return err
		}
		<-ticker.C
	}
	return nil
}

// A member's media goes through a real media room into files that decode.
func TestRecordingOfAMediaRoom(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	server, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0"})
	fatal(t, err)
	room := server.Room("s")
	r, index := newRecorder(t, Config{Dir: dir})
	fatal(t, r.Start("s", RoomOf(room), sessionClock(60_000)))
	p := publish(t, room, "m")
	done := make(chan error, 2)
	var keys []sample // each frame is a key frame, so that the recording can begin anywhere
	for range 60 {
		keys = append(keys, src.video[0])
	}
	go func() { done <- send(p.audio, src.audio[:100], 20*time.Millisecond) }()
	go func() { done <- send(p.video, keys, 33*time.Millisecond) }()
	fatal(t, <-done)
	fatal(t, <-done)
	<-r.Stop("s")
	closed(t, r)
	p.peer.Close()
	fatal(t, p.pc.Close())
	fatal(t, server.Close())
	for source, mime := range map[string]string{"audio": MimeOpus, "camera": MimeVP8} {
		segments := bySource(index, source)
		blocks := check(t, dir, segments)
		if len(segments) == 0 {
			t.Fatalf("no %s was stored", source)
		}
		if s := segments[0]; s.Member != "m" || s.Mime != mime || s.Publication == "" || s.Start < 60_000 || len(blocks[0]) < 10 {
			t.Errorf("%s: %+v with %d frames", source, s, len(blocks[0]))
		}
	}
}
