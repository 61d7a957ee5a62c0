package negotiate

import "strings"

// opusSent is what in-band redundancy is asked for with; a decoder takes mono and stereo, and silence left out, alike
// (RFC 7587 section 6.1).
const opusSent = "minptime=10;useinbandfec=1"

// redSent carries the Opus of [sent] (RFC 2198).
//
//nolint:gochecknoglobals // a constant
var redSent = Codec{
	MimeType: RED, ClockRate: 48000, Channels: 2, PayloadType: 63, Parameters: "111/111", Feedback: []string{"transport-cc"},
}

// sent is how the server sends a codec: with payload types of its own, which mean the same on every connection and are never
// used up, whatever is published. It reports false for a codec that is not forwarded. The types are dynamic ones (RFC 3551
// section 6, and below 64, as RFC 5761 section 4 leaves).
//
// There is no "nack" for Opus: it has no stream of retransmissions, and a packet that is sent once more under its own sequence
// number with another transport-wide one is a second text under the same nonce (RFC 7714 section 8.1).
func sent(c Codec) (Codec, bool) {
	video := func(pt, rtx uint8, parameters string) (Codec, bool) {
		return Codec{
			MimeType: c.MimeType, ClockRate: 90000, Parameters: parameters, PayloadType: pt, RTX: rtx,
			Feedback: []string{"transport-cc", "ccm fir", "nack", "nack pli"},
		}, true
	}
	switch c.MimeType {
	case Opus:
		return Codec{
			MimeType: Opus, ClockRate: 48000, Channels: 2, Parameters: opusSent, PayloadType: 111, Feedback: []string{"transport-cc"},
		}, true
	case VP8:
		return video(96, 97, "")
	case VP9:
		return video(98, 99, "profile-id=0")
	case AV1:
		return video(45, 46, "")
	case H264:
		profile, pt := h264Profile(readFormat(c.Parameters)["profile-level-id"])
		if pt == 0 {
			return c, false
		}
		// The level is one for all: it says what the server could receive, and level-asymmetry-allowed leaves the other its own.
		return video(pt, pt+1, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="+profile+"1f")
	}
	return c, false
}

// h264Profile returns the profile of a profile-level-id (RFC 6184 section 8.1) as browsers write it, and the payload type that
// it is sent with; 0 if it is none that browsers have.
func h264Profile(id string) (profile string, pt uint8) {
	if !hexadecimal(id) {
		return "", 0
	}
	switch profile = strings.ToLower(id[:4]); profile {
	case "42e0", "42c0": // constrained baseline
		return "42e0", 102
	case "4200": // baseline
		return profile, 104
	case "4d00": // main
		return profile, 106
	case "6400": // high
		return profile, 108
	case "640c": // constrained high
		return profile, 112
	}
	return "", 0
}
