package audience

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"go.uber.org/goleak"

	"github.com/pausepoint/pausepoint/sfu"
)

const patience = 30 * time.Second // for what always comes

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node is a server that runs sessions.
type node struct {
	t        *testing.T
	media    *sfu.SFU
	endpoint *Endpoint
	http     *httptest.Server
	runs     atomic.Bool
	once     sync.Once
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{t: t}
	var err error
	n.media, err = sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0", DisableTCP: true})
	must(t, err)
	n.runs.Store(true)
	n.endpoint = NewEndpoint(n.media, func(session string) bool { return session == "lesson" && n.runs.Load() }, slog.New(slog.DiscardHandler))
	n.http = httptest.NewServer(n.endpoint)
	t.Cleanup(n.stop)
	return n
}

// stop is the node's death.
func (n *node) stop() {
	n.once.Do(func() {
		n.endpoint.Close()
		n.http.CloseClientConnections()
		must(n.t, n.media.Close())
		n.http.Close()
	})
}

func (n *node) door() Door { return Door{URL: n.http.URL, Ticket: n.endpoint.Ticket("lesson")} }

// directory is where the session is run now.
type directory struct{ at atomic.Pointer[node] }

func (d *directory) Door(context.Context, string) (Door, error) {
	if n := d.at.Load(); n != nil {
		return n.door(), nil
	}
	return Door{}, errors.New("nobody runs it")
}

// publisher sends sound to a node until it is stopped.
type publisher struct {
	t    *testing.T
	peer *sfu.Peer
	pc   *webrtc.PeerConnection
	quit chan struct{}
	wg   sync.WaitGroup
}

func publish(t *testing.T, n *node, member string) *publisher {
	t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	p := &publisher{t: t, pc: pc, quit: make(chan struct{})}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "sound", member)
	must(t, err)
	_, err = pc.AddTrack(track)
	must(t, err)
	answers := make(chan string, 1)
	p.peer, err = n.media.Room("lesson").Join(sfu.PeerConfig{ID: member, Publish: true, Send: func(s sfu.Signal) {
		if s.Kind == sfu.KindAnswer {
			answers <- s.SDP
		}
	}})
	must(t, err)
	offer, err := pc.CreateOffer(nil)
	must(t, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(t, pc.SetLocalDescription(offer))
	<-gathered
	must(t, p.peer.Handle(sfu.Signal{
		Kind: sfu.KindOffer, PC: sfu.Publish, SDP: pc.LocalDescription().SDP, Sources: map[string]sfu.Source{"0": sfu.SourceAudio},
	}))
	must(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: <-answers}))
	p.wg.Go(func() { p.play(track) })
	return p
}

func (p *publisher) play(track *webrtc.TrackLocalStaticSample) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = track.WriteSample(media.Sample{Data: make([]byte, 60), Duration: 20 * time.Millisecond}) // fails while closing
		case <-p.quit:
			return
		}
	}
}

func (p *publisher) leave() {
	p.t.Helper()
	close(p.quit)
	p.wg.Wait()
	p.peer.Close()
	must(p.t, p.pc.GracefulClose())
}

// witness hears what is published in a room.
type witness struct {
	t     *testing.T
	began chan *sfu.Publication
	ended chan *sfu.Publication
}

func watch(t *testing.T, room *sfu.Room) *witness {
	t.Helper()
	w := &witness{t: t, began: make(chan *sfu.Publication, 100), ended: make(chan *sfu.Publication, 100)}
	tap, err := room.Tap(sfu.SinkFunc(func(e sfu.Event) {
		switch e := e.(type) {
		case sfu.PublicationStarted:
			w.began <- e.Publication
		case sfu.PublicationEnded:
			w.ended <- e.Publication
		}
	}))
	must(t, err)
	t.Cleanup(tap.Close)
	return w
}

// await returns the next publication that begins, or ends, and checks whose it is.
func (w *witness) await(from <-chan *sfu.Publication, member string) *sfu.Publication {
	w.t.Helper()
	select {
	case p := <-from:
		if p.Info().Member != member || p.Info().Source != sfu.SourceAudio {
			w.t.Fatalf("%v, want the sound of %s", p.Info(), member)
		}
		return p
	case <-time.After(patience):
		w.t.Fatalf("nothing of %s", member)
		return nil
	}
}

// here is the server that people watch from.
func here(t *testing.T, d *directory) (*Audience, *sfu.SFU) {
	t.Helper()
	m, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0", DisableTCP: true})
	must(t, err)
	a := New(m, d, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		a.Close()
		must(t, m.Close())
	})
	return a, m
}

func TestLessonIsFetchedWhileSomebodyWatches(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	owner, d := newNode(t), &directory{}
	d.at.Store(owner)
	a, _ := here(t, d)
	at := watch(t, owner.media.Room("lesson"))
	amara := publish(t, owner, "amara")
	at.await(at.began, "amara")

	room, leave := a.Watch("lesson")
	again, leaveAgain := a.Watch("lesson")
	w := watch(t, room)
	source := at.room(owner)[0]
	fetched := w.await(w.began, "amara")
	if fetched.Info() != source.Info() || fetched.Codec().MimeType != source.Codec().MimeType {
		t.Errorf("%v %v, want %v %v", fetched.Info(), fetched.Codec(), source.Info(), source.Codec())
	}
	if n := source.Stats().Subscribers; n != 1 || len(again.Publications()) != 1 {
		t.Errorf("sent %d times", n)
	}
	ben := publish(t, owner, "ben")
	at.await(at.began, "ben")
	w.await(w.began, "ben")
	amara.leave()
	at.await(at.ended, "amara")
	w.await(w.ended, "amara")
	amara = publish(t, owner, "amara")
	w.await(w.began, "amara")

	leave()
	if n := len(room.Publications()); n != 2 {
		t.Errorf("%d publications for the one who still watches", n)
	}
	leaveAgain()
	for range 2 {
		<-w.ended
	}
	amara.leave()
	ben.leave()
}

// room are the publications where the session is run.
func (w *witness) room(n *node) []*sfu.Publication { return n.media.Room("lesson").Publications() }

func TestFetchingFollowsTheSession(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	for name, change := range map[string]func(old *node){
		"its server dies":    func(old *node) { old.stop() },
		"it is moved":        func(old *node) { old.runs.Store(false) },
		"its media is moved": func(old *node) { old.endpoint.Close(); old.runs.Store(false) },
	} {
		t.Run(name, func(t *testing.T) {
			old, next, d := newNode(t), newNode(t), &directory{}
			d.at.Store(old)
			a, _ := here(t, d)
			room, leave := a.Watch("lesson")
			defer leave()
			w := watch(t, room)
			first := publish(t, old, "amara")
			before := w.await(w.began, "amara")
			second := publish(t, next, "amara")
			d.at.Store(next)
			change(old)
			if after := w.await(w.began, "amara"); after.Info().Publication == before.Info().Publication {
				t.Error("the same publication again")
			}
			w.await(w.ended, "amara")
			first.leave()
			second.leave()
		})
	}
}

func fetchOf(p *sfu.Publication, lost chan<- struct{}) sfu.FetchConfig {
	return sfu.FetchConfig{Track: p.Info(), Codec: p.Codec(), Layers: p.Layers(), Wanted: func(int) {}, Lost: func() { lost <- struct{}{} }}
}
