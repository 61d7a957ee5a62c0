package media

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// URIs of the header extensions that the clients know.
const (
	uriMID   = "urn:ietf:params:rtp-hdrext:sdes:mid"
	uriRID   = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	uriRRID  = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	uriLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	uriTWCC  = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriTime  = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
)

// description is what a client reads of a server's session description.
type description struct {
	ufrag, pwd string
	setup      string
	lite       bool
	remotes    []netip.AddrPort // host candidates for UDP, of IPv4
	sections   []section
}

type section struct {
	kind, mid string
	direction string
	rejected  bool
	order     []uint8
	codecs    map[uint8]*codec
	exts      map[string]uint8
	ssrcs     []uint32
	rtx       map[uint32]uint32 // retransmission SSRC to the primary one
}

type codec struct {
	name     string // upper case
	rtpmap   string
	fmtp     string
	feedback []string
	apt      uint8 // of RTX
}

func (c *codec) has(feedback string) bool { return slices.Contains(c.feedback, feedback) }

// parseSDP reads a session description.
func parseSDP(text string) (*description, error) {
	var s sdp.SessionDescription
	if err := s.UnmarshalString(text); err != nil {
		return nil, err
	}
	d := &description{}
	d.read(s.Attributes)
	for _, m := range s.MediaDescriptions {
		d.read(m.Attributes)
		d.sections = append(d.sections, readSection(m))
	}
	if d.ufrag == "" || d.pwd == "" || len(d.remotes) == 0 {
		return nil, errors.New("a session description without ICE credentials or a host candidate for UDP over IPv4")
	}
	return d, nil
}

func (d *description) read(attributes []sdp.Attribute) {
	for _, a := range attributes {
		switch a.Key {
		case "ice-ufrag":
			d.ufrag = a.Value
		case "ice-pwd":
			d.pwd = a.Value
		case "setup":
			d.setup = a.Value
		case "ice-lite":
			d.lite = true
		case "candidate":
			if addr, ok := hostCandidate(a.Value); ok && !slices.Contains(d.remotes, addr) {
				d.remotes = append(d.remotes, addr)
			}
		}
	}
}

// nearest is the candidate with the address that is preferred, or else the first.
func (d *description) nearest(to netip.Addr) netip.AddrPort {
	i := slices.IndexFunc(d.remotes, func(r netip.AddrPort) bool { return r.Addr() == to })
	return d.remotes[max(i, 0)]
}

