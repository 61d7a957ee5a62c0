package sfu

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// layersOf are what a simulcast camera sends: the larger layer has ten times the bytes.
var layersOf = []struct { //nolint:gochecknoglobals // constant
	rid           string
	bytes         int
	width, height uint16
}{{"l", 200, 320, 180}, {"h", 1000, 1280, 720}}

// publishLayers publishes a camera as simulcast: 30 pictures a second, of which every 30th is a key frame, in packets that
// carry their layer.
func (c *client) publishLayers() {
	t := c.w.t
	t.Helper()
	pub, err := c.api.NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	c.pub = pub
	var sender *webrtc.RTPSender
	var tracks []*webrtc.TrackLocalStaticRTP
	for _, l := range layersOf {
		track, err := webrtc.NewTrackLocalStaticRTP(
			webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "camera", "me", webrtc.WithRTPStreamID(l.rid))
		must(t, err)
		tracks = append(tracks, track)
		if sender == nil {
			sender, err = pub.AddTrack(track)
		} else {
			err = sender.AddEncoding(track)
		}
		must(t, err)
	}
	c.senders[SourceCamera] = sender
	must(t, c.offer(nil))
	c.wg.Go(func() {
		for {
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	})
	for i, track := range tracks {
		c.wg.Go(func() { c.playLayer(sender, track, i) })
	}
}

func (c *client) playLayer(sender *webrtc.RTPSender, track *webrtc.TrackLocalStaticRTP, layer int) {
	ids := make(map[string]uint8)
	for _, e := range sender.GetParameters().HeaderExtensions {
		ids[e.URI] = uint8(e.ID)
	}
	ticker := time.NewTicker(time.Second / 30)
	defer ticker.Stop()
	seq, key := uint16(layer*1000), true // what begins, begins with a key frame
	for n := uint32(0); ; n++ {
		select {
		case <-ticker.C:
		case <-c.stopped:
			return
		}
		l := layersOf[layer]
		if layer > 0 && c.obeys.Load() && c.wanted(SourceCamera) <= int(layersOf[layer-1].height) {
			key = true
			continue
		}
		for i := range 4 {
			body := make([]byte, l.bytes)
			head := []byte{0x80, 0x80, 0x80 | byte(n>>8&0x7f), byte(n), 1}
			if i == 0 {
				head[0] |= 0x10
			}
			if i == 0 && (key || n%30 == 0) {
				key = false
				head[4] = 0
				copy(body, []byte{0, 0, 0x9d, 0x01, 0x2a})
				binary.LittleEndian.PutUint16(body[5:], l.width)
				binary.LittleEndian.PutUint16(body[7:], l.height)
			}
			p := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: n * 3000, Marker: i == 3},
				Payload: append(head, body...),
			}
			seq++
			must(c.w.t, p.SetExtension(ids[sdp.SDESMidURI], []byte("0")))
			must(c.w.t, p.SetExtension(ids[sdp.SDESRTPStreamIDURI], []byte(l.rid)))
			_ = track.WriteRTP(p)
		}
	}
}

// share is which part of the packets that came since the last call were of the larger layer.
func (c *client) share() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := 0
	for _, n := range c.sizes {
		all += n
	}
	large := c.sizes[1]
	c.sizes = [2]int{}
	return float64(large) / float64(max(all, 1))
}

// wanted is how tall the tallest place is in which somebody shows a picture of the client's, as the server said last; -1 for nothing yet.
func (c *client) wanted(s Source) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if height, told := c.heights[s]; told {
		return height
	}
	return -1
}

// noteSize counts a packet of a layered camera.
func (c *client) noteSize(p *rtp.Packet) {
	if f, err := codec.Parse(codec.VP8, p.Payload, p.Marker, nil); err != nil || f.PictureBits == 0 {
		return
	}
	if len(p.Payload) > 500 {
		c.sizes[1]++
	} else {
		c.sizes[0]++
	}
}

func newSimulcast(t *testing.T, c conditions) (w *world, b *client) {
	w = newWorld(t, c)
	a := w.client("ann").join("r", true, false)
	b = w.client("bob").join("r", false, true)
	a.publishLayers()
	time.Sleep(10 * time.Second)
	return w, b
}

func TestASubscriberWithBandwidthGetsTheLargerLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newSimulcast(t, conditions{delay: 20 * time.Millisecond})
		defer w.close()
		b.share()
		time.Sleep(5 * time.Second)
		if s := b.share(); s < 0.99 {
			t.Errorf("%.0f %% of the packets are of the larger layer", s*100)
		}
		s := b.got()["ann/camera"]
		if s == nil {
			t.Fatal("nothing is received")
		}
		for seq, n := range s.seqs {
			if n > 3 {
				t.Errorf("number %d came %d times", seq, n)
			}
		}
	})
}

func TestViewsChooseTheLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newSimulcast(t, conditions{delay: 20 * time.Millisecond})
		defer w.close()
		id := w.sfu.Room("r").Publications()[0].Info().Publication
		show := func(v View) float64 {
			b.peer.SetViews(map[string]View{id: v})
			time.Sleep(3 * time.Second)
			b.share()
			time.Sleep(3 * time.Second)
			return b.share()
		}
		if s := show(View{Visible: true, Width: 160, Height: 90}); s != 0 {
			t.Errorf("in a small place %.0f %% of the packets are of the larger layer", s*100)
		}
		if s := show(View{Visible: true, Width: 1280, Height: 720}); s < 0.99 {
			t.Errorf("in a large place %.0f %% of the packets are of the larger layer", s*100)
		}
		before := b.got()["ann/camera"].packets
		show(View{})
		between := b.got()["ann/camera"].packets
		time.Sleep(5 * time.Second)
		if n := b.got()["ann/camera"].packets; n != between || between-before > 300 {
			t.Errorf("%d, then %d packets of what is not displayed", between-before, n-between)
		}
		if s := show(View{Visible: true}); s < 0.99 {
			t.Errorf("displayed again, %.0f %% of the packets are of the larger layer", s*100)
		}
	})
}
