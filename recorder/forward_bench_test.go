package recorder

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	pionmedia "github.com/pion/webrtc/v4/pkg/media"

	"github.com/pausepoint/pausepoint/sfu"
)

// listen connects a member who hears others; heard is told of each packet of sound.
func listen(t testing.TB, room *sfu.Room, member string, heard func(payload []byte)) *webrtc.PeerConnection {
	t.Helper()
	pc := loopback(t)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if track.Kind() == webrtc.RTPCodecTypeAudio {
				heard(p.Payload)
			}
		}
	})
	signals := make(chan sfu.Signal, 64)
	peer, err := room.Join(sfu.PeerConfig{ID: member, Subscribe: true, Send: func(s sfu.Signal) { signals <- s }})
	fatal(t, err)
	go func() {
		for {
			select {
			case <-peer.Done():
				return
			case s := <-signals:
				if s.Kind == sfu.KindOffer {
					answer(t, peer, pc, s)
				}
			}
		}
	}()
	return pc
}

func answer(t testing.TB, peer *sfu.Peer, pc *webrtc.PeerConnection, s sfu.Signal) {
	t.Helper()
	// A browser needs no such help: what was offered as inactive begins later.
	offer := strings.ReplaceAll(s.SDP, "a=inactive", "a=recvonly")
	err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	var a webrtc.SessionDescription
	if err == nil {
		a, err = pc.CreateAnswer(nil)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err == nil {
		err = pc.SetLocalDescription(a)
	}
	if err == nil {
		<-gathered
		err = peer.Handle(sfu.Signal{Kind: sfu.KindAnswer, PC: sfu.Subscribe, SDP: pc.LocalDescription().SDP, Offer: s.Offer})
	}
	if err != nil {
		t.Error(err)
	}
}

// delays collects how long packets took, of stretches with and without recording.
type delays struct {
	begin time.Time

	mu        sync.Mutex
	recording bool
	took      map[bool][]time.Duration
}

// stamped is a packet of sound that says when it was sent; to a decoder it is noise.
func (d *delays) stamped() []byte {
	return binary.BigEndian.AppendUint64([]byte{0xf8}, uint64(time.Since(d.begin)))
}

func (d *delays) heard(payload []byte) {
	if len(payload) < 9 {
		return
	}
	took := time.Since(d.begin) - time.Duration(binary.BigEndian.Uint64(payload[len(payload)-8:]))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took[d.recording] = append(d.took[d.recording], took)
}

func (d *delays) turn(recording bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recording = recording
}

// report gives the delays in µs.
func (d *delays) report(b *testing.B) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for recording, name := range map[bool]string{false: "without", true: "recording"} {
		took := d.took[recording]
		if len(took) == 0 {
			b.Fatalf("nothing came through %s", name)
		}
		slices.Sort(took)
		for _, p := range []int{50, 99} {
			b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("p%d-µs-%s", p, name))
		}
	}
}

// talk lets a member send sound and pictures until the context ends; sending waits for them.
func talk(ctx context.Context, sending *sync.WaitGroup, p *publisher, sound func() []byte, video []sample) {
	every := func(interval time.Duration, do func(i int)) {
		sending.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			for i := 0; ; i++ {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					do(i)
				}
			}
		})
	}
	every(20*time.Millisecond, func(int) {
		_ = p.audio.WriteSample(pionmedia.Sample{Data: sound(), Duration: 20 * time.Millisecond})
	})
	every(time.Second/30, func(i int) {
		_ = p.video.WriteSample(pionmedia.Sample{Data: video[i%len(video)].data, Duration: time.Second / 30})
	})
}

// BenchmarkForwardingBesideRecording lets four members send sound and pictures through a real media room to one who listens, over
// sockets, and measures how long the sound takes: a second without recording and a second with it in turn. "make bench-recorder"
// makes a table of it.
func BenchmarkForwardingBesideRecording(b *testing.B) {
	src := encoded(b)
	server, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0"})
	fatal(b, err)
	room := server.Room("s")
	r, _ := newRecorder(b, Config{})
	d := &delays{begin: time.Now(), took: map[bool][]time.Duration{}}
	ctx, quit := context.WithCancel(b.Context())
	var sending sync.WaitGroup
	pc := listen(b, room, "listener", d.heard)
	connections := []*webrtc.PeerConnection{pc}
	for i := range 4 {
		p := publish(b, room, fmt.Sprint(i))
		connections = append(connections, p.pc)
		talk(ctx, &sending, p, d.stamped, src.video)
	}
	clock := sessionClock(0)
	for b.Loop() {
		for _, recording := range []bool{false, true} {
			if recording {
				fatal(b, r.Start("s", RoomOf(room), clock))
			}
			d.turn(recording)
			time.Sleep(time.Second)
			<-r.Stop("s")
		}
	}
	d.report(b)
	b.ReportMetric(float64(r.Stats().Frames)/float64(b.N), "frames-stored/op")
	quit()
	sending.Wait()
	for _, c := range connections {
		fatal(b, c.Close())
	}
	fatal(b, r.Close())
	fatal(b, server.Close())
}
