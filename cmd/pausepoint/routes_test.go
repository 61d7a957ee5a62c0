package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// TestWhoMayAskForWhat holds every route of a session and a clip against who asks: members by their role, whoever was
// removed, a guest of another session, another account, and a stranger.
func TestWhoMayAskForWhat(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id, other := amara.practiceSession(), amara.practiceSession()
	path, absent := "/api/sessions/"+id, newID(t)
	amara.must(200, "PATCH", path+"/plan", map[string]any{"scheduled": "2031-05-04T10:00:00Z"}, nil)
	people := map[string]*browser{"planner": amara, "stranger": newBrowser(t, s)}
	for _, role := range []event.Role{event.Coach, event.Facilitator, event.Peer, event.Observer} {
		people[string(role)], _ = s.guest(t, id, amara.link(id, role), "The "+string(role))
	}
	people["guest-elsewhere"], _ = s.guest(t, other, amara.link(other, event.Coach), "Eve")
	people["account-elsewhere"] = secondAccount(t, amara)
	removed, removedID := s.guest(t, id, amara.link(id, event.Coach), "Rob")
	people["removed"] = removed

	// What is asked before the session begins.
	const order = "planner coach facilitator peer observer removed guest-elsewhere account-elsewhere stranger"
	check := func(method, what string, body any, want string) {
		t.Helper()
		statuses := strings.Fields(want)
		for i, who := range strings.Fields(order) {
			b := people[who]
			if b == nil || statuses[i] == "-" {
				continue
			}
			res, text := b.do(method, what, body)
			if strconv.Itoa(res.StatusCode) != statuses[i] {
				t.Errorf("%s %s by %s: %d %.200s, want %s", method, what, who, res.StatusCode, text, statuses[i])
			}
		}
	}
	title := map[string]any{"title": "Mine"}
	check("PATCH", path+"/plan", title, "200 403 403 403 403 403 404 404 404")
	check("PATCH", path+"/plan", map[string]any{"notes": []any{}}, "200 200 200 403 403 200 404 404 404")

	c, r := amara.connect(id, agreed), removed.connect(id, agreed)
	c.do(event.MemberRemove{Member: removedID})
	if reason, _ := r.bye(); reason != "removed" {
		t.Fatalf("bye %q", reason)
	}

	check("GET", path, nil, "200 200 200 200 200 404 404 404 404")
	check("GET", path+"/keeping", nil, "200 200 200 200 200 404 404 404 404")
	check("PUT", path+"/keeping", map[string]any{"days": 9}, "200 403 403 403 403 404 404 404 404")
	check("GET", "/api/receipts/"+id, nil, "404 404 404 404 404 404 404 404 404")
	check("GET", "/api/receipts?after=nowhere", nil, "422 422 422 422 422 422 422 422 422")
	check("GET", "/api/admin/sessions", nil, "200 404 404 404 404 404 404 404 404")
	check("GET", "/api/admin/sessions?after=nowhere", nil, "422 404 404 404 404 404 404 404 404")
	check("PUT", "/api/admin/sessions/"+id+"/legal-hold", map[string]any{"on": false}, "204 404 404 404 404 404 404 404 404")
	check("GET", path+"/plan", nil, "200 200 200 403 403 404 404 404 404")
	check("PATCH", path+"/plan", title, "409 403 403 403 403 404 404 404 404")
	check("GET", path+"/invitations", nil, "200 403 200 403 403 404 404 404 404")
	check("POST", path+"/invitations", map[string]any{"role": "peer"}, "200 403 200 403 403 404 404 404 404")
	check("GET", path+"/calendar.ics", nil, "200 200 200 200 200 404 404 404 404")
	check("GET", path+"/door", nil, "200 200 200 200 200 404 404 404 404")
	check("POST", path+"/door", map[string]any{"token": "guessed", "name": "x"}, "404 404 404 404 404 403 404 404 404")
	check("POST", "/api/sessions/"+absent+"/door", map[string]any{"token": "guessed", "name": "x"}, "404 404 404 404 404 404 404 404 404")
	kept := []string{"/replay", "/notes.json", "/notes.csv", "/notes.vtt"}
	for _, what := range append(kept, "/segments/"+absent) { // whoever only gave a name at the door was not there
		check("GET", path+what, nil, "- 403 403 403 403 403 403 403 403")
	}
	for _, role := range []event.Role{event.Coach, event.Facilitator, event.Peer, event.Observer} {
		people[string(role)].connect(id, agreed)
	}
	for _, what := range kept {
		check("GET", path+what, nil, "200 200 200 200 200 403 403 403 403")
	}
	check("GET", path+"/withdrawal", nil, "200 200 200 200 200 200 403 403 403")
	check("GET", path+"/reuse", nil, "200 200 200 200 200 200 403 403 403")
	check("POST", path+"/reuse", map[string]any{}, "409 403 403 403 403 403 403 403 403")
	check("POST", path+"/reuse/answer", map[string]any{"clip": absent, "agree": true}, "403 403 403 403 403 403 403 403 403")
	check("GET", path+"/segments/"+absent, nil, "404 404 404 404 404 403 403 403 403")

	const practice = "/api/clips/" + clip.PracticeID
	for _, what := range []string{"", "/media/poster.jpg", "/media/360p.mp4"} {
		check("GET", practice+what, nil, "200 200 200 200 200 404 200 200 404")
	}
	check("PATCH", practice, title, "404 404 404 404 404 404 404 404 404")
	check("DELETE", practice, nil, "404 404 404 404 404 404 404 404 404")
	check("GET", "/api/clips", nil, "200 200 200 200 200 200 200 200 401")
	check("GET", "/api/sessions", nil, "200 200 200 200 200 200 200 200 401")
	check("POST", "/api/sessions", map[string]any{"practice": true}, "201 401 401 401 401 401 401 201 401")
	check("POST", "/api/invitations", map[string]any{}, "200 401 401 401 401 401 401 200 401")

	c.do(event.SessionEnd{})
	delete(people, "planner")
	check("DELETE", path, nil, "- 403 403 403 403 404 404 404 404")
	amara.must(204, "DELETE", path, nil, nil)
}

// secondAccount is the browser of an account that is in no session.
func secondAccount(t *testing.T, admin *browser) *browser {
	t.Helper()
	var link struct{ URL string }
	admin.must(200, "POST", "/api/invitations", map[string]string{}, &link)
	_, token, _ := strings.Cut(link.URL, "#")
	b := newBrowser(t, admin.server)
	b.must(200, "POST", "/api/join", map[string]string{"token": token, "name": "Noa", "email": "noa@b.example", "password": "four words in a row"}, nil)
	return b
}
