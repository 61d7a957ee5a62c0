package main

import (
	"slices"
	"time"

	"github.com/pausepoint/pausepoint/bench/load"
	"github.com/pausepoint/pausepoint/bench/server"
)

// step is a scenario and the servers that are measured with it, one after the other, in each round.
type step struct {
	scenario load.Scenario
	timing   load.Timing
	servers  []string
	rounds   int
}

type plan []step

func (p plan) rounds() (n int) {
	for _, s := range p {
		n = max(n, s.rounds)
	}
	return n
}

// scenarios are lesson, call and rooms, each as it is, with simulcast and with loss.
func scenarios() []load.Scenario {
	plain := []load.Scenario{
		{Name: "lesson", Rooms: 1, Members: 61, Talkers: 1, Alone: 6},
		{Name: "lesson300", Rooms: 1, Members: 301, Talkers: 1},
		{Name: "call", Rooms: 1, Members: 6, Talkers: 6, Listen: true},
		{Name: "rooms", Rooms: 10, Members: 3, Talkers: 3, Listen: true},
	}
	all := plain
	for _, s := range plain {
		s.Name, s.Simulcast, s.Alone = s.Name+"-simulcast", true, 0
		all = append(all, s)
	}
	for _, s := range plain {
		s.Name, s.Loss, s.Alone = s.Name+"-loss", 0.02, 0
		all = append(all, s)
	}
	return all
}

func scenarioNames() (names []string) {
	for _, s := range scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// The servers of most steps; the floor is measured with the lesson.
func sfus() []string { return []string{"pausepoint", "pion"} }

func planOf(o options) (plan, error) {
	names, err := list(o.scenarios, scenarioNames())
	if err != nil {
		return nil, err
	}
	kinds, err := list(o.servers, server.Kinds())
	if err != nil {
		return nil, err
	}
	var p plan
	for _, s := range scenarios() {
		if !slices.Contains(names, s.Name) || o.short && o.scenarios == "" && !inShort(s.Name) {
			continue
		}
		p = append(p, stepOf(s, kinds, o))
	}
	return p, nil
}

func inShort(name string) bool { return name == "lesson" || name == "call" || name == "rooms" }

// stepOf chooses how long and how often: the whole plan takes about 14 minutes, the short one 80 seconds.
func stepOf(s load.Scenario, kinds []string, o options) step {
	st := step{scenario: s, rounds: 2, timing: load.Timing{
		Stagger: 20 * time.Millisecond, Warm: 1500 * time.Millisecond, Measure: 5 * time.Second,
		Drain: 300 * time.Millisecond, Patience: 20 * time.Second,
	}}
	main := inShort(s.Name)
	if main {
		st.rounds = 5
	}
	if s.Members > 100 {
		st.timing.Stagger, st.timing.Measure = 10*time.Millisecond, 4*time.Second
	}
	if s.Loss != 0 {
		st.timing.Drain = time.Second
	}
	if o.short {
		st.rounds, st.timing.Measure, st.timing.Warm = 2, 3*time.Second, time.Second
		st.scenario.Alone = min(s.Alone, 2)
	}
	if o.rounds > 0 {
		st.rounds = o.rounds
	}
	for _, k := range kinds {
		lesson := s.Name == "lesson" || s.Name == "lesson300"
		quick := !o.short || o.servers != "" || k == "floor-gso"
		if slices.Contains(sfus(), k) || lesson && quick {
			st.servers = append(st.servers, k)
		}
	}
	return st
}
