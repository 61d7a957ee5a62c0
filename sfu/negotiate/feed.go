package negotiate

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Feed is one publication on its way from one server to another, in all its layers. Servers understand each other's payload types and
// ids: they are the same everywhere.
type Feed struct {
	Codec    Codec  // as it was published
	StreamID string // the media stream
	TrackID  string
	Layers   []FeedLayer // ascending; one for sound, and for a picture without simulcast
}

// FeedLayer is one stream of a feed.
type FeedLayer struct{ SSRC, RTX uint32 } // RTX is 0 if there are no retransmissions

const feedMID = "0"

// layerIDs name the layers of a feed, if there are several.
func layerIDs(layers int) []string {
	if layers < 2 {
		return nil
	}
	ids := make([]string, layers)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	return ids
}

// FeedOffer writes the offer of a server that wants a publication with a number of layers from another one. It reports false for a codec
// that is not forwarded.
func FeedOffer(l Local, c Codec, layers int) (string, bool) {
	codec, ok := sent(c)
	if !ok {
		return "", false
	}
	s := Sending{Audio: codec.MimeType == Opus, track: &Track{Codec: codec}}
	list := (&Sections{}).codecs(&s)
	var w writer
	w.session(l, []string{feedMID}, true)
	w.media(s.kind(), protocol, list)
	w.transport(l, "actpass", feedMID, false)
	w.line("a=recvonly")
	w.extensions(s.feedExtensions())
	w.codecs(list)
	w.layers(layerIDs(layers))
	return w.String(), true
}

// feedExtensions are those of a feed. There are no transport-wide numbers: between servers nothing is paced.
func (s *Sending) feedExtensions() []Extension {
	if s.Audio {
		return []Extension{{ID: idLevel, URI: ExtAudioLevel}}
	}
	return []Extension{{ID: idOrientation, URI: ExtOrientation}}
}

// AnswerFeed answers the offer of a server that wants a publication.
func (o *Offer) AnswerFeed(l Local, f Feed) (string, Accepted, error) {
	codec, ok := sent(f.Codec)
	if !ok || len(o.Sections) != 1 || !o.Sections[0].Accepted {
		return "", Accepted{}, fmt.Errorf("%w: a feed has one media section, of a codec that is forwarded", ErrUnsupported)
	}
	in := &o.Sections[0]
	s := Sending{Audio: in.Audio, track: &Track{Codec: codec}}
	a, ok := s.accept(in.Codecs, in.Extensions)
	if !ok {
		return "", a, fmt.Errorf("%w: the publication is in another codec", ErrUnsupported)
	}
	list := (&Sections{}).codecs(&s)
	var w writer
	w.session(l, []string{in.MID}, o.mixed)
	w.media(s.kind(), protocol, list)
	w.transport(l, o.role(), in.MID, true)
	w.line("a=sendonly")
	w.line("a=msid:", f.StreamID, " ", f.TrackID)
	w.extensions(slices.DeleteFunc(s.feedExtensions(), func(e Extension) bool { return !slices.Contains(in.Extensions, e) }))
	w.codecs(list)
	for _, layer := range f.Layers {
		w.sources(&Track{Codec: codec, StreamID: f.StreamID, TrackID: f.TrackID, SSRC: layer.SSRC, RTX: layer.RTX})
	}
	if ids := layerIDs(len(f.Layers)); ids != nil {
		for _, id := range ids {
			w.line("a=rid:", id, " send")
		}
		w.line("a=simulcast:send ", strings.Join(ids, ";"))
	}
	return w.String(), a, nil
}

// addrs are the addresses of the UDP candidates of a section (RFC 8839 section 5.1).
func addrs(m *sdp.MediaDescription) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range m.Attributes {
		fields := strings.Fields(a.Value)
		if a.Key != "candidate" || len(fields) < 8 || !strings.EqualFold(fields[2], "udp") {
			continue
		}
		addr, err := netip.ParseAddrPort(hostPort(fields[4], fields[5]))
		if err == nil && !slices.Contains(out, addr) {
			out = append(out, addr)
		}
	}
	return out
}

func hostPort(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}
