package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Room names a media room of an SFU; it is a handle and holds nothing.
type Room struct {
	sfu *SFU
	id  string
}

// PeerConfig describes a member's peer.
type PeerConfig struct {
	// ID is the member's id.
	ID string
	// Publish says whether the member may publish; see Peer.SetMayPublish.
	Publish bool
	// Subscribe says whether the member receives the others' publications.
	Subscribe bool
	// Offered is the number of the newest offer that the member may have had for their subscribe connection from another SFU, which
	// this peer takes over from: an answer to that is none to an offer of this one.
	Offered uint32
	// Send hands a signal to the member. It is called from the peer's goroutine and must not block, nor call the peer.
	Send func(Signal)
}

// Join adds a peer. If the member is in the room already, the older peer ends: its publications are gone when Join returns,
// and its Send is not called any more.
func (r *Room) Join(cfg PeerConfig) (*Peer, error) {
	return r.join(cfg, func(*Peer) error { return nil })
}

// join prepares a peer before it begins.
func (r *Room) join(cfg PeerConfig, prepare func(*Peer) error) (*Peer, error) {
	if !validID(r.id) || !validID(cfg.ID) {
		return nil, ErrInvalidIdentity
	}
	room, err := r.sfu.enter(r.id)
	if err != nil {
		return nil, err
	}
	p := newPeer(room, cfg)
	if err = prepare(p); err != nil {
		p.publish.close(StateClosed)
		r.sfu.leave(room)
		return nil, err
	}
	old := room.addPeer(p)
	if old != nil {
		old.cancel()
	}
	if !r.sfu.spawn(&r.sfu.peers, p.run) {
		room.removePeer(p)
		p.publish.close(StateClosed)
		r.sfu.leave(room)
		close(p.done)
		return nil, ErrClosed
	}
	return p, nil
}

// Tap lets sink observe the room. It is told of the publications that exist already, in their order, and then of everything
// that happens.
func (r *Room) Tap(sink Sink) (*Tap, error) {
	if !validID(r.id) {
		return nil, ErrInvalidIdentity
	}
	room, err := r.sfu.enter(r.id)
	if err != nil {
		return nil, err
	}
	t := newTap(room, sink)
	if !r.sfu.spawn(&r.sfu.watchers, t.run) {
		r.sfu.leave(room)
		return nil, ErrClosed
	}
	room.addTap(t)
	return t, nil
}

// Publications returns what is published now, in the order in which it was.
func (r *Room) Publications() []*Publication {
	r.sfu.mu.Lock()
	room := r.sfu.rooms[r.id]
	r.sfu.mu.Unlock()
	if room == nil {
		return nil
	}
	return room.publications("")
}

// liveRoom is a room that somebody is in. Its fields are guarded by mu, and nothing is called back while mu is held. Locks are
// taken in the order SFU, room, publication, tap.
type liveRoom struct {
	sfu  *SFU
	id   string
	refs int           // peers, taps and feeds; guarded by SFU.mu
	quit chan struct{} // closed when refs is 0
	wake chan struct{} // capacity 1: there are publications to listen to

	mu    sync.Mutex
	peers map[string]*Peer
	pubs  []*Publication // in order of start
	taps  map[*Tap]struct{}
	feeds map[*Feed]struct{}

	speaking atomic.Pointer[map[string]bool] // who speaks now
}

// enter gets or makes the room and takes a reference to it.
func (s *SFU) enter(id string) (*liveRoom, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	r := s.rooms[id]
	if r == nil {
		r = &liveRoom{
			sfu: s, id: id, quit: make(chan struct{}), wake: make(chan struct{}, 1),
			peers: make(map[string]*Peer), taps: make(map[*Tap]struct{}), feeds: make(map[*Feed]struct{}),
		}
		s.rooms[id] = r
		s.watchers.Go(r.listen)
	}
	r.refs++
	return r, nil
}

// leave gives a reference back.
func (s *SFU) leave(r *liveRoom) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.refs--
	if r.refs == 0 {
		delete(s.rooms, r.id)
		close(r.quit)
	}
}

// addPeer makes p the member's peer and returns the one that it replaces.
func (r *liveRoom) addPeer(p *Peer) (old *Peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old = r.peers[p.id]
	if old != nil {
		r.endLocked(func(pub *Publication) bool { return pub.peer == old })
	}
	r.peers[p.id] = p
	return old
}

