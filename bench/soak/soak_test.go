package main

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be a server, or busy.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == serveFlag {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		exit(serve(ctx))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == burnFlag {
		burn()
		return
	}
	os.Exit(m.Run())
}

func check(t *testing.T, r *row, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.figures {
		t.Log(f)
	}
	for _, w := range r.wrong {
		t.Error(w)
	}
}

func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestLivesLeaveNothingBehind(t *testing.T) {
	// The heap of so few lives says little: nothing of it may be left but what a few lives would explain.
	r, err := churnPlan{Warm: 40, Lives: 80, AtOnce: 8, Growth: 0.3}.run(t.Context(), dice())
	check(t, r, err)
}

func TestReconnectsMissNoTrack(t *testing.T) {
	tell := func(a attempt) { t.Log(a.way, a.took, a.miss) }
	r, err := reconnectPlan{Times: 16, Rooms: 2, Busy: 4, Patience: 30 * time.Second, Tell: tell}.run(t.Context(), dice())
	check(t, r, err)
}

func TestACrowdGetsEverything(t *testing.T) {
	r, err := crowdPlan{Members: 5, For: 2 * time.Second, Patience: 30 * time.Second}.run(t.Context())
	check(t, r, err)
}

func TestComingInTheSameInstantMissesNoTrack(t *testing.T) {
	r, err := instantPlan{Times: 3, Members: 6, Patience: 30 * time.Second}.run(t.Context())
	check(t, r, err)
}

func TestProfilesThatCannotBeWrittenAreToldOf(t *testing.T) {
	asked, ask := io.Pipe()
	says, said := io.Pipe()
	ended := make(chan struct{})
	go func() {
		answer(asked, said)
		close(ended)
	}()
	p := &process{ask: json.NewEncoder(ask), says: json.NewDecoder(says)}
	folder := filepath.Join(t.TempDir(), "a", "b")
	if _, err := p.measure(filepath.Join(folder, "00")); err == nil {
		t.Error("profiles are written to a folder that is not there")
	}
	profiles := func(folder string) error { // and no scenario
		return run(t.Context(), []string{"-profiles", folder, "-only", "none"}, io.Discard)
	}
	if err := profiles(folder); err == nil || !strings.Contains(err.Error(), "scenario") {
		t.Errorf("profiles into a new folder: %v", err)
	}
	if s, err := p.measure(filepath.Join(folder, "00")); err != nil || s.Goroutines == 0 {
		t.Errorf("measured %+v, %v", s, err)
	}
	if err := profiles(filepath.Join(folder, "00.heap")); err == nil || !strings.Contains(err.Error(), "folder for profiles") {
		t.Errorf("profiles into a file: %v", err)
	}
	_ = ask.Close()
	<-ended
}
