package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

var agreed = event.Hello{Consent: event.Agreed}

// The first account is made with the printed link, once.
func TestFirstAccount(t *testing.T) {
	s := start(t, t.TempDir())
	token := s.printed(t, firstLink)[1]
	b := newBrowser(t, s)
	var me struct {
		Account *struct{ Name string }
		Setup   bool
	}
	b.must(200, "GET", "/api/me", nil, &me)
	if !me.Setup || me.Account != nil {
		t.Fatalf("before: %+v", me)
	}
	account := map[string]string{"token": token, "name": "Amara", "email": "a@b.example", "password": "correct horse battery"}
	wrong := map[string]string{"token": "x" + token, "name": "Eve", "email": "e@b.example", "password": "correct horse battery"}
	b.refused(403, "forbidden", "POST", "/api/setup", wrong)
	b.must(200, "POST", "/api/setup", account, &me)
	if me.Setup || me.Account == nil || me.Account.Name != "Amara" {
		t.Fatalf("after: %+v", me)
	}
	b.refused(403, "forbidden", "POST", "/api/setup", account)
	b.must(204, "POST", "/api/signout", map[string]any{}, nil)
	b.refused(401, "unauthorized", "GET", "/api/sessions", nil)
	b.refused(401, "unauthorized", "POST", "/api/signin", map[string]string{"email": "a@b.example", "password": "wrong wrong wrong"})
	b.must(200, "POST", "/api/signin", map[string]string{"email": "A@b.example ", "password": "correct horse battery"}, nil)
}

// A second person gets an account by invitation, which works once.
func TestInvitationToTheHouse(t *testing.T) {
	s := startFilled(t)
	admin := signedIn(t, s)
	var link struct{ URL, Expires string }
	admin.must(200, "POST", "/api/invitations", map[string]string{"email": "noa@school.example"}, &link)
	_, token, ok := strings.Cut(link.URL, "/join#")
	if !ok || link.Expires == "" {
		t.Fatalf("link: %+v", link)
	}
	noa := newBrowser(t, s)
	account := map[string]string{"token": token, "name": "Noa", "email": "noa@school.example", "password": "four words in a row"}
	noa.must(200, "POST", "/api/join", account, nil)
	newBrowser(t, s).refused(403, "forbidden", "POST", "/api/join", account)
	newBrowser(t, s).refused(401, "unauthorized", "POST", "/api/invitations", map[string]string{})

	var own struct{ Sessions []any }
	noa.must(200, "GET", "/api/sessions", nil, &own)
	if own.Sessions == nil || len(own.Sessions) != 0 {
		t.Fatalf("somebody new sees sessions: %v", own.Sessions)
	}
	id := admin.practiceSession()
	noa.refused(404, "not_found", "GET", "/api/sessions/"+id, nil)
}

// plan is what the story needs of a plan.
type plan struct {
	ID       string
	Title    string
	Begun    bool
	Mine     bool
	Pauses   []event.Pause
	Notes    []map[string]any
	ClipCard *struct {
		State          string
		Frames, FPSNum int64
	}
}

