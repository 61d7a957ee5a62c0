package negotiate

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// What one server offers and the other answers is understood by both.
func TestFeeds(t *testing.T) {
	calling := Local{Ufrag: "calling", Pwd: strings.Repeat("calling", 4), Fingerprint: server().Fingerprint, Calls: true}
	for name, c := range map[string]struct {
		codec  Codec
		layers []FeedLayer
		rids   []string
	}{
		"sound":           {Codec{MimeType: Opus, ClockRate: 48000, Channels: 2}, []FeedLayer{{SSRC: 7}}, nil},
		"picture":         {Codec{MimeType: H264, ClockRate: 90000, Parameters: "profile-level-id=42e01f"}, []FeedLayer{{7, 8}}, nil},
		"three of a kind": {Codec{MimeType: VP8, ClockRate: 90000}, []FeedLayer{{30, 31}, {20, 21}, {10, 11}}, []string{"0", "1", "2"}},
	} {
		text, ok := FeedOffer(calling, c.codec, len(c.layers))
		o, err := ReadOffer(text)
		if !ok || err != nil || strings.Contains(text, "ice-lite") || strings.Contains(text, "candidate") {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		text, accepted, err := o.AnswerFeed(server(), Feed{Codec: c.codec, StreamID: "amara", TrackID: "p", Layers: c.layers})
		if err != nil || accepted.Codec.MimeType != c.codec.MimeType || accepted.TransportCC != 0 {
			t.Fatalf("%s: %v, %+v", name, err, accepted)
		}
		if video := len(c.layers) > 1; video && (!accepted.NACK || accepted.Orientation == 0) || c.codec.MimeType == Opus && (accepted.RED == 0 || accepted.Level == 0) {
			t.Errorf("%s: accepted %+v", name, accepted)
		}
		a, err := ReadOffer(text)
		if err != nil || len(a.Sections) != 1 || !a.Sections[0].Accepted || !a.Sections[0].Sends || a.Setup != "passive" {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		var ssrcs []uint32
		for _, l := range c.layers {
			ssrcs = append(ssrcs, l.SSRC)
			if l.RTX != 0 && a.Sections[0].Repairs[l.RTX] != l.SSRC {
				t.Errorf("%s: repairs %v", name, a.Sections[0].Repairs)
			}
		}
		if !slices.Equal(a.Sections[0].SSRCs, ssrcs) || !slices.Equal(a.Sections[0].RIDs, c.rids) {
			t.Errorf("%s: layers %v %v", name, a.Sections[0].SSRCs, a.Sections[0].RIDs)
		}
		if want := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:7882")}; !slices.Equal(a.Addrs, want) {
			t.Errorf("%s: addresses %v", name, a.Addrs)
		}
	}
}

func TestFeedsThatDoNotFit(t *testing.T) {
	if _, ok := FeedOffer(server(), Codec{MimeType: "video/MPEG"}, 1); ok {
		t.Error("an offer of a codec that nobody knows")
	}
	vp8 := Feed{Codec: Codec{MimeType: VP8, ClockRate: 90000}, Layers: []FeedLayer{{7, 8}}}
	sound, _ := FeedOffer(server(), Codec{MimeType: Opus, ClockRate: 48000, Channels: 2}, 1)
	o, err := ReadOffer(sound)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]*Offer{"another codec": o, "nothing": {}, "a browser's": offered(t, "chromium-publish.sdp")} {
		if _, _, err := o.AnswerFeed(server(), vp8); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
