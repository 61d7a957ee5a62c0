package sfu

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// viewer notes when what a caller sends could be played.
type viewer struct {
	*client

	seen     sync.Mutex
	missing  map[webrtc.SSRC]*missingPackets
	sounds   map[uint32]heardSound
	pictures map[pictureID]*heardPicture
	decoded  *heardPicture // newest picture that could be decoded
	moved    time.Time     // when it could
	asked    time.Time     // for a key frame
}

type heardSound struct{ sent, at time.Time }

// pictureID is a frame of one layer. Where the layer changes, some come of both.
type pictureID struct {
	n     uint32
	layer uint8
}

// heardPicture is one frame.
type heardPicture struct {
	pictureID

	stamp    uint32 // RTP timestamp, by which they are in order
	key      bool
	parts    int
	have     map[uint8]bool
	sent     time.Time
	complete time.Time // zero before
}

// view makes a caller into one who only receives.
func (c *client) view(room string) *viewer {
	v := &viewer{client: c, missing: make(map[webrtc.SSRC]*missingPackets), sounds: make(map[uint32]heardSound), pictures: make(map[pictureID]*heardPicture)}
	sub, err := c.api.NewPeerConnection(webrtc.Configuration{})
	must(c.w.t, err)
	sub.OnTrack(v.play)
	c.sub = sub
	c.join(room, false, true)
	return v
}

func (v *viewer) play(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	v.wg.Go(func() {
		for {
			if _, _, err := r.ReadRTCP(); err != nil {
				return
			}
		}
	})
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		now := time.Now()
		v.seen.Lock()
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			v.sound(p, now)
		} else if v.picture(p, now) {
			v.asked = now
			_ = v.sub.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
		}
		v.ask(track.SSRC(), p.SequenceNumber, now)
		v.seen.Unlock()
	}
}

// missingPackets are what a browser asks for: after a moment, then once in a round trip, and not for ever. (The interceptor of pion does not
// know what has come on the retransmission stream, and asks for it again and again.)
type missingPackets struct {
	highest uint16
	seqs    map[uint16]*missingPacket
}

type missingPacket struct {
	tries int
	since time.Time
	due   time.Time
}

const (
	askPatience = 20 * time.Millisecond
	askAgain    = 180 * time.Millisecond
	askTries    = 10
	askLife     = time.Second
)

func (v *viewer) ask(ssrc webrtc.SSRC, seq uint16, now time.Time) {
	m := v.missing[ssrc]
	if m == nil {
		m = &missingPackets{highest: seq, seqs: make(map[uint16]*missingPacket)}
		v.missing[ssrc] = m
	}
	delete(m.seqs, seq)
	if ahead := seq - m.highest; ahead != 0 && ahead < 1<<15 {
		for s := m.highest + 1; s != seq; s++ {
			m.seqs[s] = &missingPacket{since: now, due: now.Add(askPatience)}
		}
		m.highest = seq
	}
	var due []uint16
	for s, p := range m.seqs {
		switch {
		case p.tries >= askTries || now.Sub(p.since) > askLife:
			delete(m.seqs, s)
		case !now.Before(p.due):
			p.tries++
			p.due = now.Add(askAgain)
			due = append(due, s)
		}
	}
	if len(due) != 0 {
		slices.Sort(due)
		_ = v.sub.WriteRTCP([]rtcp.Packet{
			&rtcp.TransportLayerNack{MediaSSRC: uint32(ssrc), Nacks: rtcp.NackPairsFromSequenceNumbers(due)},
		})
	}
}

func (v *viewer) sound(p *rtp.Packet, now time.Time) {
	blocks := []codec.REDBlock{{Payload: p.Payload}}
	if p.PayloadType == callerRED {
		var err error
		if blocks, err = codec.REDBlocks(nil, p.Payload); err != nil {
			return
		}
	}
	for _, b := range blocks {
		if len(b.Payload) < 12 {
			continue
		}
		n := binary.BigEndian.Uint32(b.Payload) &^ callerFrame
		if _, known := v.sounds[n]; !known {
			v.sounds[n] = heardSound{sent: time.Unix(0, int64(binary.BigEndian.Uint64(b.Payload[4:]))), at: now}
		}
	}
}

