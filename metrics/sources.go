package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/sfu"
	"github.com/pausepoint/pausepoint/signaling"
)

// Sources are the parts that count for themselves. All must be set but Nodes and TURN, which not every server has.
type Sources struct {
	Edge     interface{ Stats() signaling.Stats }
	Media    Media
	Recorder interface{ Stats() recorder.Stats }
	Clips    interface{ Stats() clip.Stats }
	Nodes    interface{ Stats() cluster.Stats }
	TURN     interface{ Allocations() int }
}

// Media is what the media plane counts.
type Media interface {
	Stats() sfu.Stats
	PeerStats() []sfu.PeerStats
}

// Watch reads the sources from now on, whenever somebody asks. It is called once.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(sources{s}) }

type sources struct{ of Sources }

// Describe implements prometheus.Collector. It names nothing: what there is, Collect says.
func (s sources) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s sources) Collect(out chan<- prometheus.Metric) {
	w := writer{out}
	w.edge(s.of.Edge.Stats())
	w.media(s.of.Media.Stats())
	w.peers(s.of.Media.PeerStats())
	w.recorder(s.of.Recorder.Stats())
	w.clips(s.of.Clips.Stats())
	if s.of.Nodes != nil {
		w.nodes(s.of.Nodes.Stats())
	}
	if s.of.TURN != nil {
		w.gauge("turn_allocations", "Allocations of members who come by TURN.", s.of.TURN.Allocations())
	}
}

type writer struct{ out chan<- prometheus.Metric }

// put writes one value; labels are pairs of a name and a value.
func (w writer) put(kind prometheus.ValueType, name, help string, v float64, labels ...string) {
	names, values := make([]string, 0, 2), make([]string, 0, 2)
	for pair := range slices.Chunk(labels, 2) {
		names, values = append(names, pair[0]), append(values, pair[1])
	}
	w.out <- prometheus.MustNewConstMetric(prometheus.NewDesc("pausepoint_"+name, help, names, nil), kind, v, values...)
}

func (w writer) gauge(name, help string, v int, labels ...string) {
	w.put(prometheus.GaugeValue, name, help, float64(v), labels...)
}

func (w writer) count(name, help string, v uint64, labels ...string) {
	w.put(prometheus.CounterValue, name, help, float64(v), labels...)
}

func (w writer) edge(s signaling.Stats) {
	w.gauge("sessions", "Sessions that are live.", s.Sessions)
	const members = "Members of live sessions: present, or away for a moment."
	w.gauge("members", members, s.Members, "presence", "present")
	w.gauge("members", members, s.Away, "presence", "away")
	w.gauge("websockets", "WebSockets that are open.", s.Sockets)
	w.count("websockets_opened_total", "WebSockets that were accepted.", s.Opened)
	w.count("websockets_refused_total", "WebSockets that were refused since there were too many.", s.Refused)
	const dropped = "WebSockets that the server closed: their member did not read, or sent more than a browser does."
	w.count("websockets_dropped_total", dropped, s.Slow, "reason", "too_slow")
	w.count("websockets_dropped_total", dropped, s.Flooding, "reason", "too_fast")
	const messages = "Messages over WebSockets."
	w.count("websocket_messages_total", messages, s.Received, "direction", "received")
	w.count("websocket_messages_total", messages, s.Sent, "direction", "sent")
}

func (w writer) media(s sfu.Stats) {
	w.gauge("media_rooms", "Media rooms.", s.Rooms)
	w.gauge("media_peers", "Peers in media rooms: members, and what is fetched from other servers.", s.Peers)
	w.gauge("media_feeds", "Publications on their way to other servers, where people watch them.", s.Feeds)
	w.gauge("media_connections", "Media connections; a member has up to two.", s.Transport.Conns)
	const packets, bytes = "Media packets over all connections.", "Bytes of media packets over all connections."
	w.count("media_packets_total", packets, s.Transport.PacketsReceived, "direction", "received")
	w.count("media_packets_total", packets, s.Transport.PacketsSent, "direction", "sent")
	w.count("media_bytes_total", bytes, s.Transport.BytesReceived, "direction", "received")
	w.count("media_bytes_total", bytes, s.Transport.BytesSent, "direction", "sent")
	const dropped = "Packets that were not authentic or not expected (received), or that the kernel or a TCP connection did not take (sent)."
	w.count("media_dropped_packets_total", dropped, s.Transport.DroppedReceive, "direction", "received")
	w.count("media_dropped_packets_total", dropped, s.Transport.DroppedSend, "direction", "sent")
}

