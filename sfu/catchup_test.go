package sfu

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
	"pgregory.net/rapid"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// A key frame that a subscriber had asked for serves those who come after it.
func TestASubscriberBeginsWithAKeyFrameThatIsFresh(t *testing.T) {
	p, _, _ := newLine(true, true)
	now := time.Now()
	p.receive(frame(10, 0, 1, true), now)
	p.receive(frame(11, 3000, 2, false), now.Add(33*time.Millisecond))
	asked := p.layers[0].stats.keyframeRequests.Load()
	d, out := p.subscribe(true)
	d.egress.mu.Lock()
	d.choose(0, now.Add(40*time.Millisecond))
	d.egress.mu.Unlock()
	p.receive(frame(12, 6000, 3, false), now.Add(66*time.Millisecond)) // does not overtake
	d.egress.beat(nil, now.Add(67*time.Millisecond))
	p.receive(frame(13, 9000, 4, false), now.Add(99*time.Millisecond))
	if got := out.seqs(); got != "[10 11 12 13]" {
		t.Errorf("sent %s", got)
	}
	if n := p.layers[0].stats.keyframeRequests.Load(); n != asked {
		t.Errorf("%d key frames were asked for", n-asked)
	}
}

func TestAnOldKeyFrameIsNotFresh(t *testing.T) {
	h := newHistory(true, 0, 1)
	now := time.Now()
	put := func(seq uint16, ts uint32, key bool) {
		h.put(&packet{kind: codec.VP8, seq: seq, timestamp: ts, arrival: now, frame: codec.Frame{Keyframe: key}, payload: make([]byte, 100)})
	}
	check := func(what string, want int) {
		t.Helper()
		if s, ok := h.fresh(now.Add(-keyframeFresh), nil); ok != (want > 0) || ok && len(s.sizes) != want {
			t.Errorf("%s: %v, %d packets; want %d", what, ok, len(s.sizes), want)
		}
	}
	check("nothing came", 0)
	put(65534, 0, true)
	put(65535, 0, false)
	put(1, 3000, false)
	check("a packet is missing", 0)
	put(0, 3000, false)
	check("all is there", 4)
	now = now.Add(keyframeFresh + 1)
	check("it is old", 0)
	put(2, 6000, true)
	check("a new one", 1)
	put(4, 9000, true) // its first packet, of H.264, comes late
	put(3, 9000, true)
	check("the beginning came late", 2)
	for i := range uint16(videoHistory) {
		put(5+i, 12000, false)
	}
	check("it is overwritten", 0)
}

func TestASlowLinkIsNotFilledWithThePast(t *testing.T) {
	p, _, _ := newLine(true, true)
	now := time.Now()
	for seq := range uint16(30) { // 30 kB
		p.receive(bigFrame(seq, seq == 0), now)
	}
	for _, c := range []struct {
		target int
		caught bool
	}{{400_000, false}, {1_000_000, true}} {
		d, out := p.subscribe(true)
		d.pace(c.target)
		d.egress.mu.Lock()
		d.egress.abandon(d) // it had begun before it was known to be paced
		d.choose(0, now)
		caught := d.egress.queue.size != 0
		d.egress.mu.Unlock()
		if caught != c.caught {
			t.Errorf("%d bit/s: caught up is %v", c.target, caught)
		}
		d.egress.beat(nil, now)
		if n := len(out.headers); n > 20 {
			t.Errorf("%d bit/s: %d packets at once", c.target, n)
		}
	}
}

