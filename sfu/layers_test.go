package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// layered is a line with two layers, SSRCs 100 and 101; their timestamps differ by one second.
type layered struct {
	*line
	t    *testing.T
	d    *downTrack
	out  *written
	now  time.Time
	seqs [2]uint16
	pic  uint16
}

const secondLayer = 90_000 // ticks that the upper layer's clock is ahead

func newLayered(t *testing.T) *layered {
	c := negotiate.Codec{
		MimeType: negotiate.VP8, ClockRate: 90000, PayloadType: 96, RTX: 97, Feedback: []string{"nack", "nack pli"},
	}
	l := &layered{t: t, now: time.Now(), seqs: [2]uint16{1000, 65500}}
	l.line, l.d, l.out = newLineOf(SourceCamera, true, c, "low", "high")
	return l
}

// frames sends a picture of both layers, two packets each, and goes on by 1/30 s. The upper layer counts its pictures from another
// number.
func (l *layered) frames(key bool) {
	l.pic++
	ts := uint32(l.now.UnixMicro() * 9 / 100)
	for layer := range 2 {
		for i := range 2 {
			head := byte(1)
			if key && i == 0 {
				head = 0
			}
			pic := l.pic + uint16(layer)*500
			b := []byte{0x80, 0x80, 0x80 | byte(pic>>8), byte(pic), head, byte(layer)}
			if i == 0 {
				b[0] |= 0x10
			}
			l.packet(layer, ts+uint32(layer)*secondLayer, i == 1, b)
		}
	}
	l.now = l.now.Add(time.Second / 30)
}

// late sends a key frame of the upper layer whose first packet comes last, and one more picture.
func (l *layered) late() {
	ts := uint32(l.now.UnixMicro()*9/100) + secondLayer
	l.pic++
	first := l.seqs[1]
	payload := func(begins byte) []byte {
		pic := l.pic + 500
		return []byte{0x80 | begins<<4, 0x80, 0x80 | byte(pic>>8), byte(pic), 1 - begins, 1}
	}
	l.seqs[1]++
	l.packet(1, ts, false, payload(0))
	l.packet(1, ts, true, payload(0))
	after := l.seqs[1]
	l.seqs[1] = first
	l.packet(1, ts, false, payload(1))
	l.seqs[1] = after
	l.now = l.now.Add(time.Second / 30)
	l.pic++
	l.packet(1, ts+3000, true, payload(0))
}

func (l *layered) packet(layer int, ts uint32, marker bool, payload []byte) {
	p := rtp.Packet{
		Header: rtp.Header{
			Version: 2, PayloadType: 96, SequenceNumber: l.seqs[layer], Timestamp: ts, SSRC: 100 + uint32(layer), Marker: marker,
		}, Payload: payload,
	}
	l.seqs[layer]++
	must(l.t, p.SetExtension(1, []byte("0")))
	must(l.t, p.SetExtension(2, []byte([]string{"low", "high"}[layer])))
	b, err := p.Marshal()
	must(l.t, err)
	l.receive(b, l.now)
}

func (l *layered) reports() {
	ts := uint32(l.now.UnixMicro() * 9 / 100)
	for layer := range uint32(2) {
		b, err := (&rtcp.SenderReport{SSRC: 100 + layer, NTPTime: ntp(l.now), RTPTime: ts + layer*secondLayer}).Marshal()
		must(l.t, err)
		l.in.HandleRTCP(nil, b, l.now)
	}
}

// ntp is a time as sender reports give it.
func ntp(t time.Time) uint64 {
	seconds := uint64(t.Unix() + 2_208_988_800)
	return seconds<<32 | uint64(t.Nanosecond())<<32/1e9
}

func (l *layered) choose(layer int) {
	l.d.egress.mu.Lock()
	defer l.d.egress.mu.Unlock()
	l.d.choose(layer, l.now)
}

// stale sends pictures until no key frame is fresh.
func (l *layered) stale() {
	for until := l.now.Add(keyframeFresh); !l.now.After(until); {
		l.frames(false)
	}
}

