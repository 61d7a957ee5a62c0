package sfu

import (
	"fmt"
	"testing"
	"time"
)

func TestMissingPacketsAreAskedFor(t *testing.T) {
	now := time.Now()
	at := func(ms int) time.Time { return now.Add(time.Duration(ms) * time.Millisecond) }
	var l nackList
	due := func(ms int, want string) {
		t.Helper()
		if got := fmt.Sprint(l.due(at(ms), nil)); got != want {
			t.Errorf("at %d ms asked for %s, want %s", ms, got, want)
		}
	}
	for _, seq := range []uint16{65533, 65534, 2} { // 65535, 0 and 1 are missing
		l.received(seq, false, at(0))
	}
	due(0, "[]") // they may only be late
	l.received(0, false, at(5))
	due(10, "[65535 1]")
	due(20, "[]")
	due(30, "[65535 1]") // the request may be lost
	due(60, "[]")
	l.received(1, true, at(60)) // a round trip of 50 ms
	due(100, "[]")
	due(110, "[65535]") // the repair must have been lost
	due(120, "[]")
	due(130, "[65535]") // and from then on often
	due(150, "[65535]")
	l.received(65535, false, at(160)) // it was only late
	due(2000, "[]")
	if l.rtt != 50*time.Millisecond {
		t.Errorf("round-trip time %v", l.rtt)
	}
}

func TestTheRoundTripIsMeasuredWhateverItIsThoughtToBe(t *testing.T) {
	for _, rtt := range []time.Duration{30 * time.Millisecond, 180 * time.Millisecond, 600 * time.Millisecond} {
		now := time.Now()
		var l nackList
		l.received(0, false, now)
		for n := range uint16(40) {
			seq := 2 * n
			l.received(seq+2, false, now)
			at := now.Add(nackPatience)
			l.due(at, nil)
			for waited := time.Duration(0); waited < rtt; waited += 10 * time.Millisecond {
				l.due(at.Add(waited), nil)
			}
			now = at.Add(rtt)
			l.received(seq+1, true, now)
		}
		if l.rtt < rtt || l.rtt > rtt+rtt/10 {
			t.Errorf("%v are thought to be %v", rtt, l.rtt)
		}
	}
}

func TestWhatNeverComesIsGivenUp(t *testing.T) {
	now := time.Now()
	var l nackList
	l.received(1, false, now)
	l.received(3, false, now)
	asked := 0
	for range 400 {
		now = now.Add(5 * time.Millisecond)
		asked += len(l.due(now, nil))
	}
	if asked != nackTries || len(l.missing) != 0 || l.gaveUp != 1 {
		t.Errorf("asked %d times, %d left, %d given up", asked, len(l.missing), l.gaveUp)
	}
}

func TestTooManyMissingPacketsAreForgotten(t *testing.T) {
	now := time.Now()
	var l nackList
	l.received(1, false, now)
	if l.received(1000, false, now) {
		t.Error("a thousand packets are waited for")
	}
	if l.received(1001, false, now); len(l.missing) != 0 {
		t.Errorf("%d are missing", len(l.missing))
	}
}

func TestReceptionReports(t *testing.T) {
	now := time.Now()
	var r reception
	for seq := uint16(65530); seq != 10; seq++ { // 16 packets
		if seq%4 != 0 {
			r.packet(seq, uint32(seq)*960, 48000, now)
		}
		now = now.Add(20 * time.Millisecond)
	}
	r.senderReport(0x11112222_33334444, now)
	block, expected, lost := r.report(7, now.Add(500*time.Millisecond))
	if expected != 16 || block.TotalLost != 4 || lost != 0.25 || block.FractionLost != 64 {
		t.Errorf("of %d %d are lost, %v: %+v", expected, block.TotalLost, lost, block)
	}
	if block.LastSequenceNumber != 1<<16+9 || block.LastSenderReport != 0x22223333 || block.Delay != 32768 {
		t.Errorf("%+v", block)
	}
	if block, expected, _ = r.report(7, now); expected != 0 || block.FractionLost != 0 {
		t.Errorf("nothing more came: %d, %+v", expected, block)
	}
}

func FuzzNACKList(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 9, 0, 2, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var l nackList
		now := time.Now()
		for i := 0; i+1 < len(b); i += 2 {
			l.received(uint16(b[i])|uint16(b[i+1])<<8, b[i]%2 == 1, now)
			now = now.Add(time.Duration(b[i]) * time.Millisecond)
			if n := len(l.due(now, nil)); n > nackCapacity || len(l.missing) > nackCapacity {
				t.Fatalf("%d asked for, %d missing", n, len(l.missing))
			}
		}
	})
}

func TestSendQueue(t *testing.T) {
	var q sendQueue
	a, b := &downTrack{}, &downTrack{}
	for i := range uint16(1000) {
		track := a
		if i%2 == 1 {
			track = b
		}
		if !q.push(queued{track: track, seq: i}) {
			t.Fatal("full")
		}
		if i%4 == 3 { // so that it wraps
			q.pop()
		}
	}
	left := q.size
	if n := q.forget(a); n != left/2 && n != left/2+1 {
		t.Errorf("%d of %d forgotten", n, left)
	}
	last := -1
	for q.size > 0 {
		if p := q.first(); p.track != b || int(p.seq) <= last {
			t.Fatalf("%+v after %d", p, last)
		}
		last = int(q.first().seq)
		q.pop()
	}
	for q.push(queued{track: a}) {
	}
	if q.size != queueCapacity {
		t.Errorf("%d fit", q.size)
	}
}
