package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/entrance"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/metrics"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/relay"
	"github.com/pausepoint/pausepoint/sfu"
	"github.com/pausepoint/pausepoint/signaling"
	"github.com/pausepoint/pausepoint/static"
	"github.com/pausepoint/pausepoint/traces"
)

// Stopping takes no longer than stopWithin, all told. Handing calls to others has most of it, closing what is left has the rest; requests
// that are under way get a moment of that.
const (
	stopWithin     = time.Minute
	drainWithin    = 50 * time.Second
	closeWithin    = 9 * time.Second
	requestsWithin = 2 * time.Second
)

var errHangs = errors.New("this server did not come to an end in a minute, so it ends now: what it had not handed over goes on elsewhere, or here once it is started again")

// serve starts everything, announces it on out, and runs until ctx ends or the listener fails.
func serve(ctx context.Context, f flags, log *slog.Logger, out io.Writer) error {
	release, err := openData(f.Common.Data)
	if err != nil {
		return err
	}
	defer release()
	ln, err := f.Serve.open()
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }()
	h, err := build(ctx, f, ln, log)
	if err != nil {
		return err
	}
	err = h.run(ctx, f, out)
	return errors.Join(err, h.stop(context.WithoutCancel(ctx)))
}

// house is all parts, wired. Its fields are set once, by build.
type house struct {
	log    *slog.Logger
	people *account.People
	server *signaling.Server
	node   *cluster.Node  // nil for the only server
	turn   *relay.Server  // nil without TURN
	traces *traces.Traces // nil without a collector
	tls    *tls.Config    // nil over plain HTTP
	pages  net.Listener
	closes []func(context.Context) error // in the order of building

	entrance *entrance.Entrance // nil where pages have a port for themselves
}

// later remembers how to close what was built; what was built last is closed first.
func (h *house) later(closing func(context.Context) error) { h.closes = append(h.closes, closing) }

// stop hands the calls to other servers, if there are any, and closes everything. It does not wait for what hangs.
func (h *house) stop(ctx context.Context) error {
	h.log.Info("stopping")
	stopped := make(chan error, 1)
	go func() {
		h.drain(ctx)
		closing, cancel := context.WithTimeout(ctx, closeWithin)
		defer cancel()
		stopped <- h.close(closing)
	}()
	select {
	case err := <-stopped:
		return err
	case <-time.After(stopWithin):
		return errHangs
	}
}

func (h *house) close(ctx context.Context) error {
	var errs []error
	for i := len(h.closes) - 1; i >= 0; i-- {
		errs = append(errs, h.closes[i](ctx))
	}
	return errors.Join(errs...)
}

// build makes a server whose pages are served at a listener.
func build(ctx context.Context, f flags, pages net.Listener, log *slog.Logger) (*house, error) {
	h := &house{log: log, pages: pages}
	if err := h.wire(ctx, f); err != nil {
		return nil, errors.Join(err, h.close(context.WithoutCancel(ctx)))
	}
	return h, nil
}

// wire builds from what knows nobody up to what knows all.
func (h *house) wire(ctx context.Context, f flags) error {
	data := f.Common.Data
	st, err := h.openStore(ctx, f, h.pages.Addr())
	if err != nil {
		return err
	}
	if err := h.openTraces(ctx, f.Serve.OTLP); err != nil {
		return err
	}
	if h.tls, err = f.Serve.openTLS(st.Certificates(), h.log); err != nil {
		return err
	}
	h.openEntrance(f.Serve)
	media, err := h.openMedia(f.Serve)
	if err != nil {
		return err
	}
	h.later(func(context.Context) error { return media.Close() })
	relays, err := h.openRelay(f.Serve, media)
	if err != nil {
		return err
	}

	clips, err := clip.Open(ctx, clip.Config{
		Catalog: st, Blobs: h.traces.Blobs(st), Node: h.name(), Dir: filepath.Join(data, "clips"), Log: h.log,
		FFmpeg: f.Common.FFmpeg, FFprobe: ffprobeBeside(f.Common.FFmpeg),
	})
	if err != nil {
		return explainClips(err)
	}
	h.later(func(context.Context) error { clips.Close(); return nil })
	if err := clips.EnsurePractice(ctx); err != nil {
		return err
	}

	films := openFilms(f.Common, st, clips, h.log)
	tapes, err := h.openRecorder(ctx, f.Common, st, films)
	if err != nil {
		return err
	}
	keeper := keeping.New(st, tapes, h.log)
	h.later(keeper.Close)
	counts := metrics.New()
	journal := counts.Journal(st)
	h.people = account.NewPeople(st, st, h.log)
	h.server = signaling.New(signaling.Config{
		People: h.people,
		Sessions: account.NewSessions(account.Config{
			Plans: st, Members: st, Links: st, Library: st, Practice: clip.PracticeID, Log: h.log,
		}),
		Library: clips, Journal: h.traces.Journal(h.owned(journal, st)), Media: media, Recorder: tapes, Segments: st, Erasures: st, Films: films, Keeper: keeper,
		Browsers: st.BrowserSessions(), Pages: static.Handler(), Log: h.log,
		PublicURL: f.Serve.publicBase(), TrustProxy: f.Serve.TrustProxy,
		MaxConnections: f.Serve.MaxConnections, MaxConnectionsPerAddress: f.Serve.MaxConnectionsPerAddress,
		Answered: func(ctx context.Context, r signaling.Request) { counts.Answered(r); h.traces.Answered(ctx, r) },
		Impaired: journal.Impaired, Relays: relays, Nodes: h.node, NodeURL: f.Serve.nodeURL(h.pages.Addr()),
	})
	h.later(h.server.Close)
	if h.node != nil {
		h.node.Start(h.server)
	}
	of := metrics.Sources{Edge: h.server, Media: media, Recorder: tapes, Clips: clips}
	if h.node != nil {
		of.Nodes = h.node
	}
	if h.turn != nil {
		of.TURN = h.turn
	}
	counts.Watch(of)
	return h.serveMetrics(f.Serve.MetricsAddr, counts.Handler())
}

