package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/room/event"
)

// Who planned a session says for how long it is kept, and deletes it; an administrator holds it, and while that lasts nothing
// goes: what is taken back then is shown to nobody at once, and goes when the hold ends. Of what is deleted there is a receipt.
func TestKeeping(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	noa := secondAccount(t, amara)
	id := amara.practiceSession()
	path, hold := "/api/sessions/"+id, "/api/admin/sessions/"+id+"/legal-hold"
	ben, benID := s.guest(t, id, amara.link(id, event.Peer), "Ben")
	amara.must(200, "PATCH", path+"/plan", map[string]any{"keep": 30}, nil)
	amara.must(422, "PATCH", path+"/plan", map[string]any{"keep": -1}, nil)
	amara.must(404, "PUT", path+"/keeping", map[string]any{"days": 7}, nil)
	amara.must(404, "PUT", hold, map[string]any{"on": true, "reason": "A complaint."}, nil)

	a, b := amara.connect(id, agreed), ben.connect(id, agreed)
	if days := b.welcome.View.Keeping.Days; days != 30 {
		t.Errorf("those inside are told %d days", days)
	}
	a.do(event.RecordingStart{})
	a.speak("amara-on-the-record")
	b.speak("ben-on-the-record")
	comesToDisk(t, s, "amara-on-the-record", true)
	comesToDisk(t, s, "ben-on-the-record", true)
	amara.must(409, "DELETE", path, nil, nil) // people are inside
	a.hangUp()
	b.hangUp()
	a.do(event.SessionEnd{})

	var kept struct {
		Days          int
		Deletes, Held *string
		Reason        string
		Mine          bool
	}
	ben.must(403, "PUT", path+"/keeping", map[string]any{"days": 7}, nil)
	amara.must(200, "PUT", path+"/keeping", map[string]any{"days": 7}, nil)
	ben.must(200, "GET", path+"/keeping", nil, &kept)
	if kept.Days != 7 || kept.Deletes == nil || kept.Held != nil || kept.Mine {
		t.Errorf("Ben is told %+v", kept)
	}

	noa.must(404, "PUT", hold, map[string]any{"on": true, "reason": "Because."}, nil)
	noa.must(404, "GET", "/api/admin/sessions", nil, nil)
	ben.must(404, "GET", "/api/admin/sessions", nil, nil)
	amara.must(422, "PUT", hold, map[string]any{"on": true, "reason": " "}, nil)
	amara.must(204, "PUT", hold, map[string]any{"on": true, "reason": "A complaint."}, nil)
	ben.must(200, "GET", path+"/keeping", nil, &kept)
	if kept.Held == nil || kept.Deletes != nil || kept.Reason != "A complaint." {
		t.Errorf("Ben is told %+v", kept)
	}
	amara.must(409, "DELETE", path, nil, nil)

	segments := ben.segmentsOf(path, benID)
	ben.must(204, "POST", path+"/withdrawal", map[string]any{}, nil)
	if left := amara.segmentsOf(path, benID); len(segments) == 0 || len(left) != 0 {
		t.Errorf("listed are %v, were %v", left, segments)
	}
	for _, segment := range segments {
		amara.must(404, "GET", path+"/segments/"+segment, nil, nil)
	}
	var of struct {
		Files int
		Held  bool
	}
	ben.must(200, "GET", path+"/withdrawal", nil, &of)
	if !of.Held || of.Files != len(segments) || !holds(t, s.data, "ben-on-the-record") {
		t.Errorf("under the legal hold there is %+v", of)
	}
	amara.must(204, "PUT", hold, map[string]any{"on": false}, nil)
	comesToDisk(t, s, "ben-on-the-record", false)
	amara.poll(path+"/replay", func(_ int, text []byte) bool { return bytes.Contains(text, []byte("recording.erased")) })

	ben.must(403, "DELETE", path, nil, nil)
	amara.must(204, "DELETE", path, nil, nil)
	comesToDisk(t, s, "amara-on-the-record", false)
	amara.must(404, "GET", path, nil, nil)
	ben.must(403, "GET", path+"/replay", nil, nil)
	checkReceipts(t, id, benID, len(segments), amara, ben)
	newBrowser(t, s).must(404, "GET", "/api/receipts/"+id, nil, nil)
	noa.must(404, "GET", "/api/receipts/"+id, nil, nil)
	if found, err := filepath.Glob(filepath.Join(s.data, "recordings", id, "*")); err != nil || len(found) > 0 {
		t.Errorf("left are %v, %v", found, err)
	}
}

// checkReceipts sees that those who were there can read what was deleted, also what went before because Ben took it back.
func checkReceipts(t *testing.T, id, benID string, before int, readers ...*browser) {
	t.Helper()
	for _, reader := range readers {
		var list struct{ Receipts []keeping.Receipt }
		reader.must(200, "GET", "/api/receipts", nil, &list)
		var r keeping.Receipt
		reader.must(200, "GET", "/api/receipts/"+id, nil, &r)
		if len(list.Receipts) != 1 || r.Done == nil || r.Rule != keeping.ByHand || r.By == "" || r.Events == 0 {
			t.Fatalf("receipt %+v of %d", r, len(list.Receipts))
		}
		removed := 0
		for _, f := range r.Files {
			if len(f.SHA256) != 64 || f.Bytes == 0 || (f.Removed != nil) != (f.Member == benID) {
				t.Errorf("file %+v", f)
			}
			if f.Removed != nil {
				removed++
			}
		}
		if removed != before || len(r.Files) <= before {
			t.Errorf("%d files, %d of them removed before; want %d", len(r.Files), removed, before)
		}
	}
}