// TestStory is a session from plan to export: a focal teacher with an account, a coach and an observer as guests.
func TestStory(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := planStory(t, amara)
	coachToken, observerToken := amara.link(id, event.Coach), amara.link(id, event.Observer)

	path := "/api/sessions/" + id
	ben := enterLobby(t, s, path, coachToken, observerToken)
	olu, oluID := s.guest(t, id, observerToken, "Olu")

	a, b, o := amara.connect(id, agreed), ben.connect(id, agreed), olu.connect(id, agreed)
	if len(a.welcome.View.Pauses) != 2 || a.welcome.View.Clip == nil || len(a.welcome.View.Notes) != 1 {
		t.Fatalf("welcome: %+v", a.welcome.View)
	}
	if len(b.welcome.View.Notes) != 0 {
		t.Fatal("the coach sees what Amara wrote for herself")
	}

	a.do(event.PlaybackSeek{Position: 10_000_000})
	if p := o.ask(event.PlaybackPlay{}); p == nil || p.Code != "forbidden" {
		t.Fatalf("an observer drives: %v", p)
	}
	writeNotes(a, b, o)

	// An observer who is made a peer, and a peer who is sent out.
	a.do(event.MemberRole{Member: oluID, Role: event.Peer})
	o.awaitThat("the right to publish", func(f frame) bool {
		return f.Type == "you.changed" && strings.Contains(string(f.Data), `"publish"`)
	})
	checkExports(t, amara, ben, olu, path)
	a.do(event.MemberRemove{Member: oluID})
	if reason, _ := o.bye(); reason != "removed" {
		t.Fatalf("sent out with %q", reason)
	}
	olu.refused(403, "forbidden", "GET", path+"/notes.json", nil)
	olu.refused(403, "forbidden", "GET", path+"/replay", nil)
	olu.refused(403, "forbidden", "GET", path+"/segments/x", nil)
	olu.refused(404, "not_found", "GET", path+"/door", nil)
	olu.refused(404, "not_found", "GET", "/api/clips/"+clip.PracticeID, nil)
	newBrowser(t, s).refused(404, "not_found", "POST", path+"/door", map[string]string{"token": observerToken, "name": "Olu again"})
	if _, res, err := olu.dial(id, nil); err == nil || res.StatusCode != 403 {
		t.Fatalf("a removed member opens a call: %v", res)
	}

	a.do(event.SessionEnd{})
	for _, c := range []*connection{a, b} {
		if reason, _ := c.bye(); reason != "ended" {
			t.Fatalf("ended with %q", reason)
		}
	}
	checkAfterwards(t, amara, ben, path)
}

// enterLobby is a coach's way through the lobby, before and after they say a name.
func enterLobby(t *testing.T, s *server, path, coachToken, observerToken string) *browser {
	t.Helper()
	ben := newBrowser(t, s)
	var door struct {
		Session   struct{ Clip, ClipTitle string }
		Member    *struct{ ID, Name string }
		Role      event.Role
		Observers bool
		Invited   map[string]int
	}
	ben.refused(404, "not_found", "GET", path+"/door", nil)
	ben.refused(404, "not_found", "POST", path+"/door", map[string]string{"token": observerToken[1:]})
	ben.must(200, "POST", path+"/door", map[string]string{"token": coachToken}, &door)
	if door.Session.Clip != "" || door.Session.ClipTitle == "" || door.Member != nil || door.Role != event.Coach || !door.Observers || door.Invited["focal"] != 1 {
		t.Fatalf("door: %+v", door)
	}
	ben.must(200, "POST", path+"/door", map[string]string{"token": coachToken, "name": "Ben \u202eCarter"}, &door)
	if door.Session.Clip == "" || door.Member == nil || door.Member.Name != "Ben Carter" {
		t.Fatalf("door: %+v", door)
	}
	ben.must(200, "GET", path+"/door", nil, nil)
	return ben
}

// planStory plans a conversation with two pauses and a note, all by the API.
func planStory(t *testing.T, amara *browser) string {
	t.Helper()
	var p plan
	amara.must(201, "POST", "/api/sessions", map[string]any{
		"kind": "conversation", "title": "Waiting for answers", "clip": clip.PracticeID, "recorded": true,
		"scheduled": "2031-05-04T10:00:00Z", "minutes": 30,
	}, &p)
	path := "/api/sessions/" + p.ID
	amara.must(200, "PATCH", path+"/plan", map[string]any{
		"pauses": []map[string]any{
			{"id": newID(t), "frame": 500, "prompt": "What do you notice?", "think": 20000, "talk": 0},
			{"id": newID(t), "frame": 900, "prompt": "And now?", "think": 0, "talk": 60000},
		},
		"notes": []map[string]any{{"id": newID(t), "type": "question", "text": "Was I too fast?", "from": 1_000_000, "to": 2_000_000}},
	}, &p)
	if len(p.Pauses) != 2 || len(p.Notes) != 1 || !p.Mine || p.Begun || p.ClipCard == nil || p.ClipCard.State != "ready" {
		t.Fatalf("plan: %+v", p)
	}
	amara.refused(422, "invalid", "PATCH", path+"/plan", map[string]any{"minutes": -1})
	amara.refused(400, "invalid_json", "PATCH", path+"/plan", map[string]any{"colour": "red"})
	res, text := amara.do("GET", path+"/calendar.ics", nil)
	if res.StatusCode != 200 || !strings.Contains(string(text), "DTSTART:20310504T100000Z") || strings.Contains(string(text), "#") {
		t.Fatalf("calendar: %s", text)
	}
	return p.ID
}

