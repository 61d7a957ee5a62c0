package sfu

import (
	"time"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/rtpmap"
)

// maxAlignment is how far two layers of one picture may lie apart by their sender reports; more is not believed.
const maxAlignment = 5 * time.Second

const (
	pressBy = 50          // times
	maxLate = time.Second // behind the newest packet
)

// outStream makes one continuous stream of the layers of a publication: it goes from one layer to another at a key frame,
// and goes on after jumps of the source. It is pure; subscribers and recorders each have their own.
type outStream struct {
	clock    uint32
	video    bool
	whole    bool // padding and all layers within the stream are passed on
	want     int  // the layer to strive for; -1 for none
	layer    int  // the layer that is sent; -1 for none
	started  bool // something was ever sent
	epoch    uint32
	selector codec.Selector
	seq      rtpmap.Sequence
	stamp    rtpmap.Timestamp
	picture  rtpmap.Picture
	newest   time.Time // the latest arrival of what was sent

	// A source that begins in the past, with what was kept of it, is ahead of its time until it has caught up: its pictures
	// are pressed together after the newest timestamp sent. Which timestamp goes out depends on nothing but the one that comes in:
	// packets come in any order.
	pressing bool
	begun    uint32 // the source's timestamp where it began
	after    uint32 // newest timestamp sent before it
	last     uint32 // newest timestamp sent
}

// numbers are what a packet is sent with.
type numbers struct {
	seq       uint16
	timestamp uint32
	marker    bool
	rewrite   bool // picture and tl0 are to be written
	picture   uint16
	tl0       uint8
}

func newOutStream(video bool, clock uint32) outStream {
	o := outStream{clock: clock, video: video, layer: -1}
	o.selector.Want(codec.Layer{Spatial: 7, Temporal: 7})
	return o
}

// waiting reports whether only a key frame of the wanted layer helps.
func (o *outStream) waiting() bool {
	return o.video && o.want >= 0 && (o.layer != o.want || o.selector.NeedsKeyframe())
}

// next says whether and how a packet is sent. reports are the newest sender reports of the layers.
func (o *outStream) next(p *packet, reports *[maxLayers]*timedReport) (n numbers, ok bool) {
	if !o.follow(p, reports) {
		return n, false
	}
	if p.padding() && !o.whole {
		o.seq.Drop(p.seq)
		return n, false
	}
	n.marker = p.marker
	if o.video && !o.whole && !p.padding() {
		if ok, n.marker = o.selector.Next(&p.frame, p.marker); !ok {
			o.drop(p)
			return n, false
		}
	}
	if n.seq, ok = o.seq.Map(p.seq); !ok {
		return n, false
	}
	n.timestamp = o.timestamp(p)
	if (p.frame.PictureBits != 0 || p.frame.HasTL0) && !p.padding() {
		n.picture, n.tl0 = o.picture.Map(p.frame.PictureID, int(p.frame.PictureBits), p.frame.TL0)
		n.rewrite = o.picture.Changed()
	}
	if p.arrival.After(o.newest) {
		o.newest = p.arrival
	}
	o.started = true
	return n, true
}

// timestamp is that of the packet.
func (o *outStream) timestamp(p *packet) uint32 {
	out := o.stamp.Map(p.timestamp)
	if pressed, ok := o.pressed(p.timestamp); ok {
		out = pressed
		o.stamp.Sent(out)
	} else if o.pressing && newer(out-o.after, ticks(maxLate, o.clock)) {
		o.pressing = false // nothing comes as late as that
	}
	if !o.started || newer(out, o.last) {
		o.last = out
	}
	return out
}

// pressed is the timestamp of a packet of a source that has not caught up; false for one that goes out as it should.
func (o *outStream) pressed(in uint32) (uint32, bool) {
	if !o.pressing {
		return 0, false
	}
	right, since := o.stamp.Translate(in), in-o.begun
	if !newer(since, 0) {
		since = 0
	}
	pressed := o.after + 1 + since/pressBy
	return pressed, newer(pressed, right)
}

// newer compares RTP timestamps, modulo 2^32.
func newer(a, b uint32) bool { return int32(a-b) > 0 } //nolint:gosec // modulo 2^32

// drop leaves a packet out without a gap.
func (o *outStream) drop(p *packet) {
	o.seq.Drop(p.seq)
	if p.kind == codec.VP8 && p.frame.PictureBits != 0 { // of VP9, only layers are dropped, and never all of a base picture
		o.picture.Drop(p.frame.PictureID)
	}
}

// follow begins with the first packet that can be decoded, changes the layer where that is possible, and goes on after a jump of
// the source.
func (o *outStream) follow(p *packet, reports *[maxLayers]*timedReport) bool {
	layer := int(p.layer)
	switch {
	case layer == o.layer && p.epoch == o.epoch:
		return true
	case layer == o.layer && !p.padding(): // which has a timestamp, but no picture
		o.rebase(p, nil, nil)
	case layer == o.want && o.layer != layer && o.begins(p):
		if o.started {
			var from *timedReport
			if o.layer >= 0 {
				from = current(reports[o.layer], o.epoch)
			}
			o.rebase(p, from, current(reports[layer], p.epoch))
		}
		o.selector.Reset()
	default:
		return false
	}
	o.layer, o.epoch = layer, p.epoch
	return true
}

// pause stops the stream until the wanted layer begins again.
func (o *outStream) pause() { o.layer = -1 }

func (o *outStream) begins(p *packet) bool {
	return !p.padding() && (!o.video || p.frame.Keyframe)
}

func current(r *timedReport, epoch uint32) *timedReport {
	if r == nil || r.epoch != epoch {
		return nil
	}
	return r
}

// rebase goes on with another source: by the two sources' sender reports if there are some, else by the time of arrival.
func (o *outStream) rebase(p *packet, from, to *timedReport) {
	o.seq.Rebase(p.seq)
	o.picture.Rebase(p.frame.PictureID, p.frame.TL0)
	ahead := ticks(p.arrival.Sub(o.newest), o.clock)
	if from != nil && to != nil {
		apart := ntpTicks(int64(to.NTP-from.NTP), o.clock) //nolint:gosec // signed modulo 2^64
		same := p.timestamp - to.RTP + from.RTP + apart    // the same instant on the old source's clock
		limit := ticks(maxAlignment, o.clock)
		if known := o.stamp.Translate(same) - o.last; !newer(known, limit) && !newer(-known, limit) {
			ahead = known
		}
	}
	o.pressing = o.started && !newer(ahead, 0)
	o.begun, o.after = p.timestamp, o.last
	o.stamp.Rebase(p.timestamp, ahead)
}

// ntpTicks is a 32.32 fixed point duration in ticks of a clock, modulo 2^32.
func ntpTicks(d int64, clock uint32) uint32 {
	whole, part := d>>32, d&0xffffffff
	return uint32(whole*int64(clock) + part*int64(clock)>>32) //nolint:gosec // modulo 2^32
}
