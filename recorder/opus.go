package recorder

// opusFrame makes a frame of a packet's payload; false if it is no Opus packet. Every Opus packet can be decoded by itself.
func opusFrame(p arrived) (frame, bool) {
	d, ok := opusDuration(p.Payload)
	if !ok {
		return frame{}, false
	}
	return frame{rtp: p.Timestamp, key: true, data: p.Payload, duration: d}, true
}

// opusDuration reads the length of an Opus packet in ms from its table of contents (RFC 6716 section 3.1): at most 120 ms.
func opusDuration(b []byte) (float64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	frames := 1
	switch b[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(b) < 2 {
			return 0, false
		}
		frames = int(b[1] & 0x3f)
	}
	d := float64(frames) * opusFrameDuration(b[0]>>3)
	return d, d > 0 && d <= 120
}

// opusFrameDuration is the length of one frame of a configuration in ms (RFC 6716, table 2).
func opusFrameDuration(config byte) float64 {
	switch {
	case config < 12: // SILK
		return []float64{10, 20, 40, 60}[config&3]
	case config < 16: // hybrid
		return []float64{10, 20}[config&1]
	default: // CELT
		return []float64{2.5, 5, 10, 20}[config&3]
	}
}
