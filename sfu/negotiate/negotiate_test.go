package negotiate

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pion/sdp/v3"
)

var update = flag.Bool("update", false, "write the golden files") //nolint:gochecknoglobals // a flag

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(file(t, name), got); diff != "" {
		t.Errorf("%s differs; -want +got:\n%s", name, diff)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(got); err != nil {
		t.Errorf("%s cannot be read: %v", name, err)
	}
}

func server() Local {
	return Local{
		Ufrag: "server", Pwd: "serverserverserverserver", Fingerprint: "sha-256 " + strings.TrimSuffix(strings.Repeat("AA:", 32), ":"),
		Candidates: []string{
			"1 1 udp 2130706431 203.0.113.9 7882 typ host", "2 1 tcp 1671430143 203.0.113.9 7882 typ host tcptype passive",
		}, Session: 42, Version: 1,
	}
}

func offered(t *testing.T, name string) *Offer {
	t.Helper()
	o, err := ReadOffer(file(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestBrowsersOffersAreAnswered(t *testing.T) {
	for _, name := range []string{"chromium", "firefox", "safari"} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+"-publish-answer.sdp", offered(t, name+"-publish.sdp").Answer(server()))
		})
	}
}

// brief is what counts of a section.
func brief(s Section) string {
	var codecs []string
	for _, c := range s.Codecs {
		codecs = append(codecs, fmt.Sprintf("%s=%d/%d", c.MimeType[6:], c.PayloadType, c.RTX))
	}
	return fmt.Sprintf("%s audio:%v sends:%v %v %v ssrcs:%v repairs:%d", s.MID, s.Audio, s.Sends, codecs, s.RIDs, s.SSRCs, len(s.Repairs))
}

