package audience

import (
	"context"
	"log/slog"
	"sync"

	"github.com/pausepoint/pausepoint/sfu"
)

// Directory knows where sessions are run.
type Directory interface {
	// Door says where a session can be fetched now.
	Door(ctx context.Context, session string) (Door, error)
}

// Audience fetches what is watched from this server. Its methods may be called from any goroutine.
type Audience struct {
	media  *sfu.SFU
	where  Directory
	client client
	log    *slog.Logger

	mu      sync.Mutex // guards below
	lessons map[string]*watched
	closed  bool
	wg      sync.WaitGroup // goroutines of lessons
}

// watched is a lesson, and how many watch it.
type watched struct {
	users   int
	stop    context.CancelFunc
	missing chan struct{} // closed once it has turned out that it cannot be fetched
}

// New makes an audience. The caller closes it, before media.
func New(media *sfu.SFU, where Directory, log *slog.Logger) *Audience {
	return &Audience{media: media, where: where, client: newClient(), log: log, lessons: map[string]*watched{}}
}

// Watch names the media room in which what a session publishes appears, for as long as somebody watches: until each has called leave,
// once. It is not the session's own room, if this server should come to run that. If the session cannot be fetched from here, missing
// is closed after a while: whoever watches has to get it elsewhere.
func (a *Audience) Watch(session string) (room *sfu.Room, missing <-chan struct{}, leave func()) {
	room = a.media.Room("audience:" + session)
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.lessons[session]
	if w == nil {
		w = a.begin(session, room)
		a.lessons[session] = w
	}
	w.users++
	return room, w.missing, func() { a.leave(session, w) }
}

// begin wants mu.
func (a *Audience) begin(session string, room *sfu.Room) *watched {
	ctx, stop := context.WithCancel(context.Background())
	w := &watched{stop: stop, missing: make(chan struct{})}
	if !a.closed {
		l := newLesson(session, room, a, sync.OnceFunc(func() { close(w.missing) }))
		a.wg.Go(func() { l.run(ctx) })
	}
	return w
}

func (a *Audience) leave(session string, w *watched) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.users--
	if w.users == 0 {
		w.stop()
		delete(a.lessons, session)
	}
}

// Close ends all fetching, and waits for that.
func (a *Audience) Close() {
	a.mu.Lock()
	a.closed = true
	for _, w := range a.lessons {
		w.stop()
	}
	a.mu.Unlock()
	a.wg.Wait()
	a.client.close()
}
