package audience

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/sfu"
)

const (
	againAfter = 300 * time.Millisecond // what failed is tried again after so long,
	againMost  = 3 * time.Second        // or, as it fails again, longer
	doorLasts  = ticketLife / 2
	unreached  = 5 * time.Second // is long enough to know that something cannot be fetched,
	losses     = 2               // and what was lost so many times is lost again
	farewell   = time.Second     // for telling the other server that nothing is wanted any more
)

// lesson is a session that is fetched. Its goroutine, run, owns it; what is known of fetches reaches it through news.
type lesson struct {
	session  string
	room     *sfu.Room
	audience *Audience
	log      *slog.Logger
	news     chan struct{} // capacity 1
	alarm    *time.Timer   // calls missing when the lesson has been deaf or failing for a while
	missing  func()        // says that it cannot be fetched from here

	fetched map[string]*fetched // by publication
	lost    map[string]int      // how many times, by publication

	mu       sync.Mutex    // guards below
	list     []Publication // the newest; nil before the first
	door     Door          // by which it came, or a newer one
	doorFrom time.Time
	deaf     bool // what there is, is not heard
	failing  bool // not all of that is fetched
}

// fetched is one publication.
type fetched struct {
	fetch *sfu.Fetch
	path  string // of its feed
	told  int    // height that the other server knows

	mu     sync.Mutex
	lost   bool
	height int // that is wanted
}

func newLesson(session string, room *sfu.Room, a *Audience, missing func()) *lesson {
	return &lesson{
		session: session, room: room, audience: a, log: a.log.With(slog.String("session", session)),
		news: make(chan struct{}, 1), missing: missing, fetched: map[string]*fetched{}, lost: map[string]int{},
		deaf: true,
	}
}

// run fetches until ctx ends, from whichever server runs the session.
func (l *lesson) run(ctx context.Context) {
	l.alarm = time.AfterFunc(unreached, l.missing)
	defer l.alarm.Stop()
	var following sync.WaitGroup
	following.Go(func() { l.follow(ctx) })
	wait := againAfter
	again := time.NewTimer(0)
	defer again.Stop()
	for ctx.Err() == nil {
		select {
		case <-l.news:
		case <-again.C:
		case <-ctx.Done():
			continue
		}
		err := l.reconcile(ctx)
		l.note(&l.failing, err != nil && ctx.Err() == nil)
		if err != nil && ctx.Err() == nil {
			l.log.Info("a lesson is not fetched", slog.Any("err", err))
			l.forgetDoor()
			again.Reset(wait)
			wait = min(2*wait, againMost)
			continue
		}
		wait = againAfter
	}
	following.Wait()
	l.end()
}

// follow keeps the list of what is published.
func (l *lesson) follow(ctx context.Context) {
	wait := againAfter
	for ctx.Err() == nil {
		door, err := l.audience.where.Door(ctx, l.session)
		if err == nil {
			err = l.audience.client.follow(ctx, door, l.session, func(all []Publication) {
				wait = againAfter
				l.hear(all, door)
			})
		}
		if !errors.Is(err, io.EOF) && ctx.Err() == nil {
			l.log.Info("a lesson is not fetched: what there is, is not heard", slog.Any("err", err))
		}
		l.note(&l.deaf, ctx.Err() == nil)
		select {
		case <-time.After(wait):
			wait = min(2*wait, againMost)
		case <-ctx.Done():
		}
	}
}

func (l *lesson) hear(all []Publication, from Door) {
	l.note(&l.deaf, false)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = all
	if from.URL != l.door.URL {
		l.door, l.doorFrom = from, time.Now()
	}
	poke(l.news)
}

// note says whether the lesson is deaf, or failing, now. The alarm runs while it is either.
func (l *lesson) note(what *bool, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.deaf || l.failing
	*what = is
	switch now := l.deaf || l.failing; {
	case now && !before:
		l.alarm.Reset(unreached)
	case !now:
		l.alarm.Stop()
	}
}

func (l *lesson) listed() []Publication {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list
}

// reconcile fetches what is published, and nothing else, and says what is wanted of it.
func (l *lesson) reconcile(ctx context.Context) error {
	list := l.listed()
	if list == nil {
		return nil
	}
	there := make(map[string]bool, len(list))
	for _, p := range list {
		there[p.Publication] = true
	}
	for id, f := range l.fetched {
		lost, _ := f.state()
		if lost {
			l.lose(id)
		}
		if lost || !there[id] {
			f.fetch.Close()
			delete(l.fetched, id)
		}
	}
	var failed error
	for _, p := range list {
		if err := l.keep(ctx, p); !errors.Is(err, errGone) { // that is heard of soon
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// lose counts what came no more, though it was to be had.
func (l *lesson) lose(id string) {
	if l.lost[id]++; l.lost[id] == losses {
		l.missing()
	}
}

// keep begins to fetch a publication, or says what is wanted of it.
func (l *lesson) keep(ctx context.Context, p Publication) error {
	door, err := l.doorNow(ctx)
	if err != nil {
		return err
	}
	f := l.fetched[p.Publication]
	if f == nil {
		return l.begin(ctx, door, p)
	}
	_, height := f.state()
	if height == f.told {
		return nil
	}
	if err = l.audience.client.adjust(ctx, door, f.path, height); err == nil {
		f.told = height
	}
	return err
}

func (l *lesson) begin(ctx context.Context, door Door, p Publication) error {
	f := &fetched{told: sfu.AnyHeight, height: sfu.AnyHeight}
	fetch, offer, err := l.room.Fetch(sfu.FetchConfig{
		Track:  sfu.TrackInfo{Member: p.Member, Source: p.Source, Publication: p.Publication},
		Codec:  sfu.Codec{MimeType: p.MimeType, ClockRate: p.ClockRate, Channels: p.Channels, Parameters: p.Parameters},
		Layers: p.Layers,
		Wanted: func(height int) { f.note(func() { f.height = height }, l.news) },
		Lost:   func() { f.note(func() { f.lost = true }, l.news) },
	})
	if err != nil {
		return err
	}
	answer, path, err := l.audience.client.begin(ctx, door, l.session, p.Publication, offer)
	if err == nil {
		err = fetch.Answer(answer)
	}
	if err != nil {
		fetch.Close()
		return err
	}
	f.fetch, f.path = fetch, path
	l.fetched[p.Publication] = f
	return nil
}

// note takes what is said of a fetch.
func (f *fetched) note(change func(), news chan<- struct{}) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	poke(news)
}

func (f *fetched) state() (lost bool, height int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost, f.height
}

// doorNow is where the session can be fetched, asked for anew before the ticket ends.
func (l *lesson) doorNow(ctx context.Context) (Door, error) {
	l.mu.Lock()
	door, fresh := l.door, time.Since(l.doorFrom) < doorLasts
	l.mu.Unlock()
	if fresh {
		return door, nil
	}
	door, err := l.audience.where.Door(ctx, l.session)
	if err == nil {
		l.mu.Lock()
		l.door, l.doorFrom = door, time.Now()
		l.mu.Unlock()
	}
	return door, err
}

// forgetDoor makes doorNow ask anew: a server that was started again does not know the tickets that it gave before.
func (l *lesson) forgetDoor() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doorFrom = time.Time{}
}

// end lets go of everything. The other server would find out by itself.
func (l *lesson) end() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	for _, f := range l.fetched {
		f.fetch.Close()
		if door, err := l.doorNow(ctx); err == nil {
			_ = l.audience.client.end(ctx, door, f.path)
		}
	}
}
