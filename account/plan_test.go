package account

import (
	"encoding/json"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func TestFramesOfTheChosenRange(t *testing.T) {
	for name, c := range map[string]struct {
		footage     Footage
		first, last int64
		ok          bool
	}{
		"whole":        {Footage{Duration: 10_000_000, Frames: 250, FPSNum: 25, FPSDen: 1, To: 10_000_000}, 0, 249, true},
		"part":         {Footage{Duration: 10_000_000, Frames: 250, FPSNum: 25, FPSDen: 1, From: 1_000_000, To: 2_000_000}, 25, 49, true},
		"inside one":   {Footage{Duration: 10_000_000, Frames: 250, FPSNum: 25, FPSDen: 1, From: 30_000, To: 50_000}, 0, 0, false},
		"half frames":  {Footage{Duration: 10_000_000, Frames: 250, FPSNum: 25, FPSDen: 1, From: 30_000, To: 110_000}, 1, 2, true},
		"drop frame":   {Footage{Duration: 1_001_000, Frames: 30, FPSNum: 30000, FPSDen: 1001, To: 1_001_000}, 0, 29, true},
		"not prepared": {Footage{}, 0, 0, false},
	} {
		first, last, ok := c.footage.frames()
		if ok != c.ok || ok && (first != c.first || last != c.last) {
			t.Errorf("%s: %d to %d, %v", name, first, last, ok)
		}
	}
	if _, _, ok := (*Footage)(nil).frames(); ok {
		t.Error("no clip has frames")
	}
}

func TestOptionalTellsNullFromAbsent(t *testing.T) {
	for body, want := range map[string]string{`{}`: "absent", `{"clip":null}`: "null", `{"clip":"c"}`: "c"} {
		var c Change
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			t.Fatal(err)
		}
		got := "absent"
		if c.Clip.Set && c.Clip.Value == nil {
			got = "null"
		} else if c.Clip.Set {
			got = *c.Clip.Value
		}
		if got != want {
			t.Errorf("%s: got %s", body, got)
		}
	}
	if err := json.Unmarshal([]byte(`{"clip":7}`), &Change{}); err == nil {
		t.Error("a number is a clip")
	}
}

func TestANewClipTakesThePausesWithIt(t *testing.T) {
	p := Plan{Kind: event.Conversation, Title: "t", Clip: "a", Pauses: []event.Pause{{ID: "p"}}}
	same, other := "a", "b"
	if err := (Change{Clip: Optional[string]{true, &same}}).apply(&p, Member{}, nil); err != nil || len(p.Pauses) != 1 {
		t.Errorf("the same clip: %+v, %v", p, err)
	}
	if err := (Change{Clip: Optional[string]{true, &other}}).apply(&p, Member{}, nil); err != nil || len(p.Pauses) != 0 {
		t.Errorf("another clip: %+v, %v", p, err)
	}
}

func TestALiveLessonHasNoClip(t *testing.T) {
	kind := event.LiveLesson
	p := Plan{Kind: event.Conversation, Title: "t", Clip: "a"}
	if err := (Change{Kind: &kind}).apply(&p, Member{}, nil); err == nil {
		t.Error("accepted with a clip")
	}
	p = Plan{Kind: event.Conversation, Title: "t", Clip: "a"}
	if err := (Change{Kind: &kind, Clip: Optional[string]{Set: true}}).apply(&p, Member{}, nil); err != nil {
		t.Error(err)
	}
}

func TestOpeningHidesWhatTheRoleMayNotShowAnyMore(t *testing.T) {
	note := func(id string, v event.Visibility) PlannedNote {
		return PlannedNote{ID: id, Visibility: v, From: 5, To: 900}
	}
	p := Plan{Notes: map[string][]PlannedNote{
		"coach":   {note("1", event.Coaches)},
		"demoted": {note("2", event.Shared), note("3", event.Coaches)},
		"gone":    {note("4", event.Shared)},
	}}
	o := p.opening([]Member{
		{ID: "coach", Role: event.Coach}, {ID: "demoted", Role: event.Observer}, {ID: "gone", Role: event.Peer, Removed: true},
	}, &Footage{Duration: 100})
	want := []event.Visibility{event.Coaches, event.Private, event.Private}
	if len(o.Notes) != len(want) {
		t.Fatalf("opens with %+v", o.Notes)
	}
	for i, n := range o.Notes {
		if n.Visibility != want[i] || n.From != 5 || n.To != 100 || !n.OnClip {
			t.Errorf("note %+v", n)
		}
	}
	if o = p.opening([]Member{{ID: "coach", Role: event.Coach}}, nil); len(o.Notes) != 1 || o.Notes[0].OnClip || o.Notes[0].To != 0 {
		t.Errorf("without a clip: %+v", o.Notes)
	}
}

func TestTextLosesItsDisguise(t *testing.T) {
	for in, want := range map[string]string{
		"  a\tb\r\nc ":     "a b c",
		"abc\u202edef\x00": "abcdef",
		"a\xffb":           "ab",
		"Zoë 👩‍🏫":          "Zoë 👩‍🏫",
	} {
		if got, err := line(in, 100, "A line"); err != nil || got != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func TestNormaliseEmail(t *testing.T) {
	for in, want := range map[string]string{
		" Ana.B+x@School.Example ": "ana.b+x@school.example",
		"zoë@schule.example":       "zoë@schule.example",
		"ana":                      "",
		"@school.example":          "",
		"a b@school.example":       "",
		"\"a b\"@school.example":   "",
		"<ana@school.example>":     "",
		"ana@school.example, b@c":  "",
	} {
		if got, err := normaliseEmail(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func FuzzNormaliseEmail(f *testing.F) {
	f.Add("ana@school.example")
	f.Add("\"a\\\"b\"@[127.0.0.1]")
	f.Fuzz(func(t *testing.T, s string) {
		once, err := normaliseEmail(s)
		if err != nil {
			return
		}
		if twice, err := normaliseEmail(once); err != nil || twice != once {
			t.Errorf("%q became %q, then %q, %v", s, once, twice, err)
		}
	})
}
