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
	format     string            // the fmtp line
	parameters map[string]string // of it, by their names in lower case
	feedback   []string          // of those that the server knows
}

// payloads reads the payload types of a section.
func payloads(m *sdp.MediaDescription) map[uint8]*described {
	all := make(map[uint8]*described)
	var every described
	for _, a := range m.Attributes {
		head, rest, _ := strings.Cut(a.Value, " ")
		if len(a.Value) > maxAttribute || a.Key != "rtpmap" && a.Key != "fmtp" && a.Key != "rtcp-fb" {
			continue
		}
		pt, err := strconv.ParseUint(head, 10, 7)
		if err != nil {
			if a.Key == "rtcp-fb" && head == "*" {
				every.addFeedback(rest)
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
			d.format = strings.TrimSpace(rest)
		case "rtcp-fb":
			d.addFeedback(rest)
		}
	}
	for _, d := range all {
		d.parameters = readFormat(d.format)
		for _, f := range every.feedback {
			d.addFeedback(f)
		}
	}
	return all
}

// readFormat reads "apt=96" or "profile-id=0;…". Of a name that is there twice the first counts.
func readFormat(line string) map[string]string {
	out := make(map[string]string)
	for p := range strings.SplitSeq(line, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		k = strings.ToLower(k)
		if _, twice := out[k]; !twice {
			out[k] = v
		}
	}
	return out
}

func (d *described) addFeedback(f string) {
	switch f {
	case "goog-remb", "transport-cc", "ccm fir", "nack", "nack pli":
		if !slices.Contains(d.feedback, f) {
			d.feedback = append(d.feedback, f)
		}
	}
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
	types := listed(m, all)
	repairs := repairs(types, all)
	var out []Codec
	for _, pt := range types {
		if c, ok := all[pt].codec(m.MediaName.Media); ok {
			c.PayloadType, c.RTX = pt, repairs[pt]
			out = append(out, c)
		}
	}
	return withoutLoneRED(out)
}

// listed returns the payload types that a section lists and describes, each once.
func listed(m *sdp.MediaDescription, all map[uint8]*described) []uint8 {
	var out []uint8
	var seen [128]bool
	for _, format := range m.MediaName.Formats {
		n, err := strconv.ParseUint(format, 10, 7)
		if err != nil || seen[n] || all[uint8(n)] == nil {
			continue
		}
		seen[n] = true
		out = append(out, uint8(n))
	}
	return out
}

// repairs finds the payload types that retransmit others, by those. Of several the first counts.
func repairs(types []uint8, all map[uint8]*described) map[uint8]uint8 {
	out := make(map[uint8]uint8)
	for _, pt := range types {
		if all[pt].name != "rtx" {
			continue
		}
		apt, err := strconv.ParseUint(all[pt].parameters["apt"], 10, 7)
		if _, twice := out[uint8(apt)]; err == nil && !twice {
			out[uint8(apt)] = pt
		}
	}
	return out
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
	c := Codec{ClockRate: d.clock, Parameters: d.format}
	switch kind + "/" + d.name {
	case "audio/opus":
		c.MimeType, c.Channels = Opus, 2
		c.Parameters = opusParameters(d.parameters)
		c.Feedback = d.supported("nack", "transport-cc")
		return c, d.clock == 48000
	case "audio/red":
		c.MimeType, c.Channels = RED, 2
		c.Feedback = d.supported("transport-cc")
		return c, d.clock == 48000 && len(d.format) < 32
	case "video/vp8":
		c.MimeType, c.Parameters = VP8, ""
	case "video/vp9":
		c.MimeType = VP9
		if p := d.parameters["profile-id"]; p != "" && p != "0" {
			return c, false
		}
		c.Parameters = "profile-id=0"
	case "video/h264":
		c.MimeType = H264
		profile := d.parameters["profile-level-id"]
		if _, pt := h264Profile(profile); pt == 0 || d.parameters["packetization-mode"] != "1" {
			return c, false
		}
		c.Parameters = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile
	case "video/av1":
		c.MimeType = AV1
		if p := d.parameters["profile"]; p != "" && p != "0" {
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

// opusParameters asks for in-band redundancy, and keeps of the member's own what is its choice: silence left out, and stereo where it says
// that it will send that (RFC 7587 section 6.1). Firefox says of a microphone that it could receive stereo, and would send it if asked.
func opusParameters(offered map[string]string) string {
	out := opusSent
	if offered["usedtx"] == "1" {
		out += ";usedtx=1"
	}
	if offered["sprop-stereo"] == "1" {
		out += ";stereo=1"
	}
	return out
}

func hexadecimal(s string) bool {
	for _, r := range s {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return len(s) == 6
}
