package sfu

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// texts keeps what is sent as it goes to the cipher.
type texts struct{ sent [][]byte }

func (s *texts) SendRTP(_ *transport.Batch, h *rtp.Header, payload []byte) bool {
	p := rtp.Packet{Header: *h, Payload: payload}
	raw, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	s.sent = append(s.sent, raw)
	return true
}

func (s *texts) SendRTCP(*transport.Batch, []byte) bool { return true }

func number(raw []byte) uint16 { return uint16(raw[2])<<8 | uint16(raw[3]) }

// plainLine is a publication of sound with a subscriber who takes no redundancy, and reports what arrives.
func plainLine(copies int) (*line, *downTrack, *texts) {
	p, d, _ := newLine(false, false)
	out := &texts{}
	d.pace(estimateFirst)
	d.to.transportCC, d.egress.copies, d.egress.out = 2, copies, out
	return p, d, out
}

func TestCopiesAreTheSameToTheLastByte(t *testing.T) {
	for copies := range maxCopies + 1 {
		p, _, out := plainLine(copies)
		now := time.Now()
		for i := range uint16(20) {
			p.receive(raw(65530+i, uint32(i)*960, opusNumber(int(i))), now.Add(time.Duration(i)*20*time.Millisecond))
		}
		seen := make(map[uint16][]byte)
		times := make(map[uint16]int)
		for _, text := range out.sent {
			n := number(text)
			if before := seen[n]; before != nil && !bytes.Equal(before, text) {
				t.Fatalf("%d goes out as % x and as % x", n, before, text)
			}
			seen[n] = text
			times[n]++
		}
		for i := range uint16(20 - maxCopies) { // of the last, copies are to come
			if n := times[65530+i]; n != 1+copies {
				t.Errorf("packet %d goes out %d times, want %d", i, n, 1+copies)
			}
		}
	}
}

func TestACopyFollowsTheNextPacket(t *testing.T) {
	p, _, out := plainLine(1)
	now := time.Now()
	for i := range uint16(4) {
		p.receive(raw(10+i, uint32(i)*960, opusNumber(int(i))), now.Add(time.Duration(i)*20*time.Millisecond))
	}
	want := []uint16{10, 11, 10, 12, 11, 13, 12}
	for i, text := range out.sent {
		if i >= len(want) || number(text) != want[i] {
			t.Fatalf("packet %d of %d is %d, want %v", i, len(out.sent), number(text), want)
		}
	}
}

func TestACopyDoesNotWaitForEver(t *testing.T) {
	p, d, out := plainLine(1)
	now := time.Now()
	p.receive(raw(10, 0, opusNumber(0)), now)
	d.egress.decidedAt = now.Add(time.Hour) // what is decided is not the question
	d.egress.beat(nil, now.Add(copyAfter-time.Millisecond))
	if len(out.sent) != 1 {
		t.Fatalf("%d packets at once", len(out.sent))
	}
	d.egress.beat(nil, now.Add(copyAfter))
	d.egress.beat(nil, now.Add(2*copyAfter))
	if len(out.sent) != 2 || !bytes.Equal(out.sent[0], out.sent[1]) {
		t.Errorf("%d packets, want the copy, once", len(out.sent))
	}
	p.receive(raw(11, 960, opusNumber(1)), now.Add(time.Second))
	d.egress.copies = 0
	p.receive(raw(12, 1920, opusNumber(2)), now.Add(2*time.Second))
	d.egress.copies = 1
	p.receive(raw(13, 2880, opusNumber(3)), now.Add(3*time.Second))
	if len(out.sent) != 5 {
		t.Errorf("%d packets: what is old is copied", len(out.sent))
	}
}

func TestWithoutLossNothingIsCopied(t *testing.T) {
	p, d, out := plainLine(0)
	now := time.Now()
	for i := range uint16(500) {
		d.egress.estimator.ReceiverReport(0.005, 0, now)
		now = now.Add(20 * time.Millisecond)
		p.receive(raw(i, uint32(i)*960, opusNumber(int(i))), now)
		d.egress.beat(nil, now)
	}
	if d.egress.copies != 0 || len(out.sent) != 500 {
		t.Errorf("%d packets of 500, %d copies of each to come", len(out.sent), d.egress.copies)
	}
}

func TestWhoTakesRedundancyGetsNoCopies(t *testing.T) {
	p, d, out := plainLine(2)
	d.to.red = redType
	for i := range uint16(10) {
		p.receive(raw(i, uint32(i)*960, opusNumber(int(i))), time.Now())
	}
	if len(out.sent) != 10 {
		t.Errorf("%d packets of 10", len(out.sent))
	}
}

func TestHowManyCopies(t *testing.T) {
	for _, c := range []struct{ asked, estimate, sound, want int }{
		{0, 1_000_000, 48_000, 0},
		{1, 1_000_000, 48_000, 1},
		{2, 1_000_000, 48_000, 2},
		{2, 200_000, 48_000, 1},
		{2, 100_000, 48_000, 0},
		{1, 1_000_000, 0, 1},
	} {
		if got := copies(c.asked, c.estimate, c.sound); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// A loss that was measured once is not measured again while everything is copied: it lasts for a while, not for ever.
func TestCopiesEndAWhileAfterTheNewestLoss(t *testing.T) {
	_, d, _ := plainLine(0)
	e, start := d.egress, time.Now()
	for _, c := range []struct {
		after    time.Duration
		measured bool
		loss     float64
		want     int
	}{
		{0, true, 0, 0},
		{time.Second, true, 0.02, 1},
		{2 * time.Second, true, 0.05, 2},
		{3 * time.Second, true, 0, 2},
		{lossyFor + 3*time.Second, false, 0, 1},
		{copiesFor, true, 0.02, 1},
		{2*copiesFor - time.Second, false, 0, 1},
		{2 * copiesFor, false, 0, 0},
		{2*copiesFor + time.Second, false, 0, 0},
		{2*copiesFor + 2*time.Second, true, 0.02, 1},
	} {
		now := start.Add(c.after)
		if c.measured {
			e.estimator.ReceiverReport(c.loss, 0, now)
		}
		e.protect(48_000, 0, now)
		if e.copies != c.want {
			t.Errorf("after %v: %d", c.after, e.copies)
		}
	}
}

func TestCopyingDoesNotAllocate(t *testing.T) {
	p, d, _ := plainLine(maxCopies)
	p.layers[0].limiter.perSecond = 1 << 30
	d.egress.out = sink{}
	now, seq := time.Now(), uint16(0)
	packet := raw(0, 0, opusNumber(1))
	send := func() {
		packet[2], packet[3] = byte(seq>>8), byte(seq)
		packet[6], packet[7] = byte(seq>>3), byte(seq<<5)
		seq++
		now = now.Add(20 * time.Millisecond)
		p.receive(packet, now)
	}
	for range 1000 {
		send()
	}
	if n := testing.AllocsPerRun(1000, send); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}
