package account

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	l := newLimiter(3, time.Minute, 100)
	now := time.Unix(1000, 0)
	for range 3 {
		if _, ok := l.take("a", now); !ok {
			t.Fatal("refused too early")
		}
	}
	if wait, ok := l.take("a", now); ok || wait != time.Minute {
		t.Errorf("got %v, %v", wait, ok)
	}
	if wait, ok := l.take("a", now.Add(45*time.Second)); ok || wait != 15*time.Second {
		t.Errorf("got %v, %v", wait, ok)
	}
	if _, ok := l.take("b", now); !ok {
		t.Error("another one is refused")
	}
	if _, ok := l.take("a", now.Add(time.Minute)); !ok {
		t.Error("refused for ever")
	}
	if _, ok := l.take("a", now); ok {
		t.Error("a clock that goes back gives tries")
	}
	l.give("a", now.Add(time.Minute))
	if _, ok := l.take("a", now.Add(time.Minute)); !ok {
		t.Error("what was given back is gone")
	}
	l.reset("a")
	if left := l.left("a", now); left != 3 {
		t.Errorf("%v left after a reset", left)
	}
}

func TestLimiterIsBoundedAndKeepsTheOneUnderAttack(t *testing.T) {
	l := newLimiter(3, time.Hour, 50)
	now := time.Unix(1000, 0)
	for range 3 {
		l.take("victim", now)
	}
	for i := range 1000 {
		if _, ok := l.take(fmt.Sprint(i), now); !ok {
			t.Fatal("a new one is refused")
		}
	}
	if len(l.buckets) > 50 {
		t.Errorf("%d buckets", len(l.buckets))
	}
	if _, ok := l.take("victim", now); ok {
		t.Error("the flood pushed the victim's bucket out")
	}
	l.take("later", now.Add(24*time.Hour))
	if len(l.buckets) != 1 {
		t.Errorf("%d buckets of a day ago", len(l.buckets)-1)
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":               "192.0.2.7",
		"::ffff:192.0.2.7":        "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1%en": "2001:db8:1:2::/64",
	} {
		if got := network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	if a, b := network(netip.Addr{}), network(netip.Addr{}); a != b {
		t.Errorf("no address is %q and %q", a, b)
	}
}
