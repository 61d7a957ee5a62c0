package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// Plans knows what sessions open with. An error that is a *event.Problem goes to who asked as it is.
type Plans interface {
	Plan(ctx context.Context, session string) (Plan, error)
}

// Config is what rooms need of the world.
type Config struct {
	Journal Journal
	Plans   Plans
	Log     *slog.Logger
	// Before, if set, gets a session's events when they are handed to the journal, in order, from the goroutine that runs the room: it
	// must not block, nor wait for the room. Whether they become durable is not known yet.
	Before func(session string, events []event.Event)
	// Observe, if set, gets a session's journalled events once they are durable, in order, from the room's goroutine:
	// it must not block, nor wait for the room. It comes before members are told.
	Observe func(session string, events []event.Event)
	// Idle is how long a room is kept in which nobody is; 0 is a minute.
	Idle time.Duration
}

const (
	loadTimeout   = 30 * time.Second
	disownTimeout = 2 * time.Second
)

// House finds, loads and evicts rooms. Its methods may be called from any goroutine.
type House struct {
	cfg Config

	mu     sync.Mutex // guards below
	rooms  map[string]*entry
	closed bool
	ends   sync.WaitGroup

	after chan struct{} // something is in it while the journal of a session that has ended is added to; capacity 1
}

// entry is a room, or one that is being loaded.
type entry struct {
	ready chan struct{} // closed when room or err is there
	room  *Room
	err   error
}

// NewHouse makes a house without rooms.
func NewHouse(cfg Config) *House {
	if cfg.Before == nil {
		cfg.Before = func(string, []event.Event) {}
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, []event.Event) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Idle <= 0 {
		cfg.Idle = time.Minute
	}
	return &House{cfg: cfg, rooms: map[string]*entry{}, after: make(chan struct{}, 1)}
}

// Connect lets a member into a session over conn, loading or opening the session if it is not live. Welcome follows on
// conn. An error is a *event.Problem wherever people should read it.
func (h *House) Connect(ctx context.Context, session string, who Identity, conn Conn, hello event.Hello) (*Room, error) {
	for {
		r, err := h.room(ctx, session)
		if err != nil {
			return nil, err
		}
		if err := r.connect(ctx, who, conn, hello); !errors.Is(err, errStopped) {
			return r, err
		}
	}
}

// Withdraw takes back a member's consent to being recorded, during the session or afterwards, and with notes what they wrote. It
// returns once that is durable; Config.Observe is told. Only a session that has been opened may be named.
func (h *House) Withdraw(ctx context.Context, session, member string, notes bool) error {
	withdraw := func(s *State, env Env) ([]event.Event, error) { return s.Withdraw(env, member, notes) }
	return h.ask(ctx, session, change{apply: withdraw, off: true})
}

// Erased keeps the proof in a session's journal that what was recorded of a member is gone.
func (h *House) Erased(ctx context.Context, session string, erased event.RecordingErased) error {
	return h.change(ctx, session, func(s *State, env Env) ([]event.Event, error) { return s.Erased(env, erased) })
}

// SeeMeasures keeps in a session's journal that a member has looked at the measures of their part.
func (h *House) SeeMeasures(ctx context.Context, session, member string) error {
	return h.change(ctx, session, func(s *State, env Env) ([]event.Event, error) { return s.SeeMeasures(env, member) })
}

// Keep sets in a session's journal for how many days it is kept; see [State.Keep].
func (h *House) Keep(ctx context.Context, session, member string, days int64) error {
	return h.change(ctx, session, func(s *State, env Env) ([]event.Event, error) { return s.Keep(env, member, days), nil })
}

// LegalHold sets or lifts a legal hold in a session's journal; see [State.LegalHold].
func (h *House) LegalHold(ctx context.Context, session string, on bool, reason string) error {
	return h.change(ctx, session, func(s *State, env Env) ([]event.Event, error) { return s.LegalHold(env, on, reason), nil })
}

