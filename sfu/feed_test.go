package sfu

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// branch is another server, which has fetched what is published in room "r" of the world's.
type branch struct {
	*world
	there   *SFU
	fetches []*Fetch
	feeds   []*Feed
	lost    atomic.Int32
	heights chan int
}

func newBranch(t *testing.T, w *world) *branch {
	t.Helper()
	there, err := New(Config{UDPAddr: "10.0.250.1:7882", Net: w.host("10.0.250.1")})
	must(t, err)
	return &branch{world: w, there: there, heights: make(chan int, 100)}
}

func (b *branch) close() {
	for _, f := range b.fetches {
		f.Close()
	}
	for _, f := range b.feeds {
		f.Close()
	}
	must(b.t, b.there.Close())
}

// fetch begins to fetch a publication.
func (b *branch) fetch(p *Publication) {
	b.t.Helper()
	fetch, offer, err := b.there.Room("audience").Fetch(FetchConfig{
		Track: p.Info(), Codec: p.Codec(), Layers: p.Layers(),
		Wanted: func(height int) { b.heights <- height }, Lost: func() { b.lost.Add(1) },
	})
	must(b.t, err)
	b.fetches = append(b.fetches, fetch)
	feed, answer, err := b.sfu.Room("r").Feed(p.Info().Publication, offer)
	must(b.t, err)
	b.feeds = append(b.feeds, feed)
	must(b.t, fetch.Answer(answer))
}

// observer watches there.
func (b *branch) observer(id string) *client {
	c := b.client(id)
	p, err := b.there.Room("audience").Join(PeerConfig{ID: id, Subscribe: true, Send: c.receive})
	must(b.t, err)
	c.peer = p
	c.negotiated.Go(c.negotiate)
	return c
}

// tell hands on how tall pictures are shown there.
func (b *branch) tell() {
	for {
		select {
		case height := <-b.heights:
			b.feeds[0].SetHeight(height)
		default:
			return
		}
	}
}

func TestObserversOfAnotherServer(t *testing.T) {
	for name, c := range map[string]conditions{"good network": {delay: 10 * time.Millisecond}, "bad network": bad} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, c)
				defer w.close()
				a := w.client("ann").join("r", true, false)
				must(t, a.publish(SourceAudio, SourceCamera))
				b := newBranch(t, w)
				defer b.close()
				time.Sleep(time.Second)
				for _, p := range w.sfu.Room("r").Publications() {
					b.fetch(p)
				}
				first := b.observer("bob")
				time.Sleep(time.Second)
				second := b.observer("cid") // needs a key frame of the publisher, two servers away
				time.Sleep(6 * time.Second)
				for _, m := range []*client{first, second} {
					for source, least := range map[string]float64{"ann/audio": 0.85, "ann/camera": 0.98} {
						s := m.got()[source]
						if s == nil {
							t.Fatalf("%s got no %s", m.id, source)
						}
						if sent := s.last - s.first + 1; sent < 200 || float64(len(s.numbers)) < least*float64(sent) || s.reports == 0 {
							t.Errorf("%s: %s: %d of %d packets, %d sender reports", m.id, source, len(s.numbers), sent, s.reports)
						}
					}
					if m.got()["ann/camera"].keys == 0 {
						t.Errorf("%s has no picture", m.id)
					}
				}
				if n := w.sfu.Room("r").Publications()[0].Stats().Subscribers; n != 1 {
					t.Errorf("the publisher's server sends to %d, for two observers", n)
				}
				first.leave()
				second.leave()
			})
		})
	}
}

func TestOnlyLayersThatAreShownAreFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 10 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		a.publishLayers()
		b := newBranch(t, w)
		defer b.close()
		time.Sleep(2 * time.Second)
		pub := w.sfu.Room("r").Publications()[0]
		b.fetch(pub)
		o := b.observer("bob")
		defer o.leave()
		shows := func(v View) (lower, upper uint64) {
			o.peer.SetViews(map[string]View{pub.Info().Publication: v})
			for range 30 { // less is wanted only when it has lasted
				time.Sleep(100 * time.Millisecond)
				b.tell()
			}
			before := b.received()
			time.Sleep(time.Second)
			b.tell()
			after := b.received()
			return after[0] - before[0], after[1] - before[1]
		}
		for _, step := range []struct {
			name         string
			view         View
			lower, upper bool
			wanted       int
		}{
			{"large", View{Visible: true, Width: 1280, Height: 720}, true, true, 720},
			{"small", View{Visible: true, Width: 160, Height: 90}, true, false, 90},
			{"hidden", View{}, false, false, 0},
			{"large again", View{Visible: true, Width: 1280, Height: 720}, true, true, 720},
		} {
			lower, upper := shows(step.view)
			if lower > 0 != step.lower || upper > 0 != step.upper {
				t.Errorf("%s: %d and %d packets were fetched of the layers", step.name, lower, upper)
			}
			if got := a.wanted(SourceCamera); got != step.wanted {
				t.Errorf("%s: the publisher knows that %d lines are wanted", step.name, got)
			}
		}
		if share := o.share(); share == 0 {
			t.Error("the observer never got the large layer")
		}
	})
}

