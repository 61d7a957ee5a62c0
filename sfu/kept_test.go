package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// keptLine is a publication of plain sound whose publisher sends it again when asked, if kept.
func keptLine(kept bool) (*line, *written) {
	p, _, out := newLineOf(SourceAudio, false, negotiate.Codec{MimeType: negotiate.Opus, ClockRate: 48000, Channels: 2, PayloadType: 96, Kept: kept})
	return p, out
}

// requests are the packets that a publisher was asked for.
func (w *written) requests() (seqs []uint16) {
	for _, p := range w.control {
		if n, ok := p.(*rtcp.TransportLayerNack); ok {
			for _, pair := range n.Nacks {
				seqs = append(seqs, pair.PacketList()...)
			}
		}
	}
	return seqs
}

func TestSoundThatIsKeptIsAskedFor(t *testing.T) {
	for _, kept := range []bool{true, false} {
		p, out := keptLine(kept)
		now := time.Now()
		for _, i := range []uint16{0, 1, 3, 4} {
			p.receive(raw(i, uint32(i)*960, opusNumber(int(i))), now.Add(time.Duration(i)*20*time.Millisecond))
		}
		asked := p.back.requests()
		if kept && (len(asked) == 0 || asked[0] != 2) || !kept && len(asked) != 0 {
			t.Errorf("kept is %v, and %v are asked for", kept, asked)
		}
		p.receive(raw(2, 1920, opusNumber(2)), now.Add(100*time.Millisecond))
		if got := out.seqs(); got != "[0 1 3 4 2]" {
			t.Errorf("sent %s", got)
		}
	}
}

// The publisher is told what was lost on the way, though it was sent again: its encoder makes redundancy by that.
func TestSoundThatWasSentAgainIsReportedLost(t *testing.T) {
	p, _ := keptLine(true)
	now := time.Now()
	for i := range uint16(100) {
		at := now.Add(time.Duration(i) * 20 * time.Millisecond)
		if i%10 == 5 {
			continue
		}
		p.receive(raw(i, uint32(i)*960, opusNumber(int(i))), at)
		if i%10 == 8 {
			p.receive(raw(i-3, uint32(i-3)*960, opusNumber(int(i-3))), at)
		}
	}
	p.in.beat(nil, now.Add(reportInterval+2*time.Second))
	for _, c := range p.back.control {
		if r, ok := c.(*rtcp.ReceiverReport); ok && len(r.Reports) == 1 {
			if lost := float64(r.Reports[0].FractionLost) / 256; lost < 0.08 || lost > 0.12 {
				t.Errorf("%.3f is reported lost, want 0.1", lost)
			}
			return
		}
	}
	t.Error("nothing is reported")
}
