package clip

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // connections that the client keeps open are no leak of ours
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func TestEdit(t *testing.T) {
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	str := func(s string) *string { return &s }
	us := func(n int64) *int64 { return &n }
	yes := true
	ready := Clip{Title: "Old", Purpose: DefaultPurpose, State: Ready, Duration: 10_000_000, To: 10_000_000, FPSNum: 25, FPSDen: 1, Frames: 250}
	for _, tt := range []struct {
		name string
		edit Edit
		code string // of the error
		want func(*Clip)
	}{
		{"nothing", Edit{}, "", func(*Clip) {}},
		{"texts", Edit{Title: str(" New\n title "), FocusQuestion: str("Why?\r\nHow?"), Context: str("8b\u202e\x07, 27 pupils")}, "", func(c *Clip) {
			c.Title, c.FocusQuestion, c.Context = "New title", "Why?\nHow?", "8b, 27 pupils"
		}},
		{"families stay", Edit{Title: str("👩\u200d🏫 \u200d")}, "", func(c *Clip) { c.Title = "👩\u200d🏫 \u200d" }},
		{"range", Edit{From: us(1_000_000), To: us(2_000_000)}, "", func(c *Clip) { c.From, c.To = 1_000_000, 2_000_000 }},
		{"one frame", Edit{From: us(40_000), To: us(80_000)}, "", func(c *Clip) { c.From, c.To = 40_000, 80_000 }},
		{"consent", Edit{PupilConsent: &yes}, "", func(c *Clip) { c.PupilConsent, c.PupilConsentAt = true, now }},
		{"longest title", Edit{Title: str(strings.Repeat("é", 200))}, "", func(c *Clip) { c.Title = strings.Repeat("é", 200) }},
		{"long title", Edit{Title: str(strings.Repeat("é", 201))}, "too_long", nil},
		{"long context", Edit{Context: str(strings.Repeat("x", MaxText+1))}, "too_long", nil},
		{"no title", Edit{Title: str("\u200e \x00")}, "no_title", nil},
		{"range begins early", Edit{From: us(-1)}, "bad_range", nil},
		{"range ends late", Edit{To: us(10_000_001)}, "bad_range", nil},
		{"range backwards", Edit{From: us(5), To: us(4)}, "bad_range", nil},
		{"less than a frame", Edit{From: us(0), To: us(39_000)}, "bad_range", nil},
		{"wrong beside right", Edit{FocusQuestion: str("Why?"), To: us(-5)}, "bad_range", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, want := ready, ready
			err := tt.edit.Apply(&got, now)
			if tt.want != nil {
				tt.want(&want)
			}
			if got != want {
				t.Errorf("clip is %+v, want %+v", got, want)
			}
			var e *Error
			switch {
			case tt.code == "" && err != nil:
				t.Errorf("error %v", err)
			case tt.code != "" && (!errors.As(err, &e) || e.Code != tt.code || Status(err) != http.StatusUnprocessableEntity):
				t.Errorf("error %v, want %s", err, tt.code)
			}
		})
	}
	waiting := Clip{Title: "x", State: Waiting}
	if err := (Edit{To: us(5)}).Apply(&waiting, now); Status(err) != http.StatusConflict {
		t.Errorf("range of a clip that is not ready: %v", err)
	}
}

func TestConsentCanBeWithdrawn(t *testing.T) {
	yes, no := true, false
	c := Clip{Title: "x"}
	now := time.Unix(1e9, 0).UTC()
	for _, tt := range []struct {
		consent *bool
		at      time.Time
		want    time.Time
	}{{&yes, now, now}, {&yes, now.Add(time.Hour), now}, {&no, now, time.Time{}}} {
		if err := (Edit{PupilConsent: tt.consent}).Apply(&c, tt.at); err != nil || c.PupilConsent != *tt.consent || c.PupilConsentAt != tt.want {
			t.Errorf("consent %v at %v, %v", c.PupilConsent, c.PupilConsentAt, err)
		}
	}
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		hz   float64
		want rate
	}{
		{23.976, rate{24000, 1001}},
		{24, rate{24, 1}},
		{25, rate{25, 1}},
		{29.97, rate{30000, 1001}},
		{30, rate{30, 1}},
		{30.01, rate{30, 1}},
		{48, rate{24, 1}},
		{50, rate{25, 1}},
		{59.94, rate{30000, 1001}},
		{60, rate{30, 1}},
		{120, rate{30, 1}},
		{240, rate{30, 1}},
		{15, rate{15, 1}},
		{1, rate{10, 1}},
		{0.01, rate{10, 1}},
		{1e6, rate{30, 1}},
	} {
		if got := nearest(tt.hz); got != tt.want {
			t.Errorf("%v a second becomes %s, want %s", tt.hz, got, tt.want)
		}
	}
}

func TestSizesFit(t *testing.T) {
	for _, tt := range []struct{ w, h, wantW, wantH int }{
		{1920, 1080, 1280, 720},
		{1280, 720, 1280, 720},
		{640, 480, 640, 480},
		{641, 481, 640, 480},
		{1080, 1920, 404, 720},
		{3840, 2160, 1280, 720},
		{8192, 16, 1280, 2},
		{16, 8192, 2, 720},
		{17, 17, 16, 16},
		{1440, 1080, 960, 720},
	} {
		if w, h := fit(tt.w, tt.h, 1280, 720); w != tt.wantW || h != tt.wantH {
			t.Errorf("%dx%d becomes %dx%d, want %dx%d", tt.w, tt.h, w, h, tt.wantW, tt.wantH)
		}
	}
}

func FuzzSniff(f *testing.F) {
	for _, seed := range []string{"", "RIFF....AVI ", "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "\x1a\x45\xdf\xa3", strings.Repeat("G", 4096), "#EXTM3U", "<svg>"} {
		f.Add([]byte(seed))
	}
	allowed := map[string]bool{"": true, "mov": true, "matroska": true, "avi": true, "mpegts": true, "mpeg": true}
	f.Fuzz(func(t *testing.T, head []byte) {
		if d := demuxerFor(head); !allowed[d] {
			t.Errorf("demuxer %q", d)
		}
	})
}
