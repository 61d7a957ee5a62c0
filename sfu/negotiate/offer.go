package negotiate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Offer is a member's offer to send.
type Offer struct {
	Transport
	Sections []Section
	mixed    bool // two-byte header extensions are offered (RFC 8285 section 4.1.2)
}

// Section is one media section of an offer.
type Section struct {
	MID        string
	Audio      bool // or else video
	Accepted   bool // it is bundled, not refused by the member, and has a codec that the server knows
	Sends      bool // the member sends, or may begin to
	Codecs     []Codec
	Extensions []Extension
	RIDs       []string // simulcast layers, as listed: from the smallest to the largest
	SSRCs      []uint32 // of media, not of retransmissions
	Repairs    map[uint32]uint32
	protocol   string
	format     string // the first payload type, to refuse it with
}

// ReadOffer reads and checks an offer.
func ReadOffer(text string) (*Offer, error) {
	d, t, err := read(text)
	if err != nil {
		return nil, err
	}
	o := &Offer{Transport: t}
	_, o.mixed = d.Attribute("extmap-allow-mixed")
	bundled := bundle(d)
	seen := make(map[string]bool)
	sources := 0
	for _, m := range d.MediaDescriptions {
		s, err := readSection(m)
		if err != nil {
			return nil, err
		}
		if seen[s.MID] {
			return nil, fmt.Errorf("%w: each media section needs a mid of its own", ErrBad)
		}
		seen[s.MID] = true
		sources += len(s.SSRCs) + len(s.Repairs)
		if sources > maxSources {
			return nil, fmt.Errorf("%w: more than %d streams", ErrUnsupported, maxSources)
		}
		s.Accepted = s.Accepted && slices.Contains(bundled, s.MID)
		_, mixed := m.Attribute("extmap-allow-mixed")
		o.mixed = o.mixed || mixed
		o.Sections = append(o.Sections, s)
	}
	return o, checkShared(o.Sections)
}

// bundle returns the mids that share the transport; without a group, only the first section can be served.
func bundle(d *sdp.SessionDescription) []string {
	for _, a := range d.Attributes {
		if mids, ok := strings.CutPrefix(a.Value, "BUNDLE"); a.Key == "group" && ok {
			return strings.Fields(mids)
		}
	}
	if len(d.MediaDescriptions) == 0 {
		return nil
	}
	mid, _ := d.MediaDescriptions[0].Attribute("mid")
	return []string{mid}
}

func readSection(m *sdp.MediaDescription) (Section, error) {
	mid, _ := m.Attribute("mid")
	s := Section{MID: mid, Audio: m.MediaName.Media == "audio", protocol: strings.Join(m.MediaName.Protos, "/")}
	if !token(mid) {
		return s, fmt.Errorf("%w: each media section needs a mid of its own", ErrBad)
	}
	if !s.Audio && m.MediaName.Media != "video" {
		return s, fmt.Errorf("%w: a media section that is neither audio nor video", ErrUnsupported)
	}
	s.format = "0"
	if len(m.MediaName.Formats) != 0 && token(m.MediaName.Formats[0]) {
		s.format = m.MediaName.Formats[0]
	}
	s.Codecs = codecs(m)
	s.Sends = sends(m)
	s.Accepted = !refused(m) && len(s.Codecs) != 0 && secure(s.protocol)
	s.Extensions = extensions(m, s.Audio)
	s.keepsSound()
	s.readSources(m)
	return s, s.readLayers(m)
}

// keepsSound marks plain sound as kept. Firefox has no RED, and its offers say nothing of NACKs for sound; but it keeps what it has sent, and
// sends it again when it is asked. A transport-wide number or a time of sending is not accepted with such sound: what is sent again would
// have another, and be a second text under one nonce (RFC 7714 section 8.1).
func (s *Section) keepsSound() {
	if !s.Audio || slices.ContainsFunc(s.Codecs, func(c Codec) bool { return c.MimeType == RED }) {
		return
	}
	s.Extensions = slices.DeleteFunc(s.Extensions, func(e Extension) bool { return e.URI == ExtTransportCC || e.URI == ExtSendTime })
	for i := range s.Codecs {
		s.Codecs[i].Kept = true
	}
}

// secure reports whether a protocol is RTP over DTLS-SRTP (RFC 5764 section 8).
func secure(protocol string) bool {
	return protocol == "UDP/TLS/RTP/SAVPF" || protocol == "TCP/DTLS/RTP/SAVPF" || protocol == "TCP/TLS/RTP/SAVPF"
}

func sends(m *sdp.MediaDescription) bool {
	for _, no := range []string{"recvonly", "inactive"} {
		if _, ok := m.Attribute(no); ok {
			return false
		}
	}
	return true
}

