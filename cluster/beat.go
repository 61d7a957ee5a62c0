package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// sight is what a node sees of the others at one beat. It is immutable.
type sight struct {
	memory string            // of this node in Redis: another one once that has forgotten it
	err    error             // why nothing is seen, or nil
	at     time.Time         // when Redis last answered
	since  time.Time         // since when Redis has answered and remembered this node, without a break
	nodes  map[string]peer   // by name, this node too
	pages  map[string]string // of nodes, by name: where they were last, also while nothing is seen
}

// peer is another node, as it says of itself.
type peer struct {
	Region   string
	Load     float64 // of its room, 1 is all
	Draining bool
	Impaired bool // it runs no sessions now
	pages    string
	run      string
}

// settled reports whether whoever is alive has had the time to say so.
func (s *sight) settled() bool { return s.err == nil && time.Since(s.since) > settleFor }

// cutOff reports whether this node is cut off: Redis and the database, which last answered at a time, have gone silent together, and so
// long ago that this node is dead to the others. Where they went one after the other, it is they who are away.
func (s *sight) cutOff(answered, now time.Time) bool {
	long := now.Sub(s.at) > forgotten && now.Sub(answered) > forgotten
	return s.err != nil && long && s.at.Sub(answered).Abs() < goneAfter
}

// whereabouts are the addresses of nodes' pages. Those of nodes that have not had the time to say that they are alive stay known.
func (s *sight) whereabouts(before *sight) map[string]string {
	pages := map[string]string{}
	if !s.settled() {
		maps.Copy(pages, before.pages)
	}
	for name, p := range s.nodes {
		pages[name] = p.pages
	}
	return pages
}

// live lists who can run sessions.
func (s *sight) live() []string {
	names := slices.Sorted(maps.Keys(s.nodes))
	return slices.DeleteFunc(names, func(name string) bool { return s.nodes[name].Impaired })
}

// missing reports whether whoever is at the other end of a line is not there any more.
func (s *sight) missing(l *Line) bool {
	p, there := s.nodes[l.peer]
	run := l.peerRun()
	return !there || run != "" && run != p.run
}

// others reports whether another node takes sessions.
func (s *sight) others(name string) bool {
	for other, p := range s.nodes {
		if other != name && !p.Draining && !p.Impaired {
			return true
		}
	}
	return false
}

func (n *Node) beatOn(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.beat(ctx)
		case beaten := <-n.news:
			n.beat(ctx)
			close(beaten)
		case <-ctx.Done():
			return
		}
	}
}

// beatNow does not wait for the next beat, but until it is over.
func (n *Node) beatNow() {
	beaten := make(chan struct{})
	select {
	case n.news <- beaten:
		<-beaten
	case <-n.running.Done():
	}
}

// beat says that this node is there and what it has, and looks who else is.
func (n *Node) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatWithin)
	defer cancel()
	before := n.seen.Load()
	now, err := n.look(ctx, before)
	if err != nil && before.err == nil && time.Since(before.at) < goneAfter && !errors.Is(err, errNamed) {
		return // it may have stumbled
	}
	if err != nil {
		now = &sight{err: err, at: before.at, pages: before.pages}
	}
	n.seen.Store(now)
	switch {
	case before.err == nil && err != nil:
		n.log.Warn("Redis does not answer; calls go on where they are", slog.Any("err", err))
		n.lines.closeOf(func(l *Line) bool { return l.dialled && now.pages[l.peer] != "" }) // there is a detour
	case before.err != nil && err == nil:
		n.log.Info("Redis answers again")
	}
	if now.since.After(before.since) { // what was said meanwhile is lost
		n.lines.closeAll()
	}
	if now.settled() {
		n.lines.closeOf(func(l *Line) bool { return before.missing(l) && now.missing(l) })
	}
}

func (n *Node) look(ctx context.Context, before *sight) (*sight, error) {
	now, err := n.enrol(ctx)
	if err != nil {
		return nil, wrap("say that this node is there", err)
	}
	now.since = before.since
	if before.err != nil || now.memory != before.memory {
		now.since = now.at
	}
	tell := n.tellOwned
	if n.impaired.Load() {
		tell = n.seeTaken
	}
	if err := tell(ctx, n.ownedNow()); err != nil {
		return nil, err
	}
	n.send(n.cfg.Name, envelope{Kind: kindPulse}, nil)
	now.pages = now.whereabouts(before)
	return now, nil
}

// enrol says that this node is there, and reads who else is.
func (n *Node) enrol(ctx context.Context) (*sight, error) {
	load := max(n.load.cpu(time.Now()), float64(n.members())/float64(n.cfg.Capacity))
	said, err := enrol.Run(ctx, n.redis, []string{nodeKey(n.cfg.Name), nodesKey, rollKey},
		n.id, n.cfg.Name, forgotten.Milliseconds(), uuid.NewString(), nodeBase, rollFor.Milliseconds(),
		n.cfg.Region, n.sayPages(), strconv.FormatFloat(load, 'f', 3, 64), flag(n.draining.Load()), flag(n.impaired.Load())).StringSlice()
	switch {
	case err != nil:
		return nil, err
	case said[0] == "taken":
		return nil, errNamed
	}
	var roll [][7]string
	if err := json.Unmarshal([]byte(said[1]), &roll); err != nil {
		return nil, wrap("read who is there", err)
	}
	now := &sight{memory: said[0], at: time.Now(), nodes: make(map[string]peer, len(roll))}
	for _, r := range roll {
		load, _ := strconv.ParseFloat(r[4], 64)
		now.nodes[r[0]] = peer{run: r[1], Region: r[2], pages: n.pagesOf(r[0], r[3]), Load: load, Draining: r[5] == "1", Impaired: r[6] == "1"}
	}
	return now, nil
}
