package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Variables of the long form: how many faults, and the seed of those of a former run.
const (
	faultCount = "PAUSEPOINT_TEST_FAULTS"
	faultSeed  = "PAUSEPOINT_TEST_SEED"
)

// long is how many faults there are in the long form, 0 in the short one.
func long(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(faultCount))
	if err != nil && os.Getenv(faultCount) != "" {
		t.Fatal(err)
	}
	return n
}

// seeded is a random source, whose seed is printed.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv(faultSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", faultSeed, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// judge lets members finish, ends the nodes, and holds what members were told against the journals.
func (f *fleet) judge(c *class, costs *toll) {
	f.t.Helper()
	c.dismiss()
	for _, n := range f.nodes {
		f.check(n.kill())
	}
	acknowledged := 0
	for session, h := range c.histories {
		journal, err := f.store.Load(context.WithoutCancel(f.t.Context()), session)
		f.check(err)
		for i, fault := range h.Check(journal) {
			if i == 10 {
				f.t.Errorf("and more in %s", session)
				break
			}
			f.t.Errorf("%s: %s", session, fault)
		}
		acknowledged += h.Acknowledged()
		f.t.Logf("%s: %v, %d events in the journal", session, h, len(journal))
	}
	f.t.Logf("%d commands acknowledged\n%v", acknowledged, costs)
}

// ordeal is what the nodes of a fleet and their databases go through.
type ordeal struct {
	sessions, faults                int
	longest                         time.Duration // that a fault lasts
	withoutRedis, withoutPostgreSQL time.Duration
}

// All nodes are upgraded, some come to harm, and the databases die, while calls go on: nothing that anybody was told is lost.
func TestManyNodesHold(t *testing.T) {
	t.Parallel() // it waits for what does not answer
	count := long(t)
	if count == 0 {
		short := ordeal{sessions: 3, faults: 1, longest: 3 * time.Second, withoutRedis: 4 * time.Second}
		short.befalls(t, newToll(t.Logf))
		return
	}
	const fleets = 4 // at once
	for i := range min(fleets, count) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			o, costs := ordeal{6, (count + i) / fleets, 15 * time.Second, 10 * time.Minute, 30 * time.Second}, newToll(t.Logf)
			o.befalls(t, costs)
			if healed := costs.longest[redisBack]; healed > healedWithin {
				t.Errorf("people got in everywhere again %v after Redis was back", healed)
			}
			if worst := costs.worst(); worst > liveWithin {
				t.Errorf("a session was dead for %v", worst)
			}
		})
	}
}

func (o ordeal) befalls(t *testing.T, costs *toll) {
	t.Helper()
	random := seeded(t)
	f := newFleet(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := f.gather(ctx, o.sessions, random)
	c.together(ctx, t)
	for _, n := range f.nodes {
		must(t, c.suffers(ctx, "upgraded", upgrade, n, 0, costs))
	}
	must(t, c.torment(ctx, f, o, random, costs))
	must(t, c.withoutRedis(ctx, f, o.withoutRedis, costs))
	must(t, c.withoutPostgres(ctx, f, o.withoutPostgreSQL, costs))
	f.judge(c, costs)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
