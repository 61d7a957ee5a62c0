package sfu

import (
	"slices"

	"github.com/pion/webrtc/v4"
)

// subscriber is the subscribe side of a peer. The peer's goroutine owns it.
//
// It compares what the member has with what the room has (reconcile), and offers the difference. One offer is in flight at a
// time: what changes meanwhile makes it stale, and is in the next one.
type subscriber struct {
	peer       *Peer
	pc         *webrtc.PeerConnection // nil until there is something to subscribe to, and after a failure
	candidates candidates
	tracks     map[*Publication]*downTrack
	offers     uint32 // number of the newest offer
	offering   bool   // an offer is in flight
	stale      bool   // reconcile again when it can be offered
	lost       bool   // it could not be negotiated: wait for the member to ask for a new connection
	connected  bool
	leaving    []*webrtc.RTPTransceiver // without a track in the offer in flight
	idle       []*webrtc.RTPTransceiver // without a track, as the member knows
}

// signal acts on an answer, a candidate or a restart.
func (s *subscriber) signal(m Signal) error {
	switch m.Kind {
	case KindAnswer:
		return s.answer(m)
	case KindCandidate:
		return s.candidates.add(s.peer.room.sfu.policy, s.pc, m.Candidate)
	case KindRestart:
		return s.restart()
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
	if s.pc == nil && len(pubs) == 0 {
		return
	}
	if err := s.open(); err != nil {
		s.peer.log.Error("subscribe connection failed", "err", err)
		return
	}
	removed := s.remove(pubs)
	added := s.add(pubs)
	if removed || added {
		s.offer(false)
	}
}

func (s *subscriber) open() error {
	if s.pc != nil {
		return nil
	}
	pc, err := s.peer.room.sfu.build.subscribe()
	if err != nil {
		return err
	}
	s.peer.watch(pc, Subscribe)
	s.pc, s.tracks = pc, make(map[*Publication]*downTrack)
	return nil
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
		s.detach(t)
		delete(s.tracks, p)
		changed = true
	}
	return changed
}

func (s *subscriber) detach(t *downTrack) {
	t.stop()
	for _, tr := range s.pc.GetTransceivers() {
		if tr.Sender() == t.sender {
			s.leaving = append(s.leaving, tr)
		}
	}
	if err := s.pc.RemoveTrack(t.sender); err != nil {
		s.peer.log.Warn("a track was not removed cleanly", "err", err)
	}
}

func (s *subscriber) add(pubs []*Publication) (changed bool) {
	for _, p := range pubs {
		if s.tracks[p] != nil || len(s.tracks) >= maxSubscribedMedia {
			continue
		}
		t := newDownTrack(p, s.peer, s.pc)
		if err := s.attach(t); err != nil {
			s.peer.log.Error("a track was not added", "err", err)
			continue
		}
		if s.connected {
			t.transportReady()
		}
		s.tracks[p] = t
		s.peer.wg.Go(t.readRTCP)
		changed = true
	}
	return changed
}

// attach gives the track a transceiver: an idle one or a new one.
func (s *subscriber) attach(t *downTrack) error {
	for _, tr := range s.idle {
		if tr.Kind() == t.Kind() {
			return s.reuse(t)
		}
	}
	tr, err := s.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	t.sender = tr.Sender()
	return nil
}

// reuse lets the connection choose among the idle transceivers of the track's kind.
func (s *subscriber) reuse(t *downTrack) (err error) {
	if t.sender, err = s.pc.AddTrack(t); err != nil {
		return err
	}
	s.idle = slices.DeleteFunc(s.idle, func(tr *webrtc.RTPTransceiver) bool { return tr.Sender() == t.sender })
	return nil
}

// offer sends the member the state of the connection.
func (s *subscriber) offer(iceRestart bool) {
	offer, err := s.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: iceRestart})
	if err != nil {
		s.fail(err)
		return
	}
	if iceRestart {
		s.candidates = candidates{}
	}
	text, err := s.peer.describe(s.pc, offer)
	if err != nil {
		s.fail(err)
		return
	}
	s.offers++
	s.offering = true
	s.peer.tell(Signal{Kind: KindOffer, PC: Subscribe, SDP: text, Offer: s.offers, Tracks: s.mids()})
}

// mids says which publication each mid carries.
func (s *subscriber) mids() map[string]TrackInfo {
	mids := make(map[string]TrackInfo, len(s.tracks))
	for _, tr := range s.pc.GetTransceivers() {
		for _, t := range s.tracks {
			if tr.Sender() == t.sender {
				mids[tr.Mid()] = t.pub.info
			}
		}
	}
	return mids
}

// answer completes the offer in flight.
func (s *subscriber) answer(m Signal) error {
	if !s.offering {
		return ErrUnexpected
	}
	if m.Offer != 0 && m.Offer != s.offers {
		return nil // of an offer that was given up
	}
	d, err := checkSDP(m.SDP)
	if err != nil {
		return err
	}
	text, err := textOf(d, m.SDP, s.peer.room.sfu.policy.filterSDP(d))
	if err != nil {
		return err
	}
	err = s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text})
	if err != nil {
		// What was half applied cannot be undone. The member may ask for a new connection.
		s.fail(err)
		return wrap(ErrBadSDP, err)
	}
	s.offering = false
	s.idle, s.leaving = append(s.idle, s.leaving...), nil
	s.candidates.flush(s.pc)
	if s.stale {
		s.reconcile()
	}
	return nil
}

// restart is asked for by the member. A connection that is alive gets an ICE restart; one that failed, or has an offer in
// flight that the member may have lost, is built anew.
func (s *subscriber) restart() error {
	if s.pc != nil && !s.offering {
		s.offer(true)
		return nil
	}
	s.rebuild()
	return nil
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
	if s.peer.ctx.Err() != nil {
		return
	}
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
		s.connected = true
		for _, t := range s.tracks {
			t.transportReady()
		}
	}
	s.peer.emit(Subscribe, state)
}

// close ends the subscriptions and the connection.
func (s *subscriber) close(state PeerState) {
	if s.pc == nil {
		return
	}
	for _, t := range s.tracks {
		t.stop()
	}
	if err := s.pc.GracefulClose(); err != nil {
		s.peer.log.Warn("subscribe connection did not close cleanly", "err", err)
	}
	s.pc, s.tracks, s.candidates = nil, nil, candidates{}
	s.offering, s.stale, s.connected = false, false, false
	s.leaving, s.idle = nil, nil
	s.peer.emit(Subscribe, state)
}