// extensions reads the header extensions that the server uses.
func extensions(m *sdp.MediaDescription, audio bool) []Extension {
	var out []Extension
	for _, a := range m.Attributes {
		if a.Key != "extmap" {
			continue
		}
		head, uri, _ := strings.Cut(a.Value, " ")
		number, _, _ := strings.Cut(head, "/")
		uri, _, _ = strings.Cut(strings.TrimSpace(uri), " ")
		id, err := strconv.ParseUint(number, 10, 8)
		if err != nil || id == 0 || id == 15 || !known(uri, audio) ||
			slices.ContainsFunc(out, func(e Extension) bool { return e.ID == uint8(id) || e.URI == uri }) {
			continue
		}
		out = append(out, Extension{ID: uint8(id), URI: uri})
	}
	return out
}

func known(uri string, audio bool) bool {
	switch uri {
	case ExtMID, ExtTransportCC, ExtSendTime:
		return true
	case ExtAudioLevel:
		return audio
	case ExtRID, ExtRepairedRID, ExtOrientation, ExtDependency:
		return !audio
	}
	return false
}

// readSources reads the SSRCs and their repair streams (RFC 5576 sections 4.1 and 4.2).
func (s *Section) readSources(m *sdp.MediaDescription) {
	repairs := make(map[uint32]bool)
	for _, a := range m.Attributes {
		fields := strings.Fields(a.Value)
		if a.Key != "ssrc-group" || len(fields) != 3 || fields[0] != "FID" {
			continue
		}
		primary, err1 := strconv.ParseUint(fields[1], 10, 32)
		repair, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 == nil && err2 == nil && len(s.Repairs) <= maxSources {
			if s.Repairs == nil {
				s.Repairs = make(map[uint32]uint32)
			}
			s.Repairs[uint32(repair)] = uint32(primary)
			repairs[uint32(repair)] = true
		}
	}
	for _, a := range m.Attributes {
		if a.Key != "ssrc" {
			continue
		}
		head, _, _ := strings.Cut(a.Value, " ")
		n, err := strconv.ParseUint(head, 10, 32)
		if err == nil && !repairs[uint32(n)] && !slices.Contains(s.SSRCs, uint32(n)) && len(s.SSRCs) <= maxSources {
			s.SSRCs = append(s.SSRCs, uint32(n))
		}
	}
}

// readLayers reads "simulcast:send l;m;h" (RFC 8853 section 5.1). Of alternatives the first counts.
func (s *Section) readLayers(m *sdp.MediaDescription) error {
	value, ok := m.Attribute("simulcast")
	if !ok || s.Audio {
		return nil
	}
	fields := strings.Fields(value)
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] != "send" {
			continue
		}
		for alternatives := range strings.SplitSeq(fields[i+1], ";") {
			rid, _, _ := strings.Cut(strings.TrimPrefix(alternatives, "~"), ",")
			rid = strings.TrimPrefix(rid, "~")
			if !token(rid) || slices.Contains(s.RIDs, rid) {
				return fmt.Errorf("%w: a simulcast layer that is none", ErrBad)
			}
			if len(s.RIDs) == maxLayers {
				return fmt.Errorf("%w: more than %d simulcast layers", ErrUnsupported, maxLayers)
			}
			s.RIDs = append(s.RIDs, rid)
		}
	}
	return nil
}

// checkShared refuses payload types and extension ids that mean different things in different sections: they share one transport
// (RFC 9143 section 9.1).
func checkShared(sections []Section) error {
	types, ids := make(map[uint8]string), make(map[uint8]string)
	for i := range sections {
		s := &sections[i]
		if !s.Accepted {
			continue
		}
		for _, c := range s.Codecs {
			if other, ok := types[c.PayloadType]; ok && other != c.MimeType {
				return fmt.Errorf("%w: one payload type for two codecs", ErrBad)
			}
			types[c.PayloadType] = c.MimeType
		}
		for _, e := range s.Extensions {
			if other, ok := ids[e.ID]; ok && other != e.URI {
				return fmt.Errorf("%w: one id for two header extensions", ErrBad)
			}
			ids[e.ID] = e.URI
		}
	}
	return nil
}

// role is the DTLS server's, unless the member insists on it (RFC 8842 section 5.3).
func (o *Offer) role() string {
	if o.Setup == "passive" {
		return "active"
	}
	return "passive"
}

// Answer accepts what can be forwarded.
func (o *Offer) Answer(l Local) string {
	w := writer{}
	var mids []string
	for i := range o.Sections {
		if o.Sections[i].Accepted {
			mids = append(mids, o.Sections[i].MID)
		}
	}
	w.session(l, mids, o.mixed)
	first := true
	for i := range o.Sections {
		s := &o.Sections[i]
		if !s.Accepted {
			w.refuse(s.kind(), s.protocol, s.format, s.MID)
			continue
		}
		w.media(s.kind(), s.protocol, s.Codecs)
		w.transport(l, o.role(), s.MID, first)
		first = false
		if s.Sends {
			w.line("a=recvonly")
		} else {
			w.line("a=inactive")
		}
		w.extensions(s.Extensions)
		w.codecs(s.Codecs)
		w.layers(s.RIDs)
	}
	return w.String()
}

func (s *Section) kind() string {
	if s.Audio {
		return "audio"
	}
	return "video"
}
