package sfu

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// vp9 is a packet of a stream with two spatial layers, which is the whole frame of its layer (RFC 9628 section 4.2).
func vp9(seq, picture uint16, spatial uint8, key bool) []byte {
	flags, head := byte(0x80|0x20|0x08|0x04), byte(0x80) // I, L, B, E; a key frame
	if !key {
		flags, head = flags|0x40, 0x84 // P; another frame
	}
	p := rtp.Packet{
		Header: rtp.Header{
			Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: uint32(picture) * 3000, SSRC: 7, Marker: spatial == 1,
		},
		Payload: []byte{flags, 0x80 | byte(picture>>8), byte(picture), spatial<<1 | spatial, byte(picture), head, 0xaa},
	}
	b, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func TestSpatialLayersOfOneStream(t *testing.T) {
	c := negotiate.Codec{MimeType: negotiate.VP9, ClockRate: 90000, PayloadType: 96, Parameters: "profile-id=0"}
	p, d, out := newLineOf(SourceCamera, false, c)
	now := time.Now()
	seq, picture := uint16(100), uint16(1)
	play := func(pictures int, key bool) {
		for range pictures {
			for spatial := range uint8(2) {
				p.receive(vp9(seq, picture, spatial, key), now)
				seq++
			}
			picture++
			key = false
		}
	}
	choose := func(layer int) {
		d.egress.mu.Lock()
		defer d.egress.mu.Unlock()
		d.choose(layer, now)
	}
	play(1, true)
	choose(0)
	play(2, false)
	choose(1)
	play(1, false) // more comes with a key frame only
	play(2, true)
	var got []string
	for i, h := range out.headers {
		f, err := codec.Parse(codec.VP9, out.payloads[i], h.Marker, nil)
		must(t, err)
		got = append(got, fmt.Sprint(f.Spatial))
		if i > 0 && h.SequenceNumber != out.headers[i-1].SequenceNumber+1 {
			t.Errorf("%d follows %d", h.SequenceNumber, out.headers[i-1].SequenceNumber)
		}
		last := i+1 == len(out.headers) || out.headers[i+1].Timestamp != h.Timestamp
		if h.Marker != last {
			t.Errorf("packet %d of %d: the mark of the last of a picture is %v", i, len(out.headers), h.Marker)
		}
	}
	if all := strings.Join(got, ""); all != "01"+"00"+"0"+"0101" {
		t.Errorf("layers %s", all)
	}
	if n := len(p.Stats().Layers); n != 1 || p.layers[0].spatial.Load() != 2 {
		t.Errorf("%d streams, %d layers", n, p.layers[0].spatial.Load())
	}
}

func TestOrientationIsPassedOn(t *testing.T) {
	p, d, out := newLine(true, false)
	p.in.ids.orientation = 4
	d.to.orientation = 3
	pkt := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 7}, Payload: []byte{0x90, 0x80, 0x01, 0, 0, 0}}
	must(t, pkt.SetExtension(4, []byte{0x01}))
	b, err := pkt.Marshal()
	must(t, err)
	p.receive(b, time.Now())
	if len(out.headers) != 1 || out.headers[0].GetExtension(3) == nil || out.headers[0].GetExtension(3)[0] != 1 {
		t.Errorf("%+v", out.headers)
	}
}
