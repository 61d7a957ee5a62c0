// Package signaling is the edge: it turns HTTP and WebSocket into the vocabulary of the packages behind it and back. It says
// who somebody is, holds limits, and decides nothing else. The HTTP API is described in openapi.json, the protocol of the
// WebSocket in package room/event.
package signaling

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/audience"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/quota"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// Config is what a Server needs. All fields of the first group must be set.
type Config struct {
	People   *account.People
	Sessions *account.Sessions
	Library  *clip.Library
	Journal  room.Journal
	Media    *sfu.SFU
	Recorder *recorder.Recorder
	Segments recorder.Index
	Erasures Erasures
	Films    *render.Queue // started here, and closed
	Keeper   *keeping.Keeper
	Browsers scs.Store    // what is known of browsers, by the hash of their cookie's token
	Pages    http.Handler // what is not the API: the browser client
	Log      *slog.Logger

	PublicURL  string // scheme and host under which people open the server, if it is not that of each request
	TrustProxy bool   // believe X-Forwarded-For and X-Forwarded-Proto of a proxy on this machine or in a private network

	// How many WebSockets there may be, in all and from one address; 0 is 2000 and 200.
	MaxConnections, MaxConnectionsPerAddress int

	// Answered, if set, is told of every request once it is answered, from that request's goroutine.
	Answered func(context.Context, Request)
	// Relays, if set, gives a member what they need to use TURN servers; host is the name by which they reached this server.
	Relays func(member, host string) []event.RTCRelay
	// Nodes, if set, are the other servers of a deployment. Who sets it starts it with the Server as its handler.
	Nodes *cluster.Node
	// NodeURL, if set, is how the other servers reach this one, such as http://10.0.0.7:8080; Nodes says so to them. Those who only watch
	// get sound and pictures from the server that they are connected to, then.
	NodeURL string
	// Impaired, if set, says why this server should get no new people now, or nil. It does not block.
	Impaired func() error
}

// Request is one that was answered. Nothing in it tells who asked, nor for what.
type Request struct {
	Method string // GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS; "other"
	Route  string // its pattern, without the method; "refused" if it came to none
	Status int
	Took   time.Duration
}

// Server is the HTTP and WebSocket side of Pausepoint. It runs the live sessions.
type Server struct {
	people     *account.People
	sessions   *account.Sessions
	library    *clip.Library
	journal    room.Journal
	recordings *recorder.Recorder
	segments   recorder.Index
	keeper     *keeping.Keeper
	pages      http.Handler
	log        *slog.Logger

	browsers  *browsers
	forward   forwarding
	publicURL string
	calls     *calls
	nodes     *cluster.Node // nil for the only server
	relays    *relays
	regulars  *regulars
	byways    *http.Transport // to the pages of other nodes
	theatre   *theatre        // nil if other nodes cannot reach this one
	troubles  *troubles
	eraser    *eraser
	films     *render.Queue
	upgrader  *websocket.Upgrader
	timings   timings
	sockets   *quota.Quota[netip.Addr]
	knocks    *limiter
	ready     atomic.Bool
	answered  func(context.Context, Request)
	impaired  func() error
	traffic   traffic
	handler   http.Handler
}

// New makes a server. It answers 503 to /readyz until Ready. The caller closes it.
func New(cfg Config) *Server {
	forward := forwarding{trusted: cfg.TrustProxy}
	s := &Server{
		people: cfg.People, sessions: cfg.Sessions, library: cfg.Library, journal: cfg.Journal,
		recordings: cfg.Recorder, segments: cfg.Segments, keeper: cfg.Keeper, pages: cfg.Pages, log: cfg.Log,
		browsers: newBrowsers(cfg.Browsers, forward), forward: forward, publicURL: strings.TrimSuffix(cfg.PublicURL, "/"),
		calls:    newCalls(cfg.Media, cfg.Log),
		upgrader: newUpgrader(),
		timings:  usualTimings,
		sockets:  quota.New[netip.Addr](orElse(cfg.MaxConnections, 2000), orElse(cfg.MaxConnectionsPerAddress, 200)),
		knocks:   newLimiter(rate.Limit(2), 240, time.Now),
		answered: cfg.Answered, impaired: cfg.Impaired, nodes: cfg.Nodes, relays: newRelays(), regulars: newRegulars(), byways: newByways(),
	}
	s.troubles = newTroubles(func(session string, said said) {
		if r, ok := s.calls.house.Live(session); ok {
			r.RecordingNotice(said.reason, said.from, said.to)
		}
	})
	media := func(session string) recorder.Room { return recorder.RoomOf(cfg.Media.Room(session)) }
	tape := newTape(cfg.Recorder, media, s.troubles, cfg.Log)
	s.calls.relays = cfg.Relays
	s.calls.house = room.NewHouse(room.Config{
		Journal: cfg.Journal,
		Plans:   openings{cfg.Sessions, cfg.Library},
		Log:     cfg.Log,
		Before:  tape.before,
		Observe: func(session string, events []event.Event) {
			s.calls.observe(session, events)
			tape.observe(session, events, s.calls.house)
			s.eraser.observe(events)
		},
	})
	s.eraser = newEraser(cfg.Recorder, s.change, cfg.Erasures, cfg.Log)
	s.films = cfg.Films
	s.films.Start(s.prepareFilm)
	if cfg.Nodes != nil && cfg.NodeURL != "" {
		s.theatre = newTheatre(cfg.NodeURL, s, cfg.Media, cfg.Log)
	}
	s.handler = s.routes()
	return s
}

