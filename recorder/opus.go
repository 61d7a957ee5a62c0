package recorder

import "github.com/pausepoint/pausepoint/sfu/codec"

// opusFrame makes a frame of a packet's payload; false if it is no Opus packet. Every Opus packet can be decoded by itself.
func opusFrame(p arrived) (frame, bool) {
	ticks, ok := codec.OpusTicks(p.Payload)
	if !ok {
		return frame{}, false
	}
	return frame{rtp: p.Timestamp, key: true, data: p.Payload, duration: float64(ticks) / 48}, true
}
