package audience

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/sfu"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// Base is where an Endpoint is served.
const Base = "/whep/"

const (
	keepAlive = 2 * time.Second // a stream of events is silent for no longer
	maxFeeds  = 4096
	maxPatch  = 1024 // bytes
)

// Publication is what an Endpoint says of a publication.
type Publication struct {
	Member      string     `json:"member"`
	Source      sfu.Source `json:"source"`
	Publication string     `json:"publication"`
	MimeType    string     `json:"mimeType"`
	ClockRate   uint32     `json:"clockRate"`
	Channels    uint16     `json:"channels,omitempty"`
	Parameters  string     `json:"parameters,omitempty"` // the fmtp line
	Layers      int        `json:"layers"`
}

// wish is what a PATCH says.
type wish struct {
	Height *int `json:"height"` // of the tallest place in which somebody is shown the picture, in pixels
}

// Endpoint serves what this server runs to other servers. Below Base:
//
//	GET    {session}                     the publications, as JSON, again with each change (text/event-stream)
//	POST   {session}/{publication}       an offer: 201 with the answer and the feed's Location
//	PATCH  {session}/{publication}/{id}  {"height": 360}, what is wanted of it
//	DELETE {session}/{publication}/{id}  ends it
//
// Every request carries a ticket for the session (Authorization: Bearer). A feed also ends with its connection. Nothing is trickled:
// the server is ICE-lite and needs no candidates of the other.
type Endpoint struct {
	media *sfu.SFU
	live  func(session string) bool
	log   *slog.Logger
	key   key
	mux   *http.ServeMux
	quit  chan struct{}

	mu     sync.Mutex // guards below
	feeds  map[string]*sfu.Feed
	closed bool
}

// NewEndpoint makes an endpoint. live says whether this server runs a session now. The caller closes it.
func NewEndpoint(media *sfu.SFU, live func(session string) bool, log *slog.Logger) *Endpoint {
	e := &Endpoint{
		media: media, live: live, log: log, key: newKey(), mux: http.NewServeMux(),
		quit: make(chan struct{}), feeds: map[string]*sfu.Feed{},
	}
	e.mux.HandleFunc("GET "+Base+"{session}", e.follow)
	e.mux.HandleFunc("POST "+Base+"{session}/{publication}", e.begin)
	e.mux.HandleFunc("PATCH "+Base+"{session}/{publication}/{feed}", e.adjust)
	e.mux.HandleFunc("DELETE "+Base+"{session}/{publication}/{feed}", e.end)
	return e
}

// Ticket lets whoever has it fetch a session for a minute.
func (e *Endpoint) Ticket(session string) string { return e.key.ticket(session, time.Now()) }

// Close ends what is served. It may be called more than once.
func (e *Endpoint) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		close(e.quit)
	}
}

