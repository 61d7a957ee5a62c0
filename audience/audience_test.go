package audience

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/pausepoint/pausepoint/sfu"
)

const patience = time.Minute // for what always comes; it is virtual time

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is servers and members on a virtual network; servers reach each other by pipes.
type world struct {
	t      *testing.T
	router *vnet.Router
	nodes  []*node
	hosts  int

	silent atomic.Bool // no media comes to, or from, here

	mu    sync.Mutex
	ports map[string]*pipes // by "host:port"
}

func newWorld(t *testing.T) *world {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/16", QueueSize: 1 << 14, LoggerFactory: silence()})
	must(t, err)
	must(t, router.Start())
	return &world{t: t, router: router, ports: map[string]*pipes{}}
}

func silence() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
}

// close ends everything; in a synctest bubble, a goroutine that is left then fails the test.
func (w *world) close() {
	w.t.Helper()
	for _, n := range w.nodes {
		n.stop()
	}
	must(w.t, w.router.Stop())
	time.Sleep(time.Second) // http.Server takes its time with connections that it has refused something on
}

// host is another machine.
func (w *world) host() (addr string, machine transport.Net) {
	w.t.Helper()
	w.hosts++
	addr = fmt.Sprintf("10.0.0.%d", w.hosts)
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{addr}})
	must(w.t, err)
	must(w.t, w.router.AddNet(n))
	return addr, n
}

func (w *world) media() (addr string, media *sfu.SFU) {
	w.t.Helper()
	addr, machine := w.host()
	media, err := sfu.New(sfu.Config{UDPAddr: addr + ":7882", Net: machine})
	must(w.t, err)
	return addr, media
}

// client reaches the servers of the world.
func (w *world) client() client {
	c := newClient()
	if t, ok := c.http.Transport.(*http.Transport); ok {
		t.DialContext = w.dial
	}
	return c
}

var errNobody = errors.New("nobody listens")

func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	w.mu.Lock()
	p := w.ports[addr]
	w.mu.Unlock()
	if p == nil {
		return nil, errNobody
	}
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, errNobody
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipes is a listener.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// node is a server that runs sessions.
type node struct {
	w        *world
	url      string
	media    *sfu.SFU
	endpoint *Endpoint
	http     *http.Server
	runs     atomic.Bool
	once     sync.Once
}

func (w *world) node() *node {
	w.t.Helper()
	addr, media := w.media()
	n := &node{w: w, url: "http://" + addr, media: media}
	n.runs.Store(true)
	n.endpoint = NewEndpoint(media, func(session string) bool { return session == "lesson" && n.runs.Load() }, slog.New(slog.DiscardHandler))
	n.http = &http.Server{Handler: n.endpoint, ReadHeaderTimeout: time.Minute}
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	w.mu.Lock()
	w.ports[addr+":80"] = l
	w.mu.Unlock()
	w.nodes = append(w.nodes, n)
	go func() { _ = n.http.Serve(l) }()
	return n
}

// stop is the node's death.
func (n *node) stop() {
	n.once.Do(func() {
		n.endpoint.Close()
		must(n.w.t, n.http.Close())
		must(n.w.t, n.media.Close())
	})
}

func (n *node) door() Door { return Door{URL: n.url, Ticket: n.endpoint.Ticket("lesson")} }

// directory is where the session is run now.
type directory struct{ at atomic.Pointer[node] }

func (d *directory) Door(context.Context, string) (Door, error) { return d.at.Load().door(), nil }

// publisher sends sound to a node until it is stopped.
type publisher struct {
	t    *testing.T
	peer *sfu.Peer
	pc   *webrtc.PeerConnection
	quit chan struct{}
	wg   sync.WaitGroup
}

