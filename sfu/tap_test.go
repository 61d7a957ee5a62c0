package sfu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// journal is a Sink that keeps what it is told.
type journal struct {
	mu     sync.Mutex
	events []Event
	lines  []string
}

func (j *journal) MediaEvent(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	switch e := e.(type) {
	case PublicationStarted:
		j.lines = append(j.lines, "+"+e.Publication.Info().Member+"/"+string(e.Publication.Info().Source))
	case PublicationEnded:
		j.lines = append(j.lines, "-"+e.Publication.Info().Member+"/"+string(e.Publication.Info().Source))
	}
}

func (j *journal) told() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return fmt.Sprint(j.lines)
}

// states returns what was told of a member's connection.
func (j *journal) states(member string, pc PC) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var states []PeerState
	for _, e := range j.events {
		if s, ok := e.(PeerStateChanged); ok && s.Member == member && s.PC == pc {
			states = append(states, s.State)
		}
	}
	return fmt.Sprint(states)
}

func TestTapIsToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		var early, late journal
		first, err := w.sfu.Room("r").Tap(&early)
		must(t, err)
		defer first.Close()
		a := w.client("ann").join("r", true, true)
		must(t, a.publish(SourceAudio))
		time.Sleep(time.Second)
		must(t, a.publish(SourceScreen))
		time.Sleep(time.Second)

		second, err := w.sfu.Room("r").Tap(&late)
		must(t, err)
		synctest.Wait()
		if got := late.told(); got != "[+ann/audio +ann/screen]" {
			t.Errorf("a late tap is told %s", got)
		}
		second.Close()
		a.unpublish(SourceScreen)
		time.Sleep(time.Second)
		a.leave()
		synctest.Wait()
		if got := early.told(); got != "[+ann/audio +ann/screen -ann/screen -ann/audio]" {
			t.Errorf("the tap is told %s", got)
		}
		if got := late.told(); got != "[+ann/audio +ann/screen]" {
			t.Errorf("a closed tap is told %s", got)
		}
		if got := early.states("ann", Publish); got != "[connected closed]" {
			t.Errorf("states: %s", got)
		}
	})
}

func TestTapOfAnSFUThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		var j journal
		tap, err := w.sfu.Room("r").Tap(&j)
		must(t, err)
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceAudio))
		time.Sleep(time.Second)
		pub := w.sfu.Room("r").Publications()[0]
		track := pub.Attach(1000)
		w.close()
		if got := j.told(); got != "[+ann/audio -ann/audio]" {
			t.Errorf("told %s", got)
		}
		for {
			if _, err = track.Next(t.Context()); err != nil {
				break
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("the track ends with %v", err)
		}
		tap.Close()
		if _, err := w.sfu.Room("r").Join(PeerConfig{ID: "bob"}); !errors.Is(err, ErrClosed) {
			t.Errorf("joining a closed SFU: %v", err)
		}
		if _, err := w.sfu.Room("r").Tap(&j); !errors.Is(err, ErrClosed) {
			t.Errorf("tapping a closed SFU: %v", err)
		}
	})
}

func TestTapTrackReceivesMediaAndReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceCamera))
		time.Sleep(time.Second)
		pub := w.sfu.Room("r").Publications()[0]
		if c := pub.Codec(); c != (Codec{MimeType: "video/VP8", ClockRate: 90000}) {
			t.Errorf("codec %+v", c)
		}
		track := pub.Attach(10_000)
		pub.RequestKeyframe()
		time.Sleep(5 * time.Second)
		a.leave()
		packets, reports, keys := 0, 0, 0
		var last uint16
		for {
			item, err := track.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			switch {
			case item.Report != nil:
				reports++
			case packets > 0 && item.Packet.SequenceNumber != last+1:
				t.Fatalf("%d follows %d", item.Packet.SequenceNumber, last)
			}
			if item.Packet != nil {
				packets, last = packets+1, item.Packet.SequenceNumber
				if f, _ := codec.Parse(codec.VP8, item.Packet.Payload, false, nil); f.Keyframe {
					keys++
				}
			}
		}
		if packets < 400 || reports < 3 || keys == 0 {
			t.Errorf("%d packets, %d reports, %d key frames", packets, reports, keys)
		}
		if n := track.Dropped(); n != 0 {
			t.Errorf("%d dropped", n)
		}
		if _, err := pub.Attach(1).Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("attaching to what has ended: %v", err)
		}
	})
}

