// Package server is the servers that are measured: Pausepoint's SFU, a bare SFU of pion/webrtc, and senders without WebRTC that show
// what encryption and the kernel cost. All speak package wire.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/pausepoint/pausepoint/bench/wire"
)

// Kinds are the servers' names.
func Kinds() []string {
	return []string{"pausepoint", "pion", "floor-sendto", "floor-sendmmsg", "floor-gso"}
}

// Plain reports whether a server of that kind has no WebRTC.
func Plain(kind string) bool { return kind != "pausepoint" && kind != "pion" }

// backend lets participants in.
type backend interface {
	// join returns the participant, who is told by send. The caller leaves.
	join(j *wire.Join, send func(wire.Message)) (participant, error)
	close() error
}

type participant interface {
	signal(s *wire.Signal) error
	leave()
}

// Serve answers participants until ctx ends.
func Serve(ctx context.Context, kind string, l net.Listener) error {
	b, err := open(kind)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return serve(ctx, b, l)
}

func serve(ctx context.Context, b backend, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var wg sync.WaitGroup
	for {
		c, err := l.Accept()
		if err != nil {
			wg.Wait()
			err = b.close()
			if ctx.Err() != nil {
				return err
			}
			return errors.Join(errors.New("the listener is closed"), err)
		}
		wg.Go(func() { attend(ctx, b, c) })
	}
}

func open(kind string) (backend, error) {
	switch kind {
	case "pausepoint":
		return newPausepoint()
	case "pion":
		return newBare()
	}
	return newFloor(kind)
}

// attend is one participant's goroutine.
func attend(ctx context.Context, b backend, c net.Conn) {
	conn := wire.NewConn(c)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	if err := converse(b, conn); err != nil {
		_ = conn.Write(wire.Message{Error: err.Error()})
	}
}

func converse(b backend, conn *wire.Conn) error {
	first, err := conn.Read()
	if err != nil {
		return err
	}
	if first.Join == nil {
		return errors.New("the first message is not a join")
	}
	// The participant is known to its callbacks only after join: they may come before, and the client takes any order.
	p, err := b.join(first.Join, func(m wire.Message) { _ = conn.Write(m) })
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	defer p.leave()
	if err = conn.Write(wire.Message{Joined: &wire.Joined{Plain: first.Join.Plain != nil}}); err != nil {
		return err
	}
	for {
		m, err := conn.Read()
		if err != nil {
			return nil //nolint:nilerr // the participant has left
		}
		if m.Signal == nil {
			return errors.New("a message that is not a signal")
		}
		if err = p.signal(m.Signal); err != nil {
			return fmt.Errorf("%s of %s: %w", m.Signal.Kind, m.Signal.PC, err)
		}
	}
}
