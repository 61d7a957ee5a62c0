package account

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

func TestPasswordHash(t *testing.T) {
	h := newHasher()
	phc, err := h.hash(t.Context(), "four words in a row")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=47104,t=1,p=1$") {
		t.Errorf("hash is %s", phc)
	}
	if again, _ := h.hash(t.Context(), "four words in a row"); again == phc {
		t.Error("two hashes have the same salt")
	}
	for password, want := range map[string]bool{"four words in a row": true, "Four words in a row": false, "": false} {
		if ok, outdated, err := h.verify(t.Context(), password, phc); ok != want || outdated || err != nil {
			t.Errorf("%q: %v, %v, %v", password, ok, outdated, err)
		}
	}
	if ok, _, err := h.verify(t.Context(), "four words in a row", h.dummy); ok || err != nil {
		t.Errorf("the dummy has a password: %v", err)
	}
}

// The vector of the reference implementation (test.c of phc-winner-argon2): password "password", salt "somesalt".
func TestHashOfTheReferenceImplementation(t *testing.T) {
	phc := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, outdated, err := newHasher().verify(t.Context(), "password", phc); !ok || !outdated || err != nil {
		t.Errorf("got %v, %v, %v", ok, outdated, err)
	}
}

func TestBadHashesAreRefused(t *testing.T) {
	for _, phc := range []string{
		"", "x", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=65536,t=2,p=1$????$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	} {
		if ok, _, err := newHasher().verify(t.Context(), "password", phc); ok || !errors.Is(err, errPHC) {
			t.Errorf("%q: got %v, %v", phc, ok, err)
		}
	}
}

func TestFewHashAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		var leave []func()
		for range atOnce {
			release, err := h.enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, release)
		}
		entered := make(chan func(), maxWaiting)
		for range maxWaiting {
			go func() {
				release, err := h.enter(context.Background())
				if err != nil {
					t.Error(err)
				}
				entered <- release
			}()
		}
		synctest.Wait()
		if len(entered) > 0 {
			t.Errorf("%d too many hash", len(entered))
		}
		if _, err := h.enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("one too many waits: %v", err)
		}
		leave[0]()
		(<-entered)()
		leave[1]()
		for range maxWaiting - 1 {
			(<-entered)()
		}
		if len(h.places)+len(h.waiting) > 0 {
			t.Error("places are taken for ever")
		}
	})
}

func TestWaitingToHashEndsWithTheRequest(t *testing.T) {
	h := newHasher()
	for range atOnce {
		h.places <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, "x"); !errors.Is(err, context.Canceled) || len(h.waiting) > 0 {
		t.Errorf("got %v", err)
	}
}
