package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/pausepoint/pausepoint/room/event"
)

// newPC is a browser's end of a connection for media, until the test ends.
func (c *connection) newPC() *webrtc.PeerConnection {
	c.t.Helper()
	var settings webrtc.SettingEngine
	if c.network != 0 {
		settings.SetNetworkTypes([]webrtc.NetworkType{c.network})
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(c.ice)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = pc.Close() })
	c.media = append(c.media, pc)
	return pc
}

// hangUp ends what the browser sends and receives, as it does before it leaves.
func (c *connection) hangUp() {
	for _, pc := range c.media {
		_ = pc.Close()
	}
}

// publish offers a microphone on the member's publish connection, and keeps it talking until the test ends.
func (c *connection) publish() *webrtc.PeerConnection {
	c.t.Helper()
	pc, mic := c.offerMicrophone()
	go talk(c.t.Context().Done(), mic)
	return pc
}

// offerMicrophone offers a microphone, into which the caller writes.
func (c *connection) offerMicrophone() (*webrtc.PeerConnection, *webrtc.TrackLocalStaticSample) {
	c.t.Helper()
	pc := c.newPC()
	mic, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "mic", "me")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromTrack(mic, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		c.t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(newID(c.t), event.RTCOffer{PC: event.PublishPC, Offer: 1, SDP: c.gathered(pc, offer), Sources: map[string]string{"0": "audio"}})
	return pc, mic
}

// gathered makes a description pc's own, and returns it with all candidates in it.
func (c *connection) gathered(pc *webrtc.PeerConnection, own webrtc.SessionDescription) (sdp string) {
	c.t.Helper()
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(own); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

// talk sends 20 ms of Opus after another; what is in them is silence.
func talk(done <-chan struct{}, mic *webrtc.TrackLocalStaticSample) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			_ = mic.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: 20 * time.Millisecond})
		}
	}
}

// answered gives pc the server's answer to its offer.
func (c *connection) answered(pc *webrtc.PeerConnection) {
	c.t.Helper()
	var answer event.RTCAnswer
	c.decode(c.await("rtc.answer"), &answer)
	if answer.Offer != 1 {
		c.t.Errorf("an answer to offer %d, want 1", answer.Offer)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		c.t.Fatal(err)
	}
}

// subscribe answers the server's offer, and returns its tracks and the channel on which what is received comes.
func (c *connection) subscribe() (map[string]event.RTCTrack, <-chan *webrtc.TrackRemote) {
	c.t.Helper()
	offer, answer, received := c.offered()
	c.send("", answer)
	return offer.Tracks, received
}

// offered awaits the server's offer, and returns it with a browser's answer and the channel on which what is received comes.
func (c *connection) offered() (offer event.RTCOffer, answer event.RTCAnswer, received <-chan *webrtc.TrackRemote) {
	c.t.Helper()
	c.decode(c.awaitThat("an offer with a track", func(f frame) bool {
		return f.Type == "rtc.offer" && strings.Contains(string(f.Data), `"publication"`)
	}), &offer)
	pc := c.newPC()
	tracks := make(chan *webrtc.TrackRemote, 10)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { tracks <- track })
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP}); err != nil {
		c.t.Fatal(err)
	}
	own, err := pc.CreateAnswer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return offer, event.RTCAnswer{PC: event.SubscribePC, Offer: offer.Offer, SDP: c.gathered(pc, own)}, tracks
}

// hears answers the server's offer, and waits for what a member says.
func (c *connection) hears(member string) {
	c.t.Helper()
	tracks, received := c.subscribe()
	for _, track := range tracks {
		if track.Member != member || track.Source != "audio" {
			c.t.Errorf("told: %+v", track)
		}
	}
	select {
	case track := <-received:
		if _, _, err := track.ReadRTP(); err != nil {
			c.t.Error(err)
		}
	case <-time.After(patience):
		c.t.Fatal("nothing is heard")
	}
}

// A voice goes from one member to another, an observer's does not, and what is on the record is there afterwards.
func TestVoices(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Observer), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)

	b.publish()
	var refusal event.Answered
	b.decode(b.await("reply"), &refusal)
	if refusal.Error == nil || refusal.Error.Code != "forbidden" {
		t.Fatalf("an observer publishes: %+v", refusal.Error)
	}

	a.do(event.RecordingStart{})
	a.answered(a.publish())
	tracks, received := b.subscribe()
	select {
	case track := <-received:
		if len(tracks) != 1 || track.StreamID() != a.welcome.You {
			t.Errorf("tracks %v, stream %s", tracks, track.StreamID())
		}
		if _, _, err := track.ReadRTP(); err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("nothing is heard")
	}
	for _, track := range tracks {
		if track.Member != a.welcome.You || track.Source != "audio" {
			t.Errorf("told: %+v", track)
		}
	}

	// Made a peer, the observer may.
	a.do(event.MemberRole{Member: benID, Role: event.Peer})
	b.answered(b.publish())
	a.subscribe()

	// Somebody takes it off the record.
	b.do(event.RecordingStop{})
	checkRecording(t, amara, newBrowser(t, s), "/api/sessions/"+id)
}

// A second connection that never comes in does not keep what the room decides from the first.
func TestRoleReachesTheCall(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	b.answered(b.publish())
	a.subscribe()
	ben.open(id) // and not a word
	// The offer may come before the reply.
	a.send(newID(t), event.MemberRole{Member: benID, Role: event.Observer})
	b.awaitThat("the loss of the right", func(f frame) bool { return f.Type == "you.changed" })
	a.awaitThat("an offer without the track", func(f frame) bool {
		return f.Type == "rtc.offer" && !strings.Contains(string(f.Data), `"publication"`)
	})
	b.publish()
	if p := b.replyTo(); p == nil || p.Code != "forbidden" {
		t.Errorf("an observer publishes: %v", p)
	}
}

// replyTo reads the next reply.
func (c *connection) replyTo() *event.Problem {
	c.t.Helper()
	var a event.Answered
	c.decode(c.await("reply"), &a)
	return a.Error
}

func checkRecording(t *testing.T, member, stranger *browser, path string) {
	t.Helper()
	var segment string
	member.poll(path+"/replay", func(_ int, text []byte) bool {
		var replay struct {
			Segments []struct{ ID, Mime, Source string }
		}
		if err := json.Unmarshal(text, &replay); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if len(replay.Segments) == 0 {
			return false // it is being finished
		}
		if r := replay.Segments[0]; r.Source != "audio" || !strings.HasPrefix(r.Mime, "audio/webm") {
			t.Errorf("segment: %+v", r)
		}
		segment = replay.Segments[0].ID
		return true
	})
	res, text := member.request("GET", path+"/segments/"+segment, nil, map[string]string{"Range": "bytes=0-3"})
	if res.StatusCode != http.StatusPartialContent || string(text) != "\x1a\x45\xdf\xa3" || res.Header.Get("Content-Type") != "audio/webm" {
		t.Errorf("segment: %d %x %v", res.StatusCode, text, res.Header)
	}
	if res, _ := stranger.request("GET", path+"/segments/"+segment, nil, nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger: %d", res.StatusCode)
	}
	many := "bytes=" + strings.Repeat("0-1,", 20) + "5-6"
	if res, _ := member.request("GET", path+"/segments/"+segment, nil, map[string]string{"Range": many}); res.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("many ranges: %d", res.StatusCode)
	}
}
