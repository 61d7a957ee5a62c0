package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"

	"github.com/pausepoint/pausepoint/room/event"
)

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
