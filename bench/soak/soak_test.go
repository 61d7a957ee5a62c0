package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/signal"
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