// AskReuse asks in a session's journal for a clip of its recording; see [State.AskReuse].
func (h *House) AskReuse(ctx context.Context, session, member string, q ReuseQuestion) error {
	return h.change(ctx, session, func(s *State, env Env) ([]event.Event, error) { return s.AskReuse(env, member, q) })
}

// AnswerReuse keeps a member's answer to that; see [State.AnswerReuse].
func (h *House) AnswerReuse(ctx context.Context, session, member, clip string, agree bool) error {
	return h.change(ctx, session, func(s *State, env Env) ([]event.Event, error) { return s.AnswerReuse(env, member, clip, agree) })
}

func (h *House) change(ctx context.Context, session string, apply func(*State, Env) ([]event.Event, error)) error {
	return h.ask(ctx, session, change{apply: apply})
}

// ask asks the session's room, or changes the journal itself once there is none any more.
func (h *House) ask(ctx context.Context, session string, c change) error {
	for {
		r, err := h.room(ctx, session)
		var p *event.Problem
		if errors.As(err, &p) && p.Code == "ended" {
			if err = h.changeEnded(ctx, session, c); errors.Is(err, ErrNotOwner) && ctx.Err() == nil {
				continue // somebody else looked at the session meanwhile
			}
			return err
		}
		if err != nil {
			return err
		}
		if err := r.ask(ctx, c); !errors.Is(err, errStopped) {
			return err
		}
	}
}

// changeEnded adds to the journal of a session that has ended: no room runs it any more. It waits for the journal as members do.
func (h *House) changeEnded(ctx context.Context, session string, c change) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	select {
	case h.after <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	changed := make(chan error, 1)
	go func() { // to its end, whoever waits for it
		changed <- h.addEnded(ctx, session, c)
		<-h.after
	}()
	select {
	case err := <-changed:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *House) addEnded(ctx context.Context, session string, c change) error {
	epoch, err := h.cfg.Journal.Own(ctx, session)
	if err != nil {
		return fmt.Errorf("own the session: %w", err)
	}
	defer h.disown(session, epoch)
	journal, err := h.cfg.Journal.Load(ctx, session)
	if err != nil {
		return fmt.Errorf("load journal: %w", err)
	}
	s, err := New(journal)
	if err != nil {
		return fmt.Errorf("fold journal: %w", err)
	}
	events, err := c.apply(s, Env{Now: s.At(), Wall: time.Now().UnixMilli()})
	if err != nil || len(events) == 0 {
		return err
	}
	stored := make(chan error, 1)
	h.cfg.Journal.Append(session, epoch, events, func(err error) { stored <- err })
	if err := <-stored; err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	h.cfg.Observe(session, events)
	return nil
}

// Live gives a session's room if it is running.
func (h *House) Live(session string) (*Room, bool) {
	h.mu.Lock()
	e := h.rooms[session]
	h.mu.Unlock()
	if e == nil {
		return nil, false
	}
	select {
	case <-e.ready:
		return e.room, e.err == nil
	default:
		return nil, false
	}
}

// Load makes a session live that is not, as the first member who connects would.
func (h *House) Load(ctx context.Context, session string) error {
	_, err := h.room(ctx, session)
	return err
}

// LetGo ends a session's room here, after what is queued has gone out to its members, who come back to wherever it is then.
// It waits for that.
func (h *House) LetGo(ctx context.Context, session string) error {
	r, ok := h.Live(session)
	if !ok {
		return nil
	}
	r.stop()
	if err := r.awaitEnd(ctx); !errors.Is(err, errStopped) {
		return err
	}
	return nil
}

// Abandon ends a session's room here, because somebody else has the session: members are told at once, though the journal may still
// have to answer.
func (h *House) Abandon(session string) {
	if r, ok := h.Live(session); ok {
		r.abandon()
	}
}

// Sessions lists what is live.
func (h *House) Sessions() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.rooms))
}

