package store_test

import (
	"errors"
	"testing"

	"golang.org/x/crypto/acme/autocert"
)

func TestCertificates(t *testing.T) { everywhere(t, testCertificates) }

func testCertificates(t *testing.T, at place) {
	w := newWorld(t, at)
	kept := w.store.Certificates()
	if _, err := kept.Get(w.ctx, "calls.example.org"); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("there is a certificate before there is one: %v", err)
	}
	for _, data := range []string{"\x00first\xff", "renewed"} {
		w.must(kept.Put(w.ctx, "calls.example.org", []byte(data)))
		if got, err := kept.Get(w.ctx, "calls.example.org"); err != nil || string(got) != data {
			t.Errorf("got %q, %v, want %q", got, err, data)
		}
	}
	for range 2 {
		w.must(kept.Delete(w.ctx, "calls.example.org"))
	}
	if _, err := kept.Get(w.ctx, "calls.example.org"); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("the certificate is still there: %v", err)
	}
}
