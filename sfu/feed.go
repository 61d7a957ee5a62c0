package sfu

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
	"github.com/pausepoint/pausepoint/sfu/transport"
)

// ErrNotPublished says that there is no such publication, or no more.
var ErrNotPublished = errors.New("sfu: that is not published")

// Feed is one publication on its way to another server, which serves its own members with it: all the layers that they are shown, as
// the publisher sends them. The way between servers is taken to be wide enough: what is lost is repaired, but nothing is held back.
//
// Its goroutine, run, owns the connection's life. It has a peer's mailbox, but is none of the room's members.
type Feed struct {
	peer   *Peer
	pub    *Publication
	egress *egress
	height atomic.Int32 // the tallest place in which a member there shows it
}

// Feed answers the offer of another server for a publication of the room. The feed ends with the publication, with its connection, or
// by Close. Errors: ErrNotPublished, ErrClosed, and those of session descriptions.
func (r *Room) Feed(publication, offer string) (*Feed, string, error) {
	o, err := negotiate.ReadOffer(offer)
	if err != nil {
		return nil, "", err
	}
	room, err := r.sfu.enter(r.id)
	if err != nil {
		return nil, "", err
	}
	pub := room.publication(publication)
	if pub == nil {
		r.sfu.leave(room)
		return nil, "", ErrNotPublished
	}
	f := newFeed(room, pub)
	answer, err := f.accept(o)
	if err == nil && !r.sfu.spawn(&r.sfu.peers, f.run) {
		err = ErrClosed
	}
	if err != nil {
		f.end()
		return nil, "", err
	}
	return f, answer, nil
}

func newFeed(room *liveRoom, pub *Publication) *Feed {
	f := &Feed{peer: newPeer(room, PeerConfig{ID: pub.info.Publication}), pub: pub}
	f.height.Store(AnyHeight)
	f.egress = newEgress(f.peer, nil)
	f.egress.feed = f
	for range pub.layers {
		f.egress.add(newDownTrack(pub, f.egress))
	}
	room.addFeed(f)
	room.sfu.metronome.add(f.egress)
	return f
}

// accept agrees with the other server.
func (f *Feed) accept(o *negotiate.Offer) (answer string, err error) {
	codec := f.pub.codec
	feed := negotiate.Feed{
		Codec: negotiate.Codec{
			MimeType: codec.MimeType, ClockRate: codec.ClockRate, Channels: codec.Channels, Parameters: codec.Parameters,
		},
		StreamID: f.pub.info.Member, TrackID: f.pub.info.Publication,
	}
	for _, t := range f.egress.tracks {
		feed.Layers = append(feed.Layers, negotiate.FeedLayer{SSRC: t.to.ssrc, RTX: t.to.rtxSSRC})
	}
	text, accepted, err := o.AnswerFeed(f.peer.local(f.egress.conn, rand.Uint64()>>2, 1), feed)
	if err != nil {
		return "", err
	}
	for _, t := range f.egress.tracks {
		t.bind(accepted)
	}
	if err = f.egress.conn.Start(remote(o.Transport)); err != nil {
		return "", wrap(ErrBadSDP, err)
	}
	return text, nil
}

// Info names the publication.
func (f *Feed) Info() TrackInfo { return f.pub.info }

// SetHeight says how tall the tallest place is in which a member of the other server shows the picture: 0 if nobody does, AnyHeight for
// the best. Sound is always sent.
func (f *Feed) SetHeight(height int) {
	f.height.Store(int32(min(max(height, 0), AnyHeight))) //nolint:gosec // bounded
	f.egress.mu.Lock()
	defer f.egress.mu.Unlock()
	f.egress.decidedAt = time.Time{} // at the next beat
}

// Close ends the feed, and waits for that.
func (f *Feed) Close() {
	f.peer.cancel()
	<-f.peer.done
}

// Done is closed when the feed has ended.
func (f *Feed) Done() <-chan struct{} { return f.peer.done }

func (f *Feed) run() {
	defer f.end()
	for !f.pub.ended() {
		select {
		case <-f.peer.box.wake:
		case <-f.peer.ctx.Done():
			return
		}
		messages, _ := f.peer.box.take()
		for _, m := range messages {
			if s, ok := m.(stateChanged); ok && !f.changed(s.state) {
				return
			}
		}
	}
}

// changed reports whether the connection goes on.
func (f *Feed) changed(s transport.State) bool {
	switch s {
	case transport.Connected:
		f.egress.opened()
		f.egress.attach()
	case transport.Failed, transport.Closed:
		return false
	case transport.New, transport.Silent:
	}
	return true
}

// end lets go of everything.
func (f *Feed) end() {
	defer close(f.peer.done)
	room := f.peer.room
	f.peer.cancel()
	f.peer.box.close()
	room.removeFeed(f)
	for len(f.egress.tracks) != 0 {
		f.egress.remove(f.egress.tracks[0])
	}
	room.sfu.metronome.remove(f.egress)
	f.egress.shut()
	f.egress.conn.Close()
	room.sfu.leave(room)
}

// decide sends the layers up to the one that fills the tallest place. egress.mu is held.
func (f *Feed) decide(now time.Time) {
	if !f.pub.video {
		return
	}
	height := int(f.height.Load())
	most := f.pub.layerFor(height)
	for i, t := range f.egress.tracks {
		switch {
		case !t.attached:
		case height == 0 || i > most || f.pub.turnedOff(i):
			t.choose(-1, now)
		case len(f.pub.layers) == 1:
			t.choose(maxLayers-1, now) // with all that are within it
		default:
			t.choose(i, now)
		}
	}
}

// layerFor is the smallest layer that fills a place. One of unknown size may be too small.
func (p *Publication) layerFor(height int) int {
	for i, l := range p.layers {
		if _, h := l.size(0); h >= height && l.live() {
			return i
		}
	}
	return len(p.layers) - 1
}

// turnedOff reports whether a layer is not sent while another one is.
func (p *Publication) turnedOff(layer int) bool {
	if p.layers[layer].live() {
		return false
	}
	for _, l := range p.layers {
		if l.live() {
			return true
		}
	}
	return false
}

func (r *liveRoom) publication(id string) *Publication {
	for _, p := range r.publications("") {
		if p.info.Publication == id {
			return p
		}
	}
	return nil
}

func (r *liveRoom) addFeed(f *Feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feeds[f] = struct{}{}
}

func (r *liveRoom) removeFeed(f *Feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.feeds, f)
}

// fed is how tall other servers want each publication.
func (r *liveRoom) fed() map[*Publication]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	heights := make(map[*Publication]int, len(r.feeds))
	for f := range r.feeds {
		heights[f.pub] = max(heights[f.pub], int(f.height.Load()))
	}
	return heights
}
