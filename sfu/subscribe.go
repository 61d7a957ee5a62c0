package sfu

import (
	"errors"
	"math/rand/v2"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// subscriber is the subscribe side of a peer. The peer's goroutine owns it.
//
// It compares what the member has with what the room has (reconcile), and offers the difference. One offer is in flight at a
// time: what changes meanwhile makes it stale, and is in the next one.
type subscriber struct {
	peer       *Peer
	egress     *egress // nil until there is something to subscribe to, and after a failure
	sections   negotiate.Sections
	session    uint64
	version    uint64
	candidates candidates
	tracks     map[*Publication]*downTrack
	offers     uint32 // number of the newest offer, or of none if that was given up
	offering   bool   // an offer is in flight
	stale      bool   // reconcile again when it can be offered
	lost       bool   // it could not be negotiated: wait for the member to ask for a new connection
}

// signal acts on an answer, a candidate or a restart.
func (s *subscriber) signal(m Signal) error {
	switch m.Kind {
	case KindAnswer:
		return s.answer(m)
	case KindCandidate:
		return s.candidates.add(m.Candidate)
	case KindRestart:
		s.restart()
		return nil
	}
	return ErrUnexpected
}

// reconcile adds and removes tracks until they are the room's, and offers that.
func (s *subscriber) reconcile() {
	if !s.peer.subscribes || s.lost {
		return
	}
	if s.offering {
		s.stale = true
		return
	}
	s.stale = false
	pubs := s.peer.room.publications(s.peer.id)
	if s.egress == nil && len(pubs) == 0 {
		return
	}
	s.open()
	removed := s.remove(pubs)
	added := s.add(pubs)
	if removed || added {
		s.offer(false)
	}
}

func (s *subscriber) open() {
	if s.egress != nil {
		return
	}
	s.egress, s.tracks = newEgress(s.peer, s.peer.currentViews()), make(map[*Publication]*downTrack)
	s.sections, s.session, s.version = negotiate.Sections{}, rand.Uint64()>>2, 0
	s.peer.egress.Store(s.egress)
	s.peer.room.sfu.metronome.add(s.egress)
}

func (s *subscriber) remove(pubs []*Publication) (changed bool) {
	live := make(map[*Publication]bool, len(pubs))
	for _, p := range pubs {
		live[p] = true
	}
	for p, t := range s.tracks {
		if live[p] {
			continue
		}
		s.egress.remove(t)
		delete(s.tracks, p)
		if t.section != nil {
			s.sections.Remove(t.section)
			changed = true
		}
	}
	return changed
}

func (s *subscriber) add(pubs []*Publication) (changed bool) {
	for _, p := range pubs {
		if s.tracks[p] != nil || len(s.tracks) >= maxSubscribedMedia {
			continue
		}
		t := newDownTrack(p, s.egress)
		s.egress.add(t)
		section, ok := s.sections.Add(negotiate.Track{
			Codec: negotiate.Codec{
				MimeType: p.codec.MimeType, ClockRate: p.codec.ClockRate, Channels: p.codec.Channels, Parameters: p.codec.Parameters,
			},
			StreamID: p.info.Member, TrackID: p.info.Publication, SSRC: t.to.ssrc, RTX: t.to.rtxSSRC,
		})
		if !ok {
			s.egress.remove(t)
			continue
		}
		t.section = section
		s.tracks[p] = t
		changed = true
	}
	return changed
}

// offer sends the member the state of the connection.
func (s *subscriber) offer(iceRestart bool) {
	if iceRestart {
		s.egress.conn.Restart()
		s.candidates = candidates{}
	}
	s.version++
	text := s.sections.Offer(s.peer.local(s.egress.conn, s.session, s.version))
	s.offers++
	s.offering = true
	s.peer.tell(Signal{Kind: KindOffer, PC: Subscribe, SDP: text, Offer: s.offers, Tracks: s.mids()})
}

// mids says which publication each mid carries.
func (s *subscriber) mids() map[string]TrackInfo {
	mids := make(map[string]TrackInfo, len(s.tracks))
	for p, t := range s.tracks {
		if t.section != nil {
			mids[t.section.MID] = p.info
		}
	}
	return mids
}

// answer completes the offer in flight.
func (s *subscriber) answer(m Signal) error {
	switch {
	case m.Offer < s.offers:
		return nil // to an offer that was given up
	case m.Offer > s.offers || !s.offering:
		return ErrUnexpected
	}
	t, accepted, err := s.sections.Answer(m.SDP)
	if err != nil {
		return err
	}
	if err = s.egress.conn.Start(remote(t)); errors.Is(err, transport.ErrClosed) {
		s.close(StateFailed) // meanwhile; the member is heard to be there
		s.rebuild()
		return nil
	}
	if err != nil {
		// The member may ask for a new connection.
		s.fail(err)
		return wrap(ErrBadSDP, err)
	}
	s.offering = false
	for _, d := range s.tracks {
		if d.section == nil {
			continue
		}
		if a, ok := accepted[d.section]; ok {
			d.bind(a)
		} else if d.section.Refused() {
			d.section = nil
			s.egress.remove(d)
		}
	}
	s.egress.answered()
	s.egress.attach()
	if s.stale {
		s.reconcile()
	}
	return nil
}

// restart is asked for by the member. A connection that is alive gets an ICE restart; one that failed, or has an offer in
// flight that the member may have lost, is built anew.
func (s *subscriber) restart() {
	if s.egress != nil && !s.offering {
		s.offer(true)
		return
	}
	s.rebuild()
}

// rebuild begins a new connection with all of the room's publications.
func (s *subscriber) rebuild() {
	s.close(StateClosed)
	s.lost = false
	s.peer.tell(Signal{Kind: KindRestart, PC: Subscribe})
	s.reconcile()
}

// fail gives the connection up when it cannot be negotiated.
func (s *subscriber) fail(err error) {
	s.peer.log.Warn("subscribe connection cannot be negotiated", "err", err)
	s.close(StateFailed)
	s.lost = true
}

// changed acts on a new state of the connection.
func (s *subscriber) changed(state PeerState) {
	switch state {
	case StateFailed:
		s.close(state)
		s.rebuild()
		return
	case StateConnected:
		s.egress.opened()
		s.egress.attach()
	}
	s.peer.emit(Subscribe, state)
}

func (s *subscriber) setViews(views map[string]View) {
	if s.egress != nil {
		s.egress.setViews(views)
	}
}

// close ends the subscriptions and the connection.
func (s *subscriber) close(state PeerState) {
	if s.egress == nil {
		return
	}
	for _, t := range s.tracks {
		s.egress.remove(t)
	}
	s.peer.room.sfu.metronome.remove(s.egress)
	s.egress.shut()
	s.egress.conn.Close()
	s.peer.egress.Store(nil)
	s.egress, s.tracks, s.candidates = nil, nil, candidates{}
	if s.offering {
		s.offers++ // an answer to it is too late from now on
	}
	s.offering, s.stale = false, false
	s.peer.emit(Subscribe, state)
}