// peers sums up what is known of members' connections now: how many, and how the best, the usual and the worst of them are.
func (w writer) peers(all []sfu.PeerStats) {
	var target, loss, rtt []float64
	publications, lossIn := map[[2]string]int{}, []float64{}
	sending, held := 0, 0
	for _, p := range all {
		if p.Target > 0 {
			target, loss = append(target, float64(p.Target)), append(loss, p.Loss)
		}
		if p.RTT > 0 {
			rtt = append(rtt, p.RTT.Seconds())
		}
		for _, d := range p.Subscribed {
			if d.Layer >= 0 {
				sending++
			} else {
				held++
			}
		}
		for _, pub := range p.Publications {
			publications[[2]string{source(pub.Info), codec(pub.Codec)}]++
			for _, l := range pub.Layers {
				if l.Packets > 0 {
					lossIn = append(lossIn, l.Loss)
				}
			}
		}
	}
	const published = "Publications, by what they show and how they are encoded."
	for key, n := range publications {
		w.gauge("media_publications", published, n, "source", key[0], "codec", key[1])
	}
	const subscribed = "Publications on their way to members: sent, or held since they are not shown or there is no bandwidth for them."
	w.gauge("media_subscriptions", subscribed, sending, "state", "sent")
	w.gauge("media_subscriptions", subscribed, held, "state", "held")
	w.spread("media_estimate_bits_per_second", "What can be sent to members, as it is estimated.", target)
	w.spread("media_loss_to_ratio", "Fraction of the packets to members that are lost.", loss)
	w.spread("media_loss_from_ratio", "Fraction of the packets of publications that are lost on the way to the server, before repair.", lossIn)
	w.spread("media_round_trip_seconds", "Round trips to members.", rtt)
}

// spread writes quantiles over what there is now; none of nothing.
func (w writer) spread(name, help string, values []float64) {
	if len(values) == 0 {
		return
	}
	slices.Sort(values)
	for _, q := range []struct {
		label string
		at    float64
	}{{"0.1", .1}, {"0.5", .5}, {"0.9", .9}} {
		v := values[int(q.at*float64(len(values)-1)+.5)]
		w.put(prometheus.GaugeValue, name, help, v, "quantile", q.label)
	}
}

func (w writer) recorder(s recorder.Stats) {
	w.gauge("recorder_tracks", "Publications that are being recorded.", int(s.Tracks))
	w.count("recorder_frames_total", "Frames that were recorded.", s.Frames)
	w.count("recorder_bytes_total", "Bytes of finished segments.", s.Bytes)
	w.count("recorder_segments_total", "Segments that were finished.", s.Segments)
	w.count("recorder_dropped_packets_total", "Packets that are missing in recordings since the recorder was too slow.", s.Dropped)
	w.gauge("recorder_unstored_segments", "Finished segments that wait until they are in the bucket.", int(s.Unstored))
	w.gauge("recorder_unstored_oldest_seconds", "For how long the oldest of them waits.", int(s.UnstoredAge.Seconds()))
}

func (w writer) clips(s clip.Stats) {
	w.gauge("clips_preparing", "Clips that are being prepared now.", int(s.Preparing))
	const ended = "Preparations of clips that ended: ready, refused for what the file is, or failed and to be tried again."
	w.count("clip_preparations_total", ended, s.Ready, "result", "ready")
	w.count("clip_preparations_total", ended, s.Refused, "result", "refused")
	w.count("clip_preparations_total", ended, s.Failed, "result", "failed")
}

func (w writer) nodes(s cluster.Stats) {
	const alive = "Servers that this one sees, itself among them; none while Redis does not answer."
	w.gauge("cluster_nodes", alive, s.Nodes-s.Draining, "state", "running")
	w.gauge("cluster_nodes", alive, s.Draining, "state", "draining")
	w.put(prometheus.GaugeValue, "cluster_load_ratio", "How full this server says that it is; 1 is full.", s.Load)
	w.gauge("cluster_leases", "Sessions that are this server's to run.", s.Sessions)
	w.gauge("cluster_lines", "Lines to other servers, of members who came by another server than their session's; each has two ends.", s.Lines)
	const moved = "Sessions that came from other servers or went to them: handed over as this one stopped, taken over from a dead one, lost to one that took this one for dead."
	w.count("cluster_moved_sessions_total", moved, s.HandedOver, "reason", "handed_over")
	w.count("cluster_moved_sessions_total", moved, s.TakenOver, "reason", "taken_over")
	w.count("cluster_moved_sessions_total", moved, s.Lost, "reason", "lost")
	w.count("cluster_dropped_messages_total", "Messages to other servers that were lost, as Redis did not keep up or was away.", s.Dropped)
}

// source and codec keep what a member wrote out of labels.
func source(i sfu.TrackInfo) string {
	switch s := string(i.Source); s {
	case "audio", "camera", "screen", "screen-audio":
		return s
	}
	return "other"
}

func codec(c sfu.Codec) string {
	_, name, _ := strings.Cut(strings.ToLower(c.MimeType), "/")
	switch name {
	case "vp8", "vp9", "h264", "av1", "opus":
		return name
	}
	return "other"
}
