// Package shape makes media that looks like what Chromium sends: video at 30 frames a second, each frame split into packets of about
// equal size (the last ones may be one byte longer) that leave in one burst, and Opus every 20 ms. There is nothing to see in it, but
// each payload ends with a stamp that says when it was sent.
package shape

import (
	"encoding/binary"
	"math/rand/v2"
)

// The rates and sizes of what is published.
const (
	FrameRate = 30
	AudioRate = 50
	OpusBytes = 100 // 40 kbit/s

	maxPayload  = 1160 // so that no packet is over 1,200 bytes
	vp8Header   = 6    // descriptor with a 15-bit picture id, TL0PICIDX and TID
	keyFactor   = 4    // a key frame is so many times larger
	frameSpread = 0.25 // frames differ in size by up to so much of the mean
	minPayload  = StampSize + 10
)

// Layers are the layers of simulcast in bit/s, ascending; without simulcast there is only the last.
func Layers() []int { return []int{150_000, 400_000, 1_200_000} }

// Frames makes the frames of one camera.
type Frames struct {
	rng     *rand.Rand
	picture uint16
	tl0     uint8
	size    float64 // of the mean
}

// NewFrames makes a camera; cameras of different seeds differ in the sizes of their frames.
func NewFrames(seed uint64) *Frames {
	return &Frames{rng: rand.New(rand.NewPCG(seed, 2))} //nolint:gosec // sizes
}

// Next goes on to the next frame.
func (f *Frames) Next() {
	f.picture = (f.picture + 1) & 0x7fff
	f.tl0++
	f.size = 1 + frameSpread*(2*f.rng.Float64()-1)
}

// Payloads are the RTP payloads of the frame in a layer of rate bit/s.
func (f *Frames) Payloads(rate int, key bool) [][]byte {
	bytes := int(float64(rate/8/FrameRate) * f.size)
	if key {
		bytes *= keyFactor
	}
	sizes := split(bytes)
	payloads := make([][]byte, len(sizes))
	for i, size := range sizes {
		payloads[i] = make([]byte, vp8Header+max(size, minPayload))
		f.describe(payloads[i], i == 0, key)
	}
	return payloads
}

// split returns the sizes of a frame's packets, without the descriptor.
func split(bytes int) []int {
	n := max((bytes+maxPayload-vp8Header-1)/(maxPayload-vp8Header), 1)
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = bytes / n
		if i >= n-bytes%n {
			sizes[i]++
		}
	}
	return sizes
}

// describe writes the descriptor of RFC 7741 section 4.2 and, in the first packet of a frame, the frame's header (RFC 6386 section
// 9.1).
func (f *Frames) describe(b []byte, first, key bool) {
	b[0], b[1] = 0x80, 0x80|0x40|0x20
	binary.BigEndian.PutUint16(b[2:], 0x8000|f.picture)
	b[4], b[5] = f.tl0, 0
	if !first {
		return
	}
	b[0] |= 0x10
	p := b[vp8Header:]
	if !key {
		p[0] = 1
		return
	}
	copy(p, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}) // 640 by 360
}

// IsKeyframe reads a VP8 payload: is it the first packet of a key frame?
func IsKeyframe(p []byte) bool {
	if len(p) < 2 || p[0]&0x10 == 0 || p[0]&0x07 != 0 {
		return false
	}
	n := 1
	if p[0]&0x80 != 0 {
		x := p[1]
		n++
		if x&0x80 != 0 {
			if len(p) <= n {
				return false
			}
			n += 1 + int(p[n]>>7)
		}
		if x&0x40 != 0 {
			n++
		}
		if x&0x30 != 0 {
			n++
		}
	}
	return len(p) > n && p[n]&1 == 0
}
