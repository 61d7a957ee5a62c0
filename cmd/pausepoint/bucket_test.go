//go:build s3

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store/storetest"
)

// A call is recorded while the bucket is away: it goes on, and who sends only then is heard and recorded, too. When the bucket is back, every segment is in
// it as it was on the disk, none is on the disk, and the replay plays them from there.
func TestACallIsRecordedWhileTheBucketIsAway(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", storetest.S3Key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", storetest.S3Secret)
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
	s3, err := storetest.StartS3(os.Getenv("PAUSEPOINT_TEST_S3"))
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

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sumsOnDisk are the SHA-256 of the files of a session, by segment.
func sumsOnDisk(t *testing.T, s *server, session string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.data, "recordings", session, "*.webm"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if ignoreGone(err) != nil {
			t.Fatal(err)
		}
		if err == nil {
			sums[strings.TrimSuffix(filepath.Base(p), ".webm")] = sumOf(b)
		}
	}
	return sums
}

// filled waits until so many files of a session have media in them.
func filled(t *testing.T, s *server, session string, files int) {
	t.Helper()
	awaits(t, "the recording goes on", func() bool {
		sums := sumsOnDisk(t, s, session)
		maps.DeleteFunc(sums, func(_, sum string) bool { return sum == sumOf(nil) })
		return len(sums) >= files
	})
}

// awaits waits until something holds.
func awaits(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain it is waited until %s", what)
		}
	}
}

// appear publishes a microphone and a camera, with sound and pictures that ffmpeg has encoded, until the test ends.
func (c *connection) appear() {
	c.t.Helper()
	pc := c.newPC()
	mic, camera := c.sends(pc, webrtc.MimeTypeOpus, 48000, 2), c.sends(pc, webrtc.MimeTypeVP8, 90000, 0)
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(newID(c.t), event.RTCOffer{
		PC: event.PublishPC, Offer: 1, SDP: c.gathered(pc, offer), Sources: map[string]string{"0": "audio", "1": "camera"},
	})
	c.answered(pc)
	go repeats(c.t.Context().Done(), mic, opusPackets(c.t), 20*time.Millisecond)
	go repeats(c.t.Context().Done(), camera, vp8Frames(c.t), time.Second/pictureRate)
}

func (c *connection) sends(pc *webrtc.PeerConnection, mime string, clock uint32, channels uint16) *webrtc.TrackLocalStaticSample {
	c.t.Helper()
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock, Channels: channels}, mime[:5], "me")
	if err == nil {
		_, err = pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return track
}

// repeats sends samples again and again.
func repeats(done <-chan struct{}, track *webrtc.TrackLocalStaticSample, samples [][]byte, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		case <-tick.C:
			_ = track.WriteSample(media.Sample{Data: samples[i%len(samples)], Duration: every})
		}
	}
}

// pictureRate is how many pictures there are in a second, the first of which is a key frame.
const pictureRate = 15

func vp8Frames(t *testing.T) (frames [][]byte) {
	t.Helper()
	file := encode(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15", "-t", "1", "-c:v", "libvpx", "-deadline", "realtime",
		"-cpu-used", "8", "-g", "15", "-b:v", "300k", "-auto-alt-ref", "0", "picture.ivf")
	r, _, err := ivfreader.NewWith(bytes.NewReader(file))
	for err == nil {
		var frame []byte
		if frame, _, err = r.ParseNextFrame(); err == nil {
			frames = append(frames, frame)
		}
	}
	if !errors.Is(err, io.EOF) || len(frames) == 0 {
		t.Fatalf("read pictures: %v", err)
	}
	return frames
}

func opusPackets(t *testing.T) (packets [][]byte) {
	t.Helper()
	file := encode(t, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "1", "-c:a", "libopus", "-ac", "2", "-b:a", "48k",
		"-frame_duration", "20", "-page_duration", "20000", "sound.ogg")
	r, _, err := oggreader.NewWith(bytes.NewReader(file))
	for err == nil {
		var page []byte
		if page, _, err = r.ParseNextPage(); err == nil && !bytes.HasPrefix(page, []byte("OpusTags")) {
			packets = append(packets, page)
		}
	}
	if !errors.Is(err, io.EOF) || len(packets) == 0 {
		t.Fatalf("read sound: %v", err)
	}
	return packets
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