// writeNotes writes a note for each audience, and checks who gets it.
func writeNotes(a, b, o *connection) {
	a.t.Helper()
	a.do(event.NoteAdd{ID: newID(a.t), Type: event.Observation, Visibility: event.Shared, Text: `=HYPERLINK("http://x")`})
	b.do(event.NoteAdd{ID: newID(b.t), Type: event.Wondering, Visibility: event.Coaches, Text: "for coaches"})
	b.do(event.NoteAdd{ID: newID(b.t), Type: event.Wondering, Visibility: event.Shared, Text: "<script>alert(1)</script>"})
	if p := o.ask(event.NoteAdd{ID: newID(o.t), Type: event.Wondering, Visibility: event.Shared, Text: "from an observer"}); p == nil || p.Code != "forbidden" {
		a.t.Fatalf("an observer writes to all: %v", p)
	}
	o.do(event.NoteAdd{ID: newID(o.t), Type: event.Learning, Visibility: event.Private, Text: "mine alone"})
	a.awaitThat("the coach's shared note", func(frame) bool { return len(a.view.Notes) == 3 })
	if n := len(o.view.Notes); n != 3 { // two shared ones and her own
		a.t.Fatalf("the observer has %d notes", n)
	}
}

// checkExports looks at what each role can take out.
func checkExports(t *testing.T, amara, ben, olu *browser, path string) {
	t.Helper()
	for _, want := range []struct {
		who   *browser
		texts []string
	}{
		{amara, []string{"Was I too fast?", `=HYPERLINK("http://x")`, "<script>alert(1)</script>"}},
		{ben, []string{`=HYPERLINK("http://x")`, "for coaches", "<script>alert(1)</script>"}},
		{olu, []string{"mine alone"}},
	} {
		var x recorder.Export
		want.who.must(200, "GET", path+"/notes.json", nil, &x)
		got := map[string]bool{}
		for _, n := range x.Notes {
			got[n.Text] = true
		}
		if len(got) != len(want.texts) {
			t.Errorf("exported: %v, want %v", got, want.texts)
		}
		for _, text := range want.texts {
			if !got[text] {
				t.Errorf("not exported: %q of %v", text, got)
			}
		}
	}
	res, text := amara.do("GET", path+"/notes.csv", nil)
	if res.StatusCode != 200 || !strings.Contains(string(text), `'=HYPERLINK`) || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("CSV: %v %s", res.Header, text)
	}
	res, text = amara.do("GET", path+"/notes.vtt", nil)
	if res.StatusCode != 200 || !strings.HasPrefix(string(text), "WEBVTT") || strings.Contains(string(text), "<script") {
		t.Errorf("WebVTT: %s", text)
	}
	amara.refused(422, "invalid", "GET", path+"/notes.vtt?clock=cuckoo", nil)
}

