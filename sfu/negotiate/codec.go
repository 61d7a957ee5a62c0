package negotiate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// described is what a section says of one payload type.
type described struct {
	name       string // in lower case
	clock      uint32
	channels   uint16
	parameters string
	feedback   []string
}

// payloads reads the payload types of a section.
func payloads(m *sdp.MediaDescription) map[uint8]*described {
	all := make(map[uint8]*described)
	var every []string
	for _, a := range m.Attributes {
		head, rest, _ := strings.Cut(a.Value, " ")
		pt, err := strconv.ParseUint(head, 10, 7)
		if err != nil {
			if a.Key == "rtcp-fb" && head == "*" {
				every = append(every, rest)
			}
			continue
		}
		d := all[uint8(pt)]
		if d == nil {
			d = &described{}
			all[uint8(pt)] = d
		}
		switch a.Key {
		case "rtpmap":
			d.readMap(rest)
		case "fmtp":
			d.parameters = strings.TrimSpace(rest)
		case "rtcp-fb":
			d.feedback = append(d.feedback, rest)
		}
	}
	for _, d := range all {
		d.feedback = append(d.feedback, every...)
	}
	return all
}

// readMap reads "opus/48000/2".
func (d *described) readMap(s string) {
	name, rest, _ := strings.Cut(strings.TrimSpace(s), "/")
	clock, channels, _ := strings.Cut(rest, "/")
	d.name = strings.ToLower(name)
	if n, err := strconv.ParseUint(clock, 10, 32); err == nil {
		d.clock = uint32(n)
	}
	if n, err := strconv.ParseUint(channels, 10, 16); err == nil {
		d.channels = uint16(n)
	}
}

// codecs returns what a section offers and the server forwards, in the member's order.
func codecs(m *sdp.MediaDescription) []Codec {
	all := payloads(m)
	var out []Codec
	for _, format := range m.MediaName.Formats {
		n, err := strconv.ParseUint(format, 10, 7)
		d := all[uint8(n)]
		if err != nil || d == nil || slices.ContainsFunc(out, func(c Codec) bool { return c.PayloadType == uint8(n) }) {
			continue
		}
		if c, ok := d.codec(m.MediaName.Media); ok {
			c.PayloadType = uint8(n)
			c.RTX = rtxOf(m.MediaName.Formats, all, uint8(n))
			out = append(out, c)
		}
	}
	return withoutLoneRED(out)
}

// withoutLoneRED drops RED where it does not carry an Opus that is offered too (RFC 2198).
func withoutLoneRED(list []Codec) []Codec {
	opus := make(map[string]bool)
	for _, c := range list {
		if c.MimeType == Opus {
			opus[strconv.Itoa(int(c.PayloadType))] = true
		}
	}
	return slices.DeleteFunc(list, func(c Codec) bool {
		if c.MimeType != RED {
			return false
		}
		for _, pt := range strings.Split(c.Parameters, "/") {
			if !opus[pt] {
				return true
			}
		}
		return false
	})
}

func (d *described) codec(kind string) (Codec, bool) {
	c := Codec{ClockRate: d.clock, Parameters: d.parameters}
	switch kind + "/" + d.name {
	case "audio/opus":
		c.MimeType, c.Channels = Opus, 2
		c.Parameters = opusParameters(d.parameters)
		c.Feedback = d.supported("nack", "transport-cc")
		return c, d.clock == 48000
	case "audio/red":
		c.MimeType, c.Channels = RED, 2
		c.Feedback = d.supported("transport-cc")
		return c, d.clock == 48000 && len(d.parameters) < 32
	case "video/vp8":
		c.MimeType, c.Parameters = VP8, ""
	case "video/vp9":
		c.MimeType = VP9
		if p := parameter(d.parameters, "profile-id"); p != "" && p != "0" {
			return c, false
		}
		c.Parameters = "profile-id=0"
	case "video/h264":
		c.MimeType = H264
		profile := parameter(d.parameters, "profile-level-id")
		if parameter(d.parameters, "packetization-mode") != "1" || !hexadecimal(profile) {
			return c, false
		}
		c.Parameters = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile
	case "video/av1":
		c.MimeType = AV1
		if p := parameter(d.parameters, "profile"); p != "" && p != "0" {
			return c, false
		}
		c.Parameters = ""
	default:
		return c, false
	}
	c.Feedback = d.supported("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
	return c, d.clock == 90000
}

// supported returns those of the member's feedback messages that are named.
func (d *described) supported(names ...string) []string {
	var out []string
	for _, n := range names {
		if slices.Contains(d.feedback, n) {
			out = append(out, n)
		}
	}
	return out
}

// opusParameters asks for in-band redundancy, and keeps of the member's own what is its choice: silence left out, and stereo.
func opusParameters(offered string) string {
	out := "minptime=10;useinbandfec=1"
	for _, key := range []string{"usedtx", "stereo", "sprop-stereo"} {
		if parameter(offered, key) == "1" {
			out += ";" + key + "=1"
		}
	}
	return out
}

// rtxOf finds the payload type that retransmits pt.
func rtxOf(formats []string, all map[uint8]*described, pt uint8) uint8 {
	for _, format := range formats {
		n, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			continue
		}
		if d := all[uint8(n)]; d != nil && d.name == "rtx" && parameter(d.parameters, "apt") == strconv.Itoa(int(pt)) {
			return uint8(n)
		}
	}
	return 0
}

// parameter returns the value of a key in a fmtp line.
func parameter(line, key string) string {
	for _, p := range strings.Split(line, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return ""
}

func hexadecimal(s string) bool {
	for _, r := range s {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return len(s) == 6
}
