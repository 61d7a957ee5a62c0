// Package traces sends what requests and what they lead to take to an OpenTelemetry collector (OTLP over HTTP). A nil *Traces traces
// nothing, and what it is given stays as it is. Spans have routes and ids of sessions, never names, addresses or what people wrote.
package traces

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/pausepoint/pausepoint/signaling"
)

// Config is what Traces need to know. All but Node must be set.
type Config struct {
	URL  string // of the collector, see [CheckURL]
	Node string // name of this server among several
	Log  *slog.Logger
}

// Traces make spans and send them, some seconds later. Its methods may be called from any goroutine.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// CheckURL tells in a sentence what is wrong with the address of a collector.
func CheckURL(address string) error {
	_, err := tracesAt(address)
	return err
}

// tracesAt is where a collector takes traces: it is known by what its signals' paths begin with (OTLP specification, OTLP/HTTP).
func tracesAt(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil { // which is not told: there may be a password in it
		return "", errors.New("give an address such as http://127.0.0.1:4318, without a password: headers with one are in OTEL_EXPORTER_OTLP_HEADERS")
	}
	return u.JoinPath("v1", "traces").String(), nil
}

// Open begins to send. Nothing is asked for yet: a collector that is not there costs traces and nothing else.
func Open(ctx context.Context, cfg Config) (*Traces, error) {
	at, err := tracesAt(cfg.URL)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at))
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	named, err := resource.Merge(
		resource.NewSchemaless(attribute.String("service.name", "pausepoint"), attribute.String("service.instance.id", cfg.Node)),
		resource.Environment())
	if err != nil {
		return nil, fmt.Errorf("name traces: %w", err)
	}
	p := sdk.NewTracerProvider(sdk.WithResource(named), sdk.WithBatcher(&telling{SpanExporter: exporter, log: cfg.Log}))
	return &Traces{provider: p, tracer: p.Tracer("github.com/pausepoint/pausepoint")}, nil
}

// closeWithin is how long a server that stops waits for a collector.
const closeWithin = 2 * time.Second

// Close sends what waits, if that does not take long. What could not be sent is logged, and no error.
func (t *Traces) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("end traces: %w", err)
	}
	return nil
}

// telling is an exporter that says once that a collector does not take what it is sent, and once that it does again.
type telling struct {
	sdk.SpanExporter

	log     *slog.Logger
	failing bool // owned by who exports, which is one at a time
}

// ExportSpans implements [sdk.SpanExporter].
func (t *telling) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := t.SpanExporter.ExportSpans(ctx, spans)
	switch failed := err != nil; {
	case failed && !t.failing:
		t.log.Warn("traces are lost: look at --otlp and its collector", slog.Any("err", err))
	case !failed && t.failing:
		t.log.Info("traces are sent again")
	}
	t.failing = err != nil
	return nil
}

// Requests traces what a handler is asked for. Calls are left out: they last as long as people like, what they lead to is traced.
func (t *Traces) Requests(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := t.tracer.Start(r.Context(), "request", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Answered names the span of a request; it is signaling's Config.Answered.
func (t *Traces) Answered(ctx context.Context, r signaling.Request) {
	if t == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	span.SetName(r.Method + " " + r.Route)
	span.SetAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", r.Route),
		attribute.Int("http.response.status_code", r.Status))
	if r.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// end ends the span of something that may have failed.
func end(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
