package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// line is a WebSocket that any goroutine may write to. It ends with the context that it is made with.
type line struct {
	ctx context.Context //nolint:containedctx // the life of the line
	ws  *websocket.Conn
	mu  sync.Mutex
}

func dial(ctx context.Context, address string) (*line, error) {
	ws, res, err := websocket.DefaultDialer.DialContext(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	return newLine(ctx, ws), nil
}

func newLine(ctx context.Context, ws *websocket.Conn) *line {
	context.AfterFunc(ctx, func() { _ = ws.Close() })
	return &line{ctx: ctx, ws: ws}
}

func (l *line) write(kind int, b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ws.WriteMessage(kind, b)
}

func (l *line) writeJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.write(websocket.TextMessage, b)
}

// every calls f until ctx ends, or f fails.
func every(ctx context.Context, d time.Duration, f func() error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if f() != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
