package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pausepoint/pausepoint/signaling"
)

// Metrics are what one server tells of itself. Its methods may be called from any goroutine.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	journal  journalMetrics
}

// New makes metrics that know of nobody yet.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pausepoint_http_requests_total", Help: "Requests that were answered, by method, route and status.",
		}, []string{"method", "route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pausepoint_http_request_duration_seconds", Help: "How long requests took, by route; calls are left out.",
			Buckets: []float64{.005, .025, .1, .25, 1, 2.5, 10},
		}, []string{"route"}),
		journal: newJournalMetrics(),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.took,
	)
	m.registry.MustRegister(m.journal.collectors()...)
	return m
}

// Answered counts a request that signaling has answered.
func (m *Metrics) Answered(r signaling.Request) {
	m.requests.WithLabelValues(r.Method, r.Route, strconv.Itoa(r.Status)).Inc()
	if r.Status != http.StatusSwitchingProtocols { // a call lasts as long as people like
		m.took.WithLabelValues(r.Route).Observe(r.Took.Seconds())
	}
}

// Handler answers Prometheus. It is not for the public.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, Timeout: 20 * time.Second,
	}))
	return mux
}
