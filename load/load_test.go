package load

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/load/visit"
	"github.com/pausepoint/pausepoint/room/event"
)

func TestMetricsAreRead(t *testing.T) {
	u, err := parseMetrics(strings.NewReader("# HELP process_cpu_seconds_total x\nprocess_cpu_seconds_total 1.5\nother{a=\"b c\"} 3\nprocess_resident_memory_bytes 2.5e+07\n"))
	if err != nil || u.CPU != 1500*time.Millisecond || u.Memory != 25e6 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := parseMetrics(strings.NewReader("<html>")); err == nil {
		t.Error("a page is read as metrics")
	}
}

func TestProcessesAreRead(t *testing.T) {
	stat := "7 (a) (b c) S " + strings.Repeat("0 ", 10) + "150 50 " + strings.Repeat("0 ", 8) + "3 0 0"
	u, err := parseStat(stat, 4096)
	if err != nil || u.CPU != 2*time.Second || u.Memory != 3*4096 {
		t.Errorf("%+v, %v", u, err)
	}
	for _, stat := range []string{"", "7 (a) S 1 2", strings.Replace(stat, "150", "x", 1)} {
		if _, err := parseStat(stat, 4096); err == nil {
			t.Errorf("%q is read", stat)
		}
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		if u, err := FromProcess(os.Getpid())(t.Context()); err != nil || u.Memory == 0 {
			t.Errorf("this process: %+v, %v", u, err)
		}
	}
}

// Everybody has a part, and each session one who drives and the share of those who publish.
func TestPlaces(t *testing.T) {
	own, theirs := &visit.Session{ID: "own", Made: true}, &visit.Session{ID: "theirs"}
	places := Config{Members: 4, Publishers: 0.5}.places([]*visit.Session{own, theirs})
	if len(places) != 8 {
		t.Fatalf("%d places", len(places))
	}
	for i, p := range places {
		first, talks := i < 2, i < 4
		want := event.Observer
		switch {
		case p.session == own && first:
			want = ""
		case talks:
			want = event.Peer
		}
		if p.role != want || p.publishes != talks || p.drives != first || !p.hears {
			t.Errorf("place %d: %+v", i, p)
		}
	}
	alone := Config{Members: 2, Publishers: 0.1}.places([]*visit.Session{own})
	if !alone[0].publishes || alone[0].hears || alone[1].publishes || !alone[1].hears {
		t.Errorf("one publisher: %+v", alone)
	}
}

func TestTroublesAreCounted(t *testing.T) {
	var none, some trouble
	if none.sentence("commands that were refused") != nil {
		t.Error("nothing is a trouble")
	}
	some.add(nil)
	if got := some.sentence("members who saw nobody").Error(); got != "members who saw nobody: 1" {
		t.Error(got)
	}
	some.add(os.ErrClosed)
	if got := some.sentence("members who saw nobody").Error(); got != "members who saw nobody: 2; the first because: file already closed" {
		t.Error(got)
	}
}

func TestOnlyWholeAddressesAreServers(t *testing.T) {
	c := Config{Account: visit.Account{Email: "a@b.example", Password: "x"}, Sessions: 1, Members: 1, Duration: time.Second}
	for address, good := range map[string]bool{
		"https://calls.example.org": true, "http://127.0.0.1:8080/": true,
		"": false, "calls.example.org": false, "ftp://calls.example.org": false, "https://calls.example.org/s/1": false,
	} {
		var err error
		if c.Server, err = url.Parse(address); err != nil {
			t.Fatal(err)
		}
		if (c.Check() == nil) != good {
			t.Errorf("%q: %v", address, c.Check())
		}
	}
}