// check reads what the subscriber got: which layers, and that the numbers have no gap.
func (l *layered) check() (layers string) {
	l.t.Helper()
	for i, h := range l.out.headers {
		f, err := codec.Parse(codec.VP8, l.out.payloads[i], h.Marker, nil)
		must(l.t, err)
		if layer := fmt.Sprint(l.out.payloads[i][5]); len(layers) == 0 || layers[len(layers)-1:] != layer {
			layers += layer
		}
		if i == 0 {
			continue
		}
		last := l.out.headers[i-1]
		before, err := codec.Parse(codec.VP8, l.out.payloads[i-1], false, nil)
		must(l.t, err)
		if h.SequenceNumber != last.SequenceNumber+1 {
			l.t.Errorf("packet %d: number %d follows %d", i, h.SequenceNumber, last.SequenceNumber)
		}
		if want := before.PictureID + map[bool]uint16{true: 1}[f.Begin]; f.PictureID != want {
			l.t.Errorf("packet %d: picture %d, want %d", i, f.PictureID, want)
		}
		step := h.Timestamp - last.Timestamp
		if f.Begin && (step == 0 || step > 9010) || !f.Begin && step != 0 {
			l.t.Errorf("packet %d: the timestamp goes on by %d", i, step)
		}
	}
	return layers
}

func TestASubscriberGoesFromLayerToLayerAtKeyFrames(t *testing.T) {
	for _, reports := range []bool{false, true} {
		t.Run(fmt.Sprint("with reports ", reports), func(t *testing.T) {
			l := newLayered(t)
			l.choose(0)
			l.frames(true)
			l.layers[1].keys = newKeyframer(func() { l.in.askKeyframe(101) }) // one that was not asked yet
			if reports {
				l.reports()
			}
			l.stale()
			l.choose(1)
			l.frames(false)
			if got := l.check(); got != "0" {
				t.Fatalf("layers %s before there was a key frame", got)
			}
			asked := 0
			for _, p := range l.back.control {
				if pli, ok := p.(*rtcp.PictureLossIndication); ok && pli.MediaSSRC == 101 {
					asked++
				}
			}
			if asked == 0 {
				t.Error("no key frame of the other layer was asked for")
			}
			l.frames(true)
			l.stale()
			l.choose(0)
			l.frames(true)
			l.stale()
			l.choose(-1)
			l.frames(false)
			l.choose(1)
			l.frames(true)
			l.frames(false)
			if got := l.check(); got != "0101" {
				t.Errorf("layers %s", got)
			}
		})
	}
}

func TestLayersAreAlignedByTheirReports(t *testing.T) {
	l := newLayered(t)
	l.choose(0)
	l.frames(true)
	l.reports()
	l.stale()
	before := l.out.headers[len(l.out.headers)-1].Timestamp
	l.choose(1)
	l.now = l.now.Add(150 * time.Millisecond) // late, but when it was captured is what counts
	l.frames(true)
	after := l.out.headers[len(l.out.headers)-1].Timestamp
	if d := int(after - before); d < 16_490 || d > 16_510 { // 150 ms and a frame
		t.Errorf("the timestamp goes on by %d", d)
	}
}

func TestRetransmissionAcrossLayers(t *testing.T) {
	l := newLayered(t)
	l.choose(0)
	l.frames(true)
	l.choose(1)
	l.frames(true)
	n := len(l.out.headers)
	first := l.out.headers[0].SequenceNumber
	l.d.hear(&rtcp.TransportLayerNack{
		MediaSSRC: l.d.to.ssrc, Nacks: []rtcp.NackPair{{PacketID: first, LostPackets: 1<<(n-1) - 1}},
	}, l.now)
	if len(l.out.headers) != 2*n {
		t.Fatalf("%d of %d packets were sent again", len(l.out.headers)-n, n)
	}
	for i := range n {
		if string(l.out.payloads[n+i][2:]) != string(l.out.payloads[i]) {
			t.Errorf("packet %d is another when it is sent again", i)
		}
	}
}

func TestRecordersGetTheBestLayer(t *testing.T) {
	l := newLayered(t)
	track := l.Attach(1000)
	l.frames(true)
	l.frames(false)
	l.best.Store(1)
	l.frames(false)
	l.frames(true)
	l.frames(false)
	l.best.Store(0)
	l.frames(true)
	track.Close()
	layers, last := "", uint16(0)
	for {
		item, err := track.Next(t.Context())
		if err != nil {
			break
		}
		layer := fmt.Sprint(item.Packet.Payload[5])
		if layers != "" && item.Packet.SequenceNumber != last+1 {
			t.Errorf("number %d follows %d", item.Packet.SequenceNumber, last)
		}
		last = item.Packet.SequenceNumber
		if len(layers) == 0 || layers[len(layers)-1:] != layer {
			layers += layer
		}
	}
	if layers != "010" {
		t.Errorf("layers %s", layers)
	}
}
