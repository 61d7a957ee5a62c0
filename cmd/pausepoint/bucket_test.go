package main

import (
	"bytes"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// A call is recorded while the bucket is away: it goes on, and who sends only then is heard and recorded, too. When the bucket is back, every segment is in
// it as it was on the disk, none is on the disk, and the replay plays them from there.
func TestACallIsRecordedWhileTheBucketIsAway(t *testing.T) {
	t.Parallel() // it waits for the bucket
	s3, bucket := realBucket(t)
	line, address, err := storetest.NewLine(bucket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	s := start(t, t.TempDir(), "--blobs", address)
	amara := founded(t, s)
	id := amara.plainSession()
	path := "/api/sessions/" + id
	ben, benID := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.do(event.RecordingStart{})
	a.appear()
	b.hearsOf(a.welcome.You)

	line.Cut(true)
	for n := range 3 { // each stretch on the record has segments of its own
		filled(t, s, id, 2*(n+1))
		b.do(event.RecordingStop{})
		b.do(event.RecordingStart{})
	}
	b.appear() // who sends only now is heard, too
	a.hearsOf(benID)
	const segments = 4*2 + 2
	filled(t, s, id, segments)
	b.do(event.RecordingStop{})
	a.do(event.NoteAdd{ID: newID(t), Type: event.Question, Visibility: event.Shared, Text: "while the bucket is away"})
	amara.poll(path+"/replay", func(int, []byte) bool { return len(amara.replay(path).Segments) == segments })
	awaits(t, "the bucket is missed", func() bool { return line.InVain() > 0 })
	recorded := sumsOnDisk(t, s, id)
	checkPlays(t, amara, path, recorded)

	line.Cut(false)
	awaits(t, "nothing is on the disk any more", func() bool { return len(sumsOnDisk(t, s, id)) == 0 })
	stored, err := s3.Sums(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	for segment, sum := range recorded {
		if got := stored["house/recordings/"+id+"/"+segment+"/media.webm"]; got != sum {
			t.Errorf("segment %s is in the bucket with the sum %q, and was recorded with %q", segment, got, sum)
		}
	}
	checkPlays(t, amara, path, recorded)
	t.Logf("%d segments came to the bucket; it was asked %d times in vain", len(recorded), line.InVain())
}

func realBucket(t *testing.T) (*storetest.S3, string) {
	t.Helper()
	s3, err := storetest.StartS3()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s3.Stop(); err != nil {
			t.Error(err)
		}
	})
	bucket, err := s3.NewBucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s3, bucket
}

// checkPlays checks that a replay lists just these segments, that each is served as it was recorded, and that ffmpeg plays it.
func checkPlays(t *testing.T, b *browser, path string, recorded map[string]string) {
	t.Helper()
	served := map[string]string{}
	for _, s := range b.replay(path).Segments {
		res, file := b.request("GET", path+"/segments/"+s.ID, nil, nil)
		if res.StatusCode != 200 {
			t.Fatalf("segment %s: %d, %s", s.ID, res.StatusCode, file)
		}
		served[s.ID] = sumOf(file)
		cmd := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-i", "pipe:", "-f", "framecrc", "-")
		cmd.Stdin = bytes.NewReader(file)
		out, err := cmd.CombinedOutput()
		frames := strings.Count(string(out), "\n0,")
		if err != nil || strings.Contains(string(out), "rror") || frames < 2 {
			t.Errorf("of segment %+v, ffmpeg plays %d frames: %v, %s", s, frames, err, out)
		}
	}
	if !maps.Equal(served, recorded) {
		t.Errorf("the replay has %v, and recorded was %v", served, recorded)
	}
}

// hearsOf answers the server's offers until a member's sound and pictures are in one, and waits for the sound.
func (c *connection) hearsOf(member string) {
	c.t.Helper()
	pc := c.newPC()
	received := make(chan *webrtc.TrackRemote, 10)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { received <- track })
	for there := map[string]bool{}; !there["audio"] || !there["camera"]; {
		var offer event.RTCOffer
		c.decode(c.await("rtc.offer"), &offer)
		if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP}); err != nil {
			c.t.Fatal(err)
		}
		own, err := pc.CreateAnswer(nil)
		if err != nil {
			c.t.Fatal(err)
		}
		c.send("", event.RTCAnswer{PC: event.SubscribePC, Offer: offer.Offer, SDP: c.gathered(pc, own)})
		for _, track := range offer.Tracks {
			there[track.Source] = there[track.Source] || track.Member == member
		}
	}
	select {
	case track := <-received:
		if _, _, err := track.ReadRTP(); err != nil || track.StreamID() != member {
			c.t.Errorf("from %s comes: %v", track.StreamID(), err)
		}
	case <-time.After(patience):
		c.t.Fatal("nothing is heard")
	}
}
