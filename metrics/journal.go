package metrics

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// When commits count as not going on: calls go on meanwhile, but nobody new should come.
const (
	stuckAfter = 5 * time.Second
	failedFor  = 10 * time.Second // a failure counts for so long: whoever sends nobody would not see that it is over
)

var (
	errStuck  = errors.New("what happens is not stored: the disk or the database does not answer")
	errFailed = errors.New("what happened could not be stored: see the log")
)

type journalMetrics struct {
	latency        prometheus.Histogram
	waiting        prometheus.Gauge
	events, failed prometheus.Counter
}

func newJournalMetrics() journalMetrics {
	return journalMetrics{
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "pausepoint_journal_commit_seconds", Help: "From an event until it is durable.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pausepoint_journal_queue_events", Help: "Events that wait until they are durable.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pausepoint_journal_events_total", Help: "Events that are durable.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pausepoint_journal_failures_total", Help: "Appends to a journal that could not be stored.",
		}),
	}
}

func (j journalMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{j.latency, j.waiting, j.events, j.failed}
}

// Journal is a journal whose commits are measured.
type Journal struct {
	room.Journal

	metrics journalMetrics

	mu      sync.Mutex // guards below
	number  uint64     // of the newest append
	pending map[uint64]time.Time
	failure time.Time
}

// Journal measures the commits of another one.
func (m *Metrics) Journal(of room.Journal) *Journal {
	return &Journal{Journal: of, metrics: m.journal, pending: map[uint64]time.Time{}}
}

// Append implements room.Journal.
func (j *Journal) Append(session string, epoch int64, events []event.Event, done func(error)) {
	number, began := j.begin()
	n := float64(len(events))
	j.metrics.waiting.Add(n)
	j.Journal.Append(session, epoch, events, func(err error) {
		j.metrics.waiting.Sub(n)
		j.end(number, err)
		if err != nil {
			j.metrics.failed.Inc()
		} else {
			j.metrics.events.Add(n)
			j.metrics.latency.Observe(time.Since(began).Seconds())
		}
		done(err)
	})
}

func (j *Journal) begin() (number uint64, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	now = time.Now()
	j.pending[j.number] = now
	return j.number, now
}

func (j *Journal) end(number uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.pending, number)
	if err != nil {
		j.failure = time.Now()
	}
}

// Impaired says why what happens in calls is not stored now, or nil; it is signaling's Config.Impaired.
func (j *Journal) Impaired() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, began := range j.pending {
		if time.Since(began) > stuckAfter {
			return errStuck
		}
	}
	if !j.failure.IsZero() && time.Since(j.failure) < failedFor {
		return errFailed
	}
	return nil
}
