package cluster

import (
	"slices"
	"testing"
	"time"
)

func TestSight(t *testing.T) {
	s := &sight{since: time.Now().Add(-time.Hour), nodes: map[string]peer{
		"a": {run: "1"}, "b": {Draining: true, run: "1"}, "c": {Impaired: true, run: "1"},
	}}
	if !s.settled() {
		t.Error("an hour is not enough to be seen")
	}
	for _, young := range []*sight{{err: errAlone}, {since: time.Now()}, {err: errAlone, since: s.since}} {
		if young.settled() {
			t.Errorf("%+v has seen who is alive", young)
		}
	}
	if live := s.live(); !slices.Equal(live, []string{"a", "b"}) {
		t.Errorf("%v can run sessions", live)
	}
	for name, others := range map[string]bool{"a": false, "b": true, "c": true} {
		if s.others(name) != others {
			t.Errorf("beside %s there are others: %v", name, !others)
		}
	}
	for _, c := range []struct {
		line    *Line
		missing bool
	}{
		{&Line{peer: "a"}, false}, // it has not answered yet
		{&Line{peer: "a", run: "1"}, false},
		{&Line{peer: "a", run: "2"}, true}, // it was started anew
		{&Line{peer: "d", run: "1"}, true},
	} {
		if s.missing(c.line) != c.missing {
			t.Errorf("the other end of %+v is missing: %v", c.line, !c.missing)
		}
	}
}

func TestMeter(t *testing.T) {
	m, at := meter{}, time.Now()
	for i := range 10 {
		if load := m.cpu(at.Add(time.Duration(i) * time.Second)); load < 0 || load > 1 {
			t.Errorf("%v of the processors", load)
		}
	}
}
