package codec

// opusLongest is what an Opus packet lasts at most: 120 ms (RFC 6716 section 3.2.5, R5).
const opusLongest = 5760

// OpusTicks reads from its table of contents how long an Opus packet lasts, in ticks of 48 kHz (RFC 6716 section 3.1); it reports
// false for what is no Opus packet.
func OpusTicks(packet []byte) (ticks uint32, ok bool) {
	if len(packet) == 0 {
		return 0, false
	}
	frames := uint32(1)
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0, false
		}
		frames = uint32(packet[1] & 0x3f)
	}
	ticks = frames * opusFrame(packet[0]>>3)
	return ticks, ticks > 0 && ticks <= opusLongest
}

// opusFrame is how long a frame of a configuration lasts (RFC 6716, table 2).
func opusFrame(config uint8) uint32 {
	switch {
	case config < 12: // SILK
		return [...]uint32{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid
		return [...]uint32{480, 960}[config&1]
	}
	return [...]uint32{120, 240, 480, 960}[config&3] // CELT
}