func publish(n *node, member string) *publisher {
	t := n.w.t
	t.Helper()
	var s webrtc.SettingEngine
	_, machine := n.w.host()
	s.SetNet(machine)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.LoggerFactory = silence()
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

func watch(t *testing.T, room *sfu.Room) (w *witness, stop func()) {
	t.Helper()
	w = &witness{t: t, began: make(chan *sfu.Publication, 100), ended: make(chan *sfu.Publication, 100)}
	tap, err := room.Tap(sfu.SinkFunc(func(e sfu.Event) {
		switch e := e.(type) {
		case sfu.PublicationStarted:
			w.began <- e.Publication
		case sfu.PublicationEnded:
			w.ended <- e.Publication
		}
	}))
	must(t, err)
	return w, tap.Close
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

// here is a server that people watch from.
func (w *world) here(d *directory) (a *Audience, stop func()) {
	w.t.Helper()
	addr, media := w.media()
	w.router.AddChunkFilter(func(c vnet.Chunk) bool {
		return !w.silent.Load() || !strings.HasPrefix(c.SourceAddr().String(), addr+":") && !strings.HasPrefix(c.DestinationAddr().String(), addr+":")
	})
	a = New(media, d, slog.New(slog.DiscardHandler))
	a.client = w.client()
	return a, func() {
		a.Close()
		must(w.t, media.Close())
	}
}

func TestLessonIsFetchedWhileSomebodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := newWorld(t), &directory{}
		defer w.close()
		owner := w.node()
		d.at.Store(owner)
		a, stop := w.here(d)
		defer stop()
		lesson := owner.media.Room("lesson")
		at, stopThere := watch(t, lesson)
		defer stopThere()
		amara := publish(owner, "amara")
		at.await(at.began, "amara")

		room, _, leave := a.Watch("lesson")
		again, _, leaveAgain := a.Watch("lesson")
		see, stopHere := watch(t, room)
		defer stopHere()
		source, fetched := lesson.Publications()[0], see.await(see.began, "amara")
		if fetched.Info() != source.Info() || fetched.Codec().MimeType != source.Codec().MimeType {
			t.Errorf("%v %v, want %v %v", fetched.Info(), fetched.Codec(), source.Info(), source.Codec())
		}
		if n := source.Stats().Subscribers; n != 1 || len(again.Publications()) != 1 {
			t.Errorf("sent %d times", n)
		}
		ben := publish(owner, "ben")
		see.await(see.began, "ben")
		amara.leave()
		see.await(see.ended, "amara")
		amara = publish(owner, "amara")
		see.await(see.began, "amara")

		leave()
		synctest.Wait()
		if n := len(room.Publications()); n != 2 {
			t.Errorf("%d publications for the one who still watches", n)
		}
		leaveAgain()
		<-see.ended
		<-see.ended
		time.Sleep(farewell)
		for _, p := range lesson.Publications() {
			if n := p.Stats().Subscribers; n != 0 {
				t.Errorf("sent to %d, for nobody", n)
			}
		}
		amara.leave()
		ben.leave()
	})
}

func TestFetchingFollowsTheSession(t *testing.T) {
	for name, change := range map[string]func(old *node){
		"its server dies": func(old *node) { old.stop() },
		"it is moved":     func(old *node) { old.runs.Store(false) },
		"its server does not answer": func(old *node) {
			old.endpoint.Close()
			must(old.w.t, old.http.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, d := newWorld(t), &directory{}
				defer w.close()
				old, next := w.node(), w.node()
				d.at.Store(old)
				a, stop := w.here(d)
				defer stop()
				room, _, leave := a.Watch("lesson")
				defer leave()
				see, stopHere := watch(t, room)
				defer stopHere()
				first := publish(old, "amara")
				defer first.leave()
				before := see.await(see.began, "amara")
				second := publish(next, "amara")
				defer second.leave()
				d.at.Store(next)
				change(old)
				if after := see.await(see.began, "amara"); after.Info().Publication == before.Info().Publication {
					t.Error("the same publication again")
				}
				see.await(see.ended, "amara")
			})
		})
	}
}

// Whoever watches is told when nothing comes, and not when something is only late.
func TestWhatCannotBeFetchedIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(w *world, owner *node)
		missing bool
	}{
		"all is well":                         {func(*world, *node) {}, false},
		"its server is reached late":          {func(w *world, owner *node) { time.AfterFunc(unreached/2, w.hide(owner)) }, false},
		"its server is not reached":           {func(w *world, owner *node) { w.hide(owner) }, true},
		"its server refuses":                  {func(_ *world, owner *node) { owner.runs.Store(false) }, true},
		"its server is reached, its media no": {func(w *world, _ *node) { w.silent.Store(true) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, d := newWorld(t), &directory{}
				defer w.close()
				owner := w.node()
				d.at.Store(owner)
				a, stop := w.here(d)
				defer stop()
				at, stopThere := watch(t, owner.media.Room("lesson"))
				defer stopThere()
				amara := publish(owner, "amara")
				defer amara.leave()
				at.await(at.began, "amara")
				c.happens(w, owner)
				_, missing, leave := a.Watch("lesson")
				defer leave()
				select {
				case <-missing:
					if !c.missing {
						t.Error("somebody is told")
					}
				case <-time.After(patience):
					if c.missing {
						t.Error("nobody is told")
					}
				}
			})
		})
	}
}

// hide lets nobody connect to a node until it is shown again.
func (w *world) hide(n *node) (show func()) {
	addr := strings.TrimPrefix(n.url, "http://") + ":80"
	w.mu.Lock()
	defer w.mu.Unlock()
	hidden := w.ports[addr]
	delete(w.ports, addr)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ports[addr] = hidden
	}
}

func fetchOf(p *sfu.Publication, lost chan<- struct{}) sfu.FetchConfig {
	return sfu.FetchConfig{Track: p.Info(), Codec: p.Codec(), Layers: p.Layers(), Wanted: func(int) {}, Lost: func() { lost <- struct{}{} }}
}
