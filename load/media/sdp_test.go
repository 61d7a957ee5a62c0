package media

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func someone() local {
	return local{ufrag: "ufrag", pwd: "passwordpasswordpassword", fingerprint: "sha-256 AA:BB", addr: netip.MustParseAddrPort("127.0.0.1:4000")}
}

func TestOffersAreReadAsTheyWereMeant(t *testing.T) {
	d, err := parseSDP(offerSDP(someone(), 7, [][2]uint32{{8, 9}}))
	if err != nil {
		t.Fatal(err)
	}
	if d.ufrag != "ufrag" || d.pwd != "passwordpasswordpassword" || d.setup != "actpass" || d.lite || !slices.Equal(d.remotes, []netip.AddrPort{someone().addr}) {
		t.Errorf("%+v", d)
	}
	audio, video := d.sections[0], d.sections[1]
	if audio.mid != "0" || audio.kind != "audio" || !slices.Equal(audio.chosen(), []uint8{ptOpus}) || !slices.Equal(audio.ssrcs, []uint32{7}) {
		t.Errorf("%+v", audio)
	}
	if video.mid != "1" || video.direction != "sendonly" || !slices.Equal(video.chosen(), []uint8{ptVP8, ptRTX}) {
		t.Errorf("%+v", video)
	}
	if diff := cmp.Diff(map[uint32]uint32{9: 8}, video.rtx); diff != "" {
		t.Error(diff)
	}
	if video.exts[uriTWCC] != extTWCC || audio.exts[uriLevel] != extLevel || video.exts[uriLevel] != 0 {
		t.Errorf("%v %v", audio.exts, video.exts)
	}
	if c := video.codecs[ptVP8]; !c.has("nack") || !c.has("nack pli") || c.has("nack sli") {
		t.Errorf("%+v", c)
	}
}

func TestTheNearestCandidateIsTaken(t *testing.T) {
	text := offerSDP(someone(), 7, [][2]uint32{{8, 9}})
	second := strings.Replace(text, "a=candidate:1 1 udp 2130706431 127.0.0.1 4000", "a=candidate:2 1 udp 2130706430 192.0.2.7 4001", 1)
	d, err := parseSDP(second) // the first section's, and then the second one's
	if err != nil {
		t.Fatal(err)
	}
	for near, want := range map[string]string{"192.0.2.7": "192.0.2.7:4001", "127.0.0.1": "127.0.0.1:4000", "198.51.100.1": "192.0.2.7:4001"} {
		if got := d.nearest(netip.MustParseAddr(near)); got.String() != want {
			t.Errorf("near %s: %s", near, got)
		}
	}
	if got := d.nearest(netip.Addr{}); got != d.remotes[0] {
		t.Errorf("near nothing: %s", got)
	}
	unbound := someone()
	unbound.addr = netip.AddrPortFrom(netip.IPv4Unspecified(), 4000)
	if strings.Contains(offerSDP(unbound, 7, [][2]uint32{{8, 9}}), "a=candidate") {
		t.Error("an address that nobody can send to is offered")
	}
}

func TestSimulcastIsOfferedWithoutSSRCs(t *testing.T) {
	text := offerSDP(someone(), 7, [][2]uint32{{1, 2}, {3, 4}, {5, 6}})
	if !strings.Contains(text, "a=simulcast:send q;h;f\r\n") || strings.Contains(text, "a=ssrc:1 ") {
		t.Error(text)
	}
}

func TestAnswersAcceptWhatCanBeReceived(t *testing.T) {
	offer, err := parseSDP(strings.Replace(offerSDP(someone(), 7, [][2]uint32{{8, 9}}), "VP8/90000", "H264/90000", 1))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := parseSDP(answerSDP(offer, someone()))
	if err != nil {
		t.Fatal(err)
	}
	if s := answer.sections[0]; s.direction != "recvonly" || s.rejected || s.exts[uriTWCC] != extTWCC || !s.codecs[ptOpus].has("transport-cc") {
		t.Errorf("audio: %+v", s)
	}
	if s := answer.sections[1]; !s.rejected || s.mid != "1" {
		t.Errorf("video of an unknown codec: %+v", s)
	}
	if answer.setup != "active" {
		t.Errorf("setup is %s", answer.setup)
	}
}

func TestDescriptionsThatLeadNowhere(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no candidate": strings.ReplaceAll(offerSDP(someone(), 1, [][2]uint32{{2, 3}}), "a=candidate", "a=x"),
		"only TCP": strings.ReplaceAll(offerSDP(someone(), 1, [][2]uint32{{2, 3}}), " udp ", " tcp "),
		"no ufrag": strings.ReplaceAll(offerSDP(someone(), 1, [][2]uint32{{2, 3}}), "a=ice-ufrag", "a=x"),
	} {
		if _, err := parseSDP(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
