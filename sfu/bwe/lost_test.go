package bwe

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
)

// lossy sends a packet every 10 ms, each carrying its number and 1,000, over a way of 60 ms there and back.
type lossy struct {
	e     *Estimator
	start time.Time
	r     *twcc.Recorder
}

func newLossy() *lossy {
	return &lossy{e: New(1_000_000, 50_000, 8_000_000), start: time.Now(), r: twcc.NewRecorder(1)}
}

func (l *lossy) send(seq uint16, what uint32) {
	at := l.start.Add(time.Duration(seq) * 10 * time.Millisecond)
	l.e.Sent(seq, 1000, at, 0)
	l.e.Carries(seq, what)
}

func (l *lossy) arrives(seqs ...uint16) {
	for _, seq := range seqs {
		l.r.Record(7, seq, int64(seq)*10_000+1_000_000)
	}
}

// report gives what has arrived to the estimator, and returns what is lost.
func (l *lossy) report(t *testing.T, newest uint16) string {
	t.Helper()
	for _, p := range l.r.BuildFeedbackPacket() {
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err = l.e.Feedback(raw, l.start.Add(time.Duration(newest)*10*time.Millisecond+60*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprint(l.e.Lost(nil))
}

func TestWhatIsLostIsToldOnce(t *testing.T) {
	l := newLossy()
	for seq := range uint16(20) {
		l.send(seq, 1000+uint32(seq))
	}
	l.arrives(0, 1, 2, 4) // 3 may come yet
	if got := l.report(t, 4); got != "[]" {
		t.Errorf("lost so far: %s", got)
	}
	l.arrives(5)
	if got := l.report(t, 5); got != "[1003]" {
		t.Errorf("lost: %s", got)
	}
	l.arrives(6, 8)
	if got := l.report(t, 8); got != "[]" {
		t.Errorf("lost once more: %s", got)
	}
	l.arrives(7, 9, 10) // it was only late
	if got := l.report(t, 10); got != "[]" {
		t.Errorf("what came late is lost: %s", got)
	}
}

func TestWhatIsOnItsWayAgainIsNotLost(t *testing.T) {
	l := newLossy()
	for seq := range uint16(10) {
		l.send(seq, 1000+uint32(seq))
	}
	l.send(10, 1003)
	l.arrives(0, 1, 2, 4, 5, 6, 7, 8, 9)
	if got := l.report(t, 9); got != "[]" {
		t.Errorf("lost, although it is on its way again: %s", got)
	}
	for seq := uint16(11); seq < 20; seq++ {
		l.send(seq, 1000+uint32(seq))
	}
	l.arrives(11, 12, 13, 14, 15)
	if got := l.report(t, 15); got != "[1003]" {
		t.Errorf("lost twice: %s", got)
	}
	l.send(20, 1016)
	l.send(21, 1021)
	l.send(22, 1022)
	l.arrives(20, 22)
	if got := l.report(t, 22); got != "[1017 1018 1019]" {
		t.Errorf("16 has come in another: %s", got)
	}
}

func TestPacketsThatCarryNothingAreNotLost(t *testing.T) {
	l := newLossy()
	for seq := range uint16(20) {
		l.e.Sent(seq, 1000, l.start.Add(time.Duration(seq)*10*time.Millisecond), 0)
	}
	l.arrives(0, 19)
	if got := l.report(t, 19); got != "[]" {
		t.Errorf("lost: %s", got)
	}
}

// A report does not say which of two copies has come: losses are measured by what went out once.
func TestWhatWentOutTwiceSaysNothingOfTheLink(t *testing.T) {
	l := newLossy()
	for seq := range uint16(600) {
		l.send(seq, 0)
		twice := seq >= 200
		if twice {
			l.e.Again(seq, 1000)
		}
		if seq%10 != 5 || twice && seq%20 == 5 {
			l.arrives(seq)
		}
		if seq%20 == 19 {
			l.report(t, seq)
		}
	}
	if got := l.e.Loss(); got < 0.09 || got > 0.11 {
		t.Errorf("%.3f is lost, want the 0.1 of what went out once", got)
	}
	if at := l.e.LossAt().Sub(l.start); at > 3*time.Second {
		t.Errorf("the loss was measured after %v, when all went out twice", at)
	}
	if n := l.e.trend.count; n >= 250 {
		t.Errorf("%d groups tell of a trend", n)
	}
}
