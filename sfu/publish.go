package sfu

import (
	"errors"
	"maps"
	"math/rand/v2"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// publisher is the publish side of a peer. The peer's goroutine owns it.
type publisher struct {
	peer         *Peer
	conn         *publishConn // nil until the first offer and after it was dropped
	session      uint64
	version      uint64
	ufrag        string // of the newest offer
	candidates   candidates
	publications map[string]*Publication // by mid; live, or waiting for their first packet
	layers       map[string]int          // how many there are, by mid
	fetch        *FetchConfig            // nil for a member
}

// signal acts on an offer, a candidate or a restart.
func (p *publisher) signal(s Signal) error {
	switch s.Kind {
	case KindOffer:
		return p.offer(s)
	case KindAnswer:
		return p.fetched(s.SDP)
	case KindCandidate:
		if !p.peer.mayPublish {
			return ErrMayNotPublish
		}
		return p.candidates.add(s.Candidate)
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
	o, err := negotiate.ReadOffer(s.SDP)
	if err != nil {
		return err
	}
	if err = checkSources(o, s.Sources); err != nil {
		return err
	}
	if err = p.start(o); err != nil {
		return err
	}
	// A new generation of candidates may follow an ICE restart, and renegotiation is rare: count anew.
	p.candidates = candidates{}
	if err = p.reconcile(o, s.Sources); err != nil {
		p.drop(StateFailed)
		return err
	}
	p.version++
	answer := o.Answer(p.peer.local(p.conn.conn, p.session, p.version))
	p.peer.tell(Signal{Kind: KindAnswer, PC: Publish, SDP: answer, Offer: s.Offer})
	return nil
}

// start connects, or changes the credentials of the connection that there is.
func (p *publisher) start(o *negotiate.Offer) error {
	if p.conn == nil {
		p.open()
	} else if p.ufrag != o.Ufrag {
		p.conn.conn.Restart()
	}
	err := p.conn.conn.Start(remote(o.Transport))
	if errors.Is(err, transport.ErrFingerprint) { // the member has begun anew
		p.close(StateClosed)
		p.open()
		err = p.conn.conn.Start(remote(o.Transport))
	}
	if err != nil {
		p.peer.log.Warn("publish offer failed", "err", err)
		p.drop(StateFailed)
		return wrap(ErrBadSDP, err)
	}
	p.ufrag = o.Ufrag
	return nil
}

func (p *publisher) open() {
	p.conn = newPublishConn(p.peer)
	p.session, p.version = rand.Uint64()>>2, 0
	p.publications, p.layers = make(map[string]*Publication), make(map[string]int)
	p.peer.room.sfu.metronome.add(p.conn)
}

// reconcile makes a publication for each section that is named as a source, and ends the others. They begin with their first
// packet.
func (p *publisher) reconcile(o *negotiate.Offer, sources map[string]Source) error {
	old := maps.Clone(p.publications)
	clear(p.publications)
	for i := range o.Sections {
		s := &o.Sections[i]
		source := sources[s.MID]
		if source == "" || !s.Accepted || !s.Sends {
			continue
		}
		pub, n := old[s.MID], max(len(s.RIDs), 1)
		if pub == nil || pub.ended() || pub.info.Source != source || len(pub.layers) != n {
			var err error
			if pub, err = p.make(source, n); err != nil {
				p.end(old)
				return err
			}
		}
		p.publications[s.MID] = pub
	}
	for mid, pub := range old {
		if p.publications[mid] != pub {
			p.peer.room.unpublish(pub)
		}
	}
	p.conn.configure(o, p.publications)
	return nil
}

func (p *publisher) make(source Source, layers int) (*Publication, error) {
	pub, err := newPublication(p.peer, source, layers, p.conn.askKeyframe)
	if err == nil && p.fetch != nil {
		pub.info = p.fetch.Track
	}
	return pub, err
}

func (p *publisher) end(publications map[string]*Publication) {
	for _, pub := range publications {
		p.peer.room.unpublish(pub)
	}
}

// arrived makes a publication live whose first packet came.
func (p *publisher) arrived(m arrived) {
	if p.conn == nil || m.conn != p.conn.conn || !p.peer.mayPublish {
		return
	}
	for _, pub := range p.publications {
		if pub == m.publication {
			p.peer.room.publish(pub)
			return
		}
	}
}

// changed acts on a new state of the connection. When nothing comes any more, the publications end at once; they begin anew
// if something comes before the connection is given up.
func (p *publisher) changed(state PeerState) {
	switch state {
	case StateFailed:
		p.drop(state)
		return
	case StateDisconnected:
		if p.fetch != nil {
			p.drop(state)
			return
		}
		p.interrupt()
	}
	p.peer.emit(Publish, state)
}

func (p *publisher) interrupt() {
	for mid, old := range p.publications {
		next, err := p.make(old.info.Source, len(old.layers))
		if err != nil {
			p.peer.log.Error("no id for a publication", "err", err)
			continue
		}
		p.peer.room.unpublish(old)
		p.publications[mid] = next
		p.conn.renew(old, next)
	}
}

// drop closes the connection and tells the member.
func (p *publisher) drop(state PeerState) {
	if p.conn == nil {
		return
	}
	p.close(state)
	p.peer.tell(Signal{Kind: KindRestart, PC: Publish})
}

// close ends the publications and the connection.
func (p *publisher) close(state PeerState) {
	if p.conn == nil {
		return
	}
	p.end(p.publications)
	p.peer.room.sfu.metronome.remove(p.conn)
	p.conn.shut()
	p.conn.conn.Close()
	p.conn, p.publications, p.candidates, p.ufrag = nil, nil, candidates{}, ""
	p.peer.emit(Publish, state)
}
