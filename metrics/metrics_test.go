package metrics

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
	"github.com/pausepoint/pausepoint/sfu/transport"
	"github.com/pausepoint/pausepoint/signaling"
)

type edge signaling.Stats

func (e edge) Stats() signaling.Stats { return signaling.Stats(e) }

type plane []sfu.PeerStats

func (p plane) Stats() sfu.Stats {
	return sfu.Stats{Rooms: 2, Peers: len(p), Transport: transport.Stats{Conns: 7, PacketsSent: 500, BytesReceived: 1234}}
}

func (p plane) PeerStats() []sfu.PeerStats { return p }

type tapes recorder.Stats

func (t tapes) Stats() recorder.Stats { return recorder.Stats(t) }

type clips clip.Stats

func (c clips) Stats() clip.Stats { return clip.Stats(c) }

type nodes cluster.Stats

func (n nodes) Stats() cluster.Stats { return cluster.Stats(n) }

type allocations int

func (a allocations) Allocations() int { return int(a) }

const secret = "0190a1b2-secret"

// watched is what somebody reads of a server on which everything happens.
func watched(t *testing.T) (m *Metrics, read func() string) {
	t.Helper()
	m = New()
	var peers plane
	for i := range 11 { // of whom the slowest has 100 kbit/s, the fastest 1.1 Mbit/s
		peers = append(peers, sfu.PeerStats{
			Member: secret, Target: (i + 1) * 100_000, Loss: float64(i) / 100, RTT: time.Duration(i+1) * 10 * time.Millisecond,
			Subscribed: []sfu.DownStats{{Info: sfu.TrackInfo{Member: secret}, Layer: i%2 - 1}},
			Publications: []sfu.PublicationStats{{
				Info: sfu.TrackInfo{Member: secret, Publication: secret, Source: sfu.SourceCamera}, Codec: sfu.Codec{MimeType: "video/VP8"},
				Layers: []sfu.LayerStats{{Packets: 1, Loss: .25}, {}},
			}},
		})
	}
	peers[0].Publications[0].Codec.MimeType = "video/" + secret
	peers[1].Publications[0].Info.Source = secret
	m.Watch(Sources{
		Edge:     edge{Totals: room.Totals{Sessions: 3, Members: 10, Away: 1}, Sockets: 11, Opened: 20, Slow: 2, Received: 99},
		Media:    peers,
		Recorder: tapes{Tracks: 4, Dropped: 5},
		Clips:    clips{Preparing: 1, Ready: 6, Refused: 1},
		Nodes:    nodes{Nodes: 3, Draining: 1, Sessions: 8, Lines: 5, Load: .25, HandedOver: 1, TakenOver: 2, Lost: 4, Dropped: 7},
		TURN:     allocations(12),
	})
	m.Answered(signaling.Request{Method: "GET", Route: "/api/clips/{id}", Status: 404, Took: time.Second})
	m.Answered(signaling.Request{Method: "GET", Route: "/api/sessions/{id}/ws", Status: 101, Took: time.Hour})
	return m, func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
}

func TestFigures(t *testing.T) {
	_, read := watched(t)
	text := read()
	for _, line := range []string{
		`pausepoint_sessions 3`,
		`pausepoint_members{presence="present"} 10`,
		`pausepoint_members{presence="away"} 1`,
		`pausepoint_websockets 11`,
		`pausepoint_websockets_dropped_total{reason="too_slow"} 2`,
		`pausepoint_websocket_messages_total{direction="received"} 99`,
		`pausepoint_media_peers 11`,
		`pausepoint_media_connections 7`,
		`pausepoint_media_packets_total{direction="sent"} 500`,
		`pausepoint_media_bytes_total{direction="received"} 1234`,
		`pausepoint_media_publications{codec="vp8",source="camera"} 9`,
		`pausepoint_media_publications{codec="other",source="camera"} 1`,
		`pausepoint_media_publications{codec="vp8",source="other"} 1`,
		`pausepoint_media_subscriptions{state="sent"} 5`,
		`pausepoint_media_subscriptions{state="held"} 6`,
		`pausepoint_media_estimate_bits_per_second{quantile="0.1"} 200000`,
		`pausepoint_media_estimate_bits_per_second{quantile="0.9"} 1e+06`,
		`pausepoint_media_loss_to_ratio{quantile="0.5"} 0.05`,
		`pausepoint_media_loss_from_ratio{quantile="0.9"} 0.25`,
		`pausepoint_media_round_trip_seconds{quantile="0.5"} 0.06`,
		`pausepoint_recorder_tracks 4`,
		`pausepoint_recorder_dropped_packets_total 5`,
		`pausepoint_clips_preparing 1`,
		`pausepoint_clip_preparations_total{result="ready"} 6`,
		`pausepoint_cluster_nodes{state="running"} 2`,
		`pausepoint_cluster_nodes{state="draining"} 1`,
		`pausepoint_cluster_load_ratio 0.25`,
		`pausepoint_cluster_leases 8`,
		`pausepoint_cluster_lines 5`,
		`pausepoint_cluster_moved_sessions_total{reason="handed_over"} 1`,
		`pausepoint_cluster_moved_sessions_total{reason="taken_over"} 2`,
		`pausepoint_cluster_moved_sessions_total{reason="lost"} 4`,
		`pausepoint_cluster_dropped_messages_total 7`,
		`pausepoint_turn_allocations 12`,
		`pausepoint_http_requests_total{code="404",method="GET",route="/api/clips/{id}"} 1`,
		`pausepoint_http_requests_total{code="101",method="GET",route="/api/sessions/{id}/ws"} 1`,
		`pausepoint_http_request_duration_seconds_count{route="/api/clips/{id}"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("not there: %s", line)
		}
	}
	if strings.Contains(text, `pausepoint_http_request_duration_seconds_count{route="/api/sessions/{id}/ws"}`) {
		t.Error("the length of a call counts as that of a request")
	}
}

// Nothing that tells of a person is a label, whatever members call themselves and what they send.
func TestNobodyIsNamed(t *testing.T) {
	_, read := watched(t)
	text := read()
	if strings.Contains(text, secret) {
		t.Error("an id is a label")
	}
	known := []string{"code", "codec", "direction", "le", "method", "presence", "quantile", "reason", "result", "route", "source", "state", "version"} // version: Go's
	for _, label := range regexp.MustCompile(`[{,]([a-z_]+)="`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, label[1]) {
			t.Errorf("the label %s is new: see that its values are few and name nobody", label[1])
		}
	}
}

