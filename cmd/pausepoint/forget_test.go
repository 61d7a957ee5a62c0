package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// What only a server has that is gone for good keeps a consent that was taken back from being proved, until an administrator says so. That
// is refused while the server is there, and changes nothing before it is confirmed.
func TestAServerThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	line := d.byLine()
	gone := d.add("gone")
	amara := founded(t, gone)
	id := amara.plainSession()
	path := "/api/sessions/" + id
	ben, _ := gone.guest(t, id, amara.link(id, event.Peer), "Ben")
	a := amara.connect(id, agreed) // while there is nobody else
	ben.connect(id, agreed)
	stays := d.add("stays")
	line.Cut(true) // what it records stays on its disk
	a.do(event.RecordingStart{})
	a.speak("amara-on-the-record")
	comesToDisk(t, gone, "amara-on-the-record", true)
	a.hangUp()
	a.do(event.SessionEnd{})
	d.forgets(t, "is there", "gone", "--disk-is-gone")
	gone.stop(t)
	line.Cut(false)

	amara.goesTo(stays)
	amara.must(204, "POST", path+"/withdrawal", map[string]any{"removeNotes": false}, nil)
	d.forgets(t, "has 1 recorded file of 1 session.", "gone")
	d.forgets(t, "Nothing waits for a server unknown", "unknown", "--disk-is-gone")
	d.forgets(t, "has 1 recorded file of 1 session.", "gone") // still
	d.forgets(t, "Given up: 1 recorded file of 1 session", "gone", "--disk-is-gone")
	d.forgets(t, "Nothing waits for a server gone", "gone")
	ben.goesTo(stays)
	ben.must(204, "POST", path+"/withdrawal", map[string]any{"removeNotes": false}, nil) // on which it is tried again at once
	amara.poll(path+"/replay", func(_ int, text []byte) bool { return bytes.Contains(text, []byte(`"sha256"`)) })
}

// forgets runs the command, which says something on one of its outputs.
func (d *deployment) forgets(t *testing.T, says string, args ...string) {
	t.Helper()
	stdout, stderr, _ := runWith(t, nil, append(append([]string{"forget-node", "--data", t.TempDir()}, args...), d.args...)...)
	if !strings.Contains(stdout+stderr, says) {
		t.Errorf("forget-node %v does not say %q: %s%s", args, says, stdout, stderr)
	}
}
