package sfu

import (
	"fmt"
	"math/rand/v2"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// FetchConfig names a publication of another server, as that describes it.
type FetchConfig struct {
	Track  TrackInfo
	Codec  Codec
	Layers int
	// Wanted is told how tall the tallest place is in which a member here shows the picture, when it comes in several layers; see
	// Feed.SetHeight. Lost is told that nothing comes any more. Neither may block, nor call the Fetch.
	Wanted func(height int)
	Lost   func()
}

// Fetch is a publication of another server that is published here too, under the same name. It begins with the first packet.
type Fetch struct{ peer *Peer }

// Fetch makes the offer for another server; see Room.Feed. The caller hands its answer to Answer, and closes the Fetch. Errors:
// ErrInvalidIdentity, ErrUnsupported, ErrClosed.
func (r *Room) Fetch(cfg FetchConfig) (f *Fetch, offer string, err error) {
	t := cfg.Track
	switch {
	case !validID(r.id), !validID(t.Member), !validID(t.Publication), !t.Source.Valid():
		return nil, "", ErrInvalidIdentity
	case cfg.Layers < 1, cfg.Layers > maxLayers, cfg.Layers > 1 && !t.Source.Video():
		return nil, "", fmt.Errorf("%w: a publication with that many layers", ErrUnsupported)
	}
	peer, err := r.join(PeerConfig{ID: t.Publication, Publish: true, Send: cfg.hear}, func(p *Peer) error {
		offer, err = p.publish.fetchOffer(cfg)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return &Fetch{peer}, offer, nil
}

// hear takes what the peer would tell a member.
func (cfg FetchConfig) hear(s Signal) {
	switch s.Kind {
	case KindWanted:
		cfg.Wanted(s.Height)
	case KindRestart:
		cfg.Lost()
	case KindOffer, KindAnswer, KindCandidate:
	}
}

// Answer takes the other server's answer, and calls it.
func (f *Fetch) Answer(text string) error {
	return f.peer.Handle(Signal{Kind: KindAnswer, PC: Publish, SDP: text})
}

// Close ends the publication here. It must not be called from Wanted, Lost or a Sink.
func (f *Fetch) Close() { f.peer.Close() }

// fetchOffer is called before the peer's goroutine begins.
func (p *publisher) fetchOffer(cfg FetchConfig) (string, error) {
	p.fetch = &cfg
	p.open()
	local := p.peer.local(p.conn.conn, rand.Uint64()>>2, 1)
	local.Calls = true
	c := cfg.Codec
	text, ok := negotiate.FeedOffer(local, negotiate.Codec{
		MimeType: c.MimeType, ClockRate: c.ClockRate, Channels: c.Channels, Parameters: c.Parameters,
	}, cfg.Layers)
	if !ok {
		return "", fmt.Errorf("%w: the codec %q", ErrUnsupported, c.MimeType)
	}
	return text, nil
}

// fetched acts on the other server's answer.
func (p *publisher) fetched(text string) error {
	if p.fetch == nil || p.conn == nil || len(p.publications) != 0 {
		return ErrUnexpected
	}
	o, err := negotiate.ReadOffer(text) // what sends is described in the same way in an answer
	if err != nil {
		return err
	}
	if len(o.Sections) != 1 || !o.Sections[0].Accepted || !o.Sections[0].Sends || max(len(o.Sections[0].RIDs), 1) != p.fetch.Layers {
		return fmt.Errorf("%w: it is no answer to a fetch", ErrBadSDP)
	}
	pub, err := p.make(p.fetch.Track.Source, p.fetch.Layers)
	if err != nil {
		return err
	}
	p.publications[o.Sections[0].MID] = pub
	p.conn.configure(o, p.publications)
	if err = p.conn.conn.Dial(remote(o.Transport), o.Addrs); err != nil {
		return wrap(ErrConnection, err)
	}
	return nil
}
