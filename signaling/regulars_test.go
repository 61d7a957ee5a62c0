package signaling

import (
	"testing"

	"github.com/pausepoint/pausepoint/account"
)

// Whoever signs out is not let in by what was known of them, also not into another session; others are.
func TestRegularsWhoSignOutAreForgotten(t *testing.T) {
	rs := newRegulars()
	amaras, bens := regularKey{token: [32]byte{1}, session: "s"}, regularKey{token: [32]byte{2}, session: "s"}
	elsewhere := regularKey{token: [32]byte{1}, session: "t"}
	rs.put(amaras, regular{account.Member{ID: "a"}, "amara's"})
	rs.put(elsewhere, regular{account.Member{ID: "b"}, "amara's"})
	rs.put(bens, regular{account.Member{ID: "c"}, "ben's"})
	rs.signedOut("amara's")
	if who, ok := rs.get(bens); !ok || who.member.ID != "c" {
		t.Errorf("Ben is %+v", who)
	}
	for _, key := range []regularKey{amaras, elsewhere} {
		if who, ok := rs.get(key); ok {
			t.Errorf("known still: %+v", who)
		}
	}
	for i := range 2 * maxRegulars {
		rs.put(regularKey{token: [32]byte{3, byte(i >> 16), byte(i >> 8), byte(i)}}, regular{})
	}
	if n := len(rs.known); n > maxRegulars {
		t.Errorf("%d are remembered", n)
	}
}
