package media

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/sfu"
)

// caller is a peer in a room of the media plane. The goroutine of negotiate plays its part.
type caller struct {
	t       *testing.T
	peer    *Peer
	far     *sfu.Peer
	signals chan sfu.Signal
	dropped chan struct{} // has something in it once the server has given a connection up
	hearing sync.Mutex    // who holds it keeps the caller from hearing signals
}

func join(t *testing.T, e *Engine, room *sfu.Room, id string, index int, publishes bool) *caller {
	t.Helper()
	c := &caller{
		t: t, peer: e.Peer(t.Context(), Config{Index: index, Began: time.Now()}),
		signals: make(chan sfu.Signal, 64), dropped: make(chan struct{}, 64),
	}
	var err error
	c.far, err = room.Join(sfu.PeerConfig{ID: id, Publish: publishes, Subscribe: !publishes, Send: c.told})
	if err != nil {
		t.Fatal(err)
	}
	done, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { c.negotiate(done) })
	t.Cleanup(func() { stop(); wg.Wait(); c.far.Close(); c.peer.Close() })
	return c
}

func (c *caller) told(s sfu.Signal) {
	c.signals <- s
	if s.Kind == sfu.KindRestart {
		c.dropped <- struct{}{}
	}
}

func (c *caller) negotiate(ctx context.Context) {
	for {
		select {
		case s := <-c.signals:
			c.hear(s)
		case <-ctx.Done():
			return
		}
	}
}

func (c *caller) hear(s sfu.Signal) {
	c.hearing.Lock()
	defer c.hearing.Unlock()
	var err error
	switch {
	case s.Kind == sfu.KindAnswer:
		err = c.peer.Answered(s.SDP)
	case s.Kind == sfu.KindRestart && s.PC == sfu.Subscribe:
		c.peer.Forget()
	case s.Kind == sfu.KindOffer:
		var sdp string
		if sdp, err = c.peer.Answer(s.SDP); err == nil {
			err = c.far.Handle(sfu.Signal{Kind: sfu.KindAnswer, PC: sfu.Subscribe, SDP: sdp, Offer: s.Offer})
		}
	}
	if err != nil {
		c.t.Error(err)
	}
}

func (c *caller) publish(offer uint32) {
	c.t.Helper()
	sdp, _, err := c.peer.Offer()
	if err != nil {
		c.t.Fatal(err)
	}
	c.must(sfu.Signal{
		Kind: sfu.KindOffer, PC: sfu.Publish, SDP: sdp, Offer: offer,
		Sources: map[string]sfu.Source{"0": sfu.SourceAudio, "1": sfu.SourceCamera},
	})
}

func (c *caller) must(s sfu.Signal) {
	c.t.Helper()
	if err := c.far.Handle(s); err != nil {
		c.t.Fatal(err)
	}
}

// await looks at the peer until something is so.
func (c *caller) await(is func() bool) {
	c.t.Helper()
	for !is() {
		if err := c.peer.Err(); err != nil {
			c.t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitMore waits until more pictures have come.
func (c *caller) awaitMore() {
	c.t.Helper()
	had := c.peer.Received().Video
	c.await(func() bool { return c.peer.Received().Video > had+10 })
}

// What either side gives up is made anew, and what was counted stays counted.
func TestConnectionsAreMadeAnew(t *testing.T) {
	s, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	e, err := New(netip.IPv4Unspecified(), netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	e.Measure(time.Hour)
	var clock sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	clock.Go(func() { e.Run(ctx) })
	t.Cleanup(func() { stop(); clock.Wait() })

	room := s.Room("lesson")
	viewer := join(t, e, room, "viewer", 0, false)
	speaker := join(t, e, room, "speaker", 1, true)
	speaker.publish(1)
	viewer.awaitMore()

	sent := speaker.peer.Sent()
	speaker.must(sfu.Signal{Kind: sfu.KindRestart, PC: sfu.Publish})
	speaker.publish(2)
	speaker.await(speaker.peer.Publishing)
	viewer.awaitMore()
	if now := speaker.peer.Sent(); now.Video <= sent.Video {
		t.Errorf("sent %+v, after %+v", now, sent)
	}

	first := viewer.peer.links()[0]
	viewer.hearing.Lock()
	for range 2 { // the second while the first is not answered: the server gives the connection up
		viewer.must(sfu.Signal{Kind: sfu.KindRestart, PC: sfu.Subscribe})
	}
	<-viewer.dropped
	viewer.hearing.Unlock()
	viewer.await(func() bool {
		links := viewer.peer.links()
		return len(links) == 1 && links[0] != first
	})
	viewer.awaitMore()
}
