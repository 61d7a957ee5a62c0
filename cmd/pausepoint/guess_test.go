package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// operation is one that the API's description has, about one session, clip or upload.
type operation struct{ method, path string }

// operations lists those that take the id of a session, or of a clip or an upload.
func operations(t *testing.T, b *browser) []operation {
	t.Helper()
	var d struct {
		Paths map[string]map[string]json.RawMessage
	}
	b.must(200, "GET", "/api/openapi.json", nil, &d)
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		if !strings.Contains(path, "{id}") {
			continue
		}
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			if method == "parameters" {
				continue
			}
			for _, format := range []string{"vtt", "csv", "json"} {
				o := operation{strings.ToUpper(method), strings.ReplaceAll(path, "{format}", format)}
				if !slices.Contains(all, o) {
					all = append(all, o)
				}
			}
		}
	}
	return all
}

// kept reports whether an operation is about what only members and owners may have: it answers 403, all others 404.
func (o operation) kept() bool {
	return strings.HasPrefix(o.path, "/api/uploads/") || strings.Contains(o.path, "/segments/") ||
		strings.Contains(o.path, "/notes.") || strings.HasSuffix(o.path, "/replay") || strings.HasSuffix(o.path, "/measures") ||
		strings.HasSuffix(o.path, "/withdrawal") || strings.Contains(o.path, "/film") || strings.Contains(o.path, "/tracks/") ||
		strings.Contains(o.path, "/reuse")
}

// by makes the operation about an id, as our own page would, and returns all that tells anything of the answer.
func (o operation) by(b *browser, id string) (status int, answer string) {
	b.t.Helper()
	header := map[string]string{"Origin": b.server.url, "Content-Type": "application/json"}
	body := `{}`
	switch {
	case strings.HasPrefix(o.path, "/api/uploads/"):
		header["Tus-Resumable"], header["Upload-Offset"], header["Content-Type"] = "1.0.0", "0", "application/offset+octet-stream"
	case o.method == "POST" && strings.HasSuffix(o.path, "/door"):
		body = `{"token":"guessed","name":"Eve"}`
	case o.method == "POST":
		body = `{"role":"peer"}`
	}
	var sent io.Reader
	if o.method == "POST" || o.method == "PATCH" {
		sent = strings.NewReader(body)
	}
	path := strings.NewReplacer("{id}", id, "{segment}", "0198c0de-0000-7000-8000-000000000001", "{name}", "720p.mp4",
		"{member}", "0198c0de-0000-7000-8000-000000000002", "{source}", "audio").Replace(o.path)
	res, text := b.request(o.method, path, sent, header)
	res.Header.Del("Date")
	var all bytes.Buffer
	_ = res.Header.Write(&all) // sorted
	return res.StatusCode, all.String() + string(text)
}

// Whoever guesses an id learns nothing from any answer: what is there, and not for them, answers to the last byte like what is
// not there.
func TestGuessing(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	session, other := amara.practiceSession(), amara.practiceSession()
	amara.connect(session, agreed)
	upload := amara.upload("1000")
	eve, _ := s.guest(t, other, amara.link(other, event.Facilitator), "Eve")
	people := map[string]*browser{"nobody": newBrowser(t, s), "guest of another session": eve, "another account": secondAccount(t, amara)}
	seen := 0
	for _, o := range operations(t, amara) {
		for who, b := range people {
			ids := []string{upload}
			switch {
			case strings.HasPrefix(o.path, "/api/sessions/"):
				ids = []string{session}
			case who == "nobody":
				ids = append(ids, clip.PracticeID)
			}
			want := http.StatusNotFound
			if o.kept() {
				want = http.StatusForbidden
			}
			status, absent := o.by(b, newID(t))
			if status != want {
				t.Errorf("%s %s of nothing by %s: %d, want %d", o.method, o.path, who, status, want)
			}
			for _, id := range ids {
				if got, answer := o.by(b, id); got != status || answer != absent {
					t.Errorf("%s %s by %s: %d %.1000q\nwhere nothing is: %d %.1000q", o.method, o.path, who, got, answer, status, absent)
				}
			}
			seen++
		}
	}
	if seen < 60 {
		t.Errorf("only %d questions were asked", seen)
	}
}

