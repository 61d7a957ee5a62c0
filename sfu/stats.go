package sfu

import (
	"time"

	"github.com/pausepoint/pausepoint/sfu/transport"
)

// Stats are an SFU's counters.
type Stats struct {
	Rooms        int
	Peers        int
	Publications int
	Feeds        int // publications on their way to other servers
	Transport    transport.Stats
}

// PeerStats are what is known of a member's connections.
type PeerStats struct {
	Member       string
	Publications []PublicationStats
	Subscribed   []DownStats
	Target       int // bit/s that may be sent to the member
	Wanted       int // bit/s that would be sent if there were no limit
	Chosen       int // bit/s of what is sent
	RTT          time.Duration
	Loss         float64 // fraction of the packets to the member, 0 to 1
	Paced        bool    // the member reports what arrives
}

// PublicationStats are what is known of a publication.
type PublicationStats struct {
	Info        TrackInfo
	Codec       Codec
	Counts      Counts
	Subscribers int
	Layers      []LayerStats
}

// LayerStats are what is known of one stream of a publication.
type LayerStats struct {
	Bitrate          int // bit/s lately
	Width, Height    int // of the picture, 0 if it is not known
	Packets          uint64
	Bytes            uint64 // of payload
	Lost             uint64 // before repair
	Loss             float64
	NACKs            uint64 // packets that were asked for
	Repaired         uint64
	Keyframes        uint64
	KeyframeRequests uint64
}

// DownStats are what is known of one publication on its way to one subscriber.
type DownStats struct {
	Info             TrackInfo
	Layer            int // -1 while nothing is sent
	Packets          uint64
	Bytes            uint64 // of payload
	NACKs            uint64 // packets that the subscriber asked for
	Repaired         uint64
	Unrepaired       uint64 // asked for, and not there any more
	Dropped          uint64 // given up since they waited too long
	KeyframeRequests uint64
	Loss             float64 // fraction of the newest report, 0 to 1
}

// Stats returns the counters.
func (s *SFU) Stats() Stats {
	st := Stats{Transport: s.net.Stats()}
	s.mu.Lock()
	rooms := make([]*liveRoom, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()
	st.Rooms = len(rooms)
	for _, r := range rooms {
		r.mu.Lock()
		st.Peers += len(r.peers)
		st.Publications += len(r.pubs)
		st.Feeds += len(r.feeds)
		r.mu.Unlock()
	}
	return st
}

// Stats returns what is known of a member's connections. It may be called at any time.
func (p *Peer) Stats() PeerStats {
	st := PeerStats{Member: p.id}
	for _, pub := range p.room.publications("") {
		if pub.peer == p {
			st.Publications = append(st.Publications, pub.Stats())
		}
	}
	if e := p.egress.Load(); e != nil {
		e.addStats(&st)
	}
	return st
}

func (e *egress) addStats(st *PeerStats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st.Target, st.Wanted, st.Chosen = e.estimator.Target(), e.wanted, e.chosen
	st.RTT, st.Loss, st.Paced = e.rtt, e.estimator.Loss(), e.paced
	for _, t := range e.tracks {
		d := t.stats
		d.Info, d.Layer = t.pub.info, t.choice
		st.Subscribed = append(st.Subscribed, d)
	}
}

// Stats returns what is known of the publication.
func (p *Publication) Stats() PublicationStats {
	st := PublicationStats{Info: p.info, Codec: p.codec, Counts: p.Counts(), Subscribers: len(*p.subs.Load())}
	for _, l := range p.layers {
		top := int(l.spatial.Load()) - 1
		width, height := l.size(top)
		st.Layers = append(st.Layers, LayerStats{
			Bitrate: l.rate(top), Width: width, Height: height,
			Packets: l.stats.packets.Load(), Bytes: l.stats.bytes.Load(), Lost: l.stats.lost.Load(),
			Loss: float64(l.stats.loss.Load()) / 1000, NACKs: l.stats.nacks.Load(), Repaired: l.stats.repaired.Load(),
			Keyframes: l.stats.keyframes.Load(), KeyframeRequests: l.stats.keyframeRequests.Load(),
		})
	}
	return st
}