// received counts the packets of the layers that came to the other server.
func (b *branch) received() (counts [2]uint64) {
	for i, l := range b.there.Room("audience").Publications()[0].Stats().Layers {
		counts[i] = l.Packets
	}
	return counts
}

func TestFetchEnds(t *testing.T) {
	for name, end := range map[string]func(w *world, a *client, b *branch){
		"with the publication": func(_ *world, a *client, _ *branch) { a.unpublish(SourceCamera) },
		"with the feed":        func(_ *world, _ *client, b *branch) { b.feeds[0].Close() },
		"with the way there":   func(w *world, _ *client, _ *branch) { w.lose(1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, conditions{delay: 10 * time.Millisecond})
				defer w.close()
				a := w.client("ann").join("r", true, false)
				must(t, a.publish(SourceCamera))
				b := newBranch(t, w)
				defer b.close()
				time.Sleep(2 * time.Second)
				b.fetch(w.sfu.Room("r").Publications()[0])
				time.Sleep(2 * time.Second)
				if n := len(b.there.Room("audience").Publications()); n != 1 {
					t.Fatalf("%d publications there", n)
				}
				end(w, a, b)
				time.Sleep(20 * time.Second)
				if n := len(b.there.Room("audience").Publications()); n != 0 || b.lost.Load() != 1 {
					t.Errorf("%d publications there, lost %d times", n, b.lost.Load())
				}
				w.lose(0)
				select {
				case <-b.feeds[0].Done():
				default:
					t.Error("the feed goes on")
				}
			})
		})
	}
}

func TestFeedRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 10 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceCamera))
		b := newBranch(t, w)
		defer b.close()
		time.Sleep(2 * time.Second)
		pub := w.sfu.Room("r").Publications()[0]
		fetch, offer, err := b.there.Room("audience").Fetch(FetchConfig{Track: pub.Info(), Codec: pub.Codec(), Layers: 1, Lost: func() {}})
		must(t, err)
		defer fetch.Close()
		opus := Codec{MimeType: negotiate.Opus, ClockRate: 48000, Channels: 2}
		other, sound, err := b.there.Room("audience").Fetch(FetchConfig{
			Track: TrackInfo{Member: "ann", Source: SourceAudio, Publication: "p"}, Codec: opus, Layers: 1, Lost: func() {},
		})
		must(t, err)
		defer other.Close()
		for name, c := range map[string]struct {
			publication, offer string
			want               error
		}{
			"what nobody publishes": {"p", offer, ErrNotPublished},
			"no description":        {pub.Info().Publication, "v=1", ErrBadSDP},
			"another codec":         {pub.Info().Publication, sound, ErrUnsupported},
		} {
			if _, _, err := w.sfu.Room("r").Feed(c.publication, c.offer); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := fetch.Answer("v=1"); !errors.Is(err, ErrBadSDP) {
			t.Errorf("a bad answer: %v", err)
		}
		if err := fetch.Answer(offer); !errors.Is(err, ErrBadSDP) {
			t.Errorf("an answer of nobody who sends: %v", err)
		}
		if err := a.peer.Handle(Signal{Kind: KindAnswer, PC: Publish, SDP: offer}); !errors.Is(err, ErrUnexpected) {
			t.Errorf("an answer of a member: %v", err)
		}
		for name, cfg := range map[string]FetchConfig{
			"many layers":       {Track: pub.Info(), Codec: pub.Codec(), Layers: 4},
			"an unknown codec":  {Track: pub.Info(), Codec: Codec{MimeType: "video/MPEG"}, Layers: 1},
			"an unknown source": {Track: TrackInfo{Member: "ann", Source: "x", Publication: "p"}, Codec: pub.Codec(), Layers: 1},
		} {
			if _, _, err := b.there.Room("audience").Fetch(cfg); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if n := w.sfu.Rooms(); n != 1 {
			t.Errorf("%d rooms", n)
		}
	})
}
