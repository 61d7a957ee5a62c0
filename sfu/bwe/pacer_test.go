package bwe

import (
	"testing"
	"time"
)

func TestPacerSpreadsAKeyFrame(t *testing.T) {
	var p Pacer
	p.SetTarget(1_000_000)
	sent, now := 0, epoch
	for sent < 60_000 { // a key frame of 60 kB takes 192 ms at 2.5 Mbit/s
		if p.Allow(1200, now) {
			sent += 1200
			continue
		}
		next := p.Next(now)
		if !next.After(now) {
			t.Fatal("it says no, and that it would say yes")
		}
		now = next
	}
	if d := now.Sub(epoch); d < 150*time.Millisecond || d > 200*time.Millisecond {
		t.Errorf("60 kB took %v", d)
	}
}

func TestPacerLetsAFrameOfAverageSizePass(t *testing.T) {
	var p Pacer
	p.SetTarget(1_200_000)
	for i := range 100 {
		now := epoch.Add(time.Duration(i) * 33 * time.Millisecond)
		for range 5 {
			if !p.Allow(1000, now) {
				t.Fatalf("frame %d waits", i)
			}
		}
	}
}

func TestAudioIsNeverHeld(t *testing.T) {
	var p Pacer
	p.SetTarget(50_000)
	for i := range 1000 {
		p.Spend(200, epoch.Add(time.Duration(i)*time.Millisecond))
	}
	if p.Allow(1000, epoch.Add(time.Second)) {
		t.Error("video passes while audio has spent more than there is")
	}
	if wait := p.Next(epoch.Add(time.Second)).Sub(epoch); wait > 3*time.Second {
		t.Errorf("video waits until %v: audio's debt has no end", wait)
	}
}
