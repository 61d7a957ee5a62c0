package traces

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// journal is a journal whose use is traced. A room's open is its own and load.
type journal struct {
	room.Journal

	tracer trace.Tracer
}

// Journal traces what rooms ask of a journal.
func (t *Traces) Journal(of room.Journal) room.Journal {
	if t == nil {
		return of
	}
	return journal{of, t.tracer}
}

func (j journal) start(ctx context.Context, name, session string) (context.Context, trace.Span) {
	return j.tracer.Start(ctx, name, trace.WithAttributes(attribute.String("pausepoint.session", session)))
}

// Own implements room.Journal.
func (j journal) Own(ctx context.Context, session string) (epoch int64, err error) {
	ctx, span := j.start(ctx, "room own", session)
	defer func() { end(span, err) }()
	return j.Journal.Own(ctx, session)
}

// Load implements room.Journal.
func (j journal) Load(ctx context.Context, session string) (events []event.Event, err error) {
	ctx, span := j.start(ctx, "room load", session)
	defer func() {
		span.SetAttributes(attribute.Int("pausepoint.events", len(events)))
		end(span, err)
	}()
	return j.Journal.Load(ctx, session)
}

// Append implements room.Journal. Its span ends when the events are durable.
func (j journal) Append(session string, epoch int64, events []event.Event, done func(error)) {
	_, span := j.start(context.Background(), "journal append", session)
	span.SetAttributes(attribute.Int("pausepoint.events", len(events)), attribute.Int64("pausepoint.epoch", epoch))
	j.Journal.Append(session, epoch, events, func(err error) {
		end(span, err)
		done(err)
	})
}

// blobs are blobs whose storing is traced.
type blobs struct {
	clip.Blobs

	tracer trace.Tracer
}

// Blobs traces what is put where clips are kept.
func (t *Traces) Blobs(of clip.Blobs) clip.Blobs {
	if t == nil {
		return of
	}
	return blobs{of, t.tracer}
}

// PutFile implements clip.Blobs.
func (b blobs) PutFile(ctx context.Context, key, path string) (err error) {
	ctx, span := b.tracer.Start(ctx, "blob put", trace.WithAttributes(attribute.String("pausepoint.blob", key)))
	defer func() { end(span, err) }()
	return b.Blobs.PutFile(ctx, key, path)
}