func TestTapTrackDropsAndCounts(t *testing.T) {
	p, _, _ := newLine(false, false)
	track := p.Attach(2)
	for i := range uint16(5) {
		p.receive(raw(i, 0, []byte{byte(i)}), time.Now())
	}
	next := func() Item {
		t.Helper()
		item, err := track.Next(t.Context())
		must(t, err)
		return item
	}
	if a, b := next(), next(); a.Packet.SequenceNumber != 0 || b.Packet.SequenceNumber != 1 || a.Dropped+b.Dropped != 0 {
		t.Errorf("%+v, %+v", a, b)
	}
	p.receive(raw(5, 0, []byte{5}), time.Now())
	if c := next(); c.Packet.SequenceNumber != 5 || c.Dropped != 3 || track.Dropped() != 3 {
		t.Errorf("%+v, %d dropped; want 3", c, track.Dropped())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := track.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
	track.Close()
	p.receive(raw(6, 0, []byte{6}), time.Now())
	if _, err := track.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("a closed track: %v", err)
	}
}

// A recorder must not take the numbers of padding for lost packets.
func TestTapTrackSeesPadding(t *testing.T) {
	p, _, _ := newLine(true, false)
	track := p.Attach(9)
	now := time.Now()
	for _, b := range [][]byte{frame(65535, 0, 1, true), raw(0, 0, nil), raw(1, 0, nil), frame(2, 3000, 2, false)} {
		p.receive(b, now)
	}
	for i, padding := range []bool{false, true, true, false} {
		item, err := track.Next(t.Context())
		must(t, err)
		if item.Packet.SequenceNumber != uint16(65535+i) || (len(item.Packet.Payload) == 0) != padding {
			t.Errorf("item %d is number %d with %d bytes", i, item.Packet.SequenceNumber, len(item.Packet.Payload))
		}
	}
}

// The first packet of the key frame with which a recorder goes to another layer is late: the others are not gone.
func TestTapTrackBeginsALayerWithALateKeyFrame(t *testing.T) {
	l := newLayered(t)
	track := l.Attach(100)
	l.frames(true)
	l.best.Store(1)
	l.late()
	track.Close()
	var layers []byte
	for {
		item, err := track.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if want := 1000 + uint16(len(layers)); item.Epoch != 0 || item.Packet.SequenceNumber != want {
			t.Errorf("number %d of epoch %d, want %d", item.Packet.SequenceNumber, item.Epoch, want)
		}
		layers = append(layers, item.Packet.Payload[5])
	}
	if want := []byte{0, 0, 1, 1, 1, 1}; !slices.Equal(layers, want) {
		t.Errorf("the layers are %v, want %v", layers, want)
	}
}

// A recorder sees one stream on one clock, however often it goes to another layer, whose numbers and timestamps begin elsewhere.
func TestTapTrackHasOneClockOverLayers(t *testing.T) {
	l := newLayered(t)
	track := l.Attach(1000)
	var captured []uint32 // timestamps of the pictures, as the first layer has them
	for i := range 40 {
		turns := i%10 == 0
		if turns {
			l.reports()
			l.best.Store(int32(i / 10 % 2)) //nolint:gosec // 0 or 1
		}
		captured = append(captured, uint32(l.now.UnixMicro()*9/100))
		l.frames(turns)
	}
	track.Close()
	const near = 9 // ticks; 0.1 ms
	off := func(got, want uint32) bool { return got-want+near > 2*near }
	var layers []byte
	packets, reports, n := 0, 0, 0
	for {
		item, err := track.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if item.Report != nil { // not of the first layer before its first packet
			reports++
			if want := captured[10*reports]; off(item.Report.RTP, want) {
				t.Errorf("report %d is of %d, want %d", reports, item.Report.RTP, want)
			}
			continue
		}
		p := item.Packet
		for n+1 < len(captured) && !off(p.Timestamp, captured[n+1]) {
			n++
		}
		if off(p.Timestamp, captured[n]) || p.SequenceNumber != 1000+uint16(packets) || item.Epoch != 0 {
			t.Errorf("packet %d is number %d of %d in epoch %d; the picture is of %d", packets, p.SequenceNumber, p.Timestamp, item.Epoch, captured[n])
		}
		if layer := p.Payload[5]; len(layers) == 0 || layers[len(layers)-1] != layer {
			layers = append(layers, layer)
		}
		packets++
	}
	if want := []byte{0, 1, 0, 1}; n != 39 || packets < 80 || reports != 3 || !slices.Equal(layers, want) {
		t.Errorf("%d packets up to picture %d and %d reports, of the layers %v, want %v", packets, n, reports, layers, want)
	}
}