func TestBrowsersOffersAreRead(t *testing.T) {
	for name, want := range map[string][]string{
		"chromium": {
			"0 audio:true sends:true [opus=111/0 red=63/0] [] ssrcs:[1505338584] repairs:0",
			"1 audio:false sends:true [VP8=96/97 H264=103/104 H264=109/114 H264=39/40 AV1=45/46 VP9=98/99] [l m h] ssrcs:[] repairs:0",
			"2 audio:false sends:true [VP8=96/97 H264=103/104 H264=109/114 H264=39/40 AV1=45/46 VP9=98/99] [] ssrcs:[3210187471] repairs:1",
		},
		"firefox": {
			"0 audio:true sends:true [opus=109/0] [] ssrcs:[2655508255] repairs:0",
			"1 audio:false sends:true [VP8=120/124 VP9=121/125 H264=126/127] [l h] ssrcs:[3046128171 1294217381] repairs:2",
		},
		"safari": {
			"0 audio:true sends:true [opus=111/0 red=63/0] [] ssrcs:[3402812391] repairs:0",
			"1 audio:false sends:true [H264=96/97 H264=98/99 VP8=100/101] [] ssrcs:[1023841275] repairs:1",
		},
	} {
		o := offered(t, name+"-publish.sdp")
		var got []string
		for _, s := range o.Sections {
			got = append(got, brief(s))
			if !s.Accepted {
				t.Errorf("%s: section %s is refused", name, s.MID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s; -want +got:\n%s", name, diff)
		}
		if o.Setup != "actpass" || len(o.Fingerprint) != 103 || len(o.Pwd) < 22 {
			t.Errorf("%s: %+v", name, o.Transport)
		}
	}
}

// three are the tracks that the answers in testdata answer.
func three(t *testing.T) (*Sections, []*Sending) {
	t.Helper()
	var s Sections
	var list []*Sending
	for i, c := range []Codec{
		{MimeType: Opus, ClockRate: 48000, Channels: 2, Parameters: "minptime=10;useinbandfec=1"},
		{MimeType: VP8, ClockRate: 90000},
		{MimeType: AV1, ClockRate: 90000},
	} {
		sec, ok := s.Add(Track{Codec: c, StreamID: "ann", TrackID: fmt.Sprint("track", i), SSRC: uint32(100 + i), RTX: uint32(200 + i)})
		if !ok {
			t.Fatal("no section")
		}
		list = append(list, sec)
	}
	return &s, list
}

func TestTheServersOffer(t *testing.T) {
	s, list := three(t)
	golden(t, "subscribe.sdp", s.Offer(server()))
	if _, accepted, err := s.Answer(file(t, "chromium-answer.sdp")); err != nil || len(accepted) != 2 {
		t.Fatalf("%v, %v", accepted, err)
	}
	s.Remove(list[1])
	golden(t, "subscribe-less.sdp", s.Offer(server()))
}

func TestBrowsersAnswersAreRead(t *testing.T) {
	for name, red := range map[string]uint8{"chromium": 63, "firefox": 0} {
		s, list := three(t)
		_, got, err := s.Answer(file(t, name+"-answer.sdp"))
		if err != nil {
			t.Fatal(name, err)
		}
		if a := got[list[0]]; a.Codec.PayloadType != 111 || a.Codec.RTX != 0 || a.RED != red || a.NACK {
			t.Errorf("%s audio: %+v", name, a)
		}
		want := Accepted{NACK: true, TransportCC: 2, Codec: Codec{PayloadType: 96, RTX: 97}}
		if red != 0 {
			want.Orientation = 3
		}
		a := got[list[1]]
		a.Codec = Codec{PayloadType: a.Codec.PayloadType, RTX: a.Codec.RTX}
		if diff := cmp.Diff(want, a, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s video; -want +got:\n%s", name, diff)
		}
		if _, ok := got[list[2]]; ok || !list[2].Refused() {
			t.Errorf("%s: AV1 was accepted", name)
		}
	}
}

func TestSectionsAreUsedAgain(t *testing.T) {
	s, list := three(t)
	answer := file(t, "chromium-answer.sdp")
	accept := func() {
		t.Helper()
		if _, _, err := s.Answer(answer); err != nil {
			t.Fatal(err)
		}
	}
	accept()
	video := Track{Codec: Codec{MimeType: VP8, ClockRate: 90000}}
	s.Remove(list[1])
	next, _ := s.Add(video)
	if next != list[2] || next.MID != "3" {
		t.Errorf("a refused section is not begun anew: %+v", next)
	}
	answer = strings.Replace(answer, "a=mid:2", "a=mid:3", 1)
	accept()
	again, _ := s.Add(video)
	if again != list[1] || again.MID != "1" || s.Len() != 3 {
		t.Errorf("an idle section is not used again: %+v of %d", again, s.Len())
	}
	for range MaxSections {
		s.Add(video)
	}
	if s.Len() != MaxSections {
		t.Errorf("%d sections", s.Len())
	}
}

func TestPayloadTypesKeepTheirMeaning(t *testing.T) {
	used := make(map[uint8]string)
	claim := func(pt uint8, meaning string) {
		t.Helper()
		if other := used[pt]; other != "" && other != meaning {
			t.Fatalf("payload type %d is %s and %s", pt, other, meaning)
		}
		if pt >= 64 && pt < 96 || pt > 127 || pt < 35 {
			t.Fatalf("payload type %d", pt)
		}
		used[pt] = meaning
	}
	claim(redSent.PayloadType, RED)
	list := []Codec{{MimeType: Opus}, {MimeType: VP8}, {MimeType: VP9}, {MimeType: AV1}}
	for _, id := range []string{"42e01f", "42001f", "4d001f", "64001f", "640c1f"} {
		list = append(list, Codec{MimeType: H264, Parameters: "packetization-mode=1;profile-level-id=" + id})
	}
	for _, c := range list {
		got, ok := sent(c)
		if !ok {
			t.Fatalf("%+v is not sent", c)
		}
		claim(got.PayloadType, got.MimeType+got.Parameters)
		if got.MimeType != Opus {
			claim(got.RTX, "rtx of "+got.MimeType+got.Parameters)
		}
	}
	if len(used) != 2+2*(len(list)-1) {
		t.Errorf("%d payload types: %v", len(used), used)
	}
}

// published returns a codec as the server reads it from an offer with these lines for payload type 100.
func published(kind, mapping, format string) (Codec, bool) {
	list := codecs(&sdp.MediaDescription{
		MediaName:  sdp.MediaName{Media: kind, Formats: []string{"100"}},
		Attributes: []sdp.Attribute{sdp.NewAttribute("rtpmap", "100 "+mapping), sdp.NewAttribute("fmtp", "100 "+format)},
	})
	if len(list) == 0 {
		return Codec{}, false
	}
	return list[0], true
}

func TestRepublishingUsesNoTypesUp(t *testing.T) {
	var s Sections
	publish := func(i int, kind, mapping, format string) {
		t.Helper()
		c, ok := published(kind, mapping, format)
		if !ok {
			t.Fatalf("%d: %s is not known", i, format)
		}
		sec, ok := s.Add(Track{Codec: c, StreamID: "ann", TrackID: "t", SSRC: 1, RTX: 2})
		if !ok {
			t.Fatalf("%d: %s has no section", i, format)
		}
		if kind == "video" && sec.track.Codec.RTX == 0 {
			t.Fatalf("%d: %s has no retransmissions", i, format)
		}
		s.Remove(sec)
		sec.state = idle // as after an answer
	}
	profiles := []string{"42e0", "42C0", "4200", "4d00", "6400", "640c"}
	for i := range 200 {
		publish(i, "video", "H264/90000", fmt.Sprintf("packetization-mode=1;profile-level-id=%s%02x", profiles[i%6], i))
		publish(i, "video", "VP9/90000", fmt.Sprintf("profile-id=0;x=%d", i))
		publish(i, "video", "AV1/90000", fmt.Sprintf("level-idx=%d;profile=0", i))
		publish(i, "audio", "opus/48000/2", fmt.Sprintf("stereo=%d;usedtx=%d;sprop-stereo=%d;x=%d", i&1, i>>1&1, i>>2&1, i))
	}
	if len(s.types) != 8 || s.Len() != 2 {
		t.Errorf("%d payload types, %d sections", len(s.types), s.Len())
	}
}

func TestProfilesThatBrowsersLackAreNotForwarded(t *testing.T) {
	for _, c := range [][2]string{
		{"H264/90000", "packetization-mode=1;profile-level-id=f4001f"},
		{"H264/90000", "packetization-mode=1;profile-level-id=42e0"},
		{"H264/90000", "packetization-mode=1;profile-level-id=42e0zz"},
		{"H264/90000", "packetization-mode=0;profile-level-id=42e01f"},
		{"H264/90000", "packetization-mode=1"},
		{"VP9/90000", "profile-id=1"},
		{"AV1/90000", "profile=1"},
	} {
		if got, ok := published("video", c[0], c[1]); ok {
			t.Errorf("%v is read as %+v", c, got)
		}
	}
	if _, ok := new(Sections).Add(Track{Codec: Codec{MimeType: H264, Parameters: "profile-level-id=f4001f"}}); ok {
		t.Error("a profile that is not forwarded has a section")
	}
}

// Browsers do not take RED that refers to a payload type that is not in its section.
func TestREDRefersToItsSection(t *testing.T) {
	var s Sections
	for _, parameters := range []string{"", "stereo=1;sprop-stereo=1", "usedtx=1"} {
		sec, ok := s.Add(Track{Codec: Codec{MimeType: Opus, ClockRate: 48000, Channels: 2, Parameters: parameters}, StreamID: "a", TrackID: "b"})
		if !ok {
			t.Fatal("no section")
		}
		if parameters == "" {
			s.Remove(sec)
		}
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(s.Offer(server())); err != nil {
		t.Fatal(err)
	}
	for i, m := range d.MediaDescriptions {
		if red := payloads(m)[63]; red.format != "111/111" || payloads(m)[111].name != "opus" || len(m.MediaName.Formats) != 2 {
			t.Errorf("section %d: RED of %s among %v", i, red.format, m.MediaName.Formats)
		}
	}
	if len(d.MediaDescriptions) != 3 {
		t.Errorf("%d sections", len(d.MediaDescriptions))
	}
}

// A packet that is sent again under its own sequence number would use a nonce twice.
func TestNothingIsRepeatedWithoutAStreamForIt(t *testing.T) {
	good := file(t, "chromium-answer.sdp")
	for name, c := range map[string]struct {
		old, with string
		section   int
	}{
		"sound":             {"a=rtcp-fb:111 transport-cc", "a=rtcp-fb:111 nack", 0},
		"RTX that is none":  {"a=rtpmap:97 rtx/90000", "a=rtpmap:97 x/90000", 1},
		"RTX of its choice": {"a=fmtp:97 apt=96", "a=fmtp:97 apt=111", 1},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %q", c.old)
		}
		s, list := three(t)
		_, got, err := s.Answer(strings.Replace(good, c.old, c.with, 1))
		if a, ok := got[list[c.section]]; err != nil || !ok || a.NACK || a.Codec.RTX != 0 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	s, _ := three(t)
	if strings.Contains(s.Offer(server()), "a=rtcp-fb:111 nack") {
		t.Error("nack is offered for sound")
	}
}

func TestHostileOffers(t *testing.T) {
	good := file(t, "chromium-publish.sdp")
	change := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"1 MiB":               {strings.Repeat("a", 1<<20), ErrTooLarge},
		"5000 sections":       {"v=0\r\n" + strings.Repeat("m=audio 9 X 0\n", 4000), ErrTooManyMedia},
		"sections after CR":   {good + strings.Repeat("\n\rm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", 1000), ErrTooManyMedia},
		"129 formats":         {change("SAVPF 111", "SAVPF"+strings.Repeat(" 97", 121)+" 111"), ErrBad},
		"5000 layers":         {change("send l;m;h", "send "+strings.TrimSuffix(lines("l%d;", 5000), ";")), ErrUnsupported},
		"64 KiB of work":      {laborious(good, 1200), ErrBad},
		"many candidates":     {good + strings.Repeat("a=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n", 65), ErrTooManyCandidates},
		"NUL":                 {change("a=mid:0", "a=mid:\x00"), ErrBad},
		"CR in a mid":         {change("a=mid:0", "a=mid:a\rb"), ErrBad},
		"a space in a mid":    {change("a=mid:0", "a=mid:a b"), ErrBad},
		"a long mid":          {change("a=mid:0", "a=mid:"+strings.Repeat("a", 65)), ErrBad},
		"a mid twice":         {change("a=mid:1", "a=mid:0"), ErrBad},
		"short password":      {strings.ReplaceAll(good, "a=ice-pwd:2/1muCWoOi3uLifh0NuRHlYs", "a=ice-pwd:x"), ErrBad},
		"SHA-1":               {strings.ReplaceAll(good, "sha-256", "sha-1"), ErrBad},
		"short fingerprint":   {strings.ReplaceAll(good, "7B:8B:", ""), ErrBad},
		"a strange setup":     {strings.ReplaceAll(good, "a=setup:actpass", "a=setup:holdconn"), ErrBad},
		"a rid twice":         {change("send l;m;h", "send l;l;h"), ErrBad},
		"a rid with a space":  {change("send l;m;h", "send l;\x7f;h"), ErrBad},
		"too many layers":     {change("send l;m;h", "send a;b;c;d"), ErrUnsupported},
		"many SSRCs":          {good + lines("a=ssrc:%d cname:x\r\n", 70), ErrUnsupported},
		"data":                {good + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:3\r\n", ErrUnsupported},
		"ids in conflict":     {change("a=extmap:13 urn:3gpp:video-orientation", "a=extmap:1 urn:3gpp:video-orientation"), ErrBad},
		"types in conflict":   {change("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP9/90000"), ErrBad},
		"nothing":             {"", ErrBad},
		"no transport at all": {"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", ErrBad},
	} {
		if _, err := ReadOffer(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// laborious is a section with many codecs, a format that is listed n times, and a long description of that, in nearly 64 KiB.
func laborious(good string, n int) string {
	var types, maps strings.Builder
	for pt := 98; pt < 124; pt++ {
		fmt.Fprintf(&types, " %d", pt)
		fmt.Fprintf(&maps, "a=rtpmap:%d VP8/90000\r\n", pt)
	}
	head := good[:strings.Index(good, "m=audio")]
	text := head + "m=video 9 UDP/TLS/RTP/SAVPF" + types.String() + strings.Repeat(" 97", n) + "\r\na=mid:0\r\n" +
		good[strings.Index(good, "a=ice-ufrag"):strings.Index(good, "a=ice-options")] +
		good[strings.Index(good, "a=fingerprint"):strings.Index(good, "a=setup")] + maps.String() + "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=98"
	return text + strings.Repeat(";", MaxBytes-len(text)-2) + "\r\n"
}

func TestFormatsAreReadOnce(t *testing.T) {
	o, err := ReadOffer(laborious(file(t, "chromium-publish.sdp"), 100))
	if err != nil {
		t.Fatal(err)
	}
	list := o.Sections[0].Codecs
	if len(list) != 26 || list[0].RTX != 0 {
		t.Errorf("%d codecs, or a description of 50 KiB is read: %+v", len(list), list[0])
	}
	d := sdp.MediaDescription{MediaName: sdp.MediaName{Media: "video", Formats: []string{"97", "96", "96", "97", "98"}}}
	for _, a := range []string{"rtpmap:96 VP8/90000", "rtpmap:97 rtx/90000", "fmtp:97 APT=96;apt=95", "rtpmap:98 rtx/90000", "fmtp:98 apt=96"} {
		key, value, _ := strings.Cut(a, ":")
		d.Attributes = append(d.Attributes, sdp.NewAttribute(key, value))
	}
	for range 1000 {
		d.Attributes = append(d.Attributes, sdp.NewAttribute("rtcp-fb", "* nack"), sdp.NewAttribute("rtcp-fb", "96 nack"))
	}
	want := []Codec{{MimeType: VP8, ClockRate: 90000, PayloadType: 96, RTX: 97, Feedback: []string{"nack"}}}
	if diff := cmp.Diff(want, codecs(&d)); diff != "" {
		t.Error(diff)
	}
	if got := payloads(&d)[96].feedback; len(got) != 1 {
		t.Errorf("%d messages of feedback", len(got))
	}
}

func lines(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	good := file(t, "firefox-publish.sdp")
	for name, text := range map[string]string{
		"another codec":           strings.ReplaceAll(good, "opus/48000/2", "speex/48000"),
		"without encryption":      strings.Replace(good, "m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP", 1),
		"refused by the member":   strings.Replace(good, "m=audio 9", "m=audio 0", 1),
		"a transport of its own":  strings.Replace(good, "BUNDLE 0 1", "BUNDLE 1", 1),
		"RED of a codec unknown ": strings.ReplaceAll(good, "opus/48000/2", "red/48000/2"),
	} {
		o, err := ReadOffer(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		answer := o.Answer(server())
		if !strings.Contains(answer, "m=audio 0 ") || !strings.Contains(answer, "a=group:BUNDLE 1\r\n") ||
			strings.Count(answer, "a=end-of-candidates") != 1 {
			t.Errorf("%s: %s", name, answer)
		}
	}
}

func TestHostileAnswers(t *testing.T) {
	good := file(t, "chromium-answer.sdp")
	for name, text := range map[string]string{
		"too few sections":     good[:strings.Index(good, "m=video 0")],
		"too many":             good + "m=video 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:3\r\n",
		"another mid":          strings.Replace(good, "a=mid:1", "a=mid:9", 1),
		"another kind":         strings.Replace(good, "m=audio", "m=video", 1),
		"without a transport":  strings.ReplaceAll(good, "a=ice-ufrag:4ZcD", ""),
		"without certificates": strings.ReplaceAll(good, "a=fingerprint", "a=x"),
	} {
		s, _ := three(t)
		if _, _, err := s.Answer(text); !errors.Is(err, ErrBad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOffer(f *testing.F) {
	for _, name := range []string{"chromium", "firefox", "safari"} {
		f.Add(file(f, name+"-publish.sdp"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ReadOffer(text)
		if err != nil {
			return
		}
		answer := o.Answer(server())
		var d sdp.SessionDescription
		if err := d.UnmarshalString(answer); err != nil {
			t.Fatalf("the answer cannot be read: %v\n%s", err, answer)
		}
		if len(d.MediaDescriptions) != len(o.Sections) {
			t.Fatalf("%d sections for %d", len(d.MediaDescriptions), len(o.Sections))
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(file(f, "chromium-answer.sdp"))
	f.Add(file(f, "firefox-answer.sdp"))
	f.Fuzz(func(t *testing.T, text string) {
		s, list := three(t)
		_, accepted, err := s.Answer(text)
		if err != nil && len(accepted) != 0 {
			t.Fatal("an answer with an error is accepted")
		}
		for sec, a := range accepted {
			if a.Codec.PayloadType != sec.track.Codec.PayloadType {
				t.Fatalf("%+v", a)
			}
		}
		for _, sec := range list {
			s.Remove(sec)
		}
		s.Offer(server())
	})
}

// Sound is asked for again where redundancy cannot be had, and what is sent again is the same packet.
func TestWhoseSoundIsKept(t *testing.T) {
	kept := func(o *Offer) bool {
		return slices.ContainsFunc(o.Sections, func(s Section) bool {
			return slices.ContainsFunc(s.Codecs, func(c Codec) bool { return c.Kept })
		})
	}
	for name, want := range map[string]bool{"chromium": false, "firefox": true, "safari": false} {
		if got := kept(offered(t, name+"-publish.sdp")); got != want {
			t.Errorf("%s: kept is %v", name, got)
		}
	}
	text := file(t, "firefox-publish.sdp")
	for _, uri := range []string{ExtTransportCC, ExtSendTime} {
		o, err := ReadOffer(strings.Replace(text, "a=mid:0", "a=extmap:9 "+uri+"\r\na=mid:0", 1))
		if err != nil {
			t.Fatal(err)
		}
		accepted := slices.ContainsFunc(o.Sections[0].Extensions, func(e Extension) bool { return e.URI == uri })
		if !kept(o) || accepted {
			t.Errorf("with %s, what is sent again is another packet", uri)
		}
	}
}
