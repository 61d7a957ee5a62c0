package sfu

import (
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// redundant is a RED payload: the Opus packets 1, as redundancy, and 2 (RFC 2198 section 3).
func redundant() []byte { return []byte{0x80 | 109, 0x0f, 0x00, 3, 109, 1, 1, 1, 2, 2} }

func TestRedundantSound(t *testing.T) {
	for _, accepted := range []bool{true, false} {
		red := negotiate.Codec{MimeType: negotiate.RED, ClockRate: 48000, Channels: 2, PayloadType: 63, Parameters: "109/109"}
		p, d, out := newLineOf(SourceAudio, false, red)
		if accepted {
			d.to.red = 63
		}
		track := p.Attach(10)
		b := raw(1, 960, redundant())
		b[1] = 63
		p.receive(b, time.Now())
		if len(out.headers) != 1 {
			t.Fatalf("%d packets", len(out.headers))
		}
		want, pt := []byte{2, 2}, uint8(96)
		if accepted {
			want, pt = redundant(), 63
			want[0], want[4] = 0x80|96, 96 // the payload type that Opus has on that connection
		}
		if string(out.payloads[0]) != string(want) || out.headers[0].PayloadType != pt {
			t.Errorf("accepted %v: % x of type %d", accepted, out.payloads[0], out.headers[0].PayloadType)
		}
		item, err := track.Next(t.Context())
		must(t, err)
		if string(item.Packet.Payload) != "\x02\x02" || p.Codec().MimeType != "audio/opus" {
			t.Errorf("a recorder gets % x of %s", item.Packet.Payload, p.Codec().MimeType)
		}
		cut := raw(2, 1920, redundant()[:3])
		cut[1] = 63
		p.receive(cut, time.Now())
		if len(out.headers) != 1 || p.Counts().Malformed != 1 {
			t.Errorf("redundancy that is cut short: %+v", p.Counts())
		}
	}
}

func FuzzRelabel(f *testing.F) {
	f.Add(redundant())
	f.Fuzz(func(_ *testing.T, b []byte) { relabel(b, 111) })
}