// upload begins one of so many bytes and returns its id.
func (b *browser) upload(size string) string {
	b.t.Helper()
	res, text := b.request("POST", "/api/uploads/", nil, map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": size})
	id := res.Header.Get("X-Clip-Id")
	if res.StatusCode != http.StatusCreated || id == "" || res.Header.Get("Location") != "/api/uploads/"+id {
		b.t.Fatalf("%d %v %s", res.StatusCode, res.Header, text)
	}
	return id
}

// tus is what requests about an upload carry, at an offset.
func tus(offset string) map[string]string {
	return map[string]string{"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset}
}

// An upload is its owner's alone, and only while they are signed in.
func TestUploadOfOthers(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.upload("1000")
	session := amara.practiceSession()
	guest, _ := s.guest(t, session, amara.link(session, event.Coach), "Ben")
	path := "/api/uploads/" + id
	refused := func(who string, b *browser) {
		t.Helper()
		for _, method := range []string{"PATCH", "HEAD", "DELETE"} {
			if res, text := b.request(method, path, strings.NewReader("bytes"), tus("0")); res.StatusCode != http.StatusForbidden {
				t.Errorf("%s by %s: %d %s", method, who, res.StatusCode, text)
			}
		}
	}
	refused("another account", secondAccount(t, amara))
	refused("a guest", guest)
	refused("nobody", newBrowser(t, s))
	if res, text := newBrowser(t, s).request("POST", "/api/uploads/", nil, map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": "5"}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody begins: %d %s", res.StatusCode, text)
	}
	if res, text := amara.request("PATCH", path, strings.NewReader("bytes"), tus("0")); res.StatusCode != http.StatusNoContent {
		t.Errorf("the owner: %d %s", res.StatusCode, text)
	}
	amara.must(204, "POST", "/api/signout", map[string]any{}, nil)
	refused("whoever signed out", amara)
	back := signedIn(t, s)
	if res, _ := back.request("HEAD", path, nil, tus("")); res.StatusCode != http.StatusOK || res.Header.Get("Upload-Offset") != "5" {
		t.Errorf("signed in again: %d %v", res.StatusCode, res.Header)
	}
	if res, _ := back.request("DELETE", path, nil, tus("")); res.StatusCode != http.StatusNoContent {
		t.Errorf("given up: %d", res.StatusCode)
	}
	if res, _ := back.request("HEAD", path, nil, tus("")); res.StatusCode != http.StatusGone {
		t.Errorf("given up, to its owner: %d", res.StatusCode)
	}
	refused("whoever signed out, of nothing", amara)
}

// endless is a body that goes on until it is closed, and tells when it began to be read.
type endless struct{ began chan struct{} }

func (e *endless) Read(p []byte) (int, error) {
	select {
	case e.began <- struct{}{}:
	default:
	}
	n := min(len(p), 1000)
	clear(p[:n])
	return n, nil
}

// An upload that is under way ends with the right to it: once its owner signs out, or deletes the clip.
func TestUploadAfterRevocation(t *testing.T) {
	s := startFilled(t)
	for name, revoke := range map[string]func(b *browser, id string){
		"signed out": func(b *browser, _ string) { b.must(204, "POST", "/api/signout", map[string]any{}, nil) },
		"deleted":    func(b *browser, id string) { b.must(204, "DELETE", "/api/clips/"+id, nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the right is asked for now and then
			amara := signedIn(t, s)
			id := amara.upload("4000000000")
			body := &endless{began: make(chan struct{}, 1)}
			refused := func(status int, text []byte) {
				if name == "signed out" && status != http.StatusForbidden || status < 400 {
					t.Errorf("%d %s", status, text)
				}
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				// Who still writes may find the connection cut before they read the answer.
				if res, text, err := amara.try("PATCH", "/api/uploads/"+id, body, tus("0")); err == nil {
					refused(res.StatusCode, text)
				}
			}()
			<-body.began
			revoke(amara, id)
			<-ended
			res, text := amara.request("PATCH", "/api/uploads/"+id, strings.NewReader("more"), tus("0"))
			refused(res.StatusCode, text)
		})
	}
}