func TestTapTrackKeepsACopy(t *testing.T) {
	p, _, _ := newLine(false, false)
	track := p.Attach(2)
	b := raw(1, 0, []byte{1})
	p.receive(b, time.Now())
	b[len(b)-1] = 9
	item, err := track.Next(t.Context())
	must(t, err)
	if item.Packet.Payload[0] != 1 {
		t.Error("the payload changed after it was received")
	}
}

func TestSpeech(t *testing.T) {
	loud, quiet := 30, 127
	var s speech
	for i, c := range []struct {
		level int
		want  bool
	}{
		{quiet, false},
		{loud, false},
		{loud, true}, // 200 ms
		{50, true},   // softer, but still speech
		{quiet, true},
		{quiet, true},
		{quiet, true},
		{quiet, true},
		{loud, true}, // a pause between words
		{quiet, true},
		{quiet, true},
		{quiet, true},
		{quiet, true},
		{quiet, true},
		{quiet, false}, // 600 ms
		{loud, false},
		{quiet, false}, // a click
		{loud, false},
		{loud, true},
	} {
		if got := s.tick(c.level); got != c.want {
			t.Fatalf("tick %d: %v, want %v", i, got, c.want)
		}
	}
}

func TestSpeakersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		var j journal
		tap, err := w.sfu.Room("r").Tap(&j)
		must(t, err)
		defer tap.Close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceAudio))
		time.Sleep(time.Second)
		a.speak(20)
		time.Sleep(300 * time.Millisecond)
		if got := j.speakers(); got != "[[ann]]" {
			t.Errorf("300 ms after ann began: %s", got)
		}
		a.speak(127)
		time.Sleep(800 * time.Millisecond)
		if got := j.speakers(); got != "[[ann] []]" {
			t.Errorf("800 ms after ann stopped: %s", got)
		}
		a.speak(20)
		time.Sleep(300 * time.Millisecond)
		a.leave()
		time.Sleep(200 * time.Millisecond)
		if got := j.speakers(); got != "[[ann] [] [ann] []]" {
			t.Errorf("after ann left: %s", got)
		}
	})
}

func (j *journal) speakers() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all [][]string
	for _, e := range j.events {
		if s, ok := e.(SpeakersChanged); ok {
			all = append(all, s.Members)
		}
	}
	return fmt.Sprint(all)
}

func TestQualityIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		var j journal
		tap, err := w.sfu.Room("r").Tap(&j)
		must(t, err)
		defer tap.Close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceCamera))
		time.Sleep(10 * time.Second)
		if got := j.qualities(); got["ann"] != QualityGood || got["bob"] != QualityGood {
			t.Errorf("on a good network: %v", got)
		}
		w.lose(0.2)
		time.Sleep(10 * time.Second)
		if got := j.qualities(); got["ann"] != QualityPoor || got["bob"] != QualityPoor {
			t.Errorf("with 20 %% loss: %v", got)
		}
		if len(b.got()) != 1 {
			t.Error("bob does not receive ann")
		}
	})
}

func (j *journal) qualities() map[string]Quality {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make(map[string]Quality)
	for _, e := range j.events {
		if q, ok := e.(QualityChanged); ok {
			all[q.Member] = q.Quality
		}
	}
	return all
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		loss  float64
		rtt   time.Duration
		share float64
		want  Quality
	}{
		{0, 20 * time.Millisecond, 0, QualityGood},
		{0, 20 * time.Millisecond, 1, QualityGood},
		{0.03, 0, 1, QualityFair},
		{0, 300 * time.Millisecond, 1, QualityFair},
		{0, 0, 0.5, QualityFair},
		{0.1, 0, 1, QualityPoor},
		{0, time.Second, 1, QualityPoor},
		{0, 0, 0.2, QualityPoor},
	} {
		if got := judge(c.loss, c.rtt, c.share); got != c.want {
			t.Errorf("%v, %v, %v: %s, want %s", c.loss, c.rtt, c.share, got, c.want)
		}
	}
}

