package main

import (
	"bytes"
	"os"
	"testing"
)

// The browser's types are those of the server, or this fails: run make generate.
func TestGeneratedTypesAreUpToDate(t *testing.T) {
	want, err := generate("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../static/src/event.gen.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("static/src/event.gen.ts is not what room/event says; run make generate")
	}
}
