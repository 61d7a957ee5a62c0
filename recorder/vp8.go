package recorder

import (
	"github.com/pion/rtp/codecs"
)

// maxFrame bounds a frame that is being put together, bytes. A key frame of 4K video has less.
const maxFrame = 4 << 20

// frame is what is stored as one block: an Opus packet or a VP8 frame.
type frame struct {
	rtp           uint32
	key           bool
	width, height int     // of a VP8 key frame
	data          []byte  // owned by the frame
	duration      float64 // ms; an estimate for video
	arrival       float64 // session time, ms: when its last packet came
}

// vp8Assembler puts VP8 frames together from packets in order (RFC 7741), and lets no frame pass that could not be decoded: after
// a loss everything waits for a key frame.
type vp8Assembler struct {
	needsKey bool // frames depend on one that is missing
	open     bool // data is the begin of a frame
	rtp      uint32
	data     []byte
	picture  pictureID // of the newest packet
	gap      bool      // packets are missing before the padding that came last
}

// pictureID counts frames in 7 or 15 bits (RFC 7741 section 4.2); bits is 0 where it is absent.
type pictureID struct {
	id   uint16
	bits int
}

func pictureOf(d codecs.VP8Packet, payload []byte) pictureID {
	switch {
	case d.I == 0:
		return pictureID{}
	case payload[2]&0x80 != 0:
		return pictureID{d.PictureID, 15}
	}
	return pictureID{d.PictureID, 7}
}

// precedes reports whether no frame lies between p and q.
func (p pictureID) precedes(q pictureID) bool {
	return p.bits != 0 && p.bits == q.bits && (p.id+1)&(1<<p.bits-1) == q.id
}

func newVP8Assembler() *vp8Assembler { return &vp8Assembler{needsKey: true} }

// lose tells that something is missing: what follows cannot be decoded before a key frame.
func (a *vp8Assembler) lose() { a.needsKey, a.open = true, false }

// push takes the next packet and returns the frames that it completes: none, one, or two if the one before had no marker.
func (a *vp8Assembler) push(p arrived) []frame {
	p.lost, a.gap = p.lost || a.gap, false
	if len(p.Payload) == 0 { // padding that probes the bandwidth: what comes next tells what is missing
		a.gap = p.lost
		return nil
	}
	var d codecs.VP8Packet
	payload, err := d.Unmarshal(p.Payload)
	if err != nil || len(payload) == 0 {
		a.lose()
		return nil
	}
	var out []frame
	begins := d.S == 1 && d.PID == 0
	before := a.picture
	a.picture = pictureOf(d, p.Payload)
	if p.lost && (a.open || !begins || !before.precedes(a.picture)) {
		// Otherwise only padding between two frames is missing.
		a.lose()
	}
	if a.open && p.Timestamp != a.rtp {
		// The marker bit is not to be relied on for the end of a frame (RFC 7741 section 4.1).
		out = a.finish(out)
	}
	switch {
	case !a.open && begins:
		a.open, a.rtp, a.data = true, p.Timestamp, nil
	case !a.open:
		a.lose()
		return out
	}
	if len(a.data)+len(payload) > maxFrame {
		a.lose()
		return out
	}
	a.data = append(a.data, payload...)
	if p.Marker {
		out = a.finish(out)
	}
	return out
}

// finish ends the open frame and adds it if it can be decoded.
func (a *vp8Assembler) finish(out []frame) []frame {
	a.open = false
	h, ok := parseVP8Header(a.data)
	if !ok || a.needsKey && !h.key {
		a.needsKey = true
		return out
	}
	a.needsKey = false
	return append(out, frame{rtp: a.rtp, key: h.key, width: h.width, height: h.height, data: a.data, duration: 1000. / 30})
}

// vp8Header is the uncompressed begin of a frame (RFC 6386 section 9.1).
type vp8Header struct {
	key           bool
	width, height int
}

// parseVP8Header reports false for what no decoder would take.
func parseVP8Header(b []byte) (vp8Header, bool) {
	if len(b) < 3 {
		return vp8Header{}, false
	}
	tag := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	key, version, firstPart := tag&1 == 0, tag>>1&7, int(tag>>5)
	head := 3
	if key {
		head = 10
	}
	if version > 3 || firstPart == 0 || len(b) < head || firstPart > len(b)-head {
		return vp8Header{}, false
	}
	if !key {
		return vp8Header{}, true
	}
	h := vp8Header{key: true, width: int(b[6]) | int(b[7]&0x3f)<<8, height: int(b[8]) | int(b[9]&0x3f)<<8}
	ok := b[3] == 0x9d && b[4] == 0x01 && b[5] == 0x2a && h.width > 0 && h.height > 0
	return h, ok
}
