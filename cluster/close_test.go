package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
)

// joined is a node that runs, for a handler.
func (s *square) joined(name string, h Handler) *Node {
	s.t.Helper()
	n, _ := newNode(s.t, s.redis.URL(), name, "")
	n.leases = s.held
	s.must(n.Join(s.t.Context()))
	n.Start(h)
	return n
}

// dials opens a line to a node that has come just now: it may not listen yet.
func (s *square) dials(from *Node, to string) *Line {
	s.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(s.t.Context(), beatEvery)
		l, err := from.Dial(ctx, to, nil)
		cancel()
		if err == nil {
			return l
		}
		s.must(s.t.Context().Err())
	}
}

// What was said before a node closes arrives, the last word too.
func TestCloseSaysWhatIsQueued(t *testing.T) {
	s := newSquare(t)
	guest := newGuests()
	a, b := s.joined("a", newGuests()), s.joined("b", guest)
	near := s.dials(a, "b")
	far := <-guest.came
	const count = 3 * maxPipe
	for i := range count {
		far.Send(fmt.Append(nil, i))
	}
	far.Close([]byte("restarting"))
	s.must(b.Close(t.Context()))
	if frames, bye := ends(near); len(frames) != count || string(bye) != "restarting" {
		t.Errorf("%d frames arrive, and it ends with %q", len(frames), bye)
	}
	s.must(a.Close(t.Context()))
}

// busy is a handler that is at work until it is told to end.
type busy struct {
	guests

	began chan string
	ended atomic.Int32
}

func (b *busy) Accept(l *Line, _ []byte) {
	b.began <- "accept"
	<-l.Done()
	b.ended.Add(1)
}

func (b *busy) Answer(ctx context.Context, _ []byte) []byte {
	b.began <- "answer"
	<-ctx.Done()
	b.ended.Add(1)
	return nil
}

func (b *busy) Load(ctx context.Context, _ string) error {
	b.began <- "load"
	<-ctx.Done()
	b.ended.Add(1)
	return ctx.Err()
}

// A member, a question and a session that is loaded end when the node closes, and it waits for that.
func TestCloseWaitsForWhatIsServed(t *testing.T) {
	s := newSquare(t)
	at := &busy{began: make(chan string, 3)}
	n := s.joined("a", at)
	for _, e := range []envelope{{Kind: kindOpen, From: "b", Line: "l", N: 1}, {Kind: kindAsk, From: "b"}, {Kind: kindLoad, From: "b"}} {
		message, err := json.Marshal(e)
		s.must(err)
		n.hear(n.running, inboxOf("a"), n.sealedFor(inboxOf("a"), string(message)+"\n"))
		t.Logf("it began to %s", <-at.began)
	}
	s.must(n.Close(t.Context()))
	if ended := at.ended.Load(); ended != 3 {
		t.Errorf("%d of 3 have ended", ended)
	}
}