// openEntrance has others share the port of the pages, if they are to. They are let in once the server is ready.
func (h *house) openEntrance(s serveFlags) {
	if !s.onePort() && !sameAddr(s.secureAddr(s.listen), s.Addr) {
		return
	}
	h.entrance = entrance.New(h.pages, h.tls)
	h.later(func(context.Context) error { return h.entrance.Close() })
	h.pages = h.entrance.Pages()
}

func (h *house) openMedia(s serveFlags) (*sfu.SFU, error) {
	public, err := s.publicAddrs()
	if err != nil {
		return nil, err
	}
	cfg := sfu.Config{
		UDPAddr: s.MediaAddr, PublicAddrs: public, DenyPrivate: !s.AllowPrivateCandidates, AllowOwn: s.served(s.listen), Logger: h.log,
	}
	if s.onePort() {
		cfg.TCP = h.entrance.Media()
	}
	media, err := sfu.New(cfg)
	if err != nil {
		return nil, explainListen("media-addr", s.MediaAddr, err)
	}
	return media, nil
}

// openTraces begins to send traces, if somebody wants them.
func (h *house) openTraces(ctx context.Context, collector string) (err error) {
	if collector == "" {
		return nil
	}
	name := h.name()
	if name == "" {
		name, _ = os.Hostname()
	}
	if h.traces, err = traces.Open(ctx, traces.Config{URL: collector, Node: name, Log: h.log}); err != nil {
		return err
	}
	h.later(h.traces.Close)
	return nil
}

// notice logs what people should know of a recording, and tells those in the call. Nothing is recorded before there is a server.
func (h *house) notice(n recorder.Notice) {
	h.log.Warn("recording", slog.String("kind", string(n.Kind)), slog.String("session", n.Session),
		slog.String("source", n.Source), slog.Uint64("items", n.Items))
	h.server.Notice(n)
}

// explainStore names the flags that say where things are kept.
func explainStore(c common, err error) error {
	if c.Database == "" && c.Blobs == "" {
		return fmt.Errorf("the database in %s cannot be opened: %w", c.Data, err)
	}
	return fmt.Errorf("what --data, --database and --blobs (or %s, %s and %s) say cannot be opened; pausepoint doctor looks at each: %w",
		envName("data"), envName("database"), envName("blobs"), err)
}

// explainClips names the flag that helps where ffmpeg is missing.
func explainClips(err error) error {
	var e *clip.Error
	if errors.As(err, &e) && e.Code == "no_ffmpeg" {
		return fmt.Errorf("clips cannot be prepared: %s If it is somewhere else, name it with --ffmpeg (or %s)", e.Message, envName("ffmpeg"))
	}
	return fmt.Errorf("clips cannot be opened: %w", err)
}

// run serves until ctx ends.
func (h *house) run(ctx context.Context, f flags, out io.Writer) error {
	srv := &http.Server{
		Handler:           secured(h.traces.Requests(h.server)),
		ConnContext:       withTLS,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	srv.RegisterOnShutdown(h.server.CloseFeeds)
	serving := make(chan error, 1)
	go func() { serving <- h.serveOn(srv) }()

	setup, err := h.people.SetupToken(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("make the link for the first account: %w", err), srv.Close())
	}
	h.later(func(ctx context.Context) error { return stopServing(ctx, srv) })
	announce(out, f.Serve.listen, h.pages.Addr(), f.Serve.publicBase(), setup)
	h.server.Ready()
	h.log.Info("serving", slog.String("addr", h.pages.Addr().String()))

	select {
	case err := <-serving:
		return fmt.Errorf("pages are not served any more: %w", err)
	case <-ctx.Done():
		return nil
	}
}

// stopServing closes the listener at once and gives requests a moment to end: uploads are resumed later anyway. It does not wait
// for WebSockets, to which signaling says bye.
func stopServing(ctx context.Context, srv *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, requestsWithin)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return srv.Close()
	}
	return err
}

func (h *house) serveOn(srv *http.Server) error {
	if h.entrance != nil {
		go h.entrance.Serve() // until it is closed
	}
	if h.tls == nil || h.entrance != nil { // which ends TLS
		return srv.Serve(h.pages)
	}
	srv.TLSConfig = h.tls
	return srv.ServeTLS(h.pages, "", "")
}