// removePeer ends p's publications and forgets it.
func (r *liveRoom) removePeer(p *Peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endLocked(func(pub *Publication) bool { return pub.peer == p })
	if r.peers[p.id] == p {
		delete(r.peers, p.id)
	}
}

func (r *liveRoom) addTap(t *Tap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, pub := range r.pubs {
		t.post(PublicationStarted{pub})
	}
	r.taps[t] = struct{}{}
}

func (r *liveRoom) removeTap(t *Tap) {
	r.mu.Lock()
	delete(r.taps, t)
	r.mu.Unlock()
	r.sfu.leave(r)
}

// publish makes a publication live. It reports false if its peer is not the member's any more. A publication of the same source
// ends.
func (r *liveRoom) publish(p *Publication) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[p.peer.id] != p.peer {
		return false
	}
	r.endLocked(func(o *Publication) bool { return o.info.Member == p.info.Member && o.info.Source == p.info.Source })
	r.pubs = append(r.pubs, p)
	r.emitLocked(PublicationStarted{p})
	r.pokeLocked()
	return true
}

// unpublish ends one publication, if it is still live.
func (r *liveRoom) unpublish(p *Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endLocked(func(o *Publication) bool { return o == p })
	if !p.ended() { // it has never been live
		p.end()
	}
}

// endLocked ends the publications that match.
func (r *liveRoom) endLocked(match func(*Publication) bool) {
	var ended []*Publication
	live := make([]*Publication, 0, len(r.pubs))
	for _, p := range r.pubs {
		if match(p) {
			ended = append(ended, p)
		} else {
			live = append(live, p)
		}
	}
	if len(ended) == 0 {
		return
	}
	r.pubs = live
	for _, p := range ended {
		p.end()
		r.emitLocked(PublicationEnded{p})
	}
	r.pokeLocked()
}

// pokeLocked lets every subscriber compare what it has with what there is. No change is ever handed to a subscriber as such, so
// none can be lost or come in the wrong order.
func (r *liveRoom) pokeLocked() {
	for _, p := range r.peers {
		p.box.markDirty()
	}
	for f := range r.feeds {
		poke(f.peer.box.wake)
	}
	poke(r.wake)
}

func (r *liveRoom) emit(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emitLocked(e)
}

func (r *liveRoom) emitLocked(e Event) {
	for t := range r.taps {
		t.post(e)
	}
}

// publications returns the live publications of everyone but one member.
func (r *liveRoom) publications(except string) []*Publication {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.pubs), func(p *Publication) bool { return p.info.Member == except })
}

func (r *liveRoom) members() []*Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	peers := make([]*Peer, 0, len(r.peers))
	for _, p := range r.peers {
		peers = append(peers, p)
	}
	return peers
}

// listen is the room's goroutine. It owns who speaks, how good the connections are, and how large pictures are wanted; it sleeps while
// nothing is published.
func (r *liveRoom) listen() {
	ticker := time.NewTicker(speakerTick)
	defer ticker.Stop()
	speakers := newSpeakers()
	known := make(qualities)
	tell := func(q QualityChanged) { r.emit(q) }
	wanted := make(demands)
	for tick := 0; ; tick++ {
		select {
		case <-ticker.C:
		case <-r.quit:
			return
		case <-r.sfu.quit:
			return
		}
		pubs := r.publications("")
		if members, levels, changed := speakers.update(pubs); changed {
			r.note(members)
			r.emit(SpeakersChanged{Members: members, Levels: levels})
		}
		wanted.update(pubs, r.members(), r.fed(), time.Now())
		if tick%qualityTicks == 0 {
			known.judge(r.members(), tell)
		}
		known.delay(pubs, time.Now(), tell)
		if len(pubs) == 0 && !r.sleep(ticker) {
			return
		}
	}
}

// sleep waits until something is published; it reports false when the room is gone.
func (r *liveRoom) sleep(ticker *time.Ticker) bool {
	ticker.Stop()
	defer ticker.Reset(speakerTick)
	for len(r.publications("")) == 0 {
		select {
		case <-r.wake:
		case <-r.quit:
			return false
		case <-r.sfu.quit:
			return false
		}
	}
	return true
}

// note keeps who speaks for the allocation of bandwidth.
func (r *liveRoom) note(members []string) {
	speaking := make(map[string]bool, len(members))
	for _, m := range members {
		speaking[m] = true
	}
	r.speaking.Store(&speaking)
}

func (r *liveRoom) speakingNow() map[string]bool {
	if s := r.speaking.Load(); s != nil {
		return *s
	}
	return nil
}
