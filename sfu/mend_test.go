package sfu

import (
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// newReporting is a camera on its way to a subscriber who numbers all that comes.
func newReporting() *twoLayers {
	l := newTwoLayers(3_000_000)
	l.d.bind(negotiate.Accepted{Codec: negotiate.Codec{PayloadType: 96, RTX: 97}, NACK: true, TransportCC: 3})
	return l
}

// reported is what the subscriber says of the packets sent so far: that each came a while after it was sent, but for those lost.
func (l *twoLayers) reported(lost func(seq uint16) bool) {
	r := twcc.NewRecorder(1)
	for i := range l.out.headers {
		if seq := uint16(i) + 1; !lost(seq) {
			r.Record(7, seq, int64(seq)*10_000)
		}
	}
	for _, p := range r.BuildFeedbackPacket() {
		l.d.hear(p, l.now.Add(20*time.Millisecond))
	}
}

func TestWhatIsReportedLostIsSentAgainUnasked(t *testing.T) {
	l := newReporting()
	l.picture(1, true)
	for range 19 {
		l.picture(1, false)
	}
	lost := l.out.headers[17].SequenceNumber
	l.reported(func(seq uint16) bool { return seq == 18 })
	if n := len(l.out.headers); n != 21 {
		t.Fatalf("%d packets went out, want 20 and a repair", n)
	}
	h, body := l.out.headers[20], l.out.payloads[20]
	if h.SSRC != l.d.to.rtxSSRC || uint16(body[0])<<8|uint16(body[1]) != lost {
		t.Errorf("%+v repairs % x, want %d", h, body[:2], lost)
	}
	// It is on its way: a request that crosses with it is not answered once more.
	l.d.hear(&rtcp.TransportLayerNack{MediaSSRC: l.d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: lost}}}, l.now.Add(30*time.Millisecond))
	if n := len(l.out.headers); n != 21 {
		t.Errorf("%d packets", n)
	}
	if got := l.d.stats.Repaired; got != 1 {
		t.Errorf("%d are counted", got)
	}
}

func TestWhatIsAskedForIsNotSentAgainForAReport(t *testing.T) {
	l := newReporting()
	l.picture(1, true)
	for range 19 {
		l.picture(1, false)
	}
	nack := &rtcp.TransportLayerNack{MediaSSRC: l.d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: l.out.headers[17].SequenceNumber}}}
	l.d.hear(nack, l.now)
	if n := len(l.out.headers); n != 21 {
		t.Fatalf("%d packets", n)
	}
	l.reported(func(seq uint16) bool { return seq == 18 })
	if n := len(l.out.headers); n != 21 {
		t.Errorf("%d packets, although the repair has come", n)
	}
}

// A subscriber that calls everything lost gets no more than one that asks for everything: the budget is the same.
func TestReportsOfLossesDoNotMakeTheServerSendMore(t *testing.T) {
	l := newReporting()
	e := l.d.egress
	e.pacer.SetTarget(estimateHighest * 10) // so that all goes out at once
	const count = 2 * maxResends
	for i := range uint16(count) {
		p := &packet{
			kind: codec.VP8, layer: 1, seq: 1000 + i, timestamp: 1, arrival: l.now, handled: l.now.Add(time.Duration(i) * time.Millisecond / 10),
			frame: codec.Frame{Begin: true, Keyframe: i == 0}, payload: make([]byte, 500),
		}
		l.layers[1].history.put(p)
		l.d.forward(nil, p)
	}
	if n := len(l.out.headers); n != count {
		t.Fatalf("%d packets went out", n)
	}
	l.now = l.now.Add(count * time.Millisecond / 10)
	l.reported(func(seq uint16) bool { return seq != 1 && seq != count })
	n := len(l.out.headers) - count
	if most := maxResends; n == 0 || n > most {
		t.Errorf("%d repairs, want some and at most %d", n, most)
	}
	if target := e.estimator.Target(); n*540*8 > target/4 {
		t.Errorf("%d repairs at once, with a target of %d", n, target)
	}
}
