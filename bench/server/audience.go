package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/pausepoint/pausepoint/audience"
	"github.com/pausepoint/pausepoint/bench/wire"
)

// ServeOwner is the server that runs lessons. Others fetch them by HTTP.
func ServeOwner(ctx context.Context, l, fetch net.Listener) error {
	p, err := newPausepoint()
	if err != nil {
		return errors.Join(err, l.Close(), fetch.Close())
	}
	endpoint := audience.NewEndpoint(p.sfu, func(string) bool { return true }, slog.Default())
	mux := http.NewServeMux()
	mux.Handle(audience.Base, endpoint)
	mux.HandleFunc("GET /ticket/{session}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, endpoint.Ticket(r.PathValue("session")))
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(fetch) }()
	err = serve(ctx, p, l)
	endpoint.Close()
	return errors.Join(err, srv.Close())
}

// ServeObservers is a server that people watch lessons from, which the owner, "host:port", runs.
func ServeObservers(ctx context.Context, owner string, l net.Listener) error {
	p, err := newPausepoint()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return serve(ctx, &observed{p, audience.New(p.sfu, door("http://"+owner), slog.Default())}, l)
}

// observed lets observers in, and nobody else.
type observed struct {
	*pausepoint
	audience *audience.Audience
}

func (o *observed) join(j *wire.Join, send func(wire.Message)) (participant, error) {
	room, _, leave := o.audience.Watch(j.Room)
	peer, err := enter(room, j, send)
	if err != nil {
		leave()
		return nil, err
	}
	return observer{peer, leave}, nil
}

func (o *observed) close() error {
	o.audience.Close()
	return o.pausepoint.close()
}

type observer struct {
	participant
	stopWatching func()
}

func (o observer) leave() {
	o.participant.leave()
	o.stopWatching()
}

// door is the only server that runs lessons.
type door string

func (d door) Door(ctx context.Context, session string) (audience.Door, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, string(d)+"/ticket/"+session, http.NoBody)
	if err != nil {
		return audience.Door{}, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return audience.Door{}, fmt.Errorf("ask for a ticket: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	ticket, err := io.ReadAll(answer.Body)
	return audience.Door{URL: string(d), Ticket: string(ticket)}, err
}