// ServeHTTP implements http.Handler. Without a ticket, nothing is said of what there is.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	session, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Base), "/")
	ticket, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !e.key.opens(ticket, session, time.Now()) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="servers of this deployment"`)
		http.Error(w, "This is for servers that have a ticket.", http.StatusUnauthorized)
		return
	}
	if !e.live(session) {
		http.Error(w, "That session is not run by this server.", http.StatusNotFound)
		return
	}
	e.mux.ServeHTTP(w, r)
}

// follow tells what is published until the session is not run here any more.
func (e *Endpoint) follow(w http.ResponseWriter, r *http.Request) {
	room, changed := e.media.Room(r.PathValue("session")), make(chan struct{}, 1)
	tap, err := room.Tap(sfu.SinkFunc(func(event sfu.Event) {
		switch event.(type) {
		case sfu.PublicationStarted, sfu.PublicationEnded:
			poke(changed)
		}
	}))
	if err != nil {
		http.Error(w, "That session is not run by this server.", http.StatusNotFound)
		return
	}
	defer tap.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for text := list(room); say(w, text) && e.live(r.PathValue("session")); {
		select {
		case <-changed:
			text = list(room)
		case <-alive.C:
			text = ":\n\n"
		case <-r.Context().Done():
			return
		case <-e.quit:
			return
		}
	}
}

// say sends a part of a stream of events, if that goes on soon.
func say(w http.ResponseWriter, text string) bool {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(2 * keepAlive)) // where there is none, there is no need
	_, err := io.WriteString(w, text)
	return err == nil && c.Flush() == nil
}

// list is one event: the publications of a room.
func list(room *sfu.Room) string {
	all := []Publication{}
	for _, p := range room.Publications() {
		t, c := p.Info(), p.Codec()
		all = append(all, Publication{
			Member: t.Member, Source: t.Source, Publication: t.Publication,
			MimeType: c.MimeType, ClockRate: c.ClockRate, Channels: c.Channels, Parameters: c.Parameters, Layers: p.Layers(),
		})
	}
	b, _ := json.Marshal(all) // texts and numbers
	return "data: " + string(b) + "\n\n"
}

func (e *Endpoint) begin(w http.ResponseWriter, r *http.Request) {
	if !is(r, "application/sdp") {
		http.Error(w, "An offer is application/sdp.", http.StatusUnsupportedMediaType)
		return
	}
	offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, negotiate.MaxBytes))
	if err != nil {
		http.Error(w, "The offer could not be read.", http.StatusRequestEntityTooLarge)
		return
	}
	feed, answer, err := e.media.Room(r.PathValue("session")).Feed(r.PathValue("publication"), string(offer))
	switch {
	case errors.Is(err, sfu.ErrNotPublished):
		http.Error(w, "That is not published.", http.StatusNotFound)
		return
	case errors.Is(err, sfu.ErrUnsupported):
		http.Error(w, "The offer does not fit the publication.", http.StatusNotAcceptable)
		return
	case err != nil:
		e.log.Info("another server is refused a publication", slog.Any("err", err))
		http.Error(w, "The offer cannot be used.", http.StatusBadRequest)
		return
	}
	id, ok := e.add(feed)
	if !ok {
		feed.Close()
		http.Error(w, "This server sends as much as it can.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", r.URL.Path+"/"+id)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

// add keeps a feed until it ends.
func (e *Endpoint) add(f *sfu.Feed) (id string, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.feeds) >= maxFeeds {
		return "", false
	}
	id = rand.Text()
	e.feeds[id] = f
	go func() { // ends with the media plane, at the latest
		<-f.Done()
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.feeds, id)
	}()
	return id, true
}

// feed finds the one that a request is about; without one, it has been answered.
func (e *Endpoint) feed(w http.ResponseWriter, r *http.Request) *sfu.Feed {
	e.mu.Lock()
	f := e.feeds[r.PathValue("feed")]
	e.mu.Unlock()
	if f == nil || f.Info().Publication != r.PathValue("publication") {
		http.Error(w, "That has ended.", http.StatusNotFound)
		return nil
	}
	return f
}

func (e *Endpoint) adjust(w http.ResponseWriter, r *http.Request) {
	f := e.feed(w, r)
	if f == nil {
		return
	}
	if !is(r, "application/json") {
		w.Header().Set("Accept-Patch", "application/json")
		http.Error(w, "What is wanted is application/json.", http.StatusUnsupportedMediaType)
		return
	}
	var says wish
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPatch)).Decode(&says); err != nil || says.Height == nil {
		http.Error(w, "What is wanted is a height.", http.StatusBadRequest)
		return
	}
	f.SetHeight(*says.Height)
	w.WriteHeader(http.StatusNoContent)
}

func (e *Endpoint) end(w http.ResponseWriter, r *http.Request) {
	if f := e.feed(w, r); f != nil {
		f.Close()
		w.WriteHeader(http.StatusOK)
	}
}

// is reports whether a request's body is of a type.
func is(r *http.Request, want string) bool {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && got == want
}

// poke fills a channel of capacity 1.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