func orElse(n, usual int) int {
	if n > 0 {
		return n
	}
	return usual
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.theatre != nil && strings.HasPrefix(r.URL.Path, audience.Base) {
		s.theatre.handler.ServeHTTP(w, r)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// Ready makes /readyz answer 200.
func (s *Server) Ready() { s.ready.Store(true) }

// Drain makes /readyz answer 503, so that nobody new is sent here.
func (s *Server) Drain() { s.ready.Store(false) }

// Close tells everybody in a call that the server restarts, stores what is under way, and ends the live sessions.
func (s *Server) Close(ctx context.Context) error {
	s.ready.Store(false)
	s.eraser.close(ctx) // before the rooms: the proof goes through them
	s.films.Close()
	err := s.calls.house.Close(ctx)
	s.calls.close()
	s.relays.close()
	s.byways.CloseIdleConnections()
	if s.theatre != nil {
		s.theatre.close()
	}
	s.troubles.close(ctx)
	return err
}

// Notice tells the people in a call what the recorder notices of its recording. It does not block.
func (s *Server) Notice(n recorder.Notice) { s.troubles.hear(n) }

// route is one operation of the API; its pattern is that of http.ServeMux, but for the method.
type route struct {
	method, path string
	handler      http.Handler
}

// table is every route that openapi.json describes, in its order.
func (s *Server) table() []route {
	uploads := withClipID(s.uploads())
	const session = "/api/sessions/{id}"
	return []route{
		{"GET", "/healthz", http.HandlerFunc(alive)},
		{"GET", "/readyz", http.HandlerFunc(s.readiness)},
		{"GET", "/api/openapi.json", http.HandlerFunc(describeAPI)},

		{"GET", "/api/me", s.api(s.by(s.me))},
		{"POST", "/api/setup", s.api(s.limited(s.knocks, s.newAccount(s.people.SetUp)))},
		{"POST", "/api/signin", s.api(s.signIn)},
		{"POST", "/api/signout", s.api(s.signOut)},
		{"POST", "/api/invitations", s.api(s.invite)},
		{"POST", "/api/join", s.api(s.limited(s.knocks, s.newAccount(s.people.Join)))},

		{"POST", "/api/uploads/", uploads},
		{"HEAD", "/api/uploads/{id}", uploads},
		{"PATCH", "/api/uploads/{id}", uploads},
		{"DELETE", "/api/uploads/{id}", uploads},
		{"GET", "/api/clips", s.api(s.by(s.clips))},
		{"GET", "/api/clips/{id}", s.api(s.clip)},
		{"PATCH", "/api/clips/{id}", s.api(s.changeClip)},
		{"DELETE", "/api/clips/{id}", s.api(s.deleteClip)},
		{"GET", "/api/clips/{id}/media/{name}", s.api(s.clipMedia)},

		{"GET", "/api/sessions", s.api(s.by(s.listSessions))},
		{"POST", "/api/sessions", s.api(s.createSession)},
		{"GET", session, s.api(s.by(s.session))},
		{"DELETE", session, s.api(s.by(s.deleteSession))},
		{"GET", session + "/keeping", s.api(s.by(s.keeping))},
		{"PUT", session + "/keeping", s.api(s.by(s.keep))},
		{"GET", session + "/plan", s.api(s.by(s.plan))},
		{"PATCH", session + "/plan", s.api(s.by(s.changePlan))},
		{"GET", session + "/invitations", s.api(s.by(s.links))},
		{"POST", session + "/invitations", s.api(s.by(s.replaceLink))},
		{"GET", session + "/calendar.ics", s.api(s.by(s.calendar))},
		{"GET", session + "/door", s.api(s.by(s.door))},
		{"POST", session + "/door", s.api(s.limited(s.knocks, s.by(s.knock)))},
		{"GET", session + "/ws", s.api(s.serveCall)},

		{"GET", session + "/replay", s.api(s.replay)},
		{"POST", session + "/measures", s.api(s.measures)},
		{"GET", session + "/withdrawal", s.api(s.withdrawal)},
		{"POST", session + "/withdrawal", s.api(s.withdraw)},
		{"GET", session + "/reuse", s.api(s.reuse)},
		{"POST", session + "/reuse", s.api(s.askReuse)},
		{"POST", session + "/reuse/answer", s.api(s.answerReuse)},
		{"GET", session + "/segments/{segment}", s.api(s.segment)},
		{"GET", session + "/film", s.api(s.film)},
		{"POST", session + "/film", s.api(s.askFilm)},
		{"DELETE", session + "/film", s.api(s.dropFilm)},
		{"GET", session + "/film.mp4", s.api(s.filmFile)},
		{"GET", session + "/tracks/{member}/{source}", s.api(s.trackFile)},
		{"GET", session + "/notes.vtt", s.api(s.notesVTT)},
		{"GET", session + "/notes.csv", s.api(s.notesCSV)},
		{"GET", session + "/notes.json", s.api(s.notesJSON)},

		{"GET", "/api/receipts", s.api(s.by(s.receipts))},
		{"GET", "/api/receipts/{id}", s.api(s.by(s.receipt))},

		{"GET", "/api/admin/sessions", s.api(s.kept)},
		{"PUT", "/api/admin/sessions/{id}/legal-hold", s.api(s.setLegalHold)},
	}
}

func (s *Server) uploads() http.Handler {
	return s.library.Uploads("/api/uploads/", s.uploader, s.writeError)
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.table() {
		path := r.path
		if strings.HasSuffix(path, "/") {
			path += "{$}"
		}
		mux.Handle(r.method+" "+path, r.handler)
	}
	mux.Handle("OPTIONS /api/uploads/", s.uploads())
	mux.Handle("/api/", s.api(func(http.ResponseWriter, *http.Request) error { return errNotFound }))
	mux.Handle("/", s.pages)
	return withHeaders(withDeadlines(bodyWithin, answerWithin, s.withRecover(s.withLog(withCleanPath(withOrigin(s.publicURL, mux))))))
}

// alive says that this process answers: whoever asks need not restart it.
func alive(w http.ResponseWriter, _ *http.Request) { writeState(w, http.StatusOK, "ok") }

// readiness says whether people should be sent here. Calls that are going on do not depend on it.
func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() {
		writeState(w, http.StatusServiceUnavailable, "starting or stopping")
		return
	}
	if err := s.trouble(); err != nil {
		writeState(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	writeState(w, http.StatusOK, "ok")
}

// trouble says why this server should get no new people now, or nil.
func (s *Server) trouble() error {
	switch {
	case s.cutOff():
		return errors.New("the database does not answer")
	case s.impaired != nil:
		return s.impaired()
	}
	return nil
}

// cutOff reports whether this is one of several servers, and one that does not reach the database.
func (s *Server) cutOff() bool { return s.nodes != nil && s.nodes.Impaired() }

func writeState(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// serveCall lets a member's browser into the live session.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) error {
	r, err := s.believe(r)
	if err != nil {
		return err
	}
	if !s.sameOrigin(r) {
		return event.Errorf("forbidden", "A call is opened by the page of this server only.")
	}
	if s.cutOff() { // who is told at once is let in by another server before this one would know who they are
		return event.Errorf("unavailable", "This server does not reach its database. Try again in a moment.")
	}
	m, browser, err := s.memberIn(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	release, ok := s.sockets.Take(quota.Subnet(s.forward.client(r)))
	if !ok {
		s.traffic.refused.Add(1)
		w.Header().Set("Retry-After", "10")
		return event.Errorf("too_many", "This server holds as many calls as it can. Try again in a moment.")
	}
	defer release()
	if s.detour(w, r, m.Session, browser) {
		return nil
	}
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.log.Debug("no WebSocket came of a request", slog.Any("err", err)) // it has been answered
		return nil
	}
	s.traffic.opened.Add(1)
	s.hold(context.WithoutCancel(r.Context()), newSocket(ws, s.timings, &s.traffic), greeting{
		Session:  m.Session,
		Identity: room.Identity{ID: m.ID, Name: m.Name, Role: m.Role, Guest: m.Guest()},
		Browser:  browser, Host: r.Host,
	})
	return nil
}

// hold brings a member to their session, and returns when their WebSocket has ended.
func (s *Server) hold(ctx context.Context, sock *socket, g greeting) {
	line, err := s.reach(ctx, g)
	switch {
	case err != nil:
		s.log.Warn("a session is not reached", slog.String("session", g.Session), slog.Any("err", err))
		p := problemOf(err)
		go sock.write()
		sock.Close(event.Bye{Reason: byeReason(p), Message: p.Message})
		<-sock.Done()
	case line != nil:
		s.relays.carry(g.Browser, sock, line, s.borrow(g, sock, line))
	default:
		newCall(g, s.calls, sock, s.log).run(ctx)
	}
}
