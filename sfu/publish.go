package sfu

import (
	"maps"

	"github.com/google/uuid"
	"github.com/pion/webrtc/v4"
)

// publisher is the publish side of a peer. The peer's goroutine owns it.
type publisher struct {
	peer       *Peer
	pc         *webrtc.PeerConnection // nil until the first offer and after it was dropped
	candidates candidates
	sources    map[string]Source // by mid, of the newest offer
	inbound    map[string]*inbound
	state      PeerState
}

// signal acts on an offer, a candidate or a restart.
func (p *publisher) signal(s Signal) error {
	switch s.Kind {
	case KindOffer:
		return p.offer(s)
	case KindCandidate:
		if !p.peer.mayPublish {
			return ErrMayNotPublish
		}
		return p.candidates.add(p.peer.room.sfu.policy, p.pc, s.Candidate)
	case KindRestart:
		p.close(StateClosed)
		return nil
	}
	return ErrUnexpected
}

func (p *publisher) offer(s Signal) error {
	if !p.peer.mayPublish {
		return ErrMayNotPublish
	}
	d, err := checkSDP(s.SDP)
	if err != nil {
		return err
	}
	if err = checkPublish(d, s.Sources); err != nil {
		return err
	}
	changes := p.peer.room.sfu.policy.filterSDP(d) + keepReceivers(d, p.mids())
	text, err := textOf(d, s.SDP, changes)
	if err != nil {
		return err
	}
	if err = p.open(); err != nil {
		return err
	}
	answer, err := p.negotiate(text)
	if err != nil {
		// What was half applied cannot be undone.
		p.peer.log.Warn("publish offer failed", "err", err)
		p.drop(StateFailed)
		return err
	}
	p.sources = maps.Clone(s.Sources)
	p.forgetStopped()
	p.reconcile()
	p.peer.tell(Signal{Kind: KindAnswer, PC: Publish, SDP: answer})
	return nil
}

// mids are those that the connection knows already.
func (p *publisher) mids() map[string]bool {
	known := make(map[string]bool)
	if p.pc == nil {
		return known
	}
	for _, t := range p.pc.GetTransceivers() {
		known[t.Mid()] = true
	}
	return known
}

// open makes the connection if there is none.
func (p *publisher) open() error {
	if p.pc != nil {
		return nil
	}
	peer := p.peer
	var pc *webrtc.PeerConnection
	pc, err := peer.room.sfu.build.publish(func() { peer.box.post(excess{pc: pc}) })
	if err != nil {
		return err
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		peer.box.post(arrived{pc: pc, track: t, receiver: r})
	})
	peer.watch(pc, Publish)
	p.pc, p.inbound = pc, make(map[string]*inbound)
	return nil
}

func (p *publisher) negotiate(offer string) (string, error) {
	err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return "", wrap(ErrBadSDP, err)
	}
	// A new generation of candidates may follow an ICE restart, and renegotiation is rare: count anew.
	p.candidates.count = 0
	p.candidates.flush(p.pc)
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", wrap(ErrConnection, err)
	}
	return p.peer.describe(p.pc, answer)
}

// arrived starts to read a track whose first packet came.
func (p *publisher) arrived(m arrived) {
	if m.pc != p.pc || m.track.RID() != "" {
		return
	}
	mid := ""
	for _, t := range p.pc.GetTransceivers() {
		if t.Receiver() == m.receiver {
			mid = t.Mid()
		}
	}
	if mid == "" {
		return
	}
	if old := p.inbound[mid]; old != nil {
		p.unpublish(old)
	}
	in := &inbound{pc: p.pc, track: m.track, receiver: m.receiver}
	p.inbound[mid] = in
	p.peer.wg.Go(in.readRTP)
	p.peer.wg.Go(in.readRTCP)
	p.reconcile()
}

// forgetStopped ends the tracks that the negotiation has stopped: a member that sends there again has a new one, which arrives.
func (p *publisher) forgetStopped() {
	for _, t := range p.pc.GetTransceivers() {
		if in := p.inbound[t.Mid()]; in != nil && in.receiver != t.Receiver() {
			p.unpublish(in)
			delete(p.inbound, t.Mid())
		}
	}
}

// reconcile makes publications of the tracks that are named as a source, and ends the others.
func (p *publisher) reconcile() {
	for mid, in := range p.inbound {
		pub := in.publication.Load()
		source := p.sources[mid]
		if pub != nil && (pub.info.Source != source || pub.ended()) {
			p.unpublish(in)
			pub = nil
		}
		if pub == nil && source != "" && p.peer.mayPublish {
			p.start(in, source)
		}
	}
}

func (p *publisher) start(in *inbound, source Source) {
	id, err := uuid.NewV7()
	if err != nil {
		p.peer.log.Error("no id for a publication", "err", err)
		return
	}
	info := TrackInfo{Member: p.peer.id, Source: source, Publication: id.String()}
	pub := newPublication(p.peer, in, info)
	if !p.peer.room.publish(pub) {
		return
	}
	in.publication.Store(pub)
}

func (p *publisher) unpublish(in *inbound) {
	if pub := in.publication.Swap(nil); pub != nil {
		p.peer.room.unpublish(pub)
	}
}

// changed acts on a new state of the connection.
func (p *publisher) changed(state PeerState) {
	if state == StateFailed {
		p.drop(state)
		return
	}
	p.state = state
	p.peer.emit(Publish, state)
}

// drop closes the connection and tells the member.
func (p *publisher) drop(state PeerState) {
	if p.pc == nil {
		return
	}
	p.close(state)
	p.peer.tell(Signal{Kind: KindRestart, PC: Publish})
}

// close ends the publications and the connection.
func (p *publisher) close(state PeerState) {
	if p.pc == nil {
		return
	}
	for _, in := range p.inbound {
		p.unpublish(in)
	}
	if err := p.pc.GracefulClose(); err != nil {
		p.peer.log.Warn("publish connection did not close cleanly", "err", err)
	}
	p.pc, p.inbound, p.sources, p.candidates = nil, nil, nil, candidates{}
	p.peer.emit(Publish, state)
}