// Close ends all rooms, after what is queued has gone out to members, and waits for that.
func (h *House) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	entries := make([]*entry, 0, len(h.rooms))
	for _, e := range h.rooms {
		entries = append(entries, e)
	}
	h.mu.Unlock()
	for _, e := range entries {
		select {
		case <-e.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		if e.room != nil {
			e.room.stop()
		}
	}
	ended := make(chan struct{})
	go func() {
		h.ends.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// room gets a session's room, loading it if nobody has.
func (h *House) room(ctx context.Context, session string) (*Room, error) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, refuse("unavailable", "The server restarts. Try again in a moment.")
	}
	e := h.rooms[session]
	if e == nil {
		e = &entry{ready: make(chan struct{})}
		h.rooms[session] = e
		h.ends.Add(1)
		go h.host(session, e)
	}
	h.mu.Unlock()
	select {
	case <-e.ready:
		return e.room, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// host loads a room and runs it to its end.
func (h *House) host(session string, e *entry) {
	defer h.ends.Done()
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	e.room, e.err = h.load(ctx, session)
	cancel()
	if e.err != nil {
		h.forget(session)
		close(e.ready)
		return
	}
	close(e.ready)
	e.room.run()
	if !e.room.failed { // or it is loaded again at once, unless it was taken
		h.disown(session, e.room.epoch)
	}
	h.forget(session)
	e.room.farewell()
	close(e.room.done)
}

// disown lets others have a session that this house does not run any more. Where that fails, they take it.
func (h *House) disown(session string, epoch int64) {
	ctx, cancel := context.WithTimeout(context.Background(), disownTimeout)
	defer cancel()
	if err := h.cfg.Journal.Disown(ctx, session, epoch); err != nil {
		h.cfg.Log.Warn("others have to take a session", slog.String("session", session), slog.Any("err", err))
	}
}

func (h *House) forget(session string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.rooms, session)
}

// load makes a session's room, from its journal or, at the first time, from its plan.
func (h *House) load(ctx context.Context, session string) (*Room, error) {
	epoch, err := h.cfg.Journal.Own(ctx, session) // before it is read: nobody else adds to it then
	if err != nil {
		return nil, fmt.Errorf("own the session: %w", err)
	}
	r, err := h.loadOwned(ctx, session, epoch)
	if err != nil {
		h.disown(session, epoch)
	}
	return r, err
}

func (h *House) loadOwned(ctx context.Context, session string, epoch int64) (*Room, error) {
	journal, err := h.cfg.Journal.Load(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("load journal: %w", err)
	}
	if len(journal) == 0 {
		return h.open(ctx, session, epoch)
	}
	s, err := New(journal)
	if err != nil {
		return nil, fmt.Errorf("fold journal: %w", err)
	}
	if s.Ended() {
		return nil, errEnded()
	}
	r := h.newRoom(session, epoch, s, s.View())
	r.seq = s.Seq()
	r.submit(s.Tick(r.env()), nil) // what went on by itself meanwhile
	r.submit(s.Recover(r.env()), nil)
	return r, nil
}

func (h *House) open(ctx context.Context, session string, epoch int64) (*Room, error) {
	plan, err := h.cfg.Plans.Plan(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("plan of the session: %w", err)
	}
	plan.Session.ID, plan.Session.Opened = session, time.Now().UnixMilli()
	s, events, err := Open(plan)
	if err != nil {
		return nil, fmt.Errorf("open the session: %w", err)
	}
	r := h.newRoom(session, epoch, s, event.View{})
	r.submit(events, nil)
	return r, nil
}

func (h *House) newRoom(session string, epoch int64, s *State, told event.View) *Room {
	r := &Room{
		id: session, epoch: epoch, journal: h.cfg.Journal, before: h.cfg.Before, observe: h.cfg.Observe, log: h.cfg.Log,
		idle:     h.cfg.Idle,
		clock:    newClock(s.At(), s.view.Session.Opened),
		inbox:    make(chan input, inboxSize),
		commits:  commits{wake: make(chan struct{}, 1)},
		quit:     make(chan struct{}),
		taken:    make(chan struct{}),
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
		state:    s, told: told, links: map[string]*link{},
	}
	r.tellInside()
	return r
}
