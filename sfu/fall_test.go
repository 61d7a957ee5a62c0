package sfu

import (
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// twoLayers is a camera in two layers on its way to a subscriber who reports what arrives.
type twoLayers struct {
	*line

	d    *downTrack
	out  *written
	seqs [2]uint16
	now  time.Time
}

func newTwoLayers(target int) *twoLayers {
	c := negotiate.Codec{MimeType: negotiate.VP8, ClockRate: 90000, PayloadType: 96, RTX: 97, Feedback: []string{"nack", "nack pli"}}
	l := &twoLayers{seqs: [2]uint16{100, 1000}, now: time.Now()}
	l.line, l.d, l.out = newLineOf(SourceCamera, true, c, "l", "h")
	l.layers[0].rates[0].Store(150_000)
	l.layers[1].rates[0].Store(1_200_000)
	l.d.pace(target)
	l.d.egress.decide(l.now)
	return l
}

// picture sends one packet of a layer.
func (l *twoLayers) picture(layer int, key bool) {
	l.packet(layer, key, false)
}

func (l *twoLayers) packet(layer int, key, repaired bool) {
	l.now = l.now.Add(10 * time.Millisecond)
	l.seqs[layer]++
	p := &packet{
		repaired: repaired, kind: codec.VP8, layer: uint8(layer), seq: l.seqs[layer], timestamp: uint32(l.now.UnixMicro()), arrival: l.now, handled: l.now,
		frame: codec.Frame{Begin: true, Keyframe: key}, payload: make([]byte, 500),
	}
	l.layers[layer].history.put(p)
	l.d.forward(nil, p)
}

// falls reports packets that went as they should, and then some that a link of that rate, in bit/s, let through.
func (l *twoLayers) falls(rate int) {
	const gap = 5 * time.Millisecond
	e, r, at := l.d.egress, twcc.NewRecorder(1), time.Second
	began := l.now
	for seq := range uint16(40) {
		e.estimator.Sent(seq, 1000, began.Add(time.Duration(seq)*gap), 0)
		if seq < 20 {
			at += gap
		} else {
			at += time.Duration(8000 * int(time.Second) / rate)
		}
		r.Record(7, seq, at.Microseconds())
		if seq%20 == 19 {
			l.now = began.Add(at - time.Second + 20*time.Millisecond)
			for _, p := range r.BuildFeedbackPacket() {
				l.d.hear(p, l.now)
			}
		}
	}
}

// loses reports packets of which every nth was lost, 0 for none.
func (l *twoLayers) loses(nth uint16) {
	e, r := l.d.egress, twcc.NewRecorder(1)
	for seq := range uint16(150) {
		l.now = l.now.Add(10 * time.Millisecond)
		e.estimator.Sent(seq, 1000, l.now, 0)
		if nth == 0 || seq%nth != 1 {
			r.Record(7, seq, int64(seq+100)*10_000)
		}
	}
	for _, p := range r.BuildFeedbackPacket() {
		l.d.hear(p, l.now)
	}
}

// asked reports whether the publisher is to send a key frame of a layer, and forgets it.
func (l *twoLayers) asked(layer int) bool {
	k := l.layers[layer].keys
	k.mu.Lock()
	defer k.mu.Unlock()
	wanted := k.wanted
	k.wanted = false
	return wanted
}

func TestAFallEndsALayerAtOnce(t *testing.T) {
	l := newTwoLayers(3_000_000)
	l.picture(1, true)
	l.picture(1, false)
	if len(l.out.headers) != 2 || l.d.choice != 1 {
		t.Fatalf("%d packets, layer %d", len(l.out.headers), l.d.choice)
	}
	last := l.out.headers[1].SequenceNumber
	l.falls(300_000)
	if l.d.choice != 0 {
		t.Fatalf("layer %d, estimate %d", l.d.choice, l.d.egress.estimator.Estimate())
	}
	l.picture(1, false)
	l.d.hear(&rtcp.TransportLayerNack{MediaSSRC: l.d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: last}}}, l.now)
	if n := len(l.out.headers); n != 2 {
		t.Errorf("%d packets of what is given up were sent", n-2)
	}
	l.now = l.now.Add(drainPatience)
	l.d.egress.beat(nil, l.now)
	if !l.asked(0) {
		t.Fatal("no key frame is asked for when the queue has drained")
	}
	l.picture(0, true)
	if n := len(l.out.headers); n != 3 || l.out.headers[2].SequenceNumber != last+1 {
		t.Fatalf("%d packets, %+v", n, l.out.headers)
	}
	l.d.hear(&rtcp.TransportLayerNack{MediaSSRC: l.d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: last + 1}}}, l.now)
	if n := len(l.out.headers); n != 4 {
		t.Error("what is sent from then on is not repaired")
	}
}

func TestAKeyFrameBehindAQueueIsNotAskedForAtOnce(t *testing.T) {
	l := newTwoLayers(3_000_000)
	l.picture(1, true)
	e := l.d.egress
	l.falls(300_000)
	l.asked(0) // all that was sent has come
	for seq := range uint16(10) {
		e.estimator.Sent(100+seq, 1000, l.now, 0) // 270 ms of it
	}
	e.decide(l.now)
	l.picture(0, true)
	if l.asked(0) || len(l.out.headers) != 1 {
		t.Errorf("%d packets", len(l.out.headers))
	}
	e.beat(nil, l.now.Add(200*time.Millisecond))
	if len(l.out.headers) != 2 {
		t.Error("the key frame that came meanwhile is not sent when the queue has drained")
	}
}

func TestAKeyFrameOnItsWayIsNotAskedForAgain(t *testing.T) {
	l := newTwoLayers(3_000_000)
	l.picture(1, true)
	lost := &rtcp.PictureLossIndication{MediaSSRC: l.d.to.ssrc}
	l.asked(1)
	l.d.hear(lost, l.now.Add(keyframeOnWay/2))
	if l.asked(1) {
		t.Error("it is asked for")
	}
	l.d.hear(lost, l.now.Add(keyframeOnWay))
	if !l.asked(1) {
		t.Error("it is not asked for, although it must have been lost")
	}
}

// Where much is lost, one copy of what comes late already is not enough.
func TestRepairsGoTwiceWhereMuchIsLost(t *testing.T) {
	for _, c := range []struct {
		nth    uint16
		copies int
	}{{0, 1}, {10, 2}} {
		l := newTwoLayers(3_000_000)
		l.picture(1, true)
		l.loses(c.nth)
		before := len(l.out.headers)
		l.packet(1, false, true)
		if n := len(l.out.headers) - before; n != c.copies {
			t.Errorf("a packet that came late goes out %d times, want %d", n, c.copies)
		}
		l.picture(1, false)
		before = len(l.out.headers)
		last := l.out.headers[before-1].SequenceNumber
		l.d.hear(&rtcp.TransportLayerNack{MediaSSRC: l.d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: last}}}, l.now)
		sent := l.out.headers[before:]
		if len(sent) != c.copies {
			t.Errorf("what is asked for goes out %d times, want %d", len(sent), c.copies)
		}
		if c.copies == 2 && (len(sent) != 2 || sent[0].SSRC != l.d.to.rtxSSRC || sent[0].SequenceNumber == sent[1].SequenceNumber) {
			t.Errorf("%+v", sent)
		}
	}
}
