package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/sfu/bwe"
)

// pace makes a subscriber one who reports what arrives, with an estimate in bit/s.
func (t *downTrack) pace(target int) {
	e := t.egress
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paced, e.estimator = true, bwe.New(target, estimateLowest, estimateHighest)
	e.trial = time.Time{}
	e.pacer.SetTarget(target)
}

// bigFrame is a VP8 packet of a kilobyte.
func bigFrame(seq uint16, key bool) []byte {
	head := byte(1)
	if key {
		head = 0
	}
	return raw(seq, 3000, append([]byte{0x90, 0xc0, 0x80, 1, 1, head}, make([]byte, 1000)...))
}

func TestAKeyFrameIsPaced(t *testing.T) {
	p, d, out := newLine(true, true)
	d.pace(500_000)
	now := time.Now()
	for seq := range uint16(60) {
		p.receive(bigFrame(seq, seq == 0), now)
	}
	atOnce := len(out.headers)
	if atOnce == 0 || atOnce > 20 {
		t.Errorf("%d of 60 packets were sent at once", atOnce)
	}
	hurry := true
	for i := 0; hurry; i++ {
		now = now.Add(fastBeat)
		hurry = d.egress.beat(nil, now)
		if i > 200 {
			t.Fatalf("%d wait after a second", d.egress.queue.size)
		}
	}
	var want []uint16
	for seq := range uint16(60) {
		want = append(want, seq)
	}
	if got := out.seqs(); got != fmt.Sprint(want) {
		t.Errorf("sent %s", got)
	}
}

func TestWhatWaitsTooLongIsGivenUp(t *testing.T) {
	p, d, out := newLine(true, true)
	d.pace(estimateLowest)
	now := time.Now()
	for seq := range uint16(200) {
		p.receive(bigFrame(seq, seq == 0), now)
		now = now.Add(10 * time.Millisecond)
		d.egress.beat(nil, now)
	}
	now = now.Add(time.Second)
	d.egress.beat(nil, now)
	if d.egress.queue.size != 0 || d.stats.Dropped == 0 {
		t.Errorf("%d wait, %d were dropped", d.egress.queue.size, d.stats.Dropped)
	}
	sent := len(out.headers)
	d.choose(0, now)
	p.receive(bigFrame(200, false), now)
	if len(out.headers) != sent {
		t.Error("it goes on without a key frame")
	}
	now = now.Add(time.Second)
	p.receive(bigFrame(201, true), now)
	p.receive(bigFrame(202, false), now)
	for i := 1; i < len(out.headers); i++ {
		if out.headers[i].SequenceNumber != out.headers[i-1].SequenceNumber+1 {
			t.Errorf("%d follows %d", out.headers[i].SequenceNumber, out.headers[i-1].SequenceNumber)
		}
	}
	if len(out.headers) != sent+2 {
		t.Errorf("%d packets after the key frame, want 2", len(out.headers)-sent)
	}
}

func TestSoundDoesNotWait(t *testing.T) {
	p, d, out := newLine(false, false)
	d.pace(estimateLowest)
	now := time.Now()
	for seq := range uint16(100) {
		p.receive(raw(seq, uint32(seq)*960, make([]byte, 500)), now)
	}
	if n := len(out.headers); n != 100 {
		t.Errorf("%d of 100 packets were sent at once", n)
	}
}

// Somebody turns on a camera of 1.5 Mbit/s for a subscriber who only heard sound until now.
func TestANewPictureIsSentAlthoughLittleIsKnown(t *testing.T) {
	_, d, out := newLine(true, true)
	d.pace(estimateFirst)
	e := d.egress
	e.mu.Lock()
	defer e.mu.Unlock()
	d.to.transportCC = 2
	d.pub.layers[0].rates[0].Store(2_500_000)
	d.choice = -1
	e.decide(d.since.Add(time.Second))
	if d.choice != 0 {
		t.Error("it is not sent")
	}
	now := d.since.Add(3 * time.Second)
	e.decide(now)
	if d.choice != -1 {
		t.Error("it goes on, although there is no bandwidth")
	}
	e.beginProbe(now)
	e.sendProbe(nil, now)
	if len(out.headers) == 0 || out.headers[0].SSRC != d.to.rtxSSRC || !out.headers[0].Padding {
		t.Errorf("nobody finds out whether there is more: %+v", out.headers)
	}
	d.choice = -1
	d.since = now
	e.estimator = bwe.New(estimateFirst/2, estimateLowest, estimateHighest)
	e.decide(now)
	if d.choice != -1 {
		t.Error("it is sent over a link that is known to be slow")
	}
}
