package quota

import (
	"net/netip"
	"testing"
)

func TestQuota(t *testing.T) {
	q := New[string](3, 2)
	take := func(client string) func() {
		t.Helper()
		release, ok := q.Take(client)
		if !ok {
			t.Fatalf("no place for %s", client)
		}
		return release
	}
	full := func(client string) {
		t.Helper()
		if _, ok := q.Take(client); ok || q.Free(client) {
			t.Errorf("a place too many for %s", client)
		}
	}
	one := take("Ben")
	take("Ben")
	full("Ben")
	two := take("Eve")
	full("Rob")
	if n := q.Taken(); n != 3 {
		t.Errorf("%d are taken", n)
	}
	one()
	one()
	if !q.Free("Ben") || q.Taken() != 2 {
		t.Errorf("a place is not given back, once: %d are taken", q.Taken())
	}
	take("Ben")
	two()
	full("Ben")
	if len(q.of) != 1 {
		t.Errorf("remembered: %v", q.of)
	}
}

func TestSubnet(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8:0:1::1": "2001:db8:0:1::", "2001:db8:0:1:ffff::2": "2001:db8:0:1::", "2001:db8:0:2::1": "2001:db8:0:2::",
	} {
		if got := Subnet(netip.MustParseAddr(addr)); got != netip.MustParseAddr(want) {
			t.Errorf("%s is of %s, want %s", addr, got, want)
		}
	}
	if got := Subnet(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is of %s", got)
	}
}
