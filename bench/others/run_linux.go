package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/load/stats"
	"github.com/pausepoint/pausepoint/load/visit"
)

// scenario is who is in which room.
type scenario struct {
	name    string
	rooms   int
	members int // of each room
	talkers int // of these, who publish; everybody watches
}

func scenarios(viewers int) []scenario {
	return []scenario{
		{name: "lesson", rooms: 1, members: 1 + viewers, talkers: 1},
		{name: "call", rooms: 1, members: 6, talkers: 6},
		{name: "rooms", rooms: 10, members: 3, talkers: 3},
	}
}

// timing is how long a run's parts last.
type timing struct{ stagger, warm, measure, drain, patience time.Duration }

// run is one measurement of a server. Its goroutine owns it.
type run struct {
	scenario scenario
	timing   timing
	period   period
	node     deployment
	api      *webrtc.API
	members  []*member // who came in
}

// measure starts the server, lets the members in, measures, and takes everything away.
func measure(ctx context.Context, s server, sc scenario, t timing) (*figures, error) {
	folder, err := os.MkdirTemp("", "others")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // temporary
	api, err := newAPI(webrtc.SettingEngine{})
	if err != nil {
		return nil, err
	}
	node, err := s.start(ctx, folder, sc.rooms)
	if node == nil {
		return nil, err
	}
	var f *figures
	if err == nil {
		r := &run{scenario: sc, timing: t, node: node, api: api}
		f, err = r.play(ctx)
		for _, m := range r.members {
			m.leave()
		}
	}
	if err != nil {
		err = fmt.Errorf("%w; the server says: %s", err, node.running().said())
	}
	return f, errors.Join(err, node.running().stop())
}

// play lets everybody in and measures.
func (r *run) play(ctx context.Context) (*figures, error) {
	all, err := r.invite(ctx)
	if err != nil {
		return nil, err
	}
	g := gauge{pid: r.node.running().cmd.Process.Pid}
	memory := g.resident()
	if err = r.admit(ctx, all); err != nil {
		return nil, err
	}
	if err = r.wait(ctx, r.timing.warm); err != nil {
		return nil, err
	}
	g.begin()
	r.period.set(g.began, r.timing.measure)
	if err = r.wait(ctx, r.timing.measure); err != nil {
		return nil, err
	}
	g.end()
	memory = g.resident() - memory
	if err = r.wait(ctx, r.timing.drain); err != nil {
		return nil, err
	}
	f := r.seen()
	f.Memory = float64(memory) / (1 << 20) / float64(len(r.members))
	f.CPU = float64(g.server.Nanoseconds()) / 1000 / float64(max(f.Packets, 1))
	f.Core, f.Generator = g.server.Seconds()/g.length.Seconds(), g.own.Seconds()/g.length.Seconds()
	return f, g.err
}

// invite gets everybody a seat, before anybody comes in: talkers first, then who only watches.
func (r *run) invite(ctx context.Context) (all []*member, err error) {
	for i := range r.scenario.members {
		for room := range r.scenario.rooms {
			m := &member{index: len(all), room: room, publishes: i < r.scenario.talkers, meter: newMeter(&r.period), api: r.api}
			if m.seat, err = r.node.seat(ctx, m.room, m.index, m.publishes); err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// admit lets talkers in, the others once these play, and waits until everybody sees everybody.
func (r *run) admit(ctx context.Context, all []*member) error {
	for i, m := range all {
		if i == r.scenario.rooms*r.scenario.talkers {
			if err := r.until(ctx, func(m *member) bool { return m.playing.Load() }); err != nil {
				return err
			}
		}
		r.members = append(r.members, m)
		m.come(ctx)
		if err := r.wait(ctx, r.timing.stagger); err != nil {
			return err
		}
	}
	return r.until(ctx, func(m *member) bool { return m.meter.sees(r.others(m)) })
}

// others is how many others publish in a member's room.
func (r *run) others(m *member) int {
	if m.publishes {
		return r.scenario.talkers - 1
	}
	return r.scenario.talkers
}

// until waits until something is so of everybody who came in.
func (r *run) until(ctx context.Context, so func(*member) bool) error {
	not := func(m *member) bool { return !so(m) }
	for deadline := time.Now().Add(r.timing.patience); slices.ContainsFunc(r.members, not); {
		if time.Now().After(deadline) {
			return errors.New("not everybody gets what the others publish")
		}
		if err := r.wait(ctx, look); err != nil {
			return err
		}
	}
	return nil
}

// wait lets time pass, unless somebody's signaling ends meanwhile.
func (r *run) wait(ctx context.Context, d time.Duration) error {
	if err := visit.Pause(ctx, d); err != nil {
		return err
	}
	for _, m := range r.members {
		if err := m.trouble(); err != nil {
			return err
		}
	}
	return nil
}

// seen is what the members saw.
func (r *run) seen() *figures {
	f := &figures{Members: len(r.members)}
	var latency stats.Histogram
	var expected uint64
	var first []float64
	for _, m := range r.members {
		m.meter.mu.Lock()
		f.Packets += m.meter.packets
		latency.Merge(&m.meter.latency)
		if !m.publishes {
			first = append(first, ms(m.meter.video))
		}
		if m.meter.profile != "" {
			f.Profile = m.meter.profile
		}
		m.meter.mu.Unlock()
		expected += m.sent.Load() * uint64(r.scenario.members-1) //nolint:gosec // small
	}
	f.Loss = stats.Loss(f.Packets, expected)
	f.LatencyP50, f.LatencyP99 = ms(latency.Percentile(0.5)), ms(latency.Percentile(0.99))
	if len(first) > 0 {
		f.FirstP50, f.FirstP95 = stats.Percentile(first, 0.5), stats.Percentile(first, 0.95)
	}
	return f
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
