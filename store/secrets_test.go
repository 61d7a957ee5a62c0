package store_test

import (
	"bytes"
	"testing"

	"github.com/pausepoint/pausepoint/store"
)

func TestSecrets(t *testing.T) { everywhere(t, testSecrets) }

// Each name has one secret, which stays, and which no other place has.
func testSecrets(t *testing.T, at place) {
	w, elsewhere := newWorld(t, at), newWorld(t, at.another(t))
	secret := func(s *store.Store, name string) []byte {
		key, err := s.Secret(w.ctx, name)
		w.must(err)
		return key
	}
	key := secret(w.store, "a")
	if len(key) != 32 || !bytes.Equal(key, secret(w.store, "a")) {
		t.Errorf("the secret is %x, and then another", key)
	}
	if bytes.Equal(key, secret(w.store, "b")) || bytes.Equal(key, secret(elsewhere.store, "a")) {
		t.Error("two secrets are the same")
	}
}