// checkAfterwards looks at what remains once the session has ended.
func checkAfterwards(t *testing.T, amara, ben *browser, path string) {
	t.Helper()
	var replay struct {
		You      string
		Duration int64
		View     event.View
		Events   []event.Event
		Segments []any
	}
	ben.must(200, "GET", path+"/replay", nil, &replay)
	if len(replay.View.Notes) != 3 || replay.Segments == nil || replay.View.Session.EndedBy == "" {
		t.Errorf("replay: %+v", replay.View)
	}
	whole, err := json.Marshal(replay.Events)
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"Was I too fast?", "mine alone"} {
		if strings.Contains(string(whole), private) {
			t.Errorf("the coach's replay has %q", private)
		}
	}
	var card struct {
		State string
		Notes int
	}
	amara.must(200, "GET", path, nil, &card)
	if card.State != "ended" {
		t.Errorf("card: %+v", card)
	}
	amara.refused(409, "conflict", "PATCH", path+"/plan", map[string]any{"title": "Too late"})
	ben.refused(403, "forbidden", "DELETE", path, nil)
	amara.must(204, "DELETE", path, nil, nil)
	amara.refused(404, "not_found", "GET", path, nil)
	ben.refused(403, "forbidden", "GET", path+"/replay", nil)
}

// What is acknowledged is there after the server was ended in the middle, and members come back to it.
func TestRestartInMidCall(t *testing.T) {
	data := filledData(t)
	s := start(t, data)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	ben, benID := s.guest(t, id, amara.link(id, event.Coach), "Ben")
	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	a.do(event.PlaybackSeek{Position: 5_000_000})
	note := newID(t)
	b.do(event.NoteAdd{ID: note, Type: event.Question, Visibility: event.Shared, Text: "still there?"})
	s.stop(t)
	for _, c := range []*connection{a, b} {
		if reason, code := c.bye(); reason != "restarting" || code != 1012 {
			t.Fatalf("bye %q, close %d", reason, code)
		}
	}

	again := start(t, data)
	amara.server, ben.server = again, again
	amara.moveCookies(s.url, again.url)
	ben.moveCookies(s.url, again.url)
	b = ben.connect(id, agreed)
	if b.welcome.You != benID {
		t.Fatalf("came back as %s, was %s", b.welcome.You, benID)
	}
	if n, ok := b.view.Note(note); !ok || n.Text != "still there?" {
		t.Fatalf("notes after the restart: %+v", b.view.Notes)
	}
	if p := b.view.Playback.Position; p < 4_900_000 || p > 5_100_000 {
		t.Fatalf("position after the restart: %d", p)
	}
	amara.connect(id, agreed)
}

// moveCookies takes the cookies to another port, which for a browser is the same host anyway.
func (b *browser) moveCookies(from, to string) {
	b.t.Helper()
	req, err := http.NewRequest("GET", from, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	cookies := b.client.Jar.Cookies(req.URL)
	next, err := http.NewRequest("GET", to, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(next.URL, cookies)
}

// A second tab takes over from the first.
func TestTwoTabs(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	first := amara.connect(id, agreed)
	second := amara.connect(id, agreed)
	if reason, _ := first.bye(); reason != "replaced" {
		t.Fatalf("the first tab was told %q", reason)
	}
	if first.welcome.You != second.welcome.You || len(second.view.Members) != 1 {
		t.Fatalf("a ghost: %+v", second.view.Members)
	}
	second.do(event.PlaybackSeek{Position: 1_000_000})
	var card struct{ Inside int }
	amara.must(200, "GET", "/api/sessions/"+id, nil, &card)
	if card.Inside != 1 {
		t.Fatalf("%d inside", card.Inside)
	}
}

// TestSigningOutLeavesTheCall is about the browser that signs out: the person's other ones stay in their calls.
func TestSigningOutLeavesTheCall(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	first, second := amara.practiceSession(), amara.practiceSession()
	elsewhere := signedIn(t, s)
	here, there := amara.connect(first, agreed), elsewhere.connect(second, agreed)
	amara.must(204, "POST", "/api/signout", map[string]any{}, nil)
	if reason, code := here.bye(); reason != "signed_out" || code != 1008 {
		t.Errorf("the call of a browser that signed out ended with %s, %d", reason, code)
	}
	there.do(event.PlaybackSeek{Position: 1_000_000})
}