// What is published by nobody has no quantiles, and nothing is asked of an empty list.
func TestNobodyThere(t *testing.T) {
	m := New()
	m.Watch(Sources{Edge: edge{}, Media: plane(nil), Recorder: tapes{}, Clips: clips{}})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	if w.Code != 200 || strings.Contains(text, "pausepoint_media_loss") || !strings.Contains(text, "\npausepoint_media_peers 0\n") {
		t.Errorf("%d %s", w.Code, text)
	}
}

// Every query of the dashboard asks for what there is, by labels that it has.
func TestDashboard(t *testing.T) {
	_, read := watched(t)
	series := map[string]string{} // by name, all its label names
	for line := range strings.Lines(read()) {
		if name, labels, _ := strings.Cut(strings.Fields(line)[0], "{"); !strings.HasPrefix(line, "#") {
			series[name] += "{" + labels
		}
	}
	text, err := os.ReadFile("../deploy/grafana/pausepoint.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\b(?:pausepoint|go|process)_[a-z_]+`)
	label := regexp.MustCompile(`{{([a-z]+)}}`)
	asked := map[string]bool{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			names := name.FindAllString(target.Expr, -1)
			if len(names) != 1 {
				t.Errorf("%s: %q asks for %v, want one metric", p.Title, target.Expr, names)
				continue
			}
			asked[names[0]] = true
			labels, ok := series[names[0]]
			if !ok {
				t.Errorf("%s: there is no %s", p.Title, names[0])
			}
			for _, l := range label.FindAllStringSubmatch(target.LegendFormat, -1) {
				if l[1] != "instance" && !strings.Contains(labels, l[1]+`="`) {
					t.Errorf("%s: %s has no label %s", p.Title, names[0], l[1])
				}
			}
		}
	}
	for name := range series {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		if strings.HasPrefix(name, "pausepoint_") && !asked[name] && !asked[base+"_bucket"] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// disk is a journal that answers when it is told to.
type disk struct {
	room.Journal

	dones []func(error)
}

func (d *disk) Append(_ string, _ int64, _ []event.Event, done func(error)) {
	d.dones = append(d.dones, done)
}

func (d *disk) answer(err error) {
	d.dones[0](err)
	d.dones = d.dones[1:]
}

// Commits are counted and timed, and a server whose disk does not answer, or fails, gets nobody new until it is well again.
func TestJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, d := New(), &disk{}
		j := m.Journal(d)
		var got []error
		add := func(n int) {
			j.Append("s", 1, make([]event.Event, n), func(err error) { got = append(got, err) })
		}
		figures := func(lines ...string) {
			t.Helper()
			w := httptest.NewRecorder()
			m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			for _, line := range lines {
				if !strings.Contains(w.Body.String(), "\npausepoint_journal_"+line+"\n") {
					t.Errorf("not there: %s", line)
				}
			}
		}
		is := func(want error) {
			t.Helper()
			if err := j.Impaired(); !errors.Is(err, want) {
				t.Errorf("impaired: %v, want %v", err, want)
			}
		}
		add(3)
		add(2)
		figures("queue_events 5", "events_total 0", "commit_seconds_count 0")
		is(nil)
		time.Sleep(2 * time.Second)
		d.answer(nil)
		figures("queue_events 2", "events_total 3", `commit_seconds_bucket{le="1"} 0`, `commit_seconds_bucket{le="2.5"} 1`)
		time.Sleep(4 * time.Second)
		is(errStuck)
		failure := errors.New("disk full")
		d.answer(failure)
		figures("queue_events 0", "events_total 3", "failures_total 1", "commit_seconds_count 1")
		is(errFailed)
		time.Sleep(failedFor)
		is(nil)
		if !slices.Equal(got, []error{nil, failure}) {
			t.Errorf("told: %v", got)
		}
	})
}