func TestQualityHasAMemory(t *testing.T) {
	lossy := func(f float64) func(*meter) { return func(m *meter) { m.loss(f) } }
	far := func(m *meter) { m.roundTrip(20 * time.Millisecond) }
	var m meter
	for i, c := range []struct {
		note func(*meter)
		want Quality
	}{
		{func(*meter) {}, ""}, // nothing is known
		{lossy(0), QualityGood},
		{lossy(0.2), QualityPoor},
		{lossy(0), QualityPoor}, // one interval may be luck
		{lossy(0), QualityGood},
		{lossy(0.03), QualityFair},
		{lossy(0.2), QualityPoor},
		{far, QualityPoor}, // the reports of loss were lost
		{far, QualityPoor},
		{func(*meter) {}, ""},
		{far, QualityPoor}, // as before; but what was so long ago says nothing of now
		{far, QualityGood},
	} {
		c.note(&m)
		got, ok := m.take()
		if ok != (c.want != "") || ok && got != c.want {
			t.Fatalf("interval %d: %s %v, want %s", i, got, ok, c.want)
		}
	}
}

// A report about a handful of packets says nothing.
func TestLossOfAFewPackets(t *testing.T) {
	p, d, _ := newLine(false, false)
	p.receive(raw(1, 0, []byte{1}), time.Now())
	report := func(highest uint32, lost uint8) (Quality, bool) {
		d.hear(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{
			{SSRC: d.to.ssrc, LastSequenceNumber: highest, FractionLost: lost},
		}}, time.Now())
		return p.peer.meter.take()
	}
	if q, _ := report(1000, 0); q != QualityGood {
		t.Errorf("nothing lost: %s", q)
	}
	if q, ok := report(1003, 85); ok {
		t.Errorf("one of three lost: %s", q)
	}
	if q, _ := report(1053, 85); q != QualityPoor {
		t.Errorf("a third of fifty lost: %s", q)
	}
}

func TestKeyframeRequestsAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Duration
		begin := time.Now()
		var mu sync.Mutex
		k := newKeyframer(func() {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, time.Since(begin).Round(time.Millisecond))
		})
		check := func(want string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if got := fmt.Sprint(sent); got != want {
				t.Fatalf("asked at %s, want %s", got, want)
			}
		}
		for range 1000 {
			k.request()
		}
		check("[0s]")
		time.Sleep(100 * time.Millisecond)
		k.arrived()
		k.request()
		check("[0s]")
		time.Sleep(250 * time.Millisecond) // the end of the gap
		check("[0s 300ms]")
		time.Sleep(650 * time.Millisecond) // at 1 s: none came
		check("[0s 300ms 600ms]")
		time.Sleep(time.Second) // at 2 s
		check("[0s 300ms 600ms 1.2s]")
		k.arrived()
		time.Sleep(10 * time.Second)
		check("[0s 300ms 600ms 1.2s]")
		k.request()
		check("[0s 300ms 600ms 1.2s 12s]")
		k.stop()
		k.request()
		time.Sleep(10 * time.Second)
		check("[0s 300ms 600ms 1.2s 12s]")
	})
}

func TestKeyframeIsAskedForUntilItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{loss: 0.2, delay: 30 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceCamera))
		// Two handshakes come first, which may take long on such a network.
		for range 300 {
			time.Sleep(time.Second)
			if s := b.got()["ann/camera"]; s != nil && s.keys != 0 {
				return
			}
		}
		t.Error("no picture with 20 % loss")
	})
}

func TestRingPacketsAreReused(t *testing.T) {
	h := newHistory(false, 0, 1)
	var dst packet
	for i := range uint16(300) {
		h.put(&packet{seq: i, payload: []byte{byte(i)}})
	}
	if h.get(10, 0, &dst) {
		t.Error("a packet that was overwritten is found")
	}
	if !h.get(299, 0, &dst) || dst.payload[0] != byte(299&0xff) {
		t.Error("the newest packet is not found")
	}
	if h.get(299, 1, &dst) {
		t.Error("a packet of another epoch is found")
	}
}

// Of a publisher who also sees and hears others, it is known how long the way is.
func TestTheRoundTripToAPublisherIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 40 * time.Millisecond})
		defer w.close()
		a, b := w.client("ann").join("r", true, true), w.client("bob").join("r", true, false)
		must(t, a.publish(SourceAudio))
		must(t, b.publish(SourceAudio))
		time.Sleep(10 * time.Second)
		for _, p := range w.sfu.Room("r").Publications() {
			trip := p.RoundTrip().Round(time.Millisecond)
			if want := map[string]time.Duration{"ann": 80 * time.Millisecond, "bob": 0}[p.Info().Member]; trip != want {
				t.Errorf("to %s and back it takes %v, not %v", p.Info().Member, trip, want)
			}
		}
	})
}