// picture takes a packet; it reports true when only a key frame helps, as a browser finds that out.
func (v *viewer) picture(p *rtp.Packet, now time.Time) (lost bool) {
	if len(p.Payload) < headBytes+metaBytes {
		return false
	}
	meta := p.Payload[headBytes:]
	id := pictureID{n: binary.BigEndian.Uint32(meta), layer: meta[6]}
	f := v.pictures[id]
	if f == nil {
		f = &heardPicture{
			pictureID: id, stamp: p.Timestamp, key: meta[7] == 1, parts: int(meta[5]), have: make(map[uint8]bool),
			sent: time.Unix(0, int64(binary.BigEndian.Uint64(meta[8:]))),
		}
		v.pictures[id] = f
	}
	f.have[meta[4]] = true
	if len(f.have) == f.parts && f.complete.IsZero() {
		f.complete = now
		v.decode(f, now)
	}
	return v.decoded != nil && now.Sub(v.moved) > 300*time.Millisecond && now.Sub(v.asked) > 400*time.Millisecond
}

// decode goes on with a picture that has come, and with those after it that came before it.
func (v *viewer) decode(f *heardPicture, now time.Time) {
	for f != nil && !f.complete.IsZero() && f.follows(v.decoded) {
		v.decoded, v.moved = f, now
		f = v.pictures[pictureID{n: f.n + 1, layer: f.layer}]
	}
}

// follows reports whether a picture can be decoded after another, nil for none.
func (f *heardPicture) follows(before *heardPicture) bool {
	if f.key {
		return before == nil || newer(f.stamp, before.stamp)
	}
	return before != nil && before.layer == f.layer && before.n+1 == f.n
}

// soundInTime is the fraction of the sound sent between two times that was there when a buffer of that depth had to play it.
func (v *viewer) soundInTime(from, until time.Time, depth time.Duration) float64 {
	v.seen.Lock()
	defer v.seen.Unlock()
	base := time.Hour
	first, last := ^uint32(0), uint32(0)
	for n, s := range v.sounds {
		base = min(base, s.at.Sub(s.sent))
		if s.sent.After(from) && s.sent.Before(until) {
			first, last = min(first, n), max(last, n)
		}
	}
	if last == 0 {
		return 0
	}
	good := 0
	for n := first; n <= last; n++ {
		if s, ok := v.sounds[n]; ok && s.at.Sub(s.sent) <= base+depth {
			good++
		}
	}
	return float64(good) / max(float64(last-first+1), until.Sub(from).Seconds()/soundEvery.Seconds()-10)
}

// shown is when a picture was on the screen, and of which layer it was.
type shown struct {
	at    time.Time
	layer uint8
}

// shows lists the pictures that a buffer of that depth shows.
func (v *viewer) shows(depth time.Duration) (list []shown) {
	v.seen.Lock()
	defer v.seen.Unlock()
	base := time.Hour
	var all []*heardPicture
	for _, f := range v.pictures {
		if !f.complete.IsZero() {
			base = min(base, f.complete.Sub(f.sent))
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *heardPicture) int { return int(int32(a.stamp - b.stamp)) })
	var decoded *heardPicture
	var ready time.Time // when it was decoded
	for _, f := range all {
		if !f.follows(decoded) {
			continue
		}
		if f.key {
			ready = time.Time{}
		}
		decoded, ready = f, later2(ready, f.complete)
		at := later2(ready, f.sent.Add(base+depth))
		if len(list) > 0 {
			at = later2(at, list[len(list)-1].at)
		}
		list = append(list, shown{at, f.layer})
	}
	return list
}

func later2(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// frozen is for how long the picture stood still between two times beyond the frame's interval, counting only what is seen: more than
// 150 ms. longest is the longest time without a new picture.
func frozen(list []shown, from, until time.Time) (sum, longest time.Duration) {
	last := from
	note := func(at time.Time) {
		gap := at.Sub(last)
		longest = max(longest, gap)
		if gap > pictureEvery+150*time.Millisecond {
			sum += gap - pictureEvery
		}
		last = at
	}
	for _, s := range list {
		if s.at.After(from) && s.at.Before(until) {
			note(s.at)
		}
	}
	note(until)
	return sum, longest
}