func hostCandidate(line string) (netip.AddrPort, bool) {
	f := strings.Fields(line)
	if len(f) < 8 || !strings.EqualFold(f[2], "udp") || f[7] != "host" || f[1] != "1" {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddrPort(f[4] + ":" + f[5])
	return addr, err == nil && addr.Addr().Is4()
}

func readSection(m *sdp.MediaDescription) section {
	s := section{
		kind: m.MediaName.Media, direction: "sendrecv", rejected: m.MediaName.Port.Value == 0,
		codecs: make(map[uint8]*codec), exts: make(map[string]uint8), rtx: make(map[uint32]uint32),
	}
	for _, f := range m.MediaName.Formats {
		if pt, err := strconv.ParseUint(f, 10, 7); err == nil {
			s.order = append(s.order, uint8(pt))
			s.codecs[uint8(pt)] = &codec{}
		}
	}
	for _, a := range m.Attributes {
		s.attribute(a.Key, a.Value)
	}
	return s
}

func (s *section) attribute(key, value string) {
	head, rest, _ := strings.Cut(value, " ")
	switch key {
	case "mid":
		s.mid = value
	case "sendrecv", "sendonly", "recvonly", "inactive":
		s.direction = key
	case "rtpmap", "fmtp", "rtcp-fb":
		for pt, c := range s.codecs {
			if head == "*" || head == strconv.Itoa(int(pt)) {
				c.attribute(key, rest)
			}
		}
	case "extmap":
		id, _, _ := strings.Cut(head, "/")
		if n, err := strconv.ParseUint(id, 10, 8); err == nil {
			uri, _, _ := strings.Cut(rest, " ")
			s.exts[uri] = uint8(n)
		}
	case "ssrc":
		if n, err := strconv.ParseUint(head, 10, 32); err == nil && !slices.Contains(s.ssrcs, uint32(n)) {
			s.ssrcs = append(s.ssrcs, uint32(n))
		}
	case "ssrc-group":
		var primary, repair uint32
		if n, _ := fmt.Sscanf(value, "FID %d %d", &primary, &repair); n == 2 {
			s.rtx[repair] = primary
		}
	}
}

func (c *codec) attribute(key, value string) {
	switch key {
	case "rtpmap":
		name, _, _ := strings.Cut(value, "/")
		c.name, c.rtpmap = strings.ToUpper(name), value
	case "fmtp":
		c.fmtp = value
		if n, err := fmt.Sscanf(value, "apt=%d", &c.apt); n != 1 || err != nil {
			c.apt = 0
		}
	case "rtcp-fb":
		c.feedback = append(c.feedback, value)
	}
}

// chosen returns the payload types that a client accepts: the first of Opus or VP8, and its RTX.
func (s *section) chosen() (pts []uint8) {
	want := map[string]string{"audio": "OPUS", "video": "VP8"}[s.kind]
	for _, pt := range s.order {
		if s.codecs[pt].name == want {
			pts = append(pts, pt)
			break
		}
	}
	for _, pt := range s.order {
		if len(pts) == 1 && s.codecs[pt].name == "RTX" && s.codecs[pt].apt == pts[0] {
			pts = append(pts, pt)
		}
	}
	return pts
}

// local is a client's side of a connection, as its descriptions tell it.
type local struct {
	ufrag, pwd, fingerprint string
	addr                    netip.AddrPort
}

type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\r\n", args...) }

func (w *writer) session(l local, setup string, mids []string) {
	w.line("v=0")
	w.line("o=- 4611731400430051336 2 IN IP4 127.0.0.1")
	w.line("s=-")
	w.line("t=0 0")
	w.line("a=group:BUNDLE %s", strings.Join(mids, " "))
	w.line("a=extmap-allow-mixed")
	w.line("a=msid-semantic: WMS *")
	w.line("a=fingerprint:%s", l.fingerprint)
	w.line("a=setup:%s", setup)
	w.line("a=ice-ufrag:%s", l.ufrag)
	w.line("a=ice-pwd:%s", l.pwd)
	w.line("a=ice-options:trickle ice2")
}

func (w *writer) transport(l local, setup string) {
	w.line("c=IN IP4 127.0.0.1")
	w.line("a=rtcp:9 IN IP4 0.0.0.0")
	w.line("a=ice-ufrag:%s", l.ufrag)
	w.line("a=ice-pwd:%s", l.pwd)
	w.line("a=fingerprint:%s", l.fingerprint)
	w.line("a=setup:%s", setup)
	if !l.addr.Addr().IsUnspecified() { // a server that waits to be checked needs none
		w.line("a=candidate:1 1 udp 2130706431 %s %d typ host", l.addr.Addr(), l.addr.Port())
	}
	w.line("a=end-of-candidates")
	w.line("a=rtcp-mux")
	w.line("a=rtcp-rsize")
}

// answerSDP accepts everything of an offer that a client can receive.
func answerSDP(offer *description, l local) string {
	var w writer
	var mids []string
	for _, s := range offer.sections {
		if len(s.chosen()) != 0 && !s.rejected {
			mids = append(mids, s.mid)
		}
	}
	w.session(l, "active", mids)
	for _, s := range offer.sections {
		w.answerSection(s, l)
	}
	return w.String()
}

func (w *writer) answerSection(s section, l local) {
	pts := s.chosen()
	if len(pts) == 0 || s.rejected {
		proto := "UDP/TLS/RTP/SAVPF 0"
		if s.kind == "application" {
			proto = "UDP/DTLS/SCTP webrtc-datachannel"
		}
		w.line("m=%s 0 %s", s.kind, proto)
		w.line("c=IN IP4 0.0.0.0")
		w.line("a=inactive")
		w.line("a=mid:%s", s.mid)
		return
	}
	w.line("m=%s 9 UDP/TLS/RTP/SAVPF%s", s.kind, ptList(pts))
	w.transport(l, "active")
	w.line("a=mid:%s", s.mid)
	if s.direction == "sendonly" || s.direction == "sendrecv" {
		w.line("a=recvonly")
	} else {
		w.line("a=inactive")
	}
	for _, uri := range []string{uriMID, uriTWCC, uriTime, uriLevel} {
		if id, ok := s.exts[uri]; ok {
			w.line("a=extmap:%d %s", id, uri)
		}
	}
	for _, pt := range pts {
		c := s.codecs[pt]
		w.line("a=rtpmap:%d %s", pt, c.rtpmap)
		if c.fmtp != "" {
			w.line("a=fmtp:%d %s", pt, c.fmtp)
		}
		for _, fb := range []string{"nack", "nack pli", "ccm fir", "transport-cc"} {
			if c.has(fb) {
				w.line("a=rtcp-fb:%d %s", pt, fb)
			}
		}
	}
}

func ptList(pts []uint8) string {
	var b strings.Builder
	for _, pt := range pts {
		fmt.Fprintf(&b, " %d", pt)
	}
	return b.String()
}

// Payload types and extension ids of a publisher's offer.
const (
	ptOpus, ptVP8, ptRTX = 111, 96, 97

	extLevel, extTime, extTWCC, extMID, extRID, extRRID = 1, 2, 3, 4, 10, 11
)

// rids are the layers of simulcast, ascending.
var rids = []string{"q", "h", "f"} //nolint:gochecknoglobals // constant

// offerSDP describes what a publisher sends: Opus on mid 0 and VP8 on mid 1, in one layer with SSRCs in the description, or in three
// without, as browsers do. video holds, for each layer, its SSRC and that of its retransmissions.
func offerSDP(l local, audio uint32, video [][2]uint32) string {
	var w writer
	w.session(l, "actpass", []string{"0", "1"})
	w.line("m=audio 9 UDP/TLS/RTP/SAVPF %d", ptOpus)
	w.transport(l, "actpass")
	w.line("a=mid:0")
	w.line("a=sendonly")
	w.line("a=msid:ear mic")
	w.extensions(uriLevel, extLevel, uriTime, extTime, uriTWCC, extTWCC, uriMID, extMID)
	w.line("a=rtpmap:%d opus/48000/2", ptOpus)
	w.line("a=rtcp-fb:%d transport-cc", ptOpus)
	w.line("a=fmtp:%d minptime=10;useinbandfec=1", ptOpus)
	w.line("a=ssrc:%d cname:bench", audio)
	w.line("a=ssrc:%d msid:ear mic", audio)

	w.line("m=video 9 UDP/TLS/RTP/SAVPF %d %d", ptVP8, ptRTX)
	w.transport(l, "actpass")
	w.line("a=mid:1")
	w.line("a=sendonly")
	w.line("a=msid:eye cam")
	w.extensions(uriTime, extTime, uriTWCC, extTWCC, uriMID, extMID, uriRID, extRID, uriRRID, extRRID)
	w.line("a=rtpmap:%d VP8/90000", ptVP8)
	for _, fb := range []string{"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"} {
		w.line("a=rtcp-fb:%d %s", ptVP8, fb)
	}
	w.line("a=rtpmap:%d rtx/90000", ptRTX)
	w.line("a=fmtp:%d apt=%d", ptRTX, ptVP8)
	if len(video) > 1 {
		for _, rid := range rids {
			w.line("a=rid:%s send", rid)
		}
		w.line("a=simulcast:send %s", strings.Join(rids, ";"))
		return w.String()
	}
	w.line("a=ssrc-group:FID %d %d", video[0][0], video[0][1])
	for _, ssrc := range video[0] {
		w.line("a=ssrc:%d cname:bench", ssrc)
		w.line("a=ssrc:%d msid:eye cam", ssrc)
	}
	return w.String()
}

func (w *writer) extensions(pairs ...any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		w.line("a=extmap:%v %v", pairs[i+1], pairs[i])
	}
}
