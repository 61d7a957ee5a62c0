package main

import (
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"
)

// A certificate that was renewed is used without a restart, and one that cannot be read leaves the former in use.
func TestCertificateIsReadAgain(t *testing.T) {
	now := time.Now()
	cert, key := certificate(t)
	pair, err := readPair(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	first := pair.at(now)
	renewed, renewedKey := certificate(t)
	if err := errors.Join(os.Rename(renewed, cert), os.Rename(renewedKey, key)); err != nil {
		t.Fatal(err)
	}
	if pair.at(now.Add(lookAgain/2)) != first {
		t.Error("the files are looked at all the time")
	}
	second := pair.at(now.Add(2 * lookAgain))
	if second == first || second.Leaf.Equal(first.Leaf) {
		t.Error("the renewed certificate is not used")
	}
	if err := os.WriteFile(cert, []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if pair.at(now.Add(4*lookAgain)) != second {
		t.Error("a broken file is used")
	}
}