// Whatever order a reader that keeps and then passes, the allocation and the queue come in: no number goes out twice, none is left
// out, and nothing goes before a key frame.
func TestCatchingUpInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, d, out := newLineOf(SourceCamera, true, negotiate.Codec{MimeType: negotiate.VP8, ClockRate: 90000, PayloadType: 96, RTX: 97}, "l", "h")
		e, now := d.egress, time.Now()
		var held []*packet // kept, and not passed
		seqs := [2]uint16{65530, 100}
		pass := func() {
			for _, k := range held {
				d.forward(nil, k)
			}
			held = nil
		}
		d.pace(rapid.SampledFrom([]int{200_000, 3_000_000}).Draw(t, "target"))
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1, 2:
				pass()
				layer := rapid.IntRange(0, 1).Draw(t, "layer")
				seqs[layer]++
				key := rapid.IntRange(0, 3).Draw(t, "key") == 0
				k := &packet{
					kind: codec.VP8, layer: uint8(layer), seq: seqs[layer], timestamp: uint32(now.UnixMicro()), arrival: now,
					frame: codec.Frame{Begin: true, Keyframe: key}, payload: []byte{byte(layer), byte(seqs[layer]), 0, 0},
				}
				if key {
					k.payload[2] = 1
				}
				p.layers[layer].history.put(k)
				held = append(held, k)
			case 3:
				e.mu.Lock()
				d.choose(rapid.IntRange(-1, 1).Draw(t, "choice"), now)
				e.mu.Unlock()
			case 4:
				now = now.Add(time.Duration(rapid.IntRange(1, 150).Draw(t, "ms")) * time.Millisecond)
				e.mu.Lock()
				e.drain(nil, now)
				e.mu.Unlock()
			case 5:
				pass()
			}
		}
		seen := make(map[string]bool)
		for i, h := range out.headers {
			if h.SSRC != d.to.ssrc {
				t.Fatal("another stream")
			}
			if i > 0 && h.SequenceNumber != out.headers[i-1].SequenceNumber+1 {
				t.Fatalf("%d follows %d", h.SequenceNumber, out.headers[i-1].SequenceNumber)
			}
			if i > 0 && !newer(h.Timestamp, out.headers[i-1].Timestamp) && h.Timestamp != out.headers[i-1].Timestamp {
				t.Fatalf("timestamp %d follows %d", h.Timestamp, out.headers[i-1].Timestamp)
			}
			if now := out.payloads[i]; now[2] == 0 && (i == 0 || now[0] != out.payloads[i-1][0]) {
				t.Fatalf("layer %d begins without a key frame", now[0])
			}
			if seen[string(out.payloads[i])] {
				t.Fatalf("packet %v was sent twice", out.payloads[i])
			}
			seen[string(out.payloads[i])] = true
		}
	})
}

// Ten people come 20 ms apart.
func TestACrowdGetsItsPictureAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay, crowd = 10 * time.Millisecond, 10
		w := newWorld(t, conditions{delay: delay})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceCamera))
		time.Sleep(3 * time.Second)
		l := w.sfu.Room("r").Publications()[0].layers[0]
		before, began := l.stats.keyframeRequests.Load(), time.Now()
		var all []*client
		for i := range crowd {
			all = append(all, w.client(fmt.Sprint("m", i)).join("r", false, true))
			time.Sleep(20 * time.Millisecond)
		}
		connected := make(map[*client]time.Time)
		waiting := append([]*client(nil), all...)
		for time.Since(began) < 5*time.Second && len(waiting) != 0 {
			time.Sleep(time.Millisecond)
			waiting = waiting[:0]
			for _, c := range all {
				if s := c.subscribed(); s == nil || s.ConnectionState() != webrtc.PeerConnectionStateConnected {
					waiting = append(waiting, c)
					continue
				}
				if connected[c].IsZero() {
					connected[c] = time.Now()
				}
				s := c.got()["ann/camera"]
				if s != nil && s.keys > 0 && s.packets >= 3 {
					continue
				}
				waiting = append(waiting, c)
				if most := 2*time.Second/30 + 4*delay; time.Since(connected[c]) > most {
					t.Fatalf("%s has no picture %v after it was connected", c.id, most)
				}
			}
		}
		if len(waiting) != 0 {
			t.Fatalf("%d have no picture", len(waiting))
		}
		if n, most := l.stats.keyframeRequests.Load()-before, uint64(time.Since(began)/keyframeGap)+1; n > most {
			t.Errorf("%d key frames were asked for, want at most %d", n, most)
		}
		time.Sleep(time.Second)
		for _, c := range all {
			s := c.got()["ann/camera"]
			if len(s.seqs) != s.packets || len(s.numbers) != s.packets || int(s.last-s.first+1) != s.packets {
				t.Errorf("%s: %d packets, %d sequence numbers, numbers %d to %d", c.id, s.packets, len(s.seqs), s.first, s.last)
			}
		}
	})
}
